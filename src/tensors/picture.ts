/** Height and width in pixels. */
export interface PictureSize {
  readonly height: number;
  readonly width: number;
}

/** What a header says of a picture: 1 channel for grey, 2 for grey and alpha, 3 for colours, 4 for colours and alpha. */
export interface PictureShape extends PictureSize {
  readonly channels: number;
}

/** A decoded picture: rows of pixels from the top, channels interleaved, 8 or 16 bits each or in single precision. */
export interface Picture extends PictureShape {
  readonly elements: Uint8Array | Uint16Array | Float32Array;
}

/** Precisions that pictures can be written in (as OVMS 2026.2.1). */
export const PICTURE_PRECISIONS = ['FP32', 'FP64', 'FP16', 'I32', 'I16', 'U16', 'I8', 'U8'] as const;
export type PicturePrecision = (typeof PICTURE_PRECISIONS)[number];
