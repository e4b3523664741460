import protobuf from 'protobufjs/minimal.js';
import { ServingError } from '../../errors.js';
import type { ServableSignature } from '../../servables/serving.js';
import { encodeModelSpec, ModelSpec } from './model-spec.js';
import { encodeSignatureDefMap, readSignatureDefMap, type Signature } from './signature-def.js';
import { decodeMessage, enter, leave, readMapEntry, skip, tagOf, WIRE, type Reader } from '../protobuf/wire-reader.js';

const MODEL_SPEC = tagOf(1, WIRE.BYTES);
const METADATA_FIELD = tagOf(2, WIRE.BYTES);
const METADATA = tagOf(2, WIRE.BYTES);
const MAP_KEY = tagOf(1, WIRE.BYTES);
const MAP_VALUE = tagOf(2, WIRE.BYTES);
const ANY_TYPE_URL = tagOf(1, WIRE.BYTES);
const ANY_VALUE = tagOf(2, WIRE.BYTES);

/** The only kind of metadata there is (as OVMS 2026.2.1). */
export const SIGNATURE_DEF = 'signature_def';
const SIGNATURE_DEF_MAP_URL = 'type.googleapis.com/tensorflow.serving.SignatureDefMap';

export interface MetadataRequest {
  /** `null` when the request has no `model_spec`. */
  readonly modelSpec: { readonly name: string; readonly version: bigint | null } | null;
  readonly metadataFields: readonly string[];
}

export interface MetadataResponse extends Signature {
  readonly name: string;
  readonly version: bigint | null;
}

/** @throws ServingError MESSAGE_MALFORMED */
export function decodeMetadataRequest(bytes: Uint8Array): MetadataRequest {
  return decodeMessage('GetModelMetadataRequest', bytes, (reader) => {
    let modelSpec: ModelSpec | null = null;
    const metadataFields: string[] = [];
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      if (tag === MODEL_SPEC) (modelSpec ??= new ModelSpec()).read(reader);
      else if (tag === METADATA_FIELD) metadataFields.push(reader.stringVerify());
      else skip(reader, tag);
    }
    return { modelSpec, metadataFields };
  });
}

/** Encodes a request for the signature of a servable. */
export function encodeMetadataRequest(name: string, version: bigint | null): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(MODEL_SPEC).bytes(encodeModelSpec(name, version));
  writer.uint32(METADATA_FIELD).string(SIGNATURE_DEF);
  return writer.finish();
}

/** Encodes the metadata of a servable: its name, the version that answered and the signature in an `Any`. */
export function encodeMetadataResponse(metadata: ServableSignature): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(MODEL_SPEC).bytes(encodeModelSpec(metadata.name, BigInt(metadata.version)));
  writer.uint32(METADATA).fork();
  writer.uint32(MAP_KEY).string(SIGNATURE_DEF);
  writer.uint32(MAP_VALUE).fork();
  writer.uint32(ANY_TYPE_URL).string(SIGNATURE_DEF_MAP_URL);
  writer.uint32(ANY_VALUE).bytes(encodeSignatureDefMap(metadata.inputs, metadata.outputs));
  writer.ldelim();
  writer.ldelim();
  return writer.finish();
}

/** @throws ServingError MESSAGE_MALFORMED, also when the answer has no `serving_default`. */
export function decodeMetadataResponse(bytes: Uint8Array): MetadataResponse {
  return decodeMessage('GetModelMetadataResponse', bytes, (reader) => {
    const spec = new ModelSpec();
    let signature: Signature | null = null;
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      if (tag === MODEL_SPEC) spec.read(reader);
      else if (tag === METADATA) signature = readSignatureEntry(reader) ?? signature;
      else skip(reader, tag);
    }
    if (signature === null) {
      throw new ServingError('MESSAGE_MALFORMED', 'GetModelMetadataResponse without a signature serving_default');
    }
    return { name: spec.name, version: spec.version, inputs: signature.inputs, outputs: signature.outputs };
  });
}

function readSignatureEntry(reader: Reader): Signature | null {
  let any: Any = { typeUrl: '', value: new Uint8Array(0) };
  const key = readMapEntry(reader, { read: () => (any = readAny(reader)) });
  if (key !== SIGNATURE_DEF || any.typeUrl !== SIGNATURE_DEF_MAP_URL) return null;
  return decodeMessage('SignatureDefMap', any.value, readSignatureDefMap);
}

interface Any {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

function readAny(reader: Reader): Any {
  const outerEnd = enter(reader);
  let typeUrl = '';
  let value: Uint8Array = new Uint8Array(0);
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === ANY_TYPE_URL) typeUrl = reader.stringVerify();
    else if (tag === ANY_VALUE) value = reader.bytes();
    else skip(reader, tag);
  }
  leave(reader, outerEnd);
  return { typeUrl, value };
}
