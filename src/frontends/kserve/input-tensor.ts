import { ServingError } from '../../errors.js';
import type { RequestTensor, TensorContent } from '../../servables/predict-request.js';
import { readName } from '../protobuf/known-names.js';
import { enter, leave, readInt64AsNumber, skip, tagOf, WIRE, type Reader } from '../protobuf/wire-reader.js';
import { readBytesElements } from './bytes-elements.js';
import { precisionOfDataType } from './data-type.js';
import { TensorContents } from './tensor-contents.js';

const NAME = tagOf(1, WIRE.BYTES);
const DATATYPE = tagOf(2, WIRE.BYTES);
const SHAPE_PACKED = tagOf(3, WIRE.BYTES);
const SHAPE_SIZE = tagOf(3, WIRE.VARINT);
const CONTENTS = tagOf(5, WIRE.BYTES);

/** An input as the wire gives it; its parameters are read by nobody. */
export class InputTensor {
  readonly #shape: number[] = [];
  readonly #contents = new TensorContents();
  #name = '';
  #datatype = '';

  /** Reads the length-delimited message the reader stands before. */
  constructor(reader: Reader) {
    const outerEnd = enter(reader);
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      if (tag === NAME) this.#name = readName(reader);
      else if (tag === DATATYPE) this.#datatype = readName(reader);
      else if (tag === SHAPE_PACKED) this.#readSizes(reader);
      else if (tag === SHAPE_SIZE) this.#shape.push(readInt64AsNumber(reader));
      else if (tag === CONTENTS) this.#contents.read(reader);
      else skip(reader, tag);
    }
    leave(reader, outerEnd);
  }

  get name(): string {
    return this.#name;
  }

  /**
   * The tensor in the server's words.
   * @param raw its entry of `raw_input_contents`; `null` when the message has none for any input, `undefined` when only for others.
   * @throws ServingError INVALID_MESSAGE_STRUCTURE, INVALID_CONTENT_SIZE
   */
  toRequestTensor(raw: Uint8Array | null | undefined): RequestTensor {
    const precision = precisionOfDataType(this.#datatype);
    const content = raw === null ? this.#contents.content(precision) : this.#rawContent(raw, precision);
    return { precision, precisionText: this.#datatype, shape: this.#shape, content };
  }

  #rawContent(raw: Uint8Array | undefined, precision: RequestTensor['precision']): TensorContent {
    if (!this.#contents.isEmpty) throw bothKinds(this.#name);
    if (raw === undefined) {
      const detail = `Cannot find data in raw_input_content for input with name: ${this.#name}`;
      throw new ServingError('INVALID_MESSAGE_STRUCTURE', detail);
    }
    if (precision === 'STRING') return { kind: 'strings', strings: readBytesElements(raw, this.#name) };
    return { kind: 'bytes', bytes: raw };
  }

  #readSizes(reader: Reader): void {
    const outerEnd = enter(reader);
    while (reader.pos < reader.len) this.#shape.push(readInt64AsNumber(reader));
    leave(reader, outerEnd);
  }
}

/** The elements of an input came in two places. */
export function bothKinds(name: string): ServingError {
  const places = 'ModelInferRequest::InferInputTensor::contents and in ModelInferRequest::raw_input_contents';
  return new ServingError(
    'INVALID_MESSAGE_STRUCTURE',
    `Passing buffers both in ${places} is not allowed for input: ${name}`,
  );
}

export function wrongNumberOfInputs(expected: number, actual: number): ServingError {
  return new ServingError('INVALID_NO_OF_INPUTS', `Expected: ${expected}; Actual: ${actual}`);
}
