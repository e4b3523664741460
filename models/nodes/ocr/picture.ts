/** A picture: rows of pixels of three bytes, blue, green, red; `pixels` has 3 * width * height of them. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** A picture for a network: three planes of 32-bit floats, blue, green, red, from -1 (0) to 1 (255). */
export interface Planes {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** The values PP-OCR's networks were trained on. */
export function normalised(byte: number): number {
  return byte / 127.5 - 1;
}

/**
 * The picture in a tensor of shape [1,height,width,3].
 * @throws Error when it has no pixel.
 */
export function pictureOf({ shape, data }: { readonly shape: readonly number[]; readonly data: Uint8Array }): Picture {
  const [, height = 0, width = 0] = shape;
  if (width === 0 || height === 0)
    throw new Error(`expected a picture with pixels, received shape (${shape.join(',')})`);
  return { width, height, pixels: data };
}

/**
 * Adds `weight` times the colour at (x, y) to `colour`. The pixel in the corner spans 0 to 1; between the centres of pixels the
 * colour is interpolated (bilinear), outside of the picture it is the nearest pixel's.
 */
export function addColour(picture: Picture, x: number, y: number, weight: number, colour: Float64Array): void {
  const { width, height, pixels } = picture;
  const inX = Math.min(Math.max(x - 0.5, 0), width - 1);
  const inY = Math.min(Math.max(y - 0.5, 0), height - 1);
  const left = Math.floor(inX);
  const top = Math.floor(inY);
  const towardsRight = inX - left;
  const towardsBottom = inY - top;
  const above = 3 * (top * width + left);
  const below = top + 1 < height ? above + 3 * width : above;
  const right = left + 1 < width ? 3 : 0;
  for (let channel = 0; channel < 3; channel += 1) {
    const upper = blend(pixels[above + channel]!, pixels[above + right + channel]!, towardsRight);
    const lower = blend(pixels[below + channel]!, pixels[below + right + channel]!, towardsRight);
    colour[channel]! += weight * blend(upper, lower, towardsBottom);
  }
}

function blend(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}
