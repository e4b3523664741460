import { NESTING_LIMIT } from '../../config/json-nesting.js';
import { ServingError } from '../../errors.js';

/** Integers with fewer digits are exact in a double. */
const EXACT_DIGITS = 16;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
/** What a read behind the last byte gives: no byte of JSON. */
const END = -1;

/** What may stand behind a backslash, `u` apart. */
const ESCAPES = new Set(Buffer.from('"\\/bfnrt'));

/**
 * A JSON reader that is exact where `JSON.parse` is not: integers of 16 and more digits become bigints, and an error says what is
 * wrong and at which byte, in the words of the parser OVMS 2026.2.1 uses. It takes `NaN`, `Infinity` and `Inf`, with or without a
 * minus, where a number may stand (as TensorFlow Serving, whose answers and ours have them). Several times slower than `JSON.parse`,
 * so it runs only on texts that failed there or that hold such integers.
 */
export class JsonReader {
  readonly #bytes: Buffer;
  #at = 0;
  #depth = 0;

  /** @param bytes UTF-8; only read. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** @throws ServingError JSON_INVALID or REST_NESTING_TOO_DEEP. */
  read(): unknown {
    this.#skipSpace();
    if (this.#peek() === END) throw this.#error('The document is empty.');
    const value = this.#value();
    this.#skipSpace();
    if (this.#peek() !== END) throw this.#error('The document root must not be followed by other values.');
    return value;
  }

  #peek(): number {
    return this.#bytes[this.#at] ?? END;
  }

  #take(byte: number): boolean {
    if (this.#peek() !== byte) return false;
    this.#at += 1;
    return true;
  }

  #skipSpace(): void {
    while (isSpace(this.#peek())) this.#at += 1;
  }

  #value(): unknown {
    switch (this.#peek()) {
      case OPEN_BRACE:
        return this.#nested(() => this.#object());
      case OPEN_BRACKET:
        return this.#nested(() => this.#array());
      case QUOTE:
        return this.#string();
      case 0x74:
        return this.#literal('true', true);
      case 0x66:
        return this.#literal('false', false);
      case 0x6e:
        return this.#literal('null', null);
      default:
        return this.#number();
    }
  }

  #nested<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > NESTING_LIMIT) throw new ServingError('REST_NESTING_TOO_DEEP');
    this.#at += 1;
    this.#skipSpace();
    const container = read();
    this.#depth -= 1;
    return container;
  }

  #object(): Record<string, unknown> {
    // Without a prototype even `__proto__` is an ordinary key.
    const object = Object.create(null) as Record<string, unknown>;
    if (this.#take(CLOSE_BRACE)) return object;
    for (;;) {
      if (this.#peek() !== QUOTE) throw this.#error('Missing a name for object member.');
      const name = this.#string();
      this.#skipSpace();
      if (!this.#take(COLON)) throw this.#error('Missing a colon after a name of object member.');
      this.#skipSpace();
      object[name] = this.#value();
      this.#skipSpace();
      if (this.#take(CLOSE_BRACE)) return object;
      if (!this.#take(COMMA)) throw this.#error('Missing a comma or } after an object member.');
      this.#skipSpace();
    }
  }

  #array(): unknown[] {
    const array: unknown[] = [];
    if (this.#take(CLOSE_BRACKET)) return array;
    for (;;) {
      array.push(this.#value());
      this.#skipSpace();
      if (this.#take(CLOSE_BRACKET)) return array;
      if (!this.#take(COMMA)) throw this.#error('Missing a comma or ] after an array element.');
      this.#skipSpace();
    }
  }

  #literal<T>(word: string, value: T): T {
    for (let index = 0; index < word.length; index += 1) {
      if (!this.#take(word.charCodeAt(index))) throw this.#error('Invalid value.');
    }
    return value;
  }

  #number(): number | bigint {
    const start = this.#at;
    this.#take(MINUS);
    const firstDigit = this.#at;
    const isNegative = firstDigit > start;
    if (this.#peek() === 0x4e) return this.#literal('NaN', NaN);
    if (this.#peek() === 0x49) return this.#infinity(isNegative);
    if (!this.#take(ZERO) && this.#digits() === 0) throw this.#error('Invalid value.');
    const digits = this.#at - firstDigit;
    const isInteger = !this.#fraction() && !this.#exponent();
    const text = this.#bytes.toString('latin1', start, this.#at);
    const value = Number(text);
    if (!Number.isFinite(value)) throw jsonError('Number too big to be stored in double.', start);
    return isInteger && digits >= EXACT_DIGITS ? BigInt(text) : value;
  }

  #infinity(isNegative: boolean): number {
    this.#literal('Inf', Infinity);
    if (this.#peek() === 0x69) this.#literal('inity', Infinity);
    return isNegative ? -Infinity : Infinity;
  }

  #fraction(): boolean {
    if (!this.#take(DOT)) return false;
    if (this.#digits() === 0) throw this.#error('Miss fraction part in number.');
    this.#exponent();
    return true;
  }

  #exponent(): boolean {
    if (!this.#take(0x65) && !this.#take(0x45)) return false;
    if (!this.#take(PLUS)) this.#take(MINUS);
    if (this.#digits() === 0) throw this.#error('Miss exponent in number.');
    return true;
  }

  #digits(): number {
    const start = this.#at;
    while (isDigit(this.#peek())) this.#at += 1;
    return this.#at - start;
  }

  #string(): string {
    const start = this.#at;
    this.#at += 1;
    let escaped = false;
    for (let byte = this.#peek(); byte !== QUOTE; byte = this.#peek()) {
      if (byte === END) throw this.#error('Missing a closing quotation mark in string.');
      if (byte < 0x20) throw this.#error('Invalid encoding in string.');
      if (byte === BACKSLASH) {
        escaped = true;
        this.#escape();
      } else {
        this.#at += 1;
      }
    }
    this.#at += 1;
    const text = this.#bytes.toString('utf8', start, this.#at);
    return escaped ? (JSON.parse(text) as string) : text.slice(1, -1);
  }

  #escape(): void {
    const start = this.#at;
    const byte = this.#bytes[start + 1] ?? END;
    if (ESCAPES.has(byte)) {
      this.#at += 2;
      return;
    }
    if (byte !== 0x75) throw jsonError('Invalid escape character in string.', start);
    if (!/^[0-9a-f]{4}$/i.test(this.#bytes.toString('latin1', start + 2, start + 6))) {
      throw jsonError('Incorrect hex digit after \\u escape in string.', start);
    }
    this.#at += 6;
  }

  #error(text: string): ServingError {
    return jsonError(text, this.#at);
  }
}

/** `Error: <text> Offset: <n>`, the detail OVMS 2026.2.1 puts behind its JSON error; `offset` counts bytes. */
export function jsonError(text: string, offset: number): ServingError {
  return new ServingError('JSON_INVALID', `Error: ${text} Offset: ${offset}`);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}
