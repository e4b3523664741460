import { ClientError } from './client-error.js';
import type { NdArray } from './npy.js';

/** Order of the source dimensions in the result, by method name. */
const TRANSPOSE_AXES = { nhwc2nchw: [0, 3, 1, 2], nchw2nhwc: [0, 2, 3, 1] } as const;
export type TransposeMethod = keyof typeof TRANSPOSE_AXES;
export const TRANSPOSE_METHODS = Object.keys(TRANSPOSE_AXES) as TransposeMethod[];

/** Pictures as float32, one after the other along the first dimension. */
export interface Frames {
  /** First dimension: the number of frames. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/**
 * Shifts and scales the whole array to 0..255, in float32 steps where the file has float32, as NumPy computes it.
 * An array of one single value becomes zeros.
 */
export function normalizeFrames(array: NdArray): Frames {
  const { elements, shape } = array;
  const round = array.precision === 'FP32' ? Math.fround : (value: number): number => value;
  let min = Infinity;
  let max = -Infinity;
  for (let index = 0; index < elements.length; index += 1) {
    min = Math.min(min, elements[index]!);
    max = Math.max(max, elements[index]!);
  }
  const range = round(max - min);
  const values = new Float32Array(elements.length);
  if (range === 0) return { shape, values };
  for (let index = 0; index < elements.length; index += 1) {
    values[index] = round(round(elements[index]! - min) / range) * 255;
  }
  return { shape, values };
}

/** `0.0 : 255.0`: the smallest and the largest value, as Python prints numbers. */
export function formatDataRange(values: Float32Array): string {
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    // These two let NaN through, so that broken input is seen.
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  return `${pythonFloat(min)} : ${pythonFloat(max)}`;
}

function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/** @throws ClientError when the array has not four dimensions. */
export function transposeFrames(frames: Frames, method: TransposeMethod): Frames {
  const { shape, values } = frames;
  if (shape.length !== 4) {
    throw new ClientError(`Transposing by ${method} needs images of 4 dimensions, received ${shape.length}`);
  }
  const axes = TRANSPOSE_AXES[method];
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const [count, first, second, third] = axes.map((axis) => shape[axis]!) as [number, number, number, number];
  const [frame, outer, middle, inner] = axes.map((axis) => strides[axis]!) as [number, number, number, number];
  const result = new Float32Array(values.length);
  let at = 0;
  for (let n = 0; n < count; n += 1) {
    for (let a = 0; a < first; a += 1) {
      for (let b = 0; b < second; b += 1) {
        let from = n * frame + a * outer + b * middle;
        for (let c = 0; c < third; c += 1, from += inner) result[at++] = values[from]!;
      }
    }
  }
  return { shape: [count, first, second, third], values: result };
}

/**
 * How many frames there are once they have been doubled until they are more than one batch (as OVMS's sample does); frame `i` of
 * them is frame `i` modulo the real number.
 */
export function repeatedCount(count: number, batchSize: number): number {
  let repeated = count;
  while (batchSize >= repeated) repeated *= 2;
  return repeated;
}

/** The bytes of `batchSize` frames from frame `first` on, wrapping around at the end. */
export function batchBytes(frames: Frames, first: number, batchSize: number): Uint8Array {
  const count = frames.shape[0]!;
  const frameLength = frames.values.length / count;
  const batch = new Float32Array(batchSize * frameLength);
  for (let index = 0; index < batchSize; index += 1) {
    const begin = ((first + index) % count) * frameLength;
    batch.set(frames.values.subarray(begin, begin + frameLength), index * frameLength);
  }
  return new Uint8Array(batch.buffer);
}
