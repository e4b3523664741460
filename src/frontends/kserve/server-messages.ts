import protobuf from 'protobufjs/minimal.js';
import type { ServableMetadata } from '../../servables/serving.js';
import { metadataDimensions } from '../../tensors/shape.js';
import type { TensorInfo } from '../../tensors/tensor-info.js';
import { decodeMessage, skip, tagOf, WIRE } from '../protobuf/wire-reader.js';
import { dataTypeOfPrecision } from './data-type.js';
import { writeTensorHead } from './infer-response.js';

const FLAG = tagOf(1, WIRE.VARINT);
const NAME = tagOf(1, WIRE.BYTES);
const VERSION = tagOf(2, WIRE.BYTES);
const EXTENSION = tagOf(3, WIRE.BYTES);
const PLATFORM = tagOf(3, WIRE.BYTES);
const INPUTS = tagOf(4, WIRE.BYTES);
const OUTPUTS = tagOf(5, WIRE.BYTES);

/** What every servable says it runs on (as OVMS 2026.2.1). */
export const MODEL_PLATFORM = 'OpenVINO';
/** The name clients of OVMS look for. */
export const SERVER_NAME = 'OpenVINO Model Server';

/** Which servable ModelReady and ModelMetadata ask about: the two messages are alike. */
export interface ModelQuestion {
  readonly name: string;
  /** As sent: empty for the default version. */
  readonly version: string;
}

/** @throws ServingError MESSAGE_MALFORMED */
export function decodeModelQuestion(what: string, bytes: Uint8Array): ModelQuestion {
  return decodeMessage(what, bytes, (reader) => {
    let name = '';
    let version = '';
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      if (tag === NAME) name = reader.stringVerify();
      else if (tag === VERSION) version = reader.stringVerify();
      else skip(reader, tag);
    }
    return { name, version };
  });
}

/** ServerLive, ServerReady and ModelReady answer with one flag. */
export function encodeFlag(flag: boolean): Uint8Array {
  return flag ? protobuf.Writer.create().uint32(FLAG).bool(true).finish() : new Uint8Array(0);
}

/** `inference.ServerMetadataResponse` */
export function encodeServerMetadata(version: string, extensions: readonly string[]): Uint8Array {
  const writer = protobuf.Writer.create().uint32(NAME).string(SERVER_NAME).uint32(VERSION).string(version);
  for (const extension of extensions) writer.uint32(EXTENSION).string(extension);
  return writer.finish();
}

/** `inference.ModelMetadataResponse`; -1 for sizes that are not fixed. */
export function encodeModelMetadata({ name, versions, inputs, outputs }: ServableMetadata): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(NAME).string(name);
  for (const version of versions) writer.uint32(VERSION).string(String(version));
  writer.uint32(PLATFORM).string(MODEL_PLATFORM);
  for (const info of inputs) writeTensorMetadata(writer.uint32(INPUTS), info);
  for (const info of outputs) writeTensorMetadata(writer.uint32(OUTPUTS), info);
  return writer.finish();
}

function writeTensorMetadata(writer: protobuf.Writer, { name, precision, shape }: TensorInfo): void {
  writer.fork();
  writeTensorHead(writer, name, dataTypeOfPrecision(precision), metadataDimensions(shape));
  writer.ldelim();
}
