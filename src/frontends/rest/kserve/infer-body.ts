import { ServingError } from '../../../errors.js';
import type { PredictRequest, RequestTensor, TensorContent } from '../../../servables/predict-request.js';
import { ELEMENT_BYTES } from '../../../tensors/precision.js';
import { NO_STRINGS } from '../../../tensors/strings.js';
import { elementCount } from '../../../tensors/shape.js';
import { readBytesElements } from '../../kserve/bytes-elements.js';
import { precisionOfDataType } from '../../kserve/data-type.js';
import { bothKinds, sharedAndSent, wrongNumberOfInputs } from '../../kserve/input-tensor.js';
import { SharedTensors } from '../../kserve/shared-tensors.js';
import type { InferDocument, InferInput } from './infer-json.js';

/** A body in its two parts, both views of it. */
export interface SplitBody {
  readonly json: Uint8Array;
  /** The binary data extension: contents of inputs, one behind the other. */
  readonly binary: Uint8Array;
}

/** The reference reads the header into 32 bits. */
const LARGEST_HEADER = 2 ** 31 - 1;

/**
 * Splits a body where the header `Inference-Header-Content-Length` says that its JSON ends; without it all is JSON.
 * @throws ServingError REST_HEADER_LENGTH_INVALID, REST_HEADER_LENGTH_EXCEEDED
 */
export function splitBody(body: Uint8Array, header: string | undefined): SplitBody {
  if (header === undefined) return { json: body, binary: body.subarray(body.byteLength) };
  const length = /^\d+$/.test(header) ? Number(header) : NaN;
  if (!(length <= LARGEST_HEADER)) throw new ServingError('REST_HEADER_LENGTH_INVALID');
  if (length > body.byteLength) throw new ServingError('REST_HEADER_LENGTH_EXCEEDED');
  return { json: body.subarray(0, length), binary: body.subarray(length) };
}

/** An input with its piece of the binary part; `null` when its elements are in the JSON or in shared memory. */
export interface PlacedInput {
  readonly input: InferInput;
  readonly raw: Uint8Array | null;
}

/**
 * Gives the inputs their pieces of the binary part, in order. What is left of it is ignored (as OVMS 2026.2.1).
 * @throws ServingError REST_CONTENTS_FIELD_NOT_EMPTY, REST_BINARY_BUFFER_EXCEEDED, REST_COULD_NOT_PARSE_INPUT
 */
export function placeInputs({ inputs }: InferDocument, binary: Uint8Array): PlacedInput[] {
  let at = 0;
  return inputs.map((input) => {
    if (input.place !== null) {
      if (input.data !== null) throw sharedAndSent(input.name);
      return { input, raw: null };
    }
    if (input.data !== null) {
      if (input.binarySize !== null) throw new ServingError('REST_CONTENTS_FIELD_NOT_EMPTY');
      return { input, raw: null };
    }
    const left = binary.byteLength - at;
    const size = input.binarySize ?? impliedSize(input, inputs.length === 1, left);
    if (size > left) throw new ServingError('REST_BINARY_BUFFER_EXCEEDED');
    at += size;
    return { input, raw: binary.subarray(at - size, at) };
  });
}

/** Only a single BYTES element, alone in its request, has a size that need not be told: the rest of the body. */
function impliedSize({ datatype, shape }: InferInput, isOnly: boolean, left: number): number {
  const precision = precisionOfDataType(datatype);
  if (precision === 'STRING') {
    if (!isOnly || shape.length !== 1 || shape[0] !== 1) throw new ServingError('REST_COULD_NOT_PARSE_INPUT');
    return left;
  }
  return precision === null ? 0 : (elementCount(shape) ?? Infinity) * ELEMENT_BYTES[precision];
}

/**
 * The inputs by name in the server's words.
 * @param expected inputs the servable has: their number is checked first (as OVMS 2026.2.1).
 * @param shared gets what is in shared memory; its holder releases it.
 * @throws ServingError INVALID_NO_OF_INPUTS, INVALID_MESSAGE_STRUCTURE, INVALID_CONTENT_SIZE, SHARED_MEMORY_*
 */
export function requestTensors(
  placed: readonly PlacedInput[],
  expected: number,
  shared = new SharedTensors(null),
): PredictRequest['inputs'] {
  if (placed.length !== expected) throw wrongNumberOfInputs(expected, placed.length);
  const hasBinary = placed.some(({ raw }) => raw !== null);
  const tensors = new Map<string, RequestTensor>();
  for (const { input, raw } of placed) {
    const { name, datatype, shape, place } = input;
    if (hasBinary && raw === null && place === null) throw bothKinds(name);
    // Of two inputs with one name the first counts (as OVMS 2026.2.1).
    if (tensors.has(name)) continue;
    const precision = precisionOfDataType(datatype);
    const content = place === null ? contentOf(input, raw) : shared.input(name, place, precision);
    tensors.set(name, { precision, precisionText: datatype, shape, content });
  }
  return tensors;
}

function contentOf({ name, datatype, data }: InferInput, raw: Uint8Array | null): TensorContent {
  if (raw !== null) {
    if (precisionOfDataType(datatype) === 'STRING') return { kind: 'strings', strings: readBytesElements(raw, name) };
    return { kind: 'bytes', bytes: raw };
  }
  if (data === null || data.kind === 'strings') return { kind: 'strings', strings: data?.strings ?? NO_STRINGS };
  const { count, bytes } = data;
  return { kind: 'values', count, writeTo: (target) => target.set(bytes) };
}
