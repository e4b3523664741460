import protobuf from 'protobufjs/minimal.js';
import { SERVABLE_STATE, STATE_ERROR_CODE, type VersionStatus } from '../../servables/serving.js';
import { encodeModelSpec, ModelSpec } from './model-spec.js';
import { decodeMessage, enter, leave, readInt64, skip, tagOf, WIRE, type Reader } from '../protobuf/wire-reader.js';

const MODEL_SPEC = tagOf(1, WIRE.BYTES);
const MODEL_VERSION_STATUS = tagOf(1, WIRE.BYTES);
const VERSION = tagOf(1, WIRE.VARINT);
const STATE = tagOf(2, WIRE.VARINT);
const STATUS = tagOf(3, WIRE.BYTES);
const ERROR_CODE = tagOf(1, WIRE.VARINT);
const ERROR_MESSAGE = tagOf(2, WIRE.BYTES);

export interface StatusRequest {
  readonly name: string;
  /** `null`: all versions. */
  readonly version: bigint | null;
}

/** The state of one version as the wire tells it. */
export interface WireVersionStatus {
  readonly version: bigint;
  /** `AVAILABLE`, or the bare number of a state not known here. */
  readonly state: string;
  readonly errorCode: number;
  readonly errorMessage: string;
}

const STATE_NAMES = new Map<number, string>(Object.entries(SERVABLE_STATE).map(([name, number]) => [number, name]));

/** A request without `model_spec` asks for the servable with the empty name. @throws ServingError MESSAGE_MALFORMED */
export function decodeStatusRequest(bytes: Uint8Array): StatusRequest {
  return decodeMessage('GetModelStatusRequest', bytes, (reader) => {
    const spec = new ModelSpec();
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      if (tag === MODEL_SPEC) spec.read(reader);
      else skip(reader, tag);
    }
    return { name: spec.name, version: spec.version };
  });
}

export function encodeStatusRequest({ name, version }: StatusRequest): Uint8Array {
  return protobuf.Writer.create().uint32(MODEL_SPEC).bytes(encodeModelSpec(name, version)).finish();
}

/** Encodes versions in the order given. The error message is the name of the code, `OK` too (as OVMS 2026.2.1). */
export function encodeStatusResponse(versions: readonly VersionStatus[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const { version, state, errorCode } of versions) {
    writer.uint32(MODEL_VERSION_STATUS).fork();
    writer.uint32(VERSION).int64(version);
    writer.uint32(STATE).int32(SERVABLE_STATE[state]);
    writer.uint32(STATUS).fork();
    if (errorCode !== 'OK') writer.uint32(ERROR_CODE).int32(STATE_ERROR_CODE[errorCode]);
    writer.uint32(ERROR_MESSAGE).string(errorCode);
    writer.ldelim().ldelim();
  }
  return writer.finish();
}

/** @throws ServingError MESSAGE_MALFORMED */
export function decodeStatusResponse(bytes: Uint8Array): readonly WireVersionStatus[] {
  return decodeMessage('GetModelStatusResponse', bytes, (reader) => {
    const versions: WireVersionStatus[] = [];
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      if (tag === MODEL_VERSION_STATUS) versions.push(readVersionStatus(reader));
      else skip(reader, tag);
    }
    return versions;
  });
}

function readVersionStatus(reader: Reader): WireVersionStatus {
  const outerEnd = enter(reader);
  let version = 0n;
  let state = 0;
  let error = { errorCode: 0, errorMessage: '' };
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === VERSION) version = readInt64(reader);
    else if (tag === STATE) state = reader.int32();
    else if (tag === STATUS) error = readStatus(reader);
    else skip(reader, tag);
  }
  leave(reader, outerEnd);
  return { version, state: STATE_NAMES.get(state) ?? String(state), ...error };
}

function readStatus(reader: Reader): { errorCode: number; errorMessage: string } {
  const outerEnd = enter(reader);
  let errorCode = 0;
  let errorMessage = '';
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === ERROR_CODE) errorCode = reader.int32();
    else if (tag === ERROR_MESSAGE) errorMessage = reader.stringVerify();
    else skip(reader, tag);
  }
  leave(reader, outerEnd);
  return { errorCode, errorMessage };
}
