import protobuf from 'protobufjs/minimal.js';
import type { ResponseTensor, SlabMemory } from '../../servables/predict-request.js';
import { outputStrings } from '../../servables/strings/output-strings.js';
import type { Contents } from '../protobuf/scattered-message.js';
import { copyShift, ExactWriter, lengthDelimited, type PlacedBytes } from '../protobuf/wire-writer.js';
import { tagOf, WIRE } from '../protobuf/wire-reader.js';
import { writeBytesElements } from './bytes-elements.js';
import { dataTypeOfPrecision } from './data-type.js';

const MODEL_NAME = tagOf(1, WIRE.BYTES);
const MODEL_VERSION = tagOf(2, WIRE.BYTES);
const ID = tagOf(3, WIRE.BYTES);
const OUTPUTS = tagOf(5, WIRE.BYTES);
const RAW_OUTPUT_CONTENTS = tagOf(6, WIRE.BYTES);
const OUTPUT_NAME = tagOf(1, WIRE.BYTES);
const OUTPUT_DATATYPE = tagOf(2, WIRE.BYTES);
const OUTPUT_SHAPE = tagOf(3, WIRE.BYTES);

/** What an answer says beside its outputs. */
export interface InferAnswerHead {
  readonly modelName: string;
  readonly version: number;
  /** As the request gave it; empty when it gave none. */
  readonly id: string;
}

/** An output as KServe sends it. */
export interface OutputTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** Little-endian elements, or BYTES elements with their lengths. */
  readonly content: Uint8Array;
  /** Where `content` is, when it is in a slab. */
  readonly memory?: SlabMemory | undefined;
}

/**
 * An output in KServe's words: texts in U8 rows become BYTES, everything else is a view of the output; strings are packed there as
 * BYTES are.
 */
export function outputTensor(output: ResponseTensor): OutputTensor {
  const { name, precision, shape, bytes, memory } = output;
  const rows = precision === 'STRING' ? null : outputStrings(output);
  if (rows === null) return { name, datatype: dataTypeOfPrecision(precision), shape, content: bytes, memory };
  return {
    name,
    datatype: dataTypeOfPrecision('STRING'),
    shape: rows.shape,
    content: writeBytesElements(rows.strings),
  };
}

/**
 * Encodes `inference.ModelInferResponse`, every output in `raw_output_contents`, in the order given. Each content is copied once, from
 * wherever it is into the message: the outputs may be released afterwards.
 * @param leftOut gets the large contents, which are then neither copied nor part of the result.
 */
export function encodeInferResponse(
  answer: InferAnswerHead,
  outputs: readonly ResponseTensor[],
  leftOut?: Contents,
): Buffer {
  const tensors = outputs.map(outputTensor);
  const head = encodeHead(answer, tensors);
  let size = head.byteLength;
  for (const { content, memory } of tensors) {
    size += lengthDelimited(content.byteLength);
    if (leftOut?.wants(content, memory) === true) size -= content.byteLength;
  }
  const shift = leftOut === undefined ? copyShift(placedContents(tensors, head.byteLength)) : 0;
  const writer = new ExactWriter(size, shift).bytes(head);
  for (const { content, memory } of tensors) {
    writer.tag(RAW_OUTPUT_CONTENTS, content.byteLength);
    if (leftOut?.take(writer.length, content, memory) !== true) writer.bytes(content);
  }
  return writer.finish();
}

function encodeHead({ modelName, version, id }: InferAnswerHead, tensors: readonly OutputTensor[]): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(MODEL_NAME).string(modelName);
  writer.uint32(MODEL_VERSION).string(String(version));
  if (id !== '') writer.uint32(ID).string(id);
  for (const { name, datatype, shape } of tensors) {
    writer.uint32(OUTPUTS).fork();
    writeTensorHead(writer, name, datatype, shape);
    writer.ldelim();
  }
  return writer.finish();
}

/** The fields 1 to 3 of tensors and of their metadata. */
export function writeTensorHead(
  writer: protobuf.Writer,
  name: string,
  datatype: string,
  shape: readonly number[],
): void {
  writer.uint32(OUTPUT_NAME).string(name);
  writer.uint32(OUTPUT_DATATYPE).string(datatype);
  writer.uint32(OUTPUT_SHAPE).fork();
  for (const size of shape) writer.int64(size);
  writer.ldelim();
}

/** The contents with their places in the message: each is the last of its field. */
function placedContents(tensors: readonly OutputTensor[], start: number): PlacedBytes[] {
  let end = start;
  return tensors.map(({ content }) => {
    end += lengthDelimited(content.byteLength);
    return { bytes: content, at: end - content.byteLength };
  });
}
