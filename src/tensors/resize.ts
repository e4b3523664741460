import type { ElementArray } from './elements.js';
import { toHalf } from './half.js';
import type { Picture, PicturePrecision, PictureSize } from './picture.js';

/** Weights of 8-bit pixels are integers of this many bits (as OpenCV's INTER_LINEAR). */
const WEIGHT_BITS = 11;
const WEIGHT_ONE = 1 << WEIGHT_BITS;

/** Where the places of one axis lie in the source: between two neighbours, at a fraction of the way to the second. */
interface Axis {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly fraction: Float32Array;
}

/**
 * Resizes 8-bit pixels bilinearly to the bit as OpenCV's INTER_LINEAR: centres of pixels are half a pixel from their edges, weights
 * are integers, and the rows are cut to 16 bits before they are weighed.
 *
 * @param source has 8-bit elements.
 * @param target holds the source's channels at `size`.
 */
export function resizeBytes(source: Picture, size: PictureSize, target: Uint8Array): void {
  const { channels, elements } = source;
  const columns = axisOf(source.width, size.width, 'clamped');
  const rowLength = size.width * channels;
  const fill = (row: Int32Array, start: number): void => {
    for (let x = 0, at = 0; x < size.width; x += 1) {
      const first = start + columns.first[x]! * channels;
      const second = start + columns.second[x]! * channels;
      const weight = integerWeight(columns.fraction[x]!);
      const rest = integerWeight(Math.fround(1 - columns.fraction[x]!));
      for (let channel = 0; channel < channels; channel += 1, at += 1) {
        row[at] = elements[first + channel]! * rest + elements[second + channel]! * weight;
      }
    }
  };
  resizeRows(
    source,
    size,
    [new Int32Array(rowLength), new Int32Array(rowLength)],
    fill,
    (upper, lower, y, fraction) => {
      const weight = integerWeight(fraction);
      const rest = integerWeight(Math.fround(1 - fraction));
      for (let at = 0, to = y * rowLength; at < rowLength; at += 1, to += 1) {
        target[to] = (((rest * (upper[at]! >> 4)) >> 16) + ((weight * (lower[at]! >> 4)) >> 16) + 2) >> 2;
      }
    },
  );
}

/**
 * Resizes pixels bilinearly in floating point, as OpenCV's INTER_LINEAR does for more than 8 bits: in single precision, in double for
 * FP64; integers are rounded to the nearest, ties to even.
 *
 * @param source elements fit the precision.
 * @param target holds the source's channels at `size`.
 */
export function resizeNumbers(
  source: Picture,
  size: PictureSize,
  precision: PicturePrecision,
  target: ElementArray,
): void {
  const { channels, elements } = source;
  const columns = axisOf(source.width, size.width, 'clamped');
  const rowLength = size.width * channels;
  const Row = precision === 'FP64' ? Float64Array : Float32Array;
  const elementFrom = ELEMENT_FROM[precision] ?? roundHalfToEven;
  const fill = (row: Float32Array | Float64Array, start: number): void => {
    for (let x = 0, at = 0; x < size.width; x += 1) {
      const first = start + columns.first[x]! * channels;
      const second = start + columns.second[x]! * channels;
      const weight = columns.fraction[x]!;
      const rest = Math.fround(1 - weight);
      for (let channel = 0; channel < channels; channel += 1, at += 1) {
        row[at] = elements[first + channel]! * rest + elements[second + channel]! * weight;
      }
    }
  };
  resizeRows(source, size, [new Row(rowLength), new Row(rowLength)], fill, (upper, lower, y, weight) => {
    const rest = Math.fround(1 - weight);
    for (let at = 0, to = y * rowLength; at < rowLength; at += 1, to += 1) {
      target[to] = elementFrom(upper[at]! * rest + lower[at]! * weight);
    }
  });
}

const identity = (value: number): number => value;

/** How a weighed sum becomes an element; integers are rounded. */
const ELEMENT_FROM: Partial<Record<PicturePrecision, (value: number) => number>> = {
  FP32: identity,
  FP64: identity,
  FP16: toHalf,
};

/**
 * Goes down the target's rows with the two source rows around each, resized in width: each is made once, because rows of the target
 * share them.
 *
 * @param rows memory for two rows.
 * @param fill makes a row from the source's elements from `start` on.
 */
function resizeRows<Row>(
  { height, width, channels }: Picture,
  size: PictureSize,
  rows: [Row, Row],
  fill: (row: Row, start: number) => void,
  combine: (upper: Row, lower: Row, y: number, fraction: number) => void,
): void {
  const axis = axisOf(height, size.height, 'free');
  const held = [-1, -1];
  const rowAt = (y: number, other: number): number => {
    const found = held.indexOf(y);
    if (found >= 0) return found;
    const slot = held[0] === other ? 1 : 0;
    fill(rows[slot], y * width * channels);
    held[slot] = y;
    return slot;
  };
  for (let y = 0; y < size.height; y += 1) {
    const first = axis.first[y]!;
    const second = axis.second[y]!;
    const upper = rowAt(first, second);
    const lower = rowAt(second, first);
    combine(rows[upper]!, rows[lower]!, y, axis.fraction[y]!);
  }
}

/**
 * @param border `clamped`: beyond the outermost centres the fraction is 0; `free`: it stays, and both neighbours are the outermost.
 *   OpenCV does the first for columns and the second for rows, which differs in how integer weights round.
 */
function axisOf(from: number, to: number, border: 'clamped' | 'free'): Axis {
  const scale = 1 / (to / from);
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const fraction = new Float32Array(to);
  for (let at = 0; at < to; at += 1) {
    const place = Math.fround((at + 0.5) * scale - 0.5);
    const below = Math.floor(place);
    first[at] = Math.min(from - 1, Math.max(0, below));
    second[at] = Math.min(from - 1, Math.max(0, below + 1));
    fraction[at] = border === 'clamped' && (below < 0 || below >= from - 1) ? 0 : place - below;
  }
  return { first, second, fraction };
}

function integerWeight(weight: number): number {
  return roundHalfToEven(weight * WEIGHT_ONE);
}

export function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest === 0.5) return below + (below & 1);
  return rest < 0.5 ? below : below + 1;
}
