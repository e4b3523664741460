import { elementArray, type ElementArray } from './elements.js';
import { toHalf } from './half.js';
import type { Picture, PicturePrecision, PictureSize } from './picture.js';
import { resizeBytes, resizeNumbers, roundHalfToEven } from './resize.js';

/** Smallest and largest values of the precisions of integers. */
const RANGES: Partial<Record<PicturePrecision, readonly [number, number]>> = {
  U8: [0, 0xff],
  U16: [0, 0xffff],
  I8: [-0x80, 0x7f],
  I16: [-0x8000, 0x7fff],
  I32: [-0x8000_0000, 0x7fff_ffff],
};

/** Swaps the first and third channel of colours in place: red first becomes blue first, as OpenCV has it, and back. */
export function swapRedAndBlue({ channels, elements }: Picture): void {
  if (channels < 3) return;
  for (let at = 0; at < elements.length; at += channels) {
    const red = elements[at]!;
    elements[at] = elements[at + 2]!;
    elements[at + 2] = red;
  }
}

/**
 * Writes a picture into memory of its target size: first in the target's precision, without scaling and kept within its range, then
 * resized where the sizes differ (as OVMS 2026.2.1, which leaves both to OpenCV).
 *
 * @param picture what does not fit the precision is changed in place.
 * @param target begins at a multiple of the element's size and holds exactly the picture's channels at `size`.
 */
export function writePicture(
  picture: Picture,
  size: PictureSize,
  precision: PicturePrecision,
  target: Uint8Array,
): void {
  limit(picture.elements, RANGES[precision]);
  const count = size.height * size.width * picture.channels;
  const elements = elementArray(precision, target.buffer, target.byteOffset, count);
  if (picture.height === size.height && picture.width === size.width) store(picture.elements, precision, elements);
  else if (precision === 'U8') resizeBytes(picture, size, elements as Uint8Array);
  else resizeNumbers(picture, size, precision, elements);
}

function limit(elements: Picture['elements'], range: readonly [number, number] | undefined): void {
  if (range === undefined) return;
  const [smallest, largest] = range;
  if (elements instanceof Float32Array) return roundWithin(elements, smallest, largest);
  if (largest >= 2 ** (8 * elements.BYTES_PER_ELEMENT) - 1) return;
  for (let at = 0; at < elements.length; at += 1) if (elements[at]! > largest) elements[at] = largest;
}

/**
 * Rounds floats to integers as OpenCV's `saturate_cast`: to the nearest, ties to even. What no 32-bit integer holds becomes the
 * smallest one, and then the range's nearer end.
 */
function roundWithin(elements: Float32Array, smallest: number, largest: number): void {
  for (let at = 0; at < elements.length; at += 1) {
    const rounded = roundHalfToEven(elements[at]!);
    const integer = rounded >= -0x8000_0000 && rounded <= 0x7fff_ffff ? rounded : -0x8000_0000;
    elements[at] = Math.min(largest, Math.max(smallest, integer));
  }
}

function store(source: Picture['elements'], precision: PicturePrecision, target: ElementArray): void {
  if (precision === 'FP16') for (let at = 0; at < source.length; at += 1) target[at] = toHalf(source[at]!);
  else (target as Float64Array).set(source);
}
