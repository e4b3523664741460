import { ServingError } from '../errors.js';

/** Strings that one tensor of a request may have: OpenVINO takes 32 bytes for each beside its text, which makes 1 GiB. */
export const MOST_STRINGS = 2 ** 25;

/**
 * In leased memory strings are packed: each has its length in front, a little-endian uint32 at any byte, and nothing stands between
 * them. It is what KServe sends as raw content, and what native code reads and writes (`native/core/packed_strings.h`).
 */
export const LENGTH_BYTES = 4;

/**
 * Strings of any bytes that lie in one piece of memory. Millions of them take 8 bytes each, where a view each would take a hundred
 * of the heap. Plain data: it survives a structured clone.
 */
export interface StringList {
  readonly bytes: Uint8Array;
  /** Where each begins in `bytes`. */
  readonly begins: Uint32Array<ArrayBuffer>;
  readonly lengths: Uint32Array<ArrayBuffer>;
}

export const NO_STRINGS: StringList = {
  bytes: new Uint8Array(0),
  begins: new Uint32Array(0),
  lengths: new Uint32Array(0),
};

export function stringCount({ begins }: StringList): number {
  return begins.length;
}

/** A view of one string. */
export function stringAt({ bytes, begins, lengths }: StringList, index: number): Uint8Array {
  return bytes.subarray(begins[index], begins[index]! + lengths[index]!);
}

/** A view of each; for lists that are known to be short. */
export function toViews(list: StringList): Uint8Array[] {
  return Array.from(list.begins, (_, index) => stringAt(list, index));
}

/** Collects the places of strings in memory that is there already. */
export class StringPlaces {
  #begins = new Uint32Array(4);
  #lengths = new Uint32Array(4);
  #count = 0;

  /**
   * @param begin below 4 GiB, as is the end: no message is longer.
   * @throws ServingError STRINGS_TOO_LARGE beyond {@link MOST_STRINGS}
   */
  add(begin: number, length: number): void {
    if (this.#count === this.#begins.length) this.#grow();
    this.#begins[this.#count] = begin;
    this.#lengths[this.#count] = length;
    this.#count += 1;
  }

  /** The strings at these places of `bytes`. */
  in(bytes: Uint8Array): StringList {
    return { bytes, begins: this.#begins.slice(0, this.#count), lengths: this.#lengths.slice(0, this.#count) };
  }

  #grow(): void {
    if (this.#count >= MOST_STRINGS)
      throw new ServingError('STRINGS_TOO_LARGE', `Expected: at most ${MOST_STRINGS} strings in a tensor`);
    this.#begins = grown(this.#begins);
    this.#lengths = grown(this.#lengths);
  }
}

function grown(numbers: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
}

const utf8 = new TextEncoder();

/** Collects strings in memory of its own. */
export class StringBuilder {
  readonly #places = new StringPlaces();
  #bytes = new Uint8Array(64);
  #end = 0;

  /** @throws ServingError STRINGS_TOO_LARGE */
  add(bytes: Uint8Array): void {
    this.#reserve(bytes.byteLength);
    this.#bytes.set(bytes, this.#end);
    this.#append(bytes.byteLength);
  }

  /**
   * As UTF-8.
   *
   * @throws ServingError STRINGS_TOO_LARGE
   */
  addText(text: string): void {
    // A UTF-16 unit is three bytes at most.
    this.#reserve(text.length * 3);
    this.#append(utf8.encodeInto(text, this.#bytes.subarray(this.#end)).written);
  }

  /** The strings so far; nothing may be added any more. */
  finish(): StringList {
    return this.#places.in(this.#bytes.subarray(0, this.#end));
  }

  #append(length: number): void {
    this.#places.add(this.#end, length);
    this.#end += length;
  }

  #reserve(byteLength: number): void {
    if (this.#end + byteLength <= this.#bytes.byteLength) return;
    const larger = new Uint8Array(Math.max(this.#bytes.byteLength * 2, this.#end + byteLength));
    larger.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = larger;
  }
}

export function stringList(strings: Iterable<Uint8Array | string>): StringList {
  const builder = new StringBuilder();
  for (const string of strings) {
    if (typeof string === 'string') builder.addText(string);
    else builder.add(string);
  }
  return builder.finish();
}

/** Buffers of a list that can move to another thread instead of being copied. */
export function stringBuffers({ bytes, begins, lengths }: StringList): ArrayBuffer[] {
  return [bytes, begins, lengths].flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? buffer : []));
}

/** Bytes that the strings take when packed. */
export function packedBytes({ lengths }: StringList): number {
  let size = lengths.length * LENGTH_BYTES;
  for (let index = 0; index < lengths.length; index += 1) size += lengths[index]!;
  return size;
}

/** Strings up to here are copied byte by byte: a view each would cost more. */
const SHORT_BYTES = 32;

/**
 * Copies strings into `target`, each to its place.
 *
 * @param placeOf where a string goes; called in order.
 * @param copyLong copies a string that is worth a call: whoever knows the memory of `target` knows a better way than V8's.
 */
export function copyStrings(
  list: StringList,
  target: Uint8Array,
  placeOf: (index: number, length: number) => number,
  copyLong: (string: Uint8Array, at: number) => void,
): void {
  const { bytes, begins, lengths } = list;
  for (let index = 0; index < begins.length; index += 1) {
    const length = lengths[index]!;
    const at = placeOf(index, length);
    if (length > SHORT_BYTES) copyLong(stringAt(list, index), at);
    else for (let byte = 0; byte < length; byte += 1) target[at + byte] = bytes[begins[index]! + byte]!;
  }
}

/** Writes a packed string's length and gives back where its bytes go. */
export function writeLength(target: Uint8Array, at: number, length: number): number {
  target[at] = length;
  target[at + 1] = length >>> 8;
  target[at + 2] = length >>> 16;
  target[at + 3] = length >>> 24;
  return at + LENGTH_BYTES;
}

/**
 * The strings of packed bytes, which they are views of.
 *
 * @param overrun makes the error of a string that ends beyond the bytes, and of bytes left over behind the last one.
 */
export function unpackStrings(bytes: Uint8Array, overrun: (at: number, length: number | null) => Error): StringList {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const places = new StringPlaces();
  let at = 0;
  while (bytes.byteLength - at >= LENGTH_BYTES) {
    const length = view.getUint32(at, true);
    const begin = at + LENGTH_BYTES;
    if (begin + length > bytes.byteLength) throw overrun(at, length);
    places.add(begin, length);
    at = begin + length;
  }
  if (at !== bytes.byteLength) throw overrun(at, null);
  return places.in(bytes);
}
