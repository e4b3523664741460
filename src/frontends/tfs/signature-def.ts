import protobuf from 'protobufjs/minimal.js';
import type { TensorInfo } from '../../tensors/tensor-info.js';
import { metadataDimensions } from '../../tensors/shape.js';
import { dataTypeOfNumber, dataTypeOfPrecision } from './data-type.js';
import { readShape } from './tensor-proto.js';
import { enter, leave, readMapEntry, skip, tagOf, WIRE, type Reader } from '../protobuf/wire-reader.js';

const MAP_ENTRY = tagOf(1, WIRE.BYTES);
const MAP_KEY = tagOf(1, WIRE.BYTES);
const MAP_VALUE = tagOf(2, WIRE.BYTES);
const INPUTS = tagOf(1, WIRE.BYTES);
const OUTPUTS = tagOf(2, WIRE.BYTES);
const INFO_NAME = tagOf(1, WIRE.BYTES);
const INFO_DTYPE = tagOf(2, WIRE.VARINT);
const INFO_SHAPE = tagOf(3, WIRE.BYTES);
const DIM = tagOf(2, WIRE.BYTES);
const DIM_SIZE = tagOf(1, WIRE.VARINT);

/** The one signature of every servable (as OVMS 2026.2.1). */
export const SERVING_DEFAULT = 'serving_default';

/** Inputs and outputs of a servable as the wire tells them. */
export interface Signature {
  readonly inputs: readonly SignatureTensor[];
  readonly outputs: readonly SignatureTensor[];
}

export interface SignatureTensor {
  readonly name: string;
  /** `DT_FLOAT`, or the bare number of a type not known here. */
  readonly dataType: string;
  /** -1 for whatever is not fixed. */
  readonly shape: readonly number[];
}

/** A `SignatureDefMap` with the entry `serving_default`. `method_name` stays empty (as OVMS 2026.2.1). */
export function encodeSignatureDefMap(inputs: readonly TensorInfo[], outputs: readonly TensorInfo[]): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(MAP_ENTRY).fork();
  writer.uint32(MAP_KEY).string(SERVING_DEFAULT);
  writer.uint32(MAP_VALUE).fork();
  for (const info of inputs) writeTensorInfo(writer.uint32(INPUTS), info);
  for (const info of outputs) writeTensorInfo(writer.uint32(OUTPUTS), info);
  writer.ldelim();
  writer.ldelim();
  return writer.finish();
}

function writeTensorInfo(writer: protobuf.Writer, info: TensorInfo): void {
  writer.fork();
  writer.uint32(MAP_KEY).string(info.name);
  writer.uint32(MAP_VALUE).fork();
  writer.uint32(INFO_NAME).string(info.name);
  writer.uint32(INFO_DTYPE).int32(dataTypeOfPrecision(info.precision).number);
  writer.uint32(INFO_SHAPE).fork();
  for (const size of metadataDimensions(info.shape)) {
    writer.uint32(DIM).fork();
    if (size !== 0) writer.uint32(DIM_SIZE).int64(size);
    writer.ldelim();
  }
  writer.ldelim().ldelim().ldelim();
}

/** Reads a whole `SignatureDefMap`: its `serving_default`, or `null` when it has none. */
export function readSignatureDefMap(reader: Reader): Signature | null {
  let found: Signature | null = null;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag !== MAP_ENTRY) {
      skip(reader, tag);
      continue;
    }
    let signature: Signature = { inputs: [], outputs: [] };
    const name = readMapEntry(reader, { read: () => (signature = readSignatureDef(reader)) });
    if (name === SERVING_DEFAULT) found = signature;
  }
  return found;
}

function readSignatureDef(reader: Reader): Signature {
  const outerEnd = enter(reader);
  const inputs: SignatureTensor[] = [];
  const outputs: SignatureTensor[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === INPUTS) inputs.push(readTensorInfoEntry(reader));
    else if (tag === OUTPUTS) outputs.push(readTensorInfoEntry(reader));
    else skip(reader, tag);
  }
  leave(reader, outerEnd);
  return { inputs, outputs };
}

function readTensorInfoEntry(reader: Reader): SignatureTensor {
  let dtype = 0;
  const shape: number[] = [];
  const name = readMapEntry(reader, {
    read: () => {
      const outerEnd = enter(reader);
      while (reader.pos < reader.len) {
        const tag = reader.tag();
        if (tag === INFO_DTYPE) dtype = reader.int32();
        else if (tag === INFO_SHAPE) readShape(reader, shape);
        else skip(reader, tag);
      }
      leave(reader, outerEnd);
    },
  });
  return { name, dataType: dataTypeOfNumber(dtype)?.name ?? String(dtype), shape };
}
