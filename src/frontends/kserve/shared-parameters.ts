import { ServingError } from '../../errors.js';
import type { SharedMemoryPlace } from '../../tensors/shared-memory.js';
import { readName } from '../protobuf/known-names.js';
import {
  enter,
  leave,
  readInt64AsNumber,
  readUint64AsNumber,
  readMapEntry,
  skip,
  tagOf,
  WIRE,
  type Reader,
} from '../protobuf/wire-reader.js';
import { shown } from '../../texts.js';

/** Names of the parameters that say where in shared memory a tensor is. */
export const SHARED_MEMORY = {
  region: 'shared_memory_region',
  byteSize: 'shared_memory_byte_size',
  offset: 'shared_memory_offset',
} as const;

/** Parameters of a tensor, by name; as JSON has them. */
export type TensorParameters = Readonly<Record<string, string | boolean | number>>;

const BOOL = tagOf(1, WIRE.VARINT);
const INT64 = tagOf(2, WIRE.VARINT);
const STRING = tagOf(3, WIRE.BYTES);
const DOUBLE = tagOf(4, WIRE.FIXED64);
const UINT64 = tagOf(5, WIRE.VARINT);

/** Reads an entry of `parameters` that the reader stands before, into `parameters` when it is one of shared memory. */
export function readParameter(reader: Reader, parameters: Record<string, string | boolean | number>): void {
  const parameter = new ParameterValue();
  const name = readMapEntry(reader, parameter);
  if (parameter.value !== null && NAMES.has(name)) parameters[name] = parameter.value;
}

/** `inference.InferParameter`; `null` until one is read. */
class ParameterValue {
  value: string | boolean | number | null = null;

  read(reader: Reader): void {
    const outerEnd = enter(reader);
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      if (tag === BOOL) this.value = reader.bool();
      else if (tag === INT64) this.value = readInt64AsNumber(reader);
      else if (tag === STRING) this.value = readName(reader);
      else if (tag === DOUBLE) this.value = reader.double();
      else if (tag === UINT64) this.value = readUint64AsNumber(reader);
      else skip(reader, tag);
    }
    leave(reader, outerEnd);
  }
}

const NAMES: ReadonlySet<string> = new Set(Object.values(SHARED_MEMORY));

/**
 * Where the parameters of a tensor say that it is, or `null` when not in shared memory.
 * @param tensor as errors call it, for example `input 'b'`.
 * @throws ServingError SHARED_MEMORY_INVALID
 */
export function sharedPlace(parameters: TensorParameters, tensor: string): SharedMemoryPlace | null {
  const region = own(parameters, SHARED_MEMORY.region);
  if (region === undefined) return null;
  if (typeof region !== 'string' || region === '') {
    throw wrong(SHARED_MEMORY.region, tensor, 'the name of a region', region);
  }
  const byteSize = own(parameters, SHARED_MEMORY.byteSize);
  const offset = own(parameters, SHARED_MEMORY.offset) ?? 0;
  if (!isSize(byteSize)) throw wrong(SHARED_MEMORY.byteSize, tensor, 'a number of bytes', byteSize);
  if (!isSize(offset)) throw wrong(SHARED_MEMORY.offset, tensor, 'a number of bytes', offset);
  return { region, offset, byteSize };
}

function own(parameters: TensorParameters, name: string): string | boolean | number | undefined {
  return Object.hasOwn(parameters, name) ? parameters[name] : undefined;
}

/** Whether a client's value is a number of bytes that is held exactly. */
export function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function wrong(name: string, tensor: string, expected: string, received: unknown): ServingError {
  const what = received === undefined ? 'none' : shown(received);
  return new ServingError('SHARED_MEMORY_INVALID', `${name} of ${tensor}: expected ${expected}, received ${what}`);
}
