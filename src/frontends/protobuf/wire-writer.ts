import { copyStrings, type StringList } from '../../tensors/strings.js';

/** Writes a message whose size is known beforehand into one buffer. Writing past the end, or less than promised, is a bug. */
export class ExactWriter {
  readonly #buffer: Buffer;
  #pos = 0;

  /** @param shift Bytes to leave unused in front of the message. */
  constructor(size: number, shift = 0) {
    const memory = Buffer.allocUnsafe(shift + size);
    this.#buffer = shift === 0 ? memory : memory.subarray(shift);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#pos;
  }

  byte(value: number): this {
    this.#buffer[this.#pos++] = value;
    return this;
  }

  /** A one-byte tag and the varint behind it: a length, or the value of a small number. */
  tag(tag: number, value: number): this {
    return this.byte(tag).varint(value);
  }

  /** A non-negative safe integer. */
  varint(value: number): this {
    let rest = value;
    // Bit operations are exact below 2^31 only; the division is for the rare larger value.
    for (; rest > 0x7fffffff; rest = Math.floor(rest / 128)) this.#buffer[this.#pos++] = (rest % 128) | 128;
    for (; rest > 127; rest >>>= 7) this.#buffer[this.#pos++] = (rest & 127) | 128;
    this.#buffer[this.#pos++] = rest;
    return this;
  }

  /** A safe integer as int64: negative ones take ten bytes. */
  int64(value: number): this {
    if (value >= 0) return this.varint(value);
    let bits = BigInt.asUintN(64, BigInt(value));
    for (; bits > 127n; bits >>= 7n) this.#buffer[this.#pos++] = Number(bits & 127n) | 128;
    this.#buffer[this.#pos++] = Number(bits);
    return this;
  }

  /** @param byteLength Of the text in UTF-8. */
  text(value: string, byteLength: number): this {
    this.#buffer.write(value, this.#pos, byteLength, 'utf8');
    this.#pos += byteLength;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#buffer.set(value, this.#pos);
    this.#pos += value.byteLength;
    return this;
  }

  /** A field of the one-byte tag for each string. */
  strings(tag: number, strings: StringList): this {
    const place = (_: number, length: number): number => {
      this.tag(tag, length);
      const at = this.#pos;
      this.#pos += length;
      return at;
    };
    copyStrings(strings, this.#buffer, place, (string, at) => this.#buffer.set(string, at));
    return this;
  }

  /** The message. It may be a piece of a larger buffer. */
  finish(): Buffer {
    if (this.#pos !== this.#buffer.byteLength) {
      throw new Error(`message of ${this.#buffer.byteLength} bytes written as ${this.#pos} bytes`);
    }
    return this.#buffer;
  }
}

/** Bytes of a non-negative safe integer as varint. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}

/** Bytes of a safe integer as int64. */
export function int64Bytes(value: number): number {
  return value < 0 ? 10 : varintBytes(value);
}

/** Tags of fields whose number is below 16 take one byte. */
export const TAG_BYTES = 1;

/** Bytes of a length-delimited field of a number below 16, tag and length included. */
export function lengthDelimited(byteLength: number): number {
  return TAG_BYTES + varintBytes(byteLength) + byteLength;
}

/** Bytes of the fields that `ExactWriter.strings` writes. */
export function stringFieldBytes({ lengths }: StringList): number {
  let size = 0;
  for (let index = 0; index < lengths.length; index += 1) size += lengthDelimited(lengths[index]!);
  return size;
}

const WORD_BYTES = 8;
/** Above this Node gives every buffer memory of its own, which begins at a word. */
const WORTH_ALIGNING_BYTES = 4096;

/** Bytes to be copied into a message, and their place in it. */
export interface PlacedBytes {
  readonly bytes: Uint8Array;
  readonly at: number;
}

/**
 * How far to move a message in memory so that its largest content stands as its source does, modulo a word: V8 copies shared
 * memory by words then and by bytes otherwise, which takes three times as long (measured on 602 KB).
 */
export function copyShift(contents: readonly PlacedBytes[]): number {
  let largest = 0;
  let shift = 0;
  for (const { bytes, at } of contents) {
    if (bytes.byteLength <= largest) continue;
    largest = bytes.byteLength;
    shift = bytes.byteOffset - at;
  }
  return largest < WORTH_ALIGNING_BYTES ? 0 : shift & (WORD_BYTES - 1);
}
