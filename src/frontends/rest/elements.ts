import type { Precision } from '../../tensors/precision.js';
import { toHalf } from '../../tensors/half.js';

/**
 * Numbers of a JSON array on their way into a tensor: collected one by one, then written in the precision of the model by casts
 * without range checks (as OVMS 2026.2.1): fractions are cut, integers wrap.
 */
export interface ElementSink {
  /**
   * Takes a row of values from place `from` on, as far as they are finite numbers; a row at a time keeps the loop free of calls.
   * @param at place of the row's first value among the elements.
   * @returns the place of the first value that is something else, or the length of the row.
   */
  putRow(row: readonly unknown[], from: number, at: number): number;
  /** Takes one value: a number that the precision has, or an integer that a double could not hold. */
  put(index: number, value: number | bigint): void;
  /** Little-endian bytes over an ArrayBuffer of their own. The addon's platforms are little-endian, so typed arrays are too. */
  bytes(): Uint8Array<ArrayBuffer>;
}

/** @returns `null` for precisions that REST cannot carry as numbers. */
export function createElementSink(precision: Precision, count: number): ElementSink | null {
  if (precision === 'I64' || precision === 'U64') return new Integer64Sink(count);
  const cast = CASTS[precision];
  return cast === undefined ? null : new NumberSink(count, cast);
}

/** Whether a precision has NaN and the infinities. */
export function hasNonFinite(precision: Precision): boolean {
  return precision === 'FP32' || precision === 'FP16' || precision === 'FP64';
}

type Cast = (values: Float64Array<ArrayBuffer>) => ArrayBuffer;

const CASTS: Partial<Record<Precision, Cast>> = {
  FP64: (values) => values.buffer,
  FP32: (values) => new Float32Array(values).buffer,
  FP16: (values) => Uint16Array.from(values, toHalf).buffer,
  I32: (values) => new Int32Array(values).buffer,
  I16: (values) => new Int16Array(values).buffer,
  I8: (values) => new Int8Array(values).buffer,
  U32: (values) => new Uint32Array(values).buffer,
  U16: (values) => new Uint16Array(values).buffer,
  U8: (values) => new Uint8Array(values).buffer,
  BOOL: (values) => Uint8Array.from(values, (value) => (value === 0 ? 0 : 1)).buffer,
};

/** `x - x` is 0 for finite numbers alone. */
function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && value - value === 0;
}

/** Collects doubles, which keeps the loop over the elements the same for all precisions, and casts them in one native pass. */
class NumberSink implements ElementSink {
  readonly #values: Float64Array<ArrayBuffer>;
  readonly #cast: Cast;

  constructor(count: number, cast: Cast) {
    this.#values = new Float64Array(count);
    this.#cast = cast;
  }

  putRow(row: readonly unknown[], from: number, at: number): number {
    const values = this.#values;
    for (let index = from; index < row.length; index += 1) {
      const value = row[index];
      if (!isFiniteNumber(value)) return index;
      values[at + index] = value;
    }
    return row.length;
  }

  put(index: number, value: number | bigint): void {
    this.#values[index] = typeof value === 'number' ? value : Number(value);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#cast(this.#values));
  }
}

const WORD = 2 ** 32;

/** Two 32-bit words an element: bigints only where a double would not do. */
class Integer64Sink implements ElementSink {
  readonly #words: Int32Array<ArrayBuffer>;

  constructor(count: number) {
    this.#words = new Int32Array(count * 2);
  }

  putRow(row: readonly unknown[], from: number, at: number): number {
    for (let index = from; index < row.length; index += 1) {
      const value = row[index];
      if (!isFiniteNumber(value)) return index;
      this.#putDouble(at + index, value);
    }
    return row.length;
  }

  put(index: number, value: number | bigint): void {
    if (typeof value === 'bigint') {
      this.#words[2 * index] = Number(BigInt.asIntN(32, value));
      this.#words[2 * index + 1] = Number(BigInt.asIntN(32, value >> 32n));
    } else {
      this.#putDouble(index, value);
    }
  }

  #putDouble(index: number, value: number): void {
    const integer = Math.trunc(value);
    this.#words[2 * index] = integer;
    this.#words[2 * index + 1] = Math.floor(integer / WORD);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#words.buffer);
  }
}
