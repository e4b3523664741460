import type { RequestTensor } from '#src/servables/predict-request.js';
import { ELEMENT_BYTES } from '#src/tensors/precision.js';

/** Bytes written as hex, blanks allowed. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

/** A length-delimited field. */
export function bytesField(number: number, ...parts: readonly (Uint8Array | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array)));
  return Buffer.concat([varint((number << 3) | 2), varint(content.length), content]);
}

export function varintField(number: number, value: number | bigint): Buffer {
  return Buffer.concat([varint(number << 3), varint(value)]);
}

/** A PredictRequest for `m` whose one input `b` is the given TensorProto. */
export function requestWithTensor(...tensorProto: readonly Uint8Array[]): Buffer {
  return bytesField(2, bytesField(1, 'b'), bytesField(2, ...tensorProto));
}

/** The elements of a tensor as little-endian bytes, whatever form its content has. */
export function contentBytes(tensor: RequestTensor): Buffer {
  const { content, precision } = tensor;
  if (content.kind === 'bytes') return Buffer.from(content.bytes);
  if (content.kind === 'strings' || precision === null) throw new Error('no elements of fixed size');
  const target = Buffer.alloc(content.count * ELEMENT_BYTES[precision], 0xee);
  content.writeTo(target);
  return target;
}
