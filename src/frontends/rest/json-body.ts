import { constants } from 'node:buffer';
import { ServingError } from '../../errors.js';
import { JsonReader } from './json-reader.js';

/** An integer that a double may not hold. Digits behind a decimal point do not count. */
const LONG_INTEGER = /(?<![.\d])\d{16}/;

/**
 * Parses the body of a request.
 * @param body UTF-8; only read.
 * @param exactIntegers whether integers of 16 and more digits must come out exact, as bigints, where the text holds any.
 * @returns the value; how deep it is nested is left to `checkNesting`, whose walk costs a third of the parsing.
 * @throws ServingError JSON_INVALID, or REST_BODY_TOO_LARGE for a text longer than a string can be.
 */
export function parseJsonBody(body: Uint8Array, exactIntegers: boolean): unknown {
  if (body.byteLength > constants.MAX_STRING_LENGTH) {
    throw new ServingError('REST_BODY_TOO_LARGE', `JSON text may have ${constants.MAX_STRING_LENGTH} characters`);
  }
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  if (exactIntegers && LONG_INTEGER.test(text)) return new JsonReader(body).read();
  return tryParse(text) ?? new JsonReader(body).read();
}

/** @throws ServingError REST_NESTING_TOO_DEEP when containers stand in one another more than `levels` deep. */
export function checkNesting(value: unknown, levels: number): void {
  if (isDeeperThan(value, levels)) throw new ServingError('REST_NESTING_TOO_DEEP');
}

/** `undefined`, which no JSON text means, when the text is not JSON: the reader then says why, alike on every version of Node. */
function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  const children: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  for (let index = 0; index < children.length; index += 1) {
    const child = children[index];
    if (typeof child === 'object' && isDeeperThan(child, levels - 1)) return true;
  }
  return false;
}
