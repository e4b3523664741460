import type { RequestTensor, ResponseTensor } from '#src/servables/predict-request.js';

/** An FP32 tensor to send. */
export function floatTensor(name: string, shape: readonly number[], values: readonly number[]): ResponseTensor {
  return { name, precision: 'FP32', shape, bytes: bytesOf(Float32Array.from(values)) };
}

export function bytesOf(values: Float32Array | Int32Array | BigInt64Array | Uint8Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** The numbers of a received FP32 tensor. */
export function floatsOf(tensor: RequestTensor | undefined): number[] {
  return Array.from(new Float32Array(contentOf(tensor).buffer));
}

/** The numbers of a received I64 tensor. */
export function integersOf(tensor: RequestTensor | undefined): number[] {
  return Array.from(new BigInt64Array(contentOf(tensor).buffer), Number);
}

/** The bytes of a received tensor: a copy, as the view into the message need not be aligned. */
export function contentOf(tensor: RequestTensor | undefined): Uint8Array<ArrayBuffer> {
  if (tensor?.content.kind !== 'bytes') throw new Error('expected a tensor with bytes');
  return new Uint8Array(tensor.content.bytes);
}
