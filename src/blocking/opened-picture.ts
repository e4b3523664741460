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

/** @throws Error for sizes that no picture has */
export function checkSize({ height, width }: PictureSize): void {
  if (height >= 1 && width >= 1 && height * width <= MOST_PIXELS) return;
  throw new Error(`expected 1 to ${MOST_PIXELS} pixels, received a height of ${height} and a width of ${width}`);
}
