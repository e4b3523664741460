import { constants } from 'node:buffer';
import { ServingError } from '../../errors.js';
import { NESTING_LIMIT } from '../../config/json-nesting.js';
import { jsonError, JsonReader } from './json-reader.js';

/** An integer that a double may not hold. Digits behind a decimal point do not count. */
const LONG_INTEGER = /(?<![.\d])\d{16}/;

/** The value of a body, and which of the two parsers has read it. */
export interface JsonBody {
  readonly value: unknown;
  /**
   * Whether it is known to be shallow, and its integers are exact and its infinities stand in its text. `JSON.parse` takes any depth
   * and makes an infinity of 1e400, which is refused.
   */
  readonly isExact: boolean;
}

/**
 * Parses the body of a request.
 * @param body UTF-8; only read.
 * @param exactIntegers whether integers of 16 and more digits must come out exact, as bigints, where the text holds any.
 * @returns what it must not hold is left to `checkUnread`, whose walk costs a third of the parsing.
 * @throws ServingError JSON_INVALID, or REST_BODY_TOO_LARGE for a text longer than a string can be.
 */
export function parseJsonBody(body: Uint8Array, exactIntegers: boolean): JsonBody {
  if (body.byteLength > constants.MAX_STRING_LENGTH) {
    throw new ServingError('REST_BODY_TOO_LARGE', `JSON text may have ${constants.MAX_STRING_LENGTH} characters`);
  }
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  const value = exactIntegers && LONG_INTEGER.test(text) ? undefined : tryParse(text);
  return value === undefined ? { value: new JsonReader(body).read(), isExact: true } : { value, isExact: false };
}

/** Parses a body whose every value is looked at: one without tensors. @throws ServingError as `parseJsonBody` and `checkUnread`. */
export function parseSmallBody(body: Uint8Array): unknown {
  const parsed = parseJsonBody(body, false);
  checkUnread(parsed, body);
  return parsed.value;
}

/** Whether a parsed value is an object, and no list. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Looks at what decoding has not read, for what `JSON.parse` accepts and OVMS 2026.2.1 does not.
 * @param parsed the document, or what is left of it.
 * @param body text of the document.
 * @throws ServingError REST_NESTING_TOO_DEEP; JSON_INVALID for a number beyond double.
 */
export function checkUnread({ value, isExact }: JsonBody, body: Uint8Array): void {
  if (!isExact) checkLevel(value, NESTING_LIMIT, body);
}

/** `JSON.parse` reads 1e400 as infinity, where OVMS 2026.2.1 refuses the text: the exact reader finds the place. */
export function numberTooBig(body: Uint8Array): ServingError {
  try {
    new JsonReader(body).read();
  } catch (error) {
    if (error instanceof ServingError) return error;
    throw error;
  }
  return jsonError('Number too big to be stored in double.', 0);
}

/** `undefined`, which no JSON text means, when the text is not JSON: the reader then says why, alike on every version of Node. */
function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function checkLevel(value: unknown, levels: number, body: Uint8Array): void {
  if (value === Infinity || value === -Infinity) throw numberTooBig(body);
  if (typeof value !== 'object' || value === null) return;
  if (levels === 0) throw new ServingError('REST_NESTING_TOO_DEEP');
  const children: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  for (let index = 0; index < children.length; index += 1) checkLevel(children[index], levels - 1, body);
}
