import { NESTING_LIMIT } from '../../../config/json-nesting.js';
import { ServingError } from '../../../errors.js';
import type { Precision } from '../../../tensors/precision.js';
import { StringBuilder, type StringList } from '../../../tensors/strings.js';
import { createElementSink, type ElementSink, hasNonFinite } from '../elements.js';
import { numberTooBig } from '../json-body.js';

/** The elements of one input as its JSON gave them. Plain data over ArrayBuffers of its own. */
export type InferData =
  | { readonly kind: 'elements'; readonly count: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'strings'; readonly strings: StringList };

/** Containers around `data`: the request, the list of inputs, the input. */
const LEVELS_AROUND = 3;

/**
 * Reads `data`, nested in any way or flat: only the elements count, in their order (as OVMS 2026.2.1). INT64 and UINT64 take all they
 * can hold and FP16 takes numbers, which the reference refuses.
 * @param precision of the data type in the request; `null` for an unknown one.
 * @param json text of the request, for the place of a number that no double can hold.
 * @param isExact see `JsonBody`.
 * @throws ServingError REST_UNSUPPORTED_PRECISION, REST_COULD_NOT_PARSE_INPUT, REST_NESTING_TOO_DEEP, JSON_INVALID
 */
export function readInferData(
  data: unknown,
  precision: Precision | null,
  json: Uint8Array,
  isExact: boolean,
): InferData {
  if (!Array.isArray(data)) throw new ServingError('REST_COULD_NOT_PARSE_INPUT');
  if (precision === 'STRING') return { kind: 'strings', strings: readStrings(data) };
  const count = countElements(data, LEVELS_AROUND + 1);
  const sink = precision === null ? null : createElementSink(precision, count);
  if (precision === null || sink === null) throw new ServingError('REST_UNSUPPORTED_PRECISION');
  new DataFiller(sink, precision, json, isExact).fill(data);
  return { kind: 'elements', count, bytes: sink.bytes() };
}

function readStrings(data: readonly unknown[]): StringList {
  countElements(data, LEVELS_AROUND + 1);
  const strings = new StringBuilder();
  for (const value of data.flat(NESTING_LIMIT)) {
    if (typeof value !== 'string') throw new ServingError('REST_COULD_NOT_PARSE_INPUT');
    strings.addText(value);
  }
  return strings.finish();
}

function countElements(data: readonly unknown[], depth: number): number {
  if (depth > NESTING_LIMIT) throw new ServingError('REST_NESTING_TOO_DEEP');
  let count = 0;
  for (let index = 0; index < data.length; index += 1) {
    const value = data[index];
    count += Array.isArray(value) ? countElements(value, depth + 1) : 1;
  }
  return count;
}

const INT32 = (value: number): boolean => value === (value | 0);
const UINT32 = (value: number): boolean => value === value >>> 0;

/** Which numbers an integer type takes; narrower ones then wrap (as OVMS 2026.2.1). */
const INTEGERS: Partial<Record<Precision, (value: number) => boolean>> = {
  I8: INT32,
  I16: INT32,
  I32: INT32,
  U8: UINT32,
  U16: UINT32,
  U32: UINT32,
  I64: (value) => Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63,
  U64: (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 64,
};

/** Writes elements one behind the other, however deep each of them is. */
class DataFiller {
  readonly #sink: ElementSink;
  readonly #precision: Precision;
  readonly #isInteger: ((value: number) => boolean) | undefined;
  readonly #json: Uint8Array;
  readonly #isExact: boolean;
  #count = 0;

  constructor(sink: ElementSink, precision: Precision, json: Uint8Array, isExact: boolean) {
    this.#sink = sink;
    this.#precision = precision;
    this.#isInteger = INTEGERS[precision];
    this.#json = json;
    this.#isExact = isExact;
  }

  fill(data: readonly unknown[]): void {
    for (let index = this.#fillFloats(data, 0); index < data.length; index = this.#fillFloats(data, index + 1)) {
      const value = data[index];
      if (Array.isArray(value)) this.fill(value);
      else this.#sink.put(this.#count++, this.#element(value));
    }
  }

  /** @returns the place of the first value that is no number, or that must be looked at. */
  #fillFloats(data: readonly unknown[], from: number): number {
    if (this.#isInteger !== undefined || this.#precision === 'BOOL') return from;
    const end = this.#sink.putRow(data, from, this.#count - from);
    this.#count += end - from;
    return end;
  }

  #element(value: unknown): number | bigint {
    if (this.#precision === 'BOOL') {
      if (typeof value === 'boolean') return value ? 1 : 0;
    } else if (typeof value === 'number') {
      if (!Number.isFinite(value) && !this.#isExact) throw numberTooBig(this.#json);
      if (this.#isInteger?.(value) ?? hasNonFinite(this.#precision)) return value;
    } else if (typeof value === 'bigint' && this.#takes(value)) return value;
    throw new ServingError('REST_COULD_NOT_PARSE_INPUT');
  }

  /** Integers of 16 and more digits: the 64-bit types hold them exactly, the floats round them. */
  #takes(value: bigint): boolean {
    if (this.#precision === 'I64') return BigInt.asIntN(64, value) === value;
    if (this.#precision === 'U64') return BigInt.asUintN(64, value) === value;
    return this.#isInteger?.(Number(value)) ?? true;
  }
}
