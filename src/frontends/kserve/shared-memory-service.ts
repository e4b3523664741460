import protobuf from 'protobufjs/minimal.js';
import { ServingError } from '../../errors.js';
import type { SharedMemory, SharedMemoryRegion } from '../../tensors/shared-memory.js';
import { decodeMessage, readUint64AsNumber, skip, tagOf, WIRE } from '../protobuf/wire-reader.js';
import { rejecting, type RpcMethod } from '../rpc.js';
import { METHOD } from './method.js';
import { offered, statusOf } from './shared-memory-status.js';

const NAME = tagOf(1, WIRE.BYTES);
const KEY = tagOf(2, WIRE.BYTES);
const OFFSET = tagOf(3, WIRE.VARINT);
const BYTE_SIZE = tagOf(4, WIRE.VARINT);
const REGIONS = tagOf(1, WIRE.BYTES);
const ENTRY_KEY = tagOf(1, WIRE.BYTES);
const ENTRY_VALUE = tagOf(2, WIRE.BYTES);

const EMPTY = new Uint8Array(0);

/**
 * The RPCs by which clients share memory, as Triton has them. CUDA's are there because clients call them without asking whether there is
 * a GPU: nothing is registered, and nothing can be.
 *
 * @param memory `null`: the server does not offer it.
 */
export function sharedMemoryMethods(memory: SharedMemory | null): readonly (readonly [string, RpcMethod])[] {
  return [
    [METHOD.SYSTEM_SHARED_MEMORY_STATUS, rejecting((request) => encodeStatus(statusOf(memory, decodeName(request))))],
    [METHOD.SYSTEM_SHARED_MEMORY_REGISTER, rejecting((request) => register(offered(memory), request))],
    [METHOD.SYSTEM_SHARED_MEMORY_UNREGISTER, rejecting((request) => unregister(memory, decodeName(request)))],
    [METHOD.CUDA_SHARED_MEMORY_STATUS, () => EMPTY],
    [METHOD.CUDA_SHARED_MEMORY_UNREGISTER, () => EMPTY],
    [
      METHOD.CUDA_SHARED_MEMORY_REGISTER,
      rejecting(() => {
        throw new ServingError('CUDA_SHARED_MEMORY');
      }),
    ],
  ];
}

function register(memory: SharedMemory, request: Uint8Array): Uint8Array {
  memory.register(decodeRegion(request));
  return EMPTY;
}

/** Without a name all regions are meant. A name that is not registered is no error (as Triton). */
function unregister(memory: SharedMemory | null, name: string): Uint8Array {
  if (name === '') memory?.unregisterAll();
  else memory?.unregister(name);
  return EMPTY;
}

/** The requests that have a name and nothing else. */
function decodeName(bytes: Uint8Array): string {
  return decodeMessage('SystemSharedMemoryStatusRequest', bytes, (reader) => {
    let name = '';
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      if (tag === NAME) name = reader.stringVerify();
      else skip(reader, tag);
    }
    return name;
  });
}

function decodeRegion(bytes: Uint8Array): SharedMemoryRegion {
  return decodeMessage('SystemSharedMemoryRegisterRequest', bytes, (reader) => {
    let name = '';
    let key = '';
    let offset = 0;
    let byteSize = 0;
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      if (tag === NAME) name = reader.stringVerify();
      else if (tag === KEY) key = reader.stringVerify();
      else if (tag === OFFSET) offset = readUint64AsNumber(reader);
      else if (tag === BYTE_SIZE) byteSize = readUint64AsNumber(reader);
      else skip(reader, tag);
    }
    return { name, key, offset, byteSize };
  });
}

/** `inference.SystemSharedMemoryStatusResponse`: a map by name. */
function encodeStatus(regions: readonly SharedMemoryRegion[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const { name, key, offset, byteSize } of regions) {
    writer.uint32(REGIONS).fork().uint32(ENTRY_KEY).string(name).uint32(ENTRY_VALUE).fork();
    writer.uint32(NAME).string(name).uint32(KEY).string(key);
    writer.uint32(OFFSET).uint64(offset).uint32(BYTE_SIZE).uint64(byteSize);
    writer.ldelim().ldelim();
  }
  return writer.finish();
}
