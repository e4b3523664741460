import type { Pixels } from './pictures.js';

/** What a Windows bitmap is made of; `rows` are as the file has them, the bottom one first unless `height` is negative. */
export interface Bitmap {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly pixels: Uint8Array;
  readonly compression?: number;
  /** Red, green and blue of each index. */
  readonly palette?: readonly (readonly [number, number, number])[];
  /** Red, green and blue behind the header, or these and alpha within it. */
  readonly masks?: readonly number[];
  /** Of a BITMAPINFOHEADER, or of a BITMAPV4HEADER where there are four masks, unless given. */
  readonly headerBytes?: number;
}

/** A file of a Windows bitmap. */
export function bmp(bitmap: Bitmap): Buffer {
  const { width, height, depth, pixels, compression = 0, palette = [], masks = [] } = bitmap;
  const { headerBytes = masks.length === 4 ? 108 : 40 } = bitmap;
  const behind = masks.length === 3 ? 12 : 4 * palette.length;
  const head = Buffer.alloc(14 + headerBytes + behind);
  head.write('BM');
  head.writeUInt32LE(head.byteLength + pixels.byteLength, 2);
  head.writeUInt32LE(head.byteLength, 10);
  head.writeUInt32LE(headerBytes, 14);
  head.writeInt32LE(width, 18);
  head.writeInt32LE(height, 22);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(depth, 28);
  head.writeUInt32LE(compression, 30);
  head.writeUInt32LE(palette.length, 46);
  const masksAt = masks.length === 4 ? 54 : 14 + headerBytes;
  masks.forEach((mask, index) => head.writeUInt32LE(mask, masksAt + 4 * index));
  palette.forEach(([red, green, blue], index) => head.set([blue, green, red], 14 + headerBytes + 4 * index));
  return Buffer.concat([head, pixels]);
}

/** A bitmap of 24 bits of pixels with three channels. */
export function colorBmp({ height, width, elements }: Pixels): Buffer {
  const stride = 4 * Math.ceil((3 * width) / 4);
  const pixels = new Uint8Array(stride * height);
  elements.forEach((value, at) => {
    const [row, x, color] = [Math.floor(at / (3 * width)), Math.floor(at / 3) % width, at % 3];
    pixels[(height - 1 - row) * stride + 3 * x + 2 - color] = value;
  });
  return bmp({ width, height, depth: 24, pixels });
}

/** A binary PPM of pixels with three channels of 8 bits, or PGM of those with one. */
export function pnm({ height, width, channels, elements }: Pixels): Buffer {
  const head = `${channels === 1 ? 'P5' : 'P6'}\n# made by a test\n${width} ${height}\n255\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(elements)]);
}
