import type { PredictRequest, RequestTensor } from '../../servables/predict-request.js';
import { readName } from '../protobuf/known-names.js';
import { decodeMessage, skip, tagOf, WIRE, type Reader } from '../protobuf/wire-reader.js';
import { InputTensor, wrongNumberOfInputs } from './input-tensor.js';

const MODEL_NAME = tagOf(1, WIRE.BYTES);
const MODEL_VERSION = tagOf(2, WIRE.BYTES);
const ID = tagOf(3, WIRE.BYTES);
const INPUTS = tagOf(5, WIRE.BYTES);
const RAW_INPUT_CONTENTS = tagOf(7, WIRE.BYTES);

/** The field of a request that has the bytes of a tensor: `raw_input_contents`. */
export const INFER_CONTENT: readonly number[] = [RAW_INPUT_CONTENTS >> 3];

/** `inference.ModelInferRequest` without what is ignored: parameters and requested outputs (as OVMS 2026.2.1). */
export interface InferMessage {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string;
  /** In the order of the message. */
  readonly inputs: readonly InputTensor[];
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
  const rawInputContents: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === MODEL_NAME) modelName = readName(reader);
    else if (tag === MODEL_VERSION) modelVersion = reader.stringVerify();
    else if (tag === ID) id = reader.stringVerify();
    else if (tag === INPUTS) inputs.push(new InputTensor(reader));
    else if (tag === RAW_INPUT_CONTENTS) rawInputContents.push(reader.bytes());
    else skip(reader, tag);
  }
  return { modelName, modelVersion, id, inputs, rawInputContents };
}

/**
 * The inputs of a message by name, raw contents given to them by their places.
 * @param expected inputs the servable has: their number is checked first (as OVMS 2026.2.1).
 * @throws ServingError INVALID_NO_OF_INPUTS, INVALID_MESSAGE_STRUCTURE, INVALID_CONTENT_SIZE
 */
export function tensorsOf(message: InferMessage, expected: number): PredictRequest['inputs'] {
  const { inputs, rawInputContents } = message;
  if (inputs.length !== expected || expected === 0) throw wrongNumberOfInputs(expected, inputs.length);
  const isRaw = rawInputContents.length > 0;
  const tensors = new Map<string, RequestTensor>();
  inputs.forEach((input, index) => {
    // Of two inputs with one name the first counts (as OVMS 2026.2.1).
    if (!tensors.has(input.name))
      tensors.set(input.name, input.toRequestTensor(isRaw ? rawInputContents[index] : null));
  });
  return tensors;
}
