import protobuf from 'protobufjs/minimal.js';
import { readName } from '../protobuf/known-names.js';
import { enter, leave, readInt64, skip, tagOf, WIRE, type Reader } from '../protobuf/wire-reader.js';

const NAME = tagOf(1, WIRE.BYTES);
const VERSION = tagOf(2, WIRE.BYTES);
const INT64_VALUE = tagOf(1, WIRE.VARINT);

/** Which servable a message is about. `signature_name` and `version_label` are ignored (as OVMS 2026.2.1). */
export class ModelSpec {
  #name = '';
  #version = 0n;

  get name(): string {
    return this.#name;
  }

  /** `null` when absent or 0: the default version. */
  get version(): bigint | null {
    return this.#version === 0n ? null : this.#version;
  }

  /** Reads the length-delimited message the reader stands before. A second call merges, as protobuf does for a field sent twice. */
  read(reader: Reader): void {
    const outerEnd = enter(reader);
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      if (tag === NAME) this.#name = readName(reader);
      else if (tag === VERSION) this.#version = readInt64Value(reader, this.#version);
      else skip(reader, tag);
    }
    leave(reader, outerEnd);
  }
}

function readInt64Value(reader: Reader, before: bigint): bigint {
  const outerEnd = enter(reader);
  let value = before;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === INT64_VALUE) value = readInt64(reader);
    else skip(reader, tag);
  }
  leave(reader, outerEnd);
  return value;
}

/** A ModelSpec without its tag and length. */
export function encodeModelSpec(name: string, version: bigint | null): Uint8Array {
  const writer = protobuf.Writer.create();
  if (name !== '') writer.uint32(NAME).string(name);
  if (version !== null) writer.uint32(VERSION).bytes(encodeInt64Value(version));
  return writer.finish();
}

function encodeInt64Value(value: bigint): Uint8Array {
  const writer = protobuf.Writer.create();
  // As text: a number would round it.
  if (value !== 0n) writer.uint32(INT64_VALUE).int64(String(value));
  return writer.finish();
}
