import { ServingError } from '../../errors.js';
import type { RequestTensor, TensorContent } from '../../servables/predict-request.js';
import { readName } from '../protobuf/known-names.js';
import type { SharedMemoryPlace } from '../../tensors/shared-memory.js';
import { enter, leave, readInt64AsNumber, skip, tagOf, WIRE, type Reader } from '../protobuf/wire-reader.js';
import { readBytesElements } from './bytes-elements.js';
import { precisionOfDataType } from './data-type.js';
import { readParameter, SHARED_MEMORY, sharedPlace } from './shared-parameters.js';
import type { SharedTensors } from './shared-tensors.js';
import { TensorContents } from './tensor-contents.js';
import { shortened } from '../../texts.js';

const NAME = tagOf(1, WIRE.BYTES);
const DATATYPE = tagOf(2, WIRE.BYTES);
const SHAPE_PACKED = tagOf(3, WIRE.BYTES);
const SHAPE_SIZE = tagOf(3, WIRE.VARINT);
const PARAMETERS = tagOf(4, WIRE.BYTES);
const CONTENTS = tagOf(5, WIRE.BYTES);

/** An input as the wire gives it. Of its parameters those of shared memory are read. */
export class InputTensor {
  readonly #shape: number[] = [];
  readonly #contents = new TensorContents();
  #parameters: Record<string, string | boolean | number> | null = null;
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
      else if (tag === PARAMETERS) readParameter(reader, (this.#parameters ??= {}));
      else skip(reader, tag);
    }
    leave(reader, outerEnd);
  }

  get name(): string {
    return this.#name;
  }

  /** Whether it has any of shared memory, right or wrong. */
  get hasParameters(): boolean {
    return this.#parameters !== null;
  }

  /** Where in shared memory its elements are; `null`: they come with the message. @throws ServingError SHARED_MEMORY_INVALID */
  get place(): SharedMemoryPlace | null {
    return this.#parameters === null ? null : sharedPlace(this.#parameters, `input '${shortened(this.#name)}'`);
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

  /**
   * The tensor in the server's words, its elements in shared memory.
   * @throws ServingError SHARED_MEMORY_*, INVALID_MESSAGE_STRUCTURE, INVALID_CONTENT_SIZE
   */
  toSharedTensor(place: SharedMemoryPlace, shared: SharedTensors | null): RequestTensor {
    if (shared === null) throw new ServingError('SHARED_MEMORY_OFF');
    if (!this.#contents.isEmpty) throw sharedAndSent(this.#name);
    const precision = precisionOfDataType(this.#datatype);
    const content = shared.input(this.#name, place, precision);
    return { precision, precisionText: this.#datatype, shape: this.#shape, content };
  }

  #rawContent(raw: Uint8Array | undefined, precision: RequestTensor['precision']): TensorContent {
    if (!this.#contents.isEmpty) throw bothKinds(this.#name);
    if (raw === undefined) {
      const detail = `Cannot find data in raw_input_content for input with name: ${shortened(this.#name)}`;
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
    `Passing buffers both in ${places} is not allowed for input: ${shortened(name)}`,
  );
}

/** The elements of an input are in shared memory and in the message. */
export function sharedAndSent(name: string): ServingError {
  return new ServingError(
    'INVALID_MESSAGE_STRUCTURE',
    `Passing contents together with ${SHARED_MEMORY.region} is not allowed for input: ${shortened(name)}`,
  );
}

export function wrongNumberOfInputs(expected: number, actual: number): ServingError {
  return new ServingError('INVALID_NO_OF_INPUTS', `Expected: ${expected}; Actual: ${actual}`);
}
