import type protobuf from 'protobufjs/minimal.js';

const SLOTS = 256;
const LONGEST = 64;

/** Names that messages have had of late, by a few of their bytes; whichever came last has the slot. */
const known = new Array<KnownName | undefined>(SLOTS).fill(undefined);

/**
 * Reads a string that comes again with every request: the name of a servable, of a tensor, of a type. One that is known is not decoded
 * again, and maps find the very string they were given faster than an equal one.
 */
export function readName(reader: protobuf.Reader): string {
  const before = reader.pos;
  const length = reader.size();
  const start = reader.pos;
  if (length === 0 || length > LONGEST || start + length > reader.len) return decodeAt(reader, before);
  const { buf } = reader;
  const slot = (length * 31 + buf[start]! * 7 + buf[start + length - 1]!) % SLOTS;
  const name = known[slot];
  if (name?.isAt(buf, start, length) === true) {
    reader.pos = start + length;
    return name.text;
  }
  const text = decodeAt(reader, before);
  known[slot] = new KnownName(Uint8Array.from(buf.subarray(start, start + length)), text);
  return text;
}

function decodeAt(reader: protobuf.Reader, position: number): string {
  reader.pos = position;
  return reader.stringVerify();
}

class KnownName {
  constructor(
    readonly bytes: Uint8Array,
    readonly text: string,
  ) {}

  isAt(buffer: Uint8Array, start: number, length: number): boolean {
    const { bytes } = this;
    if (bytes.length !== length) return false;
    for (let index = 0; index < length; index += 1) if (buffer[start + index] !== bytes[index]) return false;
    return true;
  }
}
