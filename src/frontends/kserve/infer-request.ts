import type { PredictRequest, RequestTensor } from '../../servables/predict-request.js';
import { readName } from '../protobuf/known-names.js';
import { decodeMessage, enter, leave, skip, tagOf, WIRE, type Reader } from '../protobuf/wire-reader.js';
import { InputTensor, wrongNumberOfInputs } from './input-tensor.js';
import { readParameter, sharedPlace } from './shared-parameters.js';
import type { SharedOutput, SharedTensors } from './shared-tensors.js';
import { shortened } from '../../texts.js';

const MODEL_NAME = tagOf(1, WIRE.BYTES);
const MODEL_VERSION = tagOf(2, WIRE.BYTES);
const ID = tagOf(3, WIRE.BYTES);
const INPUTS = tagOf(5, WIRE.BYTES);
const OUTPUTS = tagOf(6, WIRE.BYTES);
const OUTPUT_NAME = tagOf(1, WIRE.BYTES);
const OUTPUT_PARAMETERS = tagOf(2, WIRE.BYTES);
const RAW_INPUT_CONTENTS = tagOf(7, WIRE.BYTES);

/** The field of a request that has the bytes of a tensor: `raw_input_contents`. */
export const INFER_CONTENT: readonly number[] = [RAW_INPUT_CONTENTS >> 3];

/** `inference.ModelInferRequest` without what is ignored: parameters and requested outputs (as OVMS 2026.2.1) but for shared memory. */
export interface InferMessage {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string;
  /** In the order of the message. */
  readonly inputs: readonly InputTensor[];
  /** Requested outputs that are wanted in shared memory. */
  readonly sharedOutputs: readonly SharedOutput[];
  /** Views of the message, as are the contents of the inputs: it must stay unchanged until the request is answered. */
  readonly rawInputContents: readonly Uint8Array[];
}

/** @throws ServingError MESSAGE_MALFORMED */
export function decodeInferRequest(bytes: Uint8Array): InferMessage {
  return decodeMessage('ModelInferRequest', bytes, readInferRequest);
}

function readInferRequest(reader: Reader): InferMessage {
  let modelName = '';
  let modelVersion = '';
  let id = '';
  const inputs: InputTensor[] = [];
  const sharedOutputs: SharedOutput[] = [];
  const rawInputContents: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === MODEL_NAME) modelName = readName(reader);
    else if (tag === MODEL_VERSION) modelVersion = reader.stringVerify();
    else if (tag === ID) id = reader.stringVerify();
    else if (tag === INPUTS) inputs.push(new InputTensor(reader));
    else if (tag === OUTPUTS) readRequestedOutput(reader, sharedOutputs);
    else if (tag === RAW_INPUT_CONTENTS) rawInputContents.push(reader.bytes());
    else skip(reader, tag);
  }
  return { modelName, modelVersion, id, inputs, sharedOutputs, rawInputContents };
}

/** Whether a tensor of the message is, or is wanted, in shared memory. */
export function sharesMemory({ inputs, sharedOutputs }: InferMessage): boolean {
  return sharedOutputs.length > 0 || inputs.some((input) => input.hasParameters);
}

/** Adds the output the reader stands before when it is wanted in shared memory. */
function readRequestedOutput(reader: Reader, sharedOutputs: SharedOutput[]): void {
  const outerEnd = enter(reader);
  let name = '';
  let parameters: Record<string, string | boolean | number> | null = null;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === OUTPUT_NAME) name = reader.stringVerify();
    else if (tag === OUTPUT_PARAMETERS) readParameter(reader, (parameters ??= {}));
    else skip(reader, tag);
  }
  leave(reader, outerEnd);
  const place = parameters === null ? null : sharedPlace(parameters, `output '${shortened(name)}'`);
  if (place !== null) sharedOutputs.push({ name, place });
}

/**
 * The inputs of a message by name. Raw contents are given by their places to those that are not in shared memory.
 * @param expected inputs the servable has: their number is checked first (as OVMS 2026.2.1).
 * @param shared gets what is in shared memory; its holder releases it. `null`: nothing may be there.
 * @throws ServingError INVALID_NO_OF_INPUTS, INVALID_MESSAGE_STRUCTURE, INVALID_CONTENT_SIZE, SHARED_MEMORY_*
 */
export function tensorsOf(
  message: InferMessage,
  expected: number,
  shared: SharedTensors | null = null,
): PredictRequest['inputs'] {
  const { inputs, rawInputContents } = message;
  if (inputs.length !== expected || expected === 0) throw wrongNumberOfInputs(expected, inputs.length);
  const isRaw = rawInputContents.length > 0;
  const tensors = new Map<string, RequestTensor>();
  let sent = 0;
  for (const input of inputs) {
    const { name, place } = input;
    const raw = place === null && isRaw ? rawInputContents[sent++] : null;
    // Of two inputs with one name the first counts (as OVMS 2026.2.1).
    if (tensors.has(name)) continue;
    tensors.set(name, place === null ? input.toRequestTensor(raw) : input.toSharedTensor(place, shared));
  }
  return tensors;
}
