import type { RequestTensor, TensorContent } from '../../servables/predict-request.js';
import { NO_STRINGS, StringPlaces } from '../../tensors/strings.js';
import { dataTypeOfNumber, requestText, type DataType } from './data-type.js';
import { TENSOR_PROTO_VALUES } from './tensor-values.js';
import { ValueFields } from '../protobuf/value-field.js';
import { enter, leave, readInt64AsNumber, readPlace, skip, tagOf, WIRE, type Reader } from '../protobuf/wire-reader.js';

const DTYPE = tagOf(1, WIRE.VARINT);
const TENSOR_SHAPE = tagOf(2, WIRE.BYTES);
const TENSOR_CONTENT = tagOf(4, WIRE.BYTES);
const STRING_VAL = tagOf(8, WIRE.BYTES);
const DIM = tagOf(2, WIRE.BYTES);
const DIM_SIZE = tagOf(1, WIRE.VARINT);

const NO_BYTES = new Uint8Array(0);
const NO_VALUES: TensorContent = { kind: 'values', count: 0, writeTo: () => undefined };

/** A tensor as the wire gives it, while it is read: fields may come in any order and again. */
export class TensorProto {
  readonly #shape: number[] = [];
  #dtype = 0;
  #content: Uint8Array = NO_BYTES;
  #values: ValueFields | null = null;
  #strings: StringPlaces | null = null;
  #message: Uint8Array = NO_BYTES;

  /** Reads the length-delimited message the reader stands before. A second call merges, as protobuf does for a field sent twice. */
  read(reader: Reader): void {
    const outerEnd = enter(reader);
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      if (tag === DTYPE) this.#dtype = reader.int32();
      else if (tag === TENSOR_SHAPE) readShape(reader, this.#shape);
      else if (tag === TENSOR_CONTENT) this.#content = reader.bytes();
      else if (tag === STRING_VAL) this.#readString(reader);
      else this.#readValues(reader, tag);
    }
    leave(reader, outerEnd);
  }

  #readString(reader: Reader): void {
    this.#message = reader.buf;
    readPlace(reader, (this.#strings ??= new StringPlaces()));
  }

  #readValues(reader: Reader, tag: number): void {
    const values = this.#values ?? new ValueFields(TENSOR_PROTO_VALUES);
    if (values.read(reader, tag)) this.#values = values;
    else skip(reader, tag);
  }

  /** The tensor in the server's words. Its content is a view of the message, or reads from it when it is written. */
  toRequestTensor(): RequestTensor {
    const type = dataTypeOfNumber(this.#dtype);
    return {
      precision: type === null ? null : type.precision,
      precisionText: requestText(type),
      shape: this.#shape,
      content: this.#contentOf(type),
    };
  }

  /** Accepts typed fields for every type, where OVMS 2026.2.1 reads only `half_val` of DT_HALF and `int_val` of DT_UINT16. */
  #contentOf(type: DataType | null): TensorContent {
    if (type?.precision === 'STRING')
      return { kind: 'strings', strings: this.#strings?.in(this.#message) ?? NO_STRINGS };
    if (this.#content.byteLength === 0 && type !== null) {
      const values = this.#values?.content(type.precision);
      if (values) return values;
      // OVMS 2026.2.1 counts values of these two, so an absent content must be reported as a count.
      if (type.precision === 'FP16' || type.precision === 'U16') return NO_VALUES;
    }
    return { kind: 'bytes', bytes: this.#content };
  }
}

/** Appends the sizes of a `TensorShapeProto`; an unknown rank reads as no dimension. */
export function readShape(reader: Reader, sizes: number[]): void {
  const outerEnd = enter(reader);
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === DIM) sizes.push(readDimension(reader));
    else skip(reader, tag);
  }
  leave(reader, outerEnd);
}

function readDimension(reader: Reader): number {
  const outerEnd = enter(reader);
  let size = 0;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === DIM_SIZE) size = readInt64AsNumber(reader);
    else skip(reader, tag);
  }
  leave(reader, outerEnd);
  return size;
}
