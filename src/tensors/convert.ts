import { permutation, type Conversion } from './conversion.js';
import {
  convertsPlainly,
  elementArray,
  elementOf,
  elementValue,
  isAligned,
  type ElementArray,
  type NumericPrecision,
} from './elements.js';
import { ELEMENT_BYTES } from './precision.js';
import { elementCount, type Shape } from './shape.js';
import type { Tensor } from './tensor.js';

/** Stands for the elements of any precision of its size while they are only moved. */
const BY_SIZE: Readonly<Record<number, NumericPrecision>> = { 1: 'U8', 2: 'U16', 4: 'U32', 8: 'U64' };

/** Between transposing and converting, elements lie here; it grows to the largest tensor that needed both. */
let scratch = new ArrayBuffer(0);

/**
 * Writes a tensor into another one of the converted shape and precision.
 *
 * @param target has the shape of `convertedShape` and the precision that the conversion ends with.
 */
export function convertTensor(source: Tensor, target: Tensor, conversion: Conversion): void {
  const from = source.precision as NumericPrecision;
  const to = target.precision as NumericPrecision;
  const count = elementCount(source.shape)!;
  const order = permutation(conversion);
  if (order === null) return castElements(viewOf(source, from, count), from, viewOf(target, to, count), to);
  const moved = BY_SIZE[ELEMENT_BYTES[from]]!;
  if (from === to) return transpose(viewOf(source, moved, count), viewOf(target, moved, count), source.shape, order);
  const bytes = count * ELEMENT_BYTES[from];
  if (scratch.byteLength < bytes) scratch = new ArrayBuffer(bytes);
  transpose(viewOf(source, moved, count), elementArray(moved, scratch, 0, count), source.shape, order);
  castElements(elementArray(from, scratch, 0, count), from, viewOf(target, to, count), to);
}

/** Elements of a tensor; a shard may begin where its elements are not aligned, and is copied then. */
function viewOf({ lease, byteOffset, bytes }: Tensor, precision: NumericPrecision, count: number): ElementArray {
  if (isAligned(precision, byteOffset)) return elementArray(precision, lease.buffer, byteOffset, count);
  return elementArray(precision, Uint8Array.from(bytes).buffer, 0, count);
}

function castElements(source: ElementArray, from: NumericPrecision, target: ElementArray, to: NumericPrecision): void {
  if (convertsPlainly(from, to)) return target.set(source as Uint8Array & BigInt64Array);
  const convert = elementOf(to);
  for (let index = 0; index < source.length; index += 1) target[index] = convert(elementValue(from, source, index));
}

/** Writes in the order of the target; the innermost dimension is one run with a fixed step through the source. */
function transpose(source: ElementArray, target: ElementArray, shape: Shape, order: readonly number[]): void {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const sizes = order.map((axis) => shape[axis]!);
  const steps = order.map((axis) => strides[axis]!);
  const inner = sizes.length - 1;
  const at = sizes.map(() => 0);
  for (let written = 0, read = 0; written < target.length;) {
    copyRun(source, read, steps[inner]!, target, written, sizes[inner]!);
    written += sizes[inner]!;
    for (let axis = inner - 1; axis >= 0; axis -= 1) {
      read += steps[axis]!;
      at[axis]! += 1;
      if (at[axis]! < sizes[axis]!) break;
      read -= steps[axis]! * sizes[axis]!;
      at[axis] = 0;
    }
  }
}

function copyRun(
  source: ElementArray,
  read: number,
  step: number,
  target: ElementArray,
  written: number,
  count: number,
): void {
  for (let index = 0; index < count; index += 1) target[written + index] = source[read + index * step]!;
}
