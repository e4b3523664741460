import protobuf from 'protobufjs/minimal.js';
import { ServingError } from '../../errors.js';
import { readName } from './known-names.js';
import type { StringPlaces } from '../../tensors/strings.js';

export type Reader = protobuf.Reader;

/** Wire types of protobuf, the low three bits of a tag. */
export const WIRE = { VARINT: 0, FIXED64: 1, BYTES: 2, FIXED32: 5 } as const;

/** Tag of a field: fields are matched by number and wire type together, so a field of the wrong type is skipped as unknown. */
export function tagOf(field: number, wireType: number): number {
  return (field << 3) | wireType;
}

/**
 * Decodes one message. Byte fields of the result are views of `bytes`.
 * @param what Name of the message, for the error.
 * @throws ServingError MESSAGE_MALFORMED when the bytes are not that message.
 */
export function decodeMessage<T>(what: string, bytes: Uint8Array, read: (reader: Reader) => T): T {
  const reader = protobuf.Reader.create(bytes);
  try {
    return read(reader);
  } catch (error) {
    if (!isWireFault(error)) throw error;
    throw new ServingError('MESSAGE_MALFORMED', `${what}, near byte ${reader.pos}: ${error.message}`, { cause: error });
  }
}

/** The reader throws plain and range errors, its text decoder a marked TypeError; anything else is a bug of ours. */
function isWireFault(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  if (error instanceof RangeError || error.constructor === Error) return true;
  return 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA';
}

/**
 * Narrows the reader to the length-delimited field it stands before, so that nothing inside can read beyond it.
 * @returns The end to give back to `leave`.
 */
export function enter(reader: Reader): number {
  const outerEnd = reader.len;
  const length = reader.size();
  if (reader.pos + length > outerEnd) {
    throw new RangeError(`a field of ${length} bytes ends beyond its message`);
  }
  reader.len = reader.pos + length;
  return outerEnd;
}

/** Adds the place of the length-delimited field the reader stands before: of its bytes in the message. */
export function readPlace(reader: Reader, places: StringPlaces): void {
  const length = reader.size();
  if (reader.pos + length > reader.len) throw new RangeError(`a field of ${length} bytes ends beyond its message`);
  places.add(reader.pos, length);
  reader.pos += length;
}

export function leave(reader: Reader, outerEnd: number): void {
  reader.len = outerEnd;
}

export function skip(reader: Reader, tag: number): void {
  reader.skipType(tag & 7, 0, tag >>> 3);
}

/** An int64 as a number; beyond 2^53 it is rounded, which a tensor size may be: it is far too large anyway. */
export function readInt64AsNumber(reader: Reader): number {
  const { buf, pos } = reader;
  // Varints of up to four bytes need no 64-bit arithmetic; those are nearly all sizes.
  if (buf[pos]! < 128 || buf[pos + 1]! < 128 || buf[pos + 2]! < 128 || buf[pos + 3]! < 128) return reader.uint32();
  const value = reader.int64();
  return typeof value === 'number' ? value : value.high * 2 ** 32 + (value.low >>> 0);
}

/** A uint64 as a number; beyond 2^53 it is rounded. */
export function readUint64AsNumber(reader: Reader): number {
  const value = readInt64AsNumber(reader);
  return value < 0 ? value + 2 ** 64 : value;
}

export function readInt64(reader: Reader): bigint {
  const value = reader.int64();
  if (typeof value === 'number') return BigInt(value);
  return (BigInt(value.high) << 32n) | BigInt(value.low >>> 0);
}

/** Reads a `map<string, V>` entry: `value` reads where the value stands, maybe never and maybe more than once. */
export function readMapEntry(reader: Reader, value: { read(reader: Reader): void }): string {
  const outerEnd = enter(reader);
  let key = '';
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === MAP_KEY) key = readName(reader);
    else if (tag === MAP_VALUE) value.read(reader);
    else skip(reader, tag);
  }
  leave(reader, outerEnd);
  return key;
}

const MAP_KEY = tagOf(1, WIRE.BYTES);
const MAP_VALUE = tagOf(2, WIRE.BYTES);
