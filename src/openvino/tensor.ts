import { types } from 'node:util';
import type { element as PublishedElement } from 'openvino-node';
import { elementCount, type Shape } from '../tensors/shape.js';
import type { ElementType, ElementTypeName, SupportedTypedArray, Tensor as TensorInterface } from './api.js';
import { elementBytes, elementTypeName, publishedElement, viewElements } from './element.js';

/**
 * A tensor of a program that embeds the addon. Plain memory: it belongs to no thread's native state, so making and dropping tensors
 * costs no call.
 *
 * Without `tensorData` its memory is a new SharedArrayBuffer, filled with zeros. With it the tensor lives in the array's memory for
 * as long as it exists, wherever the array starts in its buffer: over a SharedArrayBuffer inference works in place, other memory is
 * copied from before and to after each inference.
 */
export class Tensor implements TensorInterface {
  readonly #type: ElementTypeName;
  readonly #mayGrow: boolean;
  #shape: Shape;
  /** All there is; a smaller shape leaves a rest unused. */
  #memory: Uint8Array;
  #data: SupportedTypedArray;

  /**
   * @throws TypeError for arguments of other kinds
   * @throws RangeError when `tensorData` does not have the size of the shape, or starts where such elements cannot
   */
  constructor(type: ElementType, shape: ArrayLike<number>, tensorData?: SupportedTypedArray) {
    this.#type = elementTypeName(type, 'type');
    this.#shape = checkedShape(shape);
    this.#mayGrow = tensorData === undefined;
    this.#memory = tensorData === undefined ? allocate(this.#bytes(this.#shape)) : this.#wrap(tensorData);
    this.#data = this.#view();
  }

  /** The memory itself: writes are seen by inferences, and the results of inferences appear in it. */
  get data(): SupportedTypedArray {
    return this.#data;
  }

  /** Copies; the array must be of the tensor's type and size. */
  set data(values: SupportedTypedArray) {
    if (!types.isTypedArray(values) || kindOf(values) !== kindOf(this.#data) || values.length !== this.#data.length) {
      const expected = `${kindOf(this.#data)} of ${this.#data.length} elements`;
      throw new TypeError(`data: expected a ${expected}, received ${describe(values)}`);
    }
    bytesOf(this.#data).set(bytesOf(values));
  }

  getData(): SupportedTypedArray {
    return this.#data;
  }

  /** Published as an enumeration; it is the name of the type, as in openvino-node. */
  getElementType(): PublishedElement {
    return publishedElement(this.#type);
  }

  /** @internal The same without the cast to the published enumeration. */
  get elementTypeName(): ElementTypeName {
    return this.#type;
  }

  getShape(): number[] {
    return [...this.#shape];
  }

  getSize(): number {
    return this.#data.length;
  }

  /** Always: there are no strides. */
  isContinuous(): boolean {
    return true;
  }

  /**
   * Gives the memory another shape. When it does not suffice it is replaced by new memory, filled with zeros, and arrays got from
   * `data` before show the old one.
   *
   * @throws RangeError when the tensor was made around an array that is too small
   */
  setShape(shape: ArrayLike<number>): void {
    const sizes = checkedShape(shape);
    if (sizes.join() === this.#shape.join() && sizes.length === this.#shape.length) return;
    const bytes = this.#bytes(sizes);
    if (bytes > this.#memory.byteLength) {
      if (!this.#mayGrow) {
        throw new RangeError(
          `shape: [${sizes.join(',')}] needs ${bytes} bytes, the array has ${this.#memory.byteLength}`,
        );
      }
      this.#memory = allocate(bytes);
    }
    this.#shape = sizes;
    this.#data = this.#view();
  }

  /** @throws TypeError when the destination is of another type or shape */
  copyTo(tensor: TensorInterface): void {
    const target = asTensor(tensor, 'tensor');
    if (target.#type !== this.#type || target.#shape.join() !== this.#shape.join()) {
      throw new TypeError(`tensor: expected ${this.toString()}, received ${target.toString()}`);
    }
    bytesOf(target.#data).set(bytesOf(this.#data));
  }

  /** For messages, for example `f32 [1,10]`. */
  toString(): string {
    return `${this.#type} [${this.#shape.join(',')}]`;
  }

  #bytes(shape: Shape): number {
    const count = elementCount(shape);
    if (count === null) throw new RangeError(`shape: [${shape.join(',')}] is larger than any memory`);
    return count * elementBytes(this.#type);
  }

  #wrap(array: unknown): Uint8Array {
    if (!types.isTypedArray(array))
      throw new TypeError(`tensorData: expected a typed array, received ${describe(array)}`);
    const bytes = this.#bytes(this.#shape);
    if (array.byteLength !== bytes) {
      throw new RangeError(`tensorData: expected ${bytes} bytes for ${this.toString()}, received ${array.byteLength}`);
    }
    if (array.byteOffset % elementBytes(this.#type) !== 0) {
      throw new RangeError(
        `tensorData: expected a multiple of the element size as byteOffset, received ${array.byteOffset}`,
      );
    }
    return bytesOf(array);
  }

  #view(): SupportedTypedArray {
    const { buffer, byteOffset } = this.#memory;
    return viewElements(this.#type, buffer, byteOffset, elementCount(this.#shape)!);
  }
}

/** @throws TypeError for what only looks like a tensor: its memory could not be told from its methods */
export function asTensor(value: unknown, of: string): Tensor {
  if (value instanceof Tensor) return value;
  throw new TypeError(`${of}: expected a Tensor, received ${describe(value)}`);
}

export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** For messages: what kind of value somebody gave. */
export function describe(value: unknown): string {
  if (types.isTypedArray(value)) return `${kindOf(value)} of ${value.length} elements`;
  if (typeof value === 'number' || typeof value === 'string') return String(value);
  return Object.prototype.toString.call(value);
}

/** `Float32Array`; also for subclasses and for arrays of other realms. */
function kindOf(array: NodeJS.TypedArray): string {
  return array[Symbol.toStringTag];
}

/** Never empty: memory of no size has no address that native code could be given. */
function allocate(bytes: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(Math.max(bytes, 1)));
}

function checkedShape(shape: ArrayLike<number>): Shape {
  if (!Array.isArray(shape) && !types.isTypedArray(shape)) {
    throw new TypeError(`shape: expected an array of sizes, received ${describe(shape)}`);
  }
  const sizes = Array.from(shape as ArrayLike<unknown>);
  const wrong = sizes.findIndex((size) => !Number.isSafeInteger(size) || (size as number) < 0);
  if (wrong !== -1) {
    throw new TypeError(`shape[${wrong}]: expected a non-negative integer, received ${describe(sizes[wrong])}`);
  }
  return sizes as number[];
}
