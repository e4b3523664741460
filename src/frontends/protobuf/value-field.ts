import type { Precision } from '../../tensors/precision.js';
import { ELEMENT_BYTES } from '../../tensors/precision.js';
import type { TensorContent } from '../../servables/predict-request.js';
import { countVarints, writeVarints } from './varint-run.js';
import { WIRE, type Reader } from './wire-reader.js';

/** The typed fields in which a message carries the elements of a tensor. */
export interface ValueLayout {
  /** Wire type of one element, by the number of the field. */
  readonly elementWire: ReadonlyMap<number, number>;
  /** Which field holds the values of a precision. */
  readonly fieldOfPrecision: Readonly<Partial<Record<Precision, number>>>;
}

/**
 * The typed fields of one tensor. Values stay where they are in the message: only the places of the packed runs and of the
 * single elements are kept, and their number is counted, until someone asks for them as little-endian elements.
 */
export class ValueFields {
  readonly #layout: ValueLayout;
  readonly #fields = new Map<number, ValueField>();

  constructor(layout: ValueLayout) {
    this.#layout = layout;
  }

  /**
   * Takes the field the reader stands at, packed or not.
   * @returns False, with nothing read, when the tag is not one of a typed field.
   */
  read(reader: Reader, tag: number): boolean {
    const number = tag >>> 3;
    const wireType = tag & 7;
    const elementWire = this.#layout.elementWire.get(number);
    if (elementWire === undefined || (wireType !== elementWire && wireType !== WIRE.BYTES)) return false;
    let field = this.#fields.get(number);
    if (field === undefined) this.#fields.set(number, (field = new ValueField(reader.buf, elementWire)));
    if (wireType === WIRE.BYTES) field.takePacked(reader);
    else field.takeElement(reader);
    return true;
  }

  /** The values a tensor of this precision has, or `null` when its typed field was not sent. */
  content(precision: Precision): TensorContent | null {
    const number = this.#layout.fieldOfPrecision[precision];
    const field = number === undefined ? undefined : this.#fields.get(number);
    if (field === undefined || field.count === 0) return null;
    return { kind: 'values', count: field.count, writeTo: (target) => field.writeTo(target, precision) };
  }
}

class ValueField {
  readonly #message: Uint8Array;
  readonly #elementWire: number;
  /** Begin and end of each run of elements in the message, in turn. */
  readonly #runs: number[] = [];
  #count = 0;

  constructor(message: Uint8Array, elementWire: number) {
    this.#message = message;
    this.#elementWire = elementWire;
  }

  get count(): number {
    return this.#count;
  }

  takePacked(reader: Reader): void {
    const length = reader.size();
    const begin = reader.pos;
    reader.skip(length);
    this.#runs.push(begin, reader.pos);
    this.#count += this.#countElements(begin, reader.pos);
  }

  takeElement(reader: Reader): void {
    const begin = reader.pos;
    if (this.#elementWire === WIRE.VARINT) reader.skip();
    else reader.skip(fixedBytes(this.#elementWire));
    this.#runs.push(begin, reader.pos);
    this.#count += this.#countElements(begin, reader.pos);
  }

  #countElements(begin: number, end: number): number {
    if (this.#elementWire === WIRE.VARINT) return countVarints(this.#message, begin, end);
    const size = fixedBytes(this.#elementWire);
    if ((end - begin) % size !== 0) throw new RangeError(`packed values of ${size} bytes fill ${end - begin} bytes`);
    return (end - begin) / size;
  }

  writeTo(target: Uint8Array, precision: Precision): void {
    const width = ELEMENT_BYTES[precision];
    if (target.byteLength < this.#count * width) {
      throw new RangeError(`${this.#count} values of ${width} bytes written into ${target.byteLength} bytes`);
    }
    let at = 0;
    for (let index = 0; index < this.#runs.length; index += 2) {
      const begin = this.#runs[index]!;
      const end = this.#runs[index + 1]!;
      if (this.#elementWire === WIRE.VARINT) {
        at = writeVarints(this.#message, begin, end, target, at, precision);
      } else {
        // Fixed-size values are little-endian on the wire already.
        target.set(this.#message.subarray(begin, end), at);
        at += end - begin;
      }
    }
  }
}

function fixedBytes(wireType: number): number {
  return wireType === WIRE.FIXED32 ? 4 : 8;
}
