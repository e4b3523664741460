import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import type { ResponseTensor } from '#src/servables/predict-request.js';
import type { Precision } from '#src/tensors/precision.js';

const PROTO = fileURLToPath(new URL('../../../src/frontends/kserve/proto/grpc_predict_v2.proto', import.meta.url));

/** The messages as a client made from our `.proto` file has them: nothing of the code under test. */
const root = new protobuf.Root();
root.loadSync(PROTO, { keepCase: true }).resolveAll();

export type Fields = Readonly<Record<string, unknown>>;

/** Encodes a message of the package `inference`. */
export function encodeKserve(message: string, fields: Fields): Uint8Array {
  return root.lookupType(`inference.${message}`).encode(fields).finish();
}

/** Decodes one; bytes are buffers, 64-bit integers numbers, and what was not sent is the default. */
export function decodeKserve(message: string, bytes: Uint8Array): Record<string, unknown> {
  const type = root.lookupType(`inference.${message}`);
  return type.toObject(type.decode(bytes), { longs: Number, defaults: true, arrays: true, objects: false });
}

/** Each precision under the name KServe has for it. */
export const KSERVE_TYPES: Readonly<Record<Exclude<Precision, 'BF16'>, string>> = {
  FP64: 'FP64',
  FP32: 'FP32',
  FP16: 'FP16',
  I64: 'INT64',
  I32: 'INT32',
  I16: 'INT16',
  I8: 'INT8',
  U64: 'UINT64',
  U32: 'UINT32',
  U16: 'UINT16',
  U8: 'UINT8',
  BOOL: 'BOOL',
  STRING: 'BYTES',
};

/** A ModelInferRequest with every input in raw content. */
export function rawInferRequest(name: string, inputs: readonly ResponseTensor[], more: Fields = {}): Uint8Array {
  return encodeKserve('ModelInferRequest', {
    model_name: name,
    inputs: inputs.map((input) => ({
      name: input.name,
      datatype: input.precision === 'BF16' ? 'BF16' : KSERVE_TYPES[input.precision],
      shape: input.shape,
    })),
    raw_input_contents: inputs.map(({ bytes }) => bytes),
    ...more,
  });
}
