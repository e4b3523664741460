import { PICTURE_PRECISIONS, type PicturePrecision, type PictureShape } from '../../tensors/picture.js';
import type { Precision } from '../../tensors/precision.js';
import { accepts, isStatic, type Dimension, type PartialShape } from '../../tensors/shape.js';
import type { TensorInfo } from '../../tensors/tensor-info.js';

/** The last dimensions of an input for pictures, in this order. */
const PICTURE_LAYOUT = 'HWC';
const ELLIPSIS = '...';

/** Layouts with which pictures are resized; with others they must come in the size of the model (as OVMS 2026.2.1). */
const RESIZED_LAYOUTS: readonly string[] = ['NHWC', 'N?HWC', ELLIPSIS];

export function isPicturePrecision(precision: Precision): precision is PicturePrecision {
  return (PICTURE_PRECISIONS as readonly Precision[]).includes(precision);
}

/** Whether an input's layout can be read as `N...HWC`; what it leaves open fits (as OVMS 2026.2.1). */
export function fitsPictures({ layout, shape }: TensorInfo): boolean {
  const letters = spread(layout, shape.length);
  const isOr = (letter: string | undefined, expected: string): boolean => letter === '?' || letter === expected;
  return isOr(letters[0], 'N') && letters.slice(-3).every((letter, place) => isOr(letter, PICTURE_LAYOUT[place]!));
}

/** One letter a dimension, `?` for those that the ellipsis stands for. */
function spread(layout: string, rank: number): readonly string[] {
  const [before = '', after] = layout.split(ELLIPSIS);
  if (after === undefined) return Array.from(before);
  return Array.from(before + '?'.repeat(Math.max(0, rank - before.length - after.length)) + after);
}

/** Whether pictures of other sizes are resized to what the input expects. */
export function isResized({ shape, layout }: TensorInfo): boolean {
  return shape.every(({ max }) => max !== Infinity) && RESIZED_LAYOUTS.includes(layout);
}

/** Whether the input itself says what shape its pictures have. */
export function hasFixedPictures({ shape }: TensorInfo): boolean {
  return isStatic(pictureDimensions(shape));
}

/**
 * The shape of all pictures of a request: what the input says, where it leaves that open the first picture's, and where that is out
 * of a range of sizes the nearer end (as OVMS 2026.2.1).
 */
export function pictureShape({ shape }: TensorInfo, first: PictureShape | null): PictureShape {
  const [height, width, channels] = pictureDimensions(shape);
  return {
    height: clamp(first?.height ?? height.min, height),
    width: clamp(first?.width ?? width.min, width),
    channels: first !== null && accepts(channels, first.channels) ? first.channels : channels.min,
  };
}

function pictureDimensions(shape: PartialShape): readonly [Dimension, Dimension, Dimension] {
  return shape.slice(-3) as unknown as readonly [Dimension, Dimension, Dimension];
}

function clamp(size: number, { min, max }: Dimension): number {
  return Math.min(max, Math.max(min, size));
}
