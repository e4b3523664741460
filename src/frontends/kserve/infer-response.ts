import protobuf from 'protobufjs/minimal.js';
import type { ResponseTensor, SlabMemory } from '../../servables/predict-request.js';
import type { SharedMemoryPlace } from '../../tensors/shared-memory.js';
import { outputStrings } from '../../servables/strings/output-strings.js';
import type { Contents } from '../protobuf/scattered-message.js';
import { copyShift, ExactWriter, lengthDelimited, type PlacedBytes } from '../protobuf/wire-writer.js';
import { tagOf, WIRE } from '../protobuf/wire-reader.js';
import { writeBytesElements } from './bytes-elements.js';
import { dataTypeOfPrecision } from './data-type.js';
import { SHARED_MEMORY } from './shared-parameters.js';
import type { SharedTensors } from './shared-tensors.js';

const MODEL_NAME = tagOf(1, WIRE.BYTES);
const MODEL_VERSION = tagOf(2, WIRE.BYTES);
const ID = tagOf(3, WIRE.BYTES);
const OUTPUTS = tagOf(5, WIRE.BYTES);
const RAW_OUTPUT_CONTENTS = tagOf(6, WIRE.BYTES);
const OUTPUT_NAME = tagOf(1, WIRE.BYTES);
const OUTPUT_DATATYPE = tagOf(2, WIRE.BYTES);
const OUTPUT_SHAPE = tagOf(3, WIRE.BYTES);
const OUTPUT_PARAMETERS = tagOf(4, WIRE.BYTES);
const PARAMETER_NAME = tagOf(1, WIRE.BYTES);
const PARAMETER_VALUE = tagOf(2, WIRE.BYTES);
const INT64_PARAMETER = tagOf(2, WIRE.VARINT);
const STRING_PARAMETER = tagOf(3, WIRE.BYTES);

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
  /** Where the client has it; then `content` is empty. */
  readonly place?: SharedMemoryPlace;
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

/** As {@link outputTensor}; what the client wants in shared memory is brought there. @throws ServingError SHARED_MEMORY_TOO_SMALL */
export function placedTensor(output: ResponseTensor, shared: SharedTensors | null): OutputTensor {
  const tensor = outputTensor(output);
  const place = shared?.place(output, tensor.content) ?? null;
  if (place === null) return tensor;
  const { name, datatype, shape } = tensor;
  return { name, datatype, shape, content: NOTHING, place };
}

const NOTHING = new Uint8Array(0);

/** What the parameters of an output say of its place. */
export function placeParameters({ region, offset, byteSize }: SharedMemoryPlace): Record<string, string | number> {
  return {
    [SHARED_MEMORY.region]: region,
    [SHARED_MEMORY.byteSize]: byteSize,
    ...(offset > 0 && { [SHARED_MEMORY.offset]: offset }),
  };
}

/**
 * Encodes `inference.ModelInferResponse`, every output in `raw_output_contents`, in the order given. Each content is copied once, from
 * wherever it is into the message: the outputs may be released afterwards.
 * @param shared outputs that are wanted there have an empty content, so that contents and outputs stay in step.
 * @param leftOut gets the large contents, which are then neither copied nor part of the result.
 */
export function encodeInferResponse(
  answer: InferAnswerHead,
  outputs: readonly ResponseTensor[],
  leftOut?: Contents,
  shared: SharedTensors | null = null,
): Buffer {
  const tensors = outputs.map((output) => placedTensor(output, shared));
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
  for (const { name, datatype, shape, place } of tensors) {
    writer.uint32(OUTPUTS).fork();
    writeTensorHead(writer, name, datatype, shape);
    if (place !== undefined) writePlace(writer, place);
    writer.ldelim();
  }
  return writer.finish();
}

function writePlace(writer: protobuf.Writer, place: SharedMemoryPlace): void {
  for (const [name, value] of Object.entries(placeParameters(place))) {
    writer.uint32(OUTPUT_PARAMETERS).fork().uint32(PARAMETER_NAME).string(name).uint32(PARAMETER_VALUE).fork();
    if (typeof value === 'string') writer.uint32(STRING_PARAMETER).string(value);
    else writer.uint32(INT64_PARAMETER).int64(value);
    writer.ldelim().ldelim();
  }
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
