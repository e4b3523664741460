import { distance, type Corners } from './geometry.js';
import type { Picture } from './picture.js';
import { warp, type Frame } from './warp.js';

/** A column of text: from this height to width on, a box is turned to the left before it is read (as PP-OCR). */
const COLUMN_RATIO = 1.5;
/** Widths are rounded up to a multiple, so that the recogniser meets few different shapes, each of which it must prepare for. */
const WIDTH_STEP = 32;

/** Size of the pictures that the recogniser reads. */
export interface CropSettings {
  readonly height: number;
  readonly leastWidth: number;
  readonly mostWidth: number;
}

/**
 * The width that all crops of a picture share: the widest one's, which is at least `leastWidth`, because the recogniser was trained
 * on such, and at most `mostWidth`, to which longer lines are squeezed.
 */
export function commonWidth(boxes: readonly Corners[], { height, leastWidth, mostWidth }: CropSettings): number {
  const widest = Math.max(leastWidth, ...boxes.map((box) => naturalWidth(box, height)));
  return Math.min(Math.ceil(widest / WIDTH_STEP) * WIDTH_STEP, mostWidth);
}

/**
 * Draws the text in a box, upright and scaled to `height`, at the left of `values` [3,height,width]; the rest of each row is left as
 * it is, and must be 0.
 */
export function crop(picture: Picture, box: Corners, values: Float32Array, width: number, height: number): void {
  warp(picture, frameOf(box), { width, height, values }, Math.min(naturalWidth(box, height), width));
}

function naturalWidth(box: Corners, height: number): number {
  const { topLeft, topRight, bottomLeft } = frameOf(box);
  return Math.max(1, Math.ceil((height * distance(topLeft, topRight)) / distance(topLeft, bottomLeft)));
}

/** A box as it is read: of a column, the top is on the right. */
function frameOf([topLeft, topRight, bottomRight, bottomLeft]: Corners): Frame {
  const isColumn = distance(topLeft, bottomLeft) >= COLUMN_RATIO * distance(topLeft, topRight);
  return isColumn
    ? { topLeft: topRight, topRight: bottomRight, bottomLeft: topLeft }
    : { topLeft, topRight, bottomLeft };
}
