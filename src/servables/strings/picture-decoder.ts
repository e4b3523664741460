import type { PicturePrecision, PictureShape } from '../../tensors/picture.js';

/** Decodes pictures on other threads than the caller's. */
export interface PictureDecoder {
  /**
   * Reads the header of a picture.
   *
   * @param encoded only read, and copied before the call returns.
   * @throws ServingError PICTURE_PARSING_FAILED
   */
  measurePicture(encoded: Uint8Array): Promise<PictureShape>;

  /**
   * Decodes a picture into shared memory, blue first.
   *
   * @param encoded only read, and copied before the call returns.
   * @throws ServingError PICTURE_PARSING_FAILED, PICTURE_CHANNELS_INVALID, or the target's `otherSize`
   */
  decodePicture(encoded: Uint8Array, target: PictureTarget): Promise<void>;
}

/** Where a decoded picture goes. Plain data. */
export interface PictureTarget extends PictureShape {
  readonly precision: PicturePrecision;
  /** View of shared memory, which is written until the decoding ends; begins at a multiple of the element's size. */
  readonly bytes: Uint8Array;
  /** What happens to a picture of another size: `resize`, or the error it ends with. */
  readonly otherSize: 'resize' | 'INVALID_SHAPE' | 'PICTURE_SIZES_DIFFER';
  /** Names the input in errors. */
  readonly at: string;
}
