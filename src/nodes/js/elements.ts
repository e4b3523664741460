import { ELEMENT_BYTES } from '../../tensors/precision.js';
import type { Data, Precision } from './api.js';

/** The typed array of each precision. STRING has none: its elements have no fixed size. */
const ARRAYS = {
  FP64: Float64Array,
  FP32: Float32Array,
  FP16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const satisfies Record<Precision, unknown>;

export const PRECISIONS = Object.keys(ARRAYS) as readonly Precision[];

export function isPrecision(value: unknown): value is Precision {
  return typeof value === 'string' && Object.hasOwn(ARRAYS, value);
}

/** `Float32Array`, ...: what an output of the precision must come as. */
export function arrayName(precision: Precision): string {
  return ARRAYS[precision].name;
}

/**
 * Whether typed arrays of the precision can begin at this byte of a buffer. Leased regions always can, and shards are whole elements
 * of theirs; memory that was cut by anybody else need not.
 */
export function isAligned(precision: Precision, byteOffset: number): boolean {
  return byteOffset % ELEMENT_BYTES[precision] === 0;
}

/** @param byteOffset aligned to the element, see {@link isAligned}. */
export function arrayOver(precision: Precision, buffer: ArrayBufferLike, byteOffset: number, count: number): Data {
  const TypedArray: new (buffer: ArrayBufferLike, byteOffset: number, count: number) => Data = ARRAYS[precision];
  return new TypedArray(buffer, byteOffset, count);
}
