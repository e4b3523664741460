import type { Picture, PictureShape, PictureSize } from '../tensors/picture.js';

/** A picture whose header has been read. */
export interface OpenedPicture {
  readonly shape: PictureShape;
  /**
   * Decodes it.
   *
   * @throws Error that says what is wrong with it
   */
  readonly read: () => DecodedPicture | Promise<DecodedPicture>;
}

/** Red first, unless it says otherwise. */
export interface DecodedPicture extends Picture {
  readonly isBlueFirst?: boolean;
}

/** As many as the library takes that decodes the other formats: a header of a few bytes could claim any number. */
const MOST_PIXELS = 0x3fff ** 2;
/** Pixels in a row or in a column (as OpenCV). */
const LONGEST_SIDE = 2 ** 20;

/** @throws Error for sizes that no picture has */
export function checkSize({ height, width }: PictureSize): void {
  const isWithin = (side: number): boolean => side >= 1 && side <= LONGEST_SIDE;
  if (isWithin(height) && isWithin(width) && height * width <= MOST_PIXELS) return;
  const expected = `1 to ${MOST_PIXELS} pixels in rows and columns of at most ${LONGEST_SIDE}`;
  throw new Error(`expected ${expected}, received a height of ${height} and a width of ${width}`);
}
