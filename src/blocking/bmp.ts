import { checkSize, type OpenedPicture } from './opened-picture.js';

/** Places in the file; the header behind its size is one of several, of which the shortest is another one altogether. */
const PIXELS_AT = 10;
const HEADER_AT = 14;
const CORE_HEADER_BYTES = 12;
const INFO_HEADER_BYTES = 40;
const MASKS_AT = HEADER_AT + INFO_HEADER_BYTES;
/** Headers from here on have a mask of alpha. */
const ALPHA_HEADER_BYTES = 56;

const UNCOMPRESSED = 0;
const RLE8 = 1;
const RLE4 = 2;
const BIT_FIELDS = 3;
/** Depths in bits that each compression goes with. */
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  [UNCOMPRESSED]: [1, 4, 8, 16, 24, 32],
  [RLE8]: [8],
  [RLE4]: [4],
  [BIT_FIELDS]: [16, 32],
};

/** The two layouts of 16 bits, by the mask of green, as steps to the highest bits of a byte. */
const LAYOUT_555 = { red: 7, green: 2, greenBits: 0xf8 };
const LAYOUT_565 = { red: 8, green: 3, greenBits: 0xfc };

interface Header {
  readonly width: number;
  readonly height: number;
  readonly isTopDown: boolean;
  readonly depth: number;
  readonly compression: number;
  readonly pixelsAt: number;
  /** Red, green, blue and alpha; 0 for what is not there. */
  readonly masks: readonly number[];
  /** Red, green and blue of each index; empty without one. */
  readonly palette: Uint8Array;
}

/**
 * Opens a Windows bitmap, as OpenCV's IMREAD_UNCHANGED has it: three channels; one where the palette is grey; four where masks say how
 * 32 bits are divided.
 *
 * @throws Error that says what is wrong with the header
 */
export function openBmp(encoded: Uint8Array): OpenedPicture {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  const header = readHeader(view);
  const { height, width, depth, compression, palette } = header;
  checkSize(header);
  const channels = isGrey(palette, depth) ? 1 : depth === 32 && compression === BIT_FIELDS ? 4 : 3;
  const shape = { height, width, channels };
  return { shape, read: () => ({ ...shape, elements: readPixels(view, header, channels) }) };
}

function readHeader(view: DataView): Header {
  const size = view.getUint32(HEADER_AT, true);
  const pixelsAt = view.getUint32(PIXELS_AT, true);
  if (size === CORE_HEADER_BYTES) {
    const depth = view.getUint16(24, true);
    checkDepth(depth, UNCOMPRESSED);
    const palette = readPalette(view, HEADER_AT + size, 3, depth, 0);
    const [width, height] = [view.getUint16(18, true), view.getUint16(20, true)];
    return { width, height, isTopDown: false, depth, compression: UNCOMPRESSED, pixelsAt, masks: [], palette };
  }
  if (size < INFO_HEADER_BYTES) throw new Error(`a header of ${size} bytes is unknown`);
  const [width, height] = [view.getInt32(18, true), view.getInt32(22, true)];
  const [depth, compression] = [view.getUint16(28, true), view.getUint32(30, true)];
  checkDepth(depth, compression);
  const palette = readPalette(view, HEADER_AT + size, 4, depth, view.getUint32(46, true));
  const masks = compression === BIT_FIELDS ? readMasks(view, size) : [];
  return { width, height: Math.abs(height), isTopDown: height < 0, depth, compression, pixelsAt, masks, palette };
}

function checkDepth(depth: number, compression: number): void {
  if (!DEPTHS[compression]?.includes(depth)) throw new Error(`compression ${compression} of ${depth} bits is unknown`);
}

function readMasks(view: DataView, headerBytes: number): number[] {
  const mask = (index: number): number => view.getUint32(MASKS_AT + 4 * index, true);
  return [mask(0), mask(1), mask(2), headerBytes >= ALPHA_HEADER_BYTES ? mask(3) : 0];
}

/** Indices that the file has no colour for are black. */
function readPalette(view: DataView, at: number, stride: number, depth: number, used: number): Uint8Array {
  if (depth > 8) return new Uint8Array(0);
  const size = 2 ** depth;
  if (used > size) throw new Error(`expected at most ${size} colours, received ${used}`);
  const palette = new Uint8Array(3 * size);
  for (let index = 0; index < (used === 0 ? size : used); index += 1) {
    for (let color = 0; color < 3; color += 1) {
      palette[3 * index + color] = view.getUint8(at + stride * index + 2 - color);
    }
  }
  return palette;
}

function isGrey(palette: Uint8Array, depth: number): boolean {
  return depth <= 8 && palette.every((value, at) => value === palette[at - (at % 3)]);
}

function readPixels(view: DataView, header: Header, channels: number): Uint8Array {
  const { height, width, depth, compression, palette } = header;
  const isRuns = compression === RLE8 || compression === RLE4;
  // Before memory is taken for what a header claims.
  if (!isRuns) for (const row of [0, height - 1]) rowAt(view, header, row);
  const elements = new Uint8Array(height * width * channels);
  if (depth > 8) {
    const readRow = rowReader(view, header);
    for (let row = 0; row < height; row += 1) readRow(rowAt(view, header, row), elements, row * width * channels);
    return elements;
  }
  const indices = isRuns ? readRuns(view, header) : readIndices(view, header);
  for (let at = 0; at < indices.length; at += 1) {
    const color = 3 * indices[at]!;
    for (let channel = 0; channel < channels; channel += 1)
      elements[channels * at + channel] = palette[color + channel]!;
  }
  return elements;
}

