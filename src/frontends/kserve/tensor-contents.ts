import type { TensorContent } from '../../servables/predict-request.js';
import type { Precision } from '../../tensors/precision.js';
import { StringPlaces } from '../../tensors/strings.js';
import { type ValueLayout, ValueFields } from '../protobuf/value-field.js';
import { enter, leave, readPlace, skip, tagOf, WIRE, type Reader } from '../protobuf/wire-reader.js';

const BYTES_CONTENTS = tagOf(8, WIRE.BYTES);
const NO_VALUES: TensorContent = { kind: 'values', count: 0, writeTo: () => undefined };

const CONTENTS: ValueLayout = {
  elementWire: new Map([
    [1, WIRE.VARINT],
    [2, WIRE.VARINT],
    [3, WIRE.VARINT],
    [4, WIRE.VARINT],
    [5, WIRE.VARINT],
    [6, WIRE.FIXED32],
    [7, WIRE.FIXED64],
  ]),
  fieldOfPrecision: {
    BOOL: 1,
    I32: 2,
    I16: 2,
    I8: 2,
    I64: 3,
    U32: 4,
    U16: 4,
    U8: 4,
    U64: 5,
    FP32: 6,
    FP64: 7,
  },
};

/** `InferTensorContents` while it is read. Values and strings stay in the message. */
export class TensorContents {
  readonly #values = new ValueFields(CONTENTS);
  readonly #strings = new StringPlaces();
  #message: Uint8Array = new Uint8Array(0);
  #isEmpty = true;

  /** Whether no field was sent that holds elements. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  /** Reads the length-delimited message the reader stands before. A second call merges, as protobuf does for a field sent twice. */
  read(reader: Reader): void {
    const outerEnd = enter(reader);
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      if (tag === BYTES_CONTENTS) {
        this.#message = reader.buf;
        readPlace(reader, this.#strings);
        this.#isEmpty = false;
      } else if (this.#values.read(reader, tag)) this.#isEmpty = false;
      else skip(reader, tag);
    }
    leave(reader, outerEnd);
  }

  /** The elements in the field that belongs to the precision; those in others do not count (as OVMS 2026.2.1). */
  content(precision: Precision | null): TensorContent {
    if (precision === 'STRING') return { kind: 'strings', strings: this.#strings.in(this.#message) };
    return (precision === null ? null : this.#values.content(precision)) ?? NO_VALUES;
  }
}
