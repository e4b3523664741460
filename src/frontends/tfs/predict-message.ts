import protobuf from 'protobufjs/minimal.js';
import type { PredictRequest, RequestTensor, ResponseTensor } from '../../servables/predict-request.js';
import type { Contents } from '../protobuf/scattered-message.js';
import { encodeModelSpec, ModelSpec } from './model-spec.js';
import { decodeMessage, skip, tagOf, WIRE, type Reader } from '../protobuf/wire-reader.js';
import { outputStrings } from '../../servables/strings/output-strings.js';
import { encodeTensorMap, readTensorEntry, type WireTensor } from './tensor-map.js';

const REQUEST_MODEL_SPEC = tagOf(1, WIRE.BYTES);
const REQUEST_INPUTS_FIELD = 2;
const REQUEST_INPUTS = tagOf(REQUEST_INPUTS_FIELD, WIRE.BYTES);
const UINT64_VAL = tagOf(17, WIRE.BYTES);
const RESPONSE_OUTPUTS_FIELD = 1;
const RESPONSE_OUTPUTS = tagOf(RESPONSE_OUTPUTS_FIELD, WIRE.BYTES);

const NO_BYTES = new Uint8Array(0);

/** Fields from a request down to the bytes of a tensor: `inputs`, the value of its entry, `tensor_content`. */
export const PREDICT_CONTENT: readonly number[] = [REQUEST_INPUTS_FIELD, 2, 4];

export interface DecodedPredictRequest extends PredictRequest {
  /** Without one the servable's name is empty, which no servable has. */
  readonly hasModelSpec: boolean;
}

/**
 * Decodes `tensorflow.serving.PredictRequest`. `output_filter` is ignored (as OVMS 2026.2.1).
 * Tensor contents are views of `bytes`, which must stay unchanged until the request is answered.
 * @throws ServingError MESSAGE_MALFORMED
 */
export function decodePredictRequest(bytes: Uint8Array): DecodedPredictRequest {
  return decodeMessage('PredictRequest', bytes, readPredictRequest);
}

function readPredictRequest(reader: Reader): DecodedPredictRequest {
  let spec: ModelSpec | null = null;
  const inputs = new Map<string, RequestTensor>();
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === REQUEST_MODEL_SPEC) (spec ??= new ModelSpec()).read(reader);
    else if (tag === REQUEST_INPUTS) readTensorEntry(reader, inputs);
    else skip(reader, tag);
  }
  return { servable: spec?.name ?? '', version: spec?.version ?? null, inputs, hasModelSpec: spec !== null };
}

/**
 * Encodes `tensorflow.serving.PredictResponse` with every tensor in `tensor_content`, strings in `string_val` and sequence ids in `uint64_val`,
 * in the order given.
 * `model_spec` stays unset (as OVMS 2026.2.1). The bytes are copied: the outputs may be released afterwards.
 * @param leftOut gets the large contents, which are then neither copied nor part of the result.
 */
export function encodePredictResponse(outputs: readonly ResponseTensor[], leftOut?: Contents): Buffer {
  return encodeTensorMap(RESPONSE_OUTPUTS_FIELD, outputs.map(wireTensor), undefined, leftOut);
}

function wireTensor(output: ResponseTensor): WireTensor {
  if (output.inValueField === true) return { ...output, bytes: NO_BYTES, valueField: uint64Field(output.bytes) };
  const found = outputStrings(output);
  return found === null ? output : { name: output.name, precision: 'STRING', bytes: NO_BYTES, ...found };
}

/** One little-endian element of 64 bits without sign, as a packed `uint64_val`. */
function uint64Field(element: Uint8Array): Uint8Array {
  const number = new DataView(element.buffer, element.byteOffset).getBigUint64(0, true);
  // As text: a number would round it.
  const value = protobuf.Writer.create().uint64(String(number)).finish();
  return protobuf.Writer.create().uint32(UINT64_VAL).bytes(value).finish();
}

/**
 * Encodes a request with every input in `tensor_content`, strings in `string_val`.
 * @param version `null`: the default version.
 */
export function encodePredictRequest(servable: string, version: bigint | null, inputs: readonly WireTensor[]): Buffer {
  const head = protobuf.Writer.create().uint32(REQUEST_MODEL_SPEC).bytes(encodeModelSpec(servable, version)).finish();
  return encodeTensorMap(REQUEST_INPUTS_FIELD, inputs, head);
}

/**
 * Decodes the outputs of a response, by name; contents are views of `bytes`.
 * @throws ServingError MESSAGE_MALFORMED
 */
export function decodePredictResponse(bytes: Uint8Array): ReadonlyMap<string, RequestTensor> {
  return decodeMessage('PredictResponse', bytes, (reader) => {
    const outputs = new Map<string, RequestTensor>();
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      if (tag === RESPONSE_OUTPUTS) readTensorEntry(reader, outputs);
      else skip(reader, tag);
    }
    return outputs;
  });
}
