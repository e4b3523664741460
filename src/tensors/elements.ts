import { fromBrainFloat, fromHalf, toBrainFloat, toHalf } from './half.js';
import { ELEMENT_BYTES, type Precision } from './precision.js';

/** Elements of a tensor as JavaScript holds them: halves as their 16-bit patterns, BOOL as bytes. */
export type ElementArray =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

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
} as const;

/** Precisions whose elements have a fixed size. */
export type NumericPrecision = keyof typeof ARRAYS;

export const NUMERIC_PRECISIONS = Object.keys(ARRAYS) as readonly NumericPrecision[];

export function isNumeric(value: unknown): value is NumericPrecision {
  return typeof value === 'string' && Object.hasOwn(ARRAYS, value);
}

/** `Float32Array`, ...: what holds elements of the precision. */
export function elementArrayName(precision: NumericPrecision): string {
  return ARRAYS[precision].name;
}

/**
 * Whether typed arrays of the precision can begin at this byte of a buffer. Leased regions always can, and shards are whole elements
 * of theirs; memory that was cut by anybody else need not.
 */
export function isAligned(precision: NumericPrecision, byteOffset: number): boolean {
  return byteOffset % ELEMENT_BYTES[precision] === 0;
}

/**
 * A view of elements in a buffer; nothing is copied.
 *
 * @param byteOffset aligned to the element, see {@link isAligned}.
 */
export function elementArray(
  precision: NumericPrecision,
  buffer: ArrayBufferLike,
  byteOffset: number,
  count: number,
): ElementArray {
  const ElementsOf: new (buffer: ArrayBufferLike, byteOffset: number, count: number) => ElementArray =
    ARRAYS[precision];
  return new ElementsOf(buffer, byteOffset, count);
}

/** The number an element stands for. */
export function elementValue(precision: Precision, elements: ElementArray, index: number): number | bigint {
  const element = elements[index]!;
  if (precision === 'FP16') return fromHalf(Number(element));
  return precision === 'BF16' ? fromBrainFloat(Number(element)) : element;
}

/** What an integer precision can hold; floating point and BOOL have no entry. */
const INTEGER_RANGE: Partial<Record<Precision, readonly [bigint, bigint]>> = {
  I64: [-(2n ** 63n), 2n ** 63n - 1n],
  U64: [0n, 2n ** 64n - 1n],
  I32: [-(2n ** 31n), 2n ** 31n - 1n],
  U32: [0n, 2n ** 32n - 1n],
  I16: [-(2n ** 15n), 2n ** 15n - 1n],
  U16: [0n, 2n ** 16n - 1n],
  I8: [-128n, 127n],
  U8: [0n, 255n],
};

/**
 * How a number is written as an element of a precision: integers are cut towards zero and kept within their range (NaN is 0), BOOL is
 * 1 for anything but 0, floating point is rounded to the nearest.
 */
export function elementOf(precision: NumericPrecision): (value: number | bigint) => number | bigint {
  if (precision === 'BOOL') return (value) => (value === 0 || value === 0n ? 0 : 1);
  if (precision === 'FP16') return (value) => toHalf(Number(value));
  if (precision === 'BF16') return (value) => toBrainFloat(Number(value));
  const range = INTEGER_RANGE[precision];
  if (range === undefined) return Number;
  return precision === 'I64' || precision === 'U64' ? wideInteger(...range) : narrowInteger(...range);
}

function wideInteger(smallest: bigint, largest: bigint): (value: number | bigint) => bigint {
  return (value) => {
    if (value <= smallest) return smallest;
    if (value >= largest) return largest;
    return typeof value === 'bigint' ? value : BigInt(Number.isNaN(value) ? 0 : Math.trunc(value));
  };
}

function narrowInteger(smallest: bigint, largest: bigint): (value: number | bigint) => number {
  const [low, high] = [Number(smallest), Number(largest)];
  return (value) => Math.trunc(Math.min(high, Math.max(low, Number(value)))) || 0;
}

/** Whether copying element by element, as typed arrays do it, is already the right conversion. */
export function convertsPlainly(from: NumericPrecision, to: NumericPrecision): boolean {
  if (from === to) return true;
  const isPlain = (precision: Precision): boolean => !['FP16', 'BF16', 'BOOL', 'I64', 'U64'].includes(precision);
  if (!isPlain(from) || !isPlain(to)) return false;
  const target = INTEGER_RANGE[to];
  const source = INTEGER_RANGE[from];
  if (target === undefined) return true;
  return source !== undefined && source[0] >= target[0] && source[1] <= target[1];
}
