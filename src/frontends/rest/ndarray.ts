import { NESTING_LIMIT } from '../../config/json-nesting.js';
import { ServingError } from '../../errors.js';
import type { RequestTensor } from '../../servables/predict-request.js';
import type { Precision } from '../../tensors/precision.js';
import { elementCount } from '../../tensors/shape.js';
import { StringBuilder } from '../../tensors/strings.js';
import { decodeBase64 } from './base64.js';
import { createElementSink, type ElementSink, hasNonFinite } from './elements.js';
import { numberTooBig } from './json-body.js';

export interface NdarrayContext {
  /** Text of the request: bounds the elements it can hold, and tells the place of a number no double can hold. */
  readonly body: Uint8Array;
  /** See `JsonBody`. */
  readonly isExact: boolean;
  /** Error of data that is ragged, empty or of a wrong kind. */
  readonly error: 'REST_COULD_NOT_PARSE_INSTANCE' | 'REST_COULD_NOT_PARSE_INPUT';
}

/**
 * Reads nested JSON arrays, or one value as a scalar, into a tensor.
 * @param precision of the servable's input; `null` for an input it does not have, which is then read as I32 or FP32 by its first
 *   element (as OVMS 2026.2.1) only to be counted.
 * @returns plain data; its bytes and strings own their ArrayBuffers.
 * @throws ServingError `context.error`, JSON_INVALID for numbers beyond double, or REST_UNSUPPORTED_PRECISION.
 */
export function readNdarray(value: unknown, precision: Precision | null, context: NdarrayContext): RequestTensor {
  const { shape, first } = shapeOf(value, context);
  const count = elementCount(shape);
  // Each element takes two bytes of text at least; ragged data could otherwise claim any size.
  if (count === null || count > context.body.byteLength) throw new ServingError(context.error);
  if (isText(first)) {
    const strings = new StringBuilder();
    walk(value, shape, 0, context, (leaf) => addText(strings, leaf, precision, context));
    const content = { kind: 'strings', strings: strings.finish() } as const;
    return { precision: 'STRING', precisionText: 'STRING', shape, content };
  }
  const target = precision ?? guessPrecision(first, context);
  if (target === 'STRING') throw new ServingError(context.error);
  const sink = createElementSink(target, count);
  if (sink === null) throw new ServingError('REST_UNSUPPORTED_PRECISION', `Unsupported precision: ${target}`);
  new NumberFiller(shape, sink, target, context).fill(value);
  return { precision: target, precisionText: target, shape, content: { kind: 'bytes', bytes: sink.bytes() } };
}

function shapeOf(value: unknown, context: NdarrayContext): { shape: number[]; first: unknown } {
  const shape: number[] = [];
  let first = value;
  while (Array.isArray(first)) {
    if (first.length === 0) throw new ServingError(context.error);
    shape.push(first.length);
    // Keeps the recursion over the levels short, too.
    if (shape.length > NESTING_LIMIT) throw new ServingError('REST_NESTING_TOO_DEEP');
    first = first[0];
  }
  return { shape, first };
}

function guessPrecision(first: unknown, context: NdarrayContext): Precision {
  if (typeof first === 'bigint') return 'FP32';
  if (typeof first !== 'number') throw new ServingError(context.error);
  return Number.isInteger(first) && first === (first | 0) ? 'I32' : 'FP32';
}

/** `{"b64": "..."}` is a string or an encoded picture for any input; plain strings are for U8 and STRING inputs. */
export function isBase64(value: unknown): value is { readonly b64: string } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const [entry, ...others] = Object.entries(value);
  return entry !== undefined && others.length === 0 && entry[0] === 'b64' && typeof entry[1] === 'string';
}

function isText(value: unknown): boolean {
  return typeof value === 'string' || isBase64(value);
}

function addText(strings: StringBuilder, leaf: unknown, precision: Precision | null, context: NdarrayContext): void {
  if (typeof leaf === 'string' && (precision === 'U8' || precision === 'STRING')) return strings.addText(leaf);
  const decoded = isBase64(leaf) ? decodeBase64(leaf.b64) : null;
  if (decoded === null) throw new ServingError(context.error);
  strings.add(decoded);
}

function walk(
  value: unknown,
  shape: readonly number[],
  depth: number,
  context: NdarrayContext,
  visit: (leaf: unknown) => void,
): void {
  if (depth === shape.length) {
    visit(value);
    return;
  }
  if (!Array.isArray(value) || value.length !== shape[depth]) throw new ServingError(context.error);
  for (const child of value) walk(child, shape, depth + 1, context, visit);
}

/** Writes the numbers of an ndarray, level by level. */
class NumberFiller {
  readonly #shape: readonly number[];
  readonly #sink: ElementSink;
  readonly #precision: Precision;
  readonly #context: NdarrayContext;
  #count = 0;

  constructor(shape: readonly number[], sink: ElementSink, precision: Precision, context: NdarrayContext) {
    this.#shape = shape;
    this.#sink = sink;
    this.#precision = precision;
    this.#context = context;
  }

  fill(value: unknown): void {
    if (this.#shape.length === 0) this.#fillRow([value]);
    else this.#fillLevel(value, 0);
  }

  #fillLevel(value: unknown, depth: number): void {
    if (!Array.isArray(value) || value.length !== this.#shape[depth]) throw new ServingError(this.#context.error);
    if (depth === this.#shape.length - 1) {
      this.#fillRow(value);
      return;
    }
    for (let index = 0; index < value.length; index += 1) this.#fillLevel(value[index], depth + 1);
  }

  #fillRow(row: readonly unknown[]): void {
    const start = this.#count;
    let index = this.#sink.putRow(row, 0, start);
    while (index < row.length) {
      this.#sink.put(start + index, this.#unusual(row[index]));
      index = this.#sink.putRow(row, index + 1, start);
    }
    this.#count += row.length;
  }

  #unusual(value: unknown): number | bigint {
    if (typeof value === 'bigint') return value;
    if (typeof value === 'boolean' && this.#precision === 'BOOL') return value ? 1 : 0;
    if (typeof value === 'number') {
      if (!this.#context.isExact) throw numberTooBig(this.#context.body);
      if (hasNonFinite(this.#precision)) return value;
    }
    throw new ServingError(this.#context.error);
  }
}
