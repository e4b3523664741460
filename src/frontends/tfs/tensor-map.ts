import type { RequestTensor, ResponseTensor } from '../../servables/predict-request.js';
import type { StringList } from '../../tensors/strings.js';
import { dataTypeOfPrecision } from './data-type.js';
import { TensorProto } from './tensor-proto.js';
import type { Contents } from '../protobuf/scattered-message.js';
import { readMapEntry, type Reader } from '../protobuf/wire-reader.js';
import {
  copyShift,
  ExactWriter,
  int64Bytes,
  lengthDelimited,
  type PlacedBytes,
  stringFieldBytes,
  TAG_BYTES,
  varintBytes,
} from '../protobuf/wire-writer.js';

const KEY_TAG = 0x0a;
const VALUE_TAG = 0x12;
const DTYPE_TAG = 0x08;
const SHAPE_TAG = 0x12;
const CONTENT_TAG = 0x22;
const STRING_TAG = 0x42;
const DIM_TAG = 0x12;
const SIZE_TAG = 0x08;

/** A tensor as it is written: elements in `tensor_content` or in a field of values; of precision STRING no bytes, but `strings` in `string_val`. */
export interface WireTensor extends ResponseTensor {
  readonly strings?: StringList;
  /** The encoded field of values that stands in for `tensor_content`; `bytes` are then none. */
  readonly valueField?: Uint8Array;
}

/** Reads one entry of a `map<string, TensorProto>`; of two entries with one key the later stays. */
export function readTensorEntry(reader: Reader, tensors: Map<string, RequestTensor>): void {
  const tensor = new TensorProto();
  const name = readMapEntry(reader, tensor);
  tensors.set(name, tensor.toRequestTensor());
}

/**
 * Encodes a message that ends with a `map<string, TensorProto>` in field `field` (1 to 15).
 *
 * Its exact size is computed first, so that the bytes of each tensor are copied once, from wherever they are (arena regions are
 * shared memory) into the message; protobufjs would grow its buffer and copy it again at the end.
 * @param head Encoded fields to stand before the map.
 * @param leftOut Gets the large contents in leased memory, which are then not part of the result.
 */
export function encodeTensorMap(
  field: number,
  tensors: readonly WireTensor[],
  head?: Uint8Array,
  leftOut?: Contents,
): Buffer {
  const entries = tensors.map(measureEntry);
  const headBytes = head === undefined ? 0 : head.byteLength;
  let size = headBytes;
  for (const { entryBytes, tensor } of entries) {
    size += lengthDelimited(entryBytes);
    if (leftOut?.wants(tensor.bytes, tensor.memory) === true) size -= tensor.bytes.byteLength;
  }
  const shift = leftOut === undefined ? copyShift(placedContents(entries, headBytes)) : 0;
  const writer = new ExactWriter(size, shift);
  if (head !== undefined) writer.bytes(head);
  for (const entry of entries) writeEntry(writer, (field << 3) | 2, entry, leftOut);
  return writer.finish();
}

/** The contents of the entries with their places in the message: each is the last field of its entry. */
function placedContents(entries: readonly MeasuredEntry[], headBytes: number): PlacedBytes[] {
  let end = headBytes;
  return entries.map(({ entryBytes, tensor: { bytes } }) => {
    end += lengthDelimited(entryBytes);
    return { bytes, at: end - bytes.byteLength };
  });
}

interface MeasuredEntry {
  readonly tensor: WireTensor;
  readonly dtype: number;
  readonly nameBytes: number;
  readonly shapeBytes: number;
  readonly tensorBytes: number;
  readonly entryBytes: number;
}

function measureEntry(tensor: WireTensor): MeasuredEntry {
  const dtype = dataTypeOfPrecision(tensor.precision).number;
  const nameBytes = Buffer.byteLength(tensor.name);
  let shapeBytes = 0;
  for (const size of tensor.shape) shapeBytes += lengthDelimited(dimensionBytes(size));
  const { byteLength } = tensor.bytes;
  let contentBytes = byteLength === 0 ? 0 : lengthDelimited(byteLength);
  if (tensor.strings !== undefined) contentBytes += stringFieldBytes(tensor.strings);
  contentBytes += tensor.valueField?.byteLength ?? 0;
  const tensorBytes = TAG_BYTES + varintBytes(dtype) + lengthDelimited(shapeBytes) + contentBytes;
  const entryBytes = lengthDelimited(nameBytes) + lengthDelimited(tensorBytes);
  return { tensor, dtype, nameBytes, shapeBytes, tensorBytes, entryBytes };
}

function writeEntry(writer: ExactWriter, tag: number, entry: MeasuredEntry, leftOut: Contents | undefined): void {
  const { tensor } = entry;
  writer.tag(tag, entry.entryBytes);
  writer.tag(KEY_TAG, entry.nameBytes);
  writer.text(tensor.name, entry.nameBytes);
  writer.tag(VALUE_TAG, entry.tensorBytes);
  writer.tag(DTYPE_TAG, entry.dtype);
  writer.tag(SHAPE_TAG, entry.shapeBytes);
  for (const size of tensor.shape) {
    writer.tag(DIM_TAG, dimensionBytes(size));
    if (size !== 0) writer.byte(SIZE_TAG).int64(size);
  }
  if (tensor.bytes.byteLength > 0) {
    writer.tag(CONTENT_TAG, tensor.bytes.byteLength);
    if (leftOut?.take(writer.length, tensor.bytes, tensor.memory) !== true) writer.bytes(tensor.bytes);
  }
  if (tensor.strings !== undefined) writer.strings(STRING_TAG, tensor.strings);
  if (tensor.valueField !== undefined) writer.bytes(tensor.valueField);
}

/** Bytes of a `Dim` message: a size of 0 is the default and is not written. */
function dimensionBytes(size: number): number {
  return size === 0 ? 0 : TAG_BYTES + int64Bytes(size);
}