/** Where a row, counted from the top of the picture, begins in the file; that it ends there is checked. */
function rowAt(view: DataView, { height, width, depth, pixelsAt, isTopDown }: Header, row: number): number {
  const stride = 4 * Math.ceil((width * depth) / 32);
  const at = pixelsAt + stride * (isTopDown ? row : height - 1 - row);
  if (at + Math.ceil((width * depth) / 8) > view.byteLength) throw new Error('the pixels end before their last row');
  return at;
}

type RowReader = (from: number, target: Uint8Array, to: number) => void;

function rowReader(view: DataView, { width, depth, compression, masks }: Header): RowReader {
  if (depth === 16) return wordReader(view, width, compression === BIT_FIELDS ? masks : null);
  if (compression === BIT_FIELDS) return maskReader(view, width, masks);
  const pixelBytes = depth / 8;
  return (from, target, to) => {
    for (let x = 0; x < width; x += 1) {
      for (let color = 0; color < 3; color += 1)
        target[to + 3 * x + color] = view.getUint8(from + pixelBytes * x + 2 - color);
    }
  };
}

/** The missing low bits are zeros (as OpenCV has it). */
function wordReader(view: DataView, width: number, masks: readonly number[] | null): RowReader {
  const text = masks
    ?.slice(0, 3)
    .map((mask) => mask.toString(16))
    .join(' ');
  if (masks !== null && text !== '7c00 3e0 1f' && text !== 'f800 7e0 1f') throw new Error(`masks ${text} are unknown`);
  const { red, green, greenBits } = text === 'f800 7e0 1f' ? LAYOUT_565 : LAYOUT_555;
  return (from, target, to) => {
    for (let x = 0; x < width; x += 1) {
      const word = view.getUint16(from + 2 * x, true);
      target[to + 3 * x] = (word >>> red) & 0xf8;
      target[to + 3 * x + 1] = (word >>> green) & greenBits;
      target[to + 3 * x + 2] = (word << 3) & 0xf8;
    }
  };
}

function maskReader(view: DataView, width: number, masks: readonly number[]): RowReader {
  const shifts = masks.map((mask) => (mask === 0 ? 0 : 31 - Math.clz32(mask & -mask)));
  const largest = masks.map((mask, channel) => mask >>> shifts[channel]!);
  return (from, target, to) => {
    for (let x = 0; x < width; x += 1) {
      const word = view.getUint32(from + 4 * x, true);
      for (let channel = 0; channel < 4; channel += 1) {
        const most = largest[channel]!;
        const value = (word >>> shifts[channel]!) & most;
        // Without a mask colours are dark, and the picture is opaque.
        target[to + 4 * x + channel] =
          most === 0 ? (channel === 3 ? 255 : 0) : Math.floor(((value >>> 0) * 255) / most);
      }
    }
  };
}

/** Indices of one, four or eight bits, row by row from the top. */
function readIndices(view: DataView, header: Header): Uint8Array {
  const { height, width, depth } = header;
  const indices = new Uint8Array(height * width);
  const perByte = 8 / depth;
  for (let row = 0; row < height; row += 1) {
    const from = rowAt(view, header, row);
    for (let x = 0; x < width; x += 1) {
      const byte = view.getUint8(from + Math.floor(x / perByte));
      indices[row * width + x] = (byte >>> (8 - depth - depth * (x % perByte))) & (2 ** depth - 1);
    }
  }
  return indices;
}

const END_OF_ROW = 0;
const END_OF_PICTURE = 1;
const STEP = 2;

/** Runs of one index, literal indices and steps; what is stepped over has the index 0. Rows from the top. */
function readRuns(view: DataView, { height, width, depth, pixelsAt, isTopDown }: Header): Uint8Array {
  const indices = new Uint8Array(height * width);
  const isNibbles = depth === 4;
  let [x, y, at] = [0, 0, pixelsAt];
  const put = (index: number): void => {
    if (x >= width || y >= height) throw new Error('a run leaves the picture');
    indices[(isTopDown ? y : height - 1 - y) * width + x] = index;
    x += 1;
  };
  const indexIn = (byte: number, place: number): number =>
    !isNibbles ? byte : place % 2 === 0 ? byte >>> 4 : byte & 0x0f;
  for (;;) {
    const [count, value] = [view.getUint8(at), view.getUint8(at + 1)];
    at += 2;
    if (count > 0) for (let place = 0; place < count; place += 1) put(indexIn(value, place));
    else if (value === END_OF_ROW) [x, y] = [0, y + 1];
    else if (value === END_OF_PICTURE) return indices;
    else if (value === STEP) {
      x += view.getUint8(at);
      y += view.getUint8(at + 1);
      at += 2;
    } else {
      for (let place = 0; place < value; place += 1)
        put(indexIn(view.getUint8(at + (isNibbles ? place >>> 1 : place)), place));
      const bytes = isNibbles ? Math.ceil(value / 2) : value;
      at += bytes + (bytes % 2);
    }
    if (y >= height) return indices;
  }
}
