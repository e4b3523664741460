import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { decodePicture, measurePicture } from '#src/blocking/pictures.js';
import type { PictureShape } from '#src/tensors/picture.js';

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

/** A picture as a servable of precision FP64 gets it: blue first, no number rounded. */
export interface Decoded extends PictureShape {
  readonly values: readonly number[];
}

/** Decodes a picture as requests have it decoded, in its own size. */
export async function decode(encoded: Uint8Array): Promise<Decoded> {
  const shape = await measurePicture(encoded);
  const elements = new Float64Array(new SharedArrayBuffer(8 * shape.height * shape.width * shape.channels));
  const bytes = new Uint8Array(elements.buffer);
  await decodePicture(encoded, { ...shape, precision: 'FP64', bytes, otherSize: 'INVALID_SHAPE', at: '' });
  return { ...shape, values: [...elements] };
}

/** One chunk of a PNG. */
export function pngChunk(type: string, data: Uint8Array): Buffer {
  const whole = Buffer.alloc(12 + data.byteLength);
  whole.writeUInt32BE(data.byteLength);
  whole.write(type, 4, 'latin1');
  whole.set(data, 8);
  whole.writeUInt32BE(crc32(whole.subarray(4, 8 + data.byteLength)), 8 + data.byteLength);
  return whole;
}

/** The chunk IHDR: sizes in pixels, bits a sample, and what the samples are. */
export function pngHeader(width: number, height: number, depth: number, colorType: number): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width);
  data.writeUInt32BE(height, 4);
  data.set([depth, colorType], 8);
  return pngChunk('IHDR', data);
}

/** Rows of samples without a filter, as IDAT and fdAT hold them. */
export function pngRows(...rows: readonly (readonly number[])[]): Buffer {
  return deflateSync(Buffer.from(rows.flatMap((row) => [0, ...row])));
}

export function pngFile(...chunks: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...chunks, pngChunk('IEND', Buffer.alloc(0))]);
}
