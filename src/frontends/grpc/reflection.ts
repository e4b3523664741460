import protobuf from 'protobufjs/minimal.js';
import { ServingError } from '../../errors.js';
import { decodeMessage, skip, tagOf, WIRE } from '../protobuf/wire-reader.js';
import type { RpcService, RpcStream } from '../rpc.js';
import type { FileDescriptors } from './file-descriptors.js';
import { shortened } from '../../texts.js';

/** The two versions have the same messages. */
export const REFLECTION_METHODS = ['v1', 'v1alpha'].map(
  (version) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
);

const FILE_BY_NAME = 3;
const FILE_CONTAINING_SYMBOL = 4;
const LIST_SERVICES = 7;
const ORIGINAL_REQUEST = tagOf(2, WIRE.BYTES);
const FILE_DESCRIPTORS = tagOf(4, WIRE.BYTES);
const SERVICES = tagOf(6, WIRE.BYTES);
const ERROR = tagOf(7, WIRE.BYTES);
const FIRST = tagOf(1, WIRE.BYTES);
const ERROR_CODE = tagOf(1, WIRE.VARINT);
const ERROR_MESSAGE = tagOf(2, WIRE.BYTES);

/**
 * gRPC server reflection over the server's `.proto` files, which are read when a client first asks. OVMS 2026.2.1 has none.
 * @param services full names, listed as they are.
 */
export function reflectionService(services: readonly string[]): RpcService {
  let reading: Promise<FileDescriptors> | null = null;
  const method: RpcStream = {
    stream: async function* (requests) {
      for await (const request of requests) {
        reading ??= readDescriptors();
        yield answer(request, services, await reading);
      }
    },
  };
  return new Map(REFLECTION_METHODS.map((path) => [path, method]));
}

/** What parses the files is a large package, and few clients ask. */
async function readDescriptors(): Promise<FileDescriptors> {
  const { FileDescriptors } = await import('./file-descriptors.js');
  return new FileDescriptors();
}

function answer(request: Uint8Array, services: readonly string[], descriptors: FileDescriptors): Uint8Array {
  const { field, text } = decodeQuestion(request);
  const writer = protobuf.Writer.create().uint32(ORIGINAL_REQUEST).bytes(request);
  if (field === LIST_SERVICES) return writeServices(writer, services);
  const files =
    field === FILE_BY_NAME
      ? descriptors.file(text)
      : field === FILE_CONTAINING_SYMBOL
        ? descriptors.containing(text)
        : null;
  if (files === null) return writeNotFound(writer, text);
  writer.uint32(FILE_DESCRIPTORS).fork();
  for (const file of files) writer.uint32(FIRST).bytes(file);
  return writer.ldelim().finish();
}

/** Which of the questions was asked; proto3 has no extensions, so those about them find nothing. */
function decodeQuestion(bytes: Uint8Array): { readonly field: number; readonly text: string } {
  return decodeMessage('ServerReflectionRequest', bytes, (reader) => {
    let question = { field: 0, text: '' };
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      const field = tag >>> 3;
      const isText = (tag & 7) === WIRE.BYTES && [FILE_BY_NAME, FILE_CONTAINING_SYMBOL, LIST_SERVICES].includes(field);
      if (isText) question = { field, text: reader.stringVerify() };
      else skip(reader, tag);
    }
    return question;
  });
}

function writeServices(writer: protobuf.Writer, services: readonly string[]): Uint8Array {
  writer.uint32(SERVICES).fork();
  for (const name of services) writer.uint32(FIRST).fork().uint32(FIRST).string(name).ldelim();
  return writer.ldelim().finish();
}

function writeNotFound(writer: protobuf.Writer, symbol: string): Uint8Array {
  const { code, details } = new ServingError('SYMBOL_UNKNOWN', `symbol: ${shortened(symbol)}`).grpcStatus();
  writer.uint32(ERROR).fork();
  writer.uint32(ERROR_CODE).int32(code).uint32(ERROR_MESSAGE).string(details);
  return writer.ldelim().finish();
}
