import sharp from 'sharp';

/** Pixels to encode: rows from the top, red first. */
export interface Pixels {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3 | 4;
  readonly elements: Uint8Array | Uint16Array;
}

/** Pixels without a pattern that a wrong order could hide behind; the same for the same `seed`. */
export function somePixels(height: number, width: number, channels: 1 | 3 | 4, seed = 1): Pixels {
  const elements = Uint8Array.from({ length: height * width * channels }, (_, at) => (at * 37 + seed * 101) % 251);
  return { height, width, channels, elements };
}

/** A PNG of exactly these pixels, of 8 or 16 bits. */
export function png({ height, width, channels, elements }: Pixels): Promise<Buffer> {
  const isWide = elements instanceof Uint16Array;
  const picture = sharp(elements, { raw: { height, width, channels } });
  const grey = channels === 1;
  return picture
    .toColourspace(grey ? (isWide ? 'grey16' : 'b-w') : isWide ? 'rgb16' : 'srgb')
    .png()
    .toBuffer();
}

/** The pixels as servables get them: blue first. */
export function blueFirst({ channels, elements }: Pixels): number[] {
  const order = channels === 1 ? [0] : [2, 1, 0, 3].slice(0, channels);
  return Array.from(elements, (_, at) => elements[at - (at % channels) + order[at % channels]!]!);
}
