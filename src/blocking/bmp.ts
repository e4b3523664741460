import { checkSize, type OpenedPicture } from './opened-picture.js';

/** Places in the file; the header behind its size is one of several, of which the shortest is another one altogether. */
const PIXELS_AT = 10;
const HEADER_AT = 14;
const CORE_HEADER_BYTES = 12;
/** The longer header up to its number of colours; OpenCV asks for no more of it. */
const LEAST_HEADER_BYTES = 36;
/** Masks of 32 bits are a part of the header. Those of 16 bits stand behind it, however long it is (as OpenCV). */
const MASKS_AT = 54;
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
const CORE_DEPTHS: readonly number[] = [1, 4, 8, 24, 32];

/** Red, green, blue and alpha as bytes, blue first. */
const BYTE_MASKS = [0xff0000, 0xff00, 0xff, 0xff000000];

/** As many as a byte has indices; more than a depth has are passed over. */
const MOST_COLORS = 256;

/** A layout of 16 bits: the masks of red, green and blue, and the steps to the highest bits of a byte. */
interface WordLayout {
  readonly masks: string;
  readonly red: number;
  readonly green: number;
  readonly greenBits: number;
}

const LAYOUT_555: WordLayout = { masks: '7c00 3e0 1f', red: 7, green: 2, greenBits: 0xf8 };
const LAYOUT_565: WordLayout = { masks: 'f800 7e0 1f', red: 8, green: 3, greenBits: 0xfc };

interface Header {
  /** The header of 12 bytes. */
  readonly isCore: boolean;
  readonly width: number;
  readonly height: number;
  readonly isTopDown: boolean;
  readonly depth: number;
  readonly compression: number;
  readonly pixelsAt: number;
  /** Red, green, blue and alpha of 32 bits, 0 for what is not there; empty for other depths. */
  readonly masks: readonly number[];
  /** What pixels of 16 bits are. */
  readonly wordLayout: WordLayout;
  /** Red, green and blue of each index; empty without one. */
  readonly palette: Uint8Array;
}

/**
 * Opens a Windows bitmap, as OpenCV's IMREAD_UNCHANGED has it. A bitmap has three channels, or four where masks come with
 * 32 bits. It has one where the palette is grey, and with the header of 12 bytes, whose colours become grey.
 * This reader is ours because the library for other formats reads no bitmaps.
 *
 * @throws Error that says what is wrong with the header
 */
export function openBmp(encoded: Uint8Array): OpenedPicture {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  const header = readHeader(view);
  const { height, width } = header;
  checkSize(header);
  const stored = storedChannels(header);
  const channels = header.isCore ? 1 : stored;
  const shape = { height, width, channels };
  const read = (): Uint8Array => {
    const elements = readPixels(view, header, stored);
    return stored === channels ? elements : greyOf(elements);
  };
  return { shape, read: () => ({ ...shape, elements: read() }) };
}

function storedChannels({ palette, depth, compression }: Header): number {
  if (isGrey(palette, depth)) return 1;
  return depth === 32 && compression === BIT_FIELDS ? 4 : 3;
}

/** Weights of red, green and blue in grey, as integers of this many bits (as OpenCV). */
const GREY_BITS = 14;
const [RED_WEIGHT, GREEN_WEIGHT, BLUE_WEIGHT] = [4899, 9617, 1868];

function greyOf(colors: Uint8Array): Uint8Array {
  const grey = new Uint8Array(colors.length / 3);
  for (let at = 0, from = 0; at < grey.length; at += 1, from += 3) {
    const sum = colors[from]! * RED_WEIGHT + colors[from + 1]! * GREEN_WEIGHT + colors[from + 2]! * BLUE_WEIGHT;
    grey[at] = (sum + (1 << (GREY_BITS - 1))) >> GREY_BITS;
  }
  return grey;
}

function readHeader(view: DataView): Header {
  // A number with a sign: what is larger than that is no size (as OpenCV).
  const size = view.getInt32(HEADER_AT, true);
  const pixelsAt = view.getUint32(PIXELS_AT, true);
  if (size === CORE_HEADER_BYTES) {
    const depth = view.getUint16(24, true);
    if (!CORE_DEPTHS.includes(depth)) throw new Error(`a header of ${size} bytes with ${depth} bits is unknown`);
    const palette = readPalette(view, HEADER_AT + size, 3, depth, 0);
    const [width, height] = [view.getUint16(18, true), view.getUint16(20, true)];
    const common = { isTopDown: false, depth, compression: UNCOMPRESSED, masks: [], wordLayout: LAYOUT_555 };
    return { isCore: true, width, height, pixelsAt, palette, ...common };
  }
  if (size < LEAST_HEADER_BYTES) throw new Error(`a header of ${size} bytes is unknown`);
  const [width, height] = [view.getInt32(18, true), view.getInt32(22, true)];
  const [depth, compression] = [view.getUint16(28, true), view.getUint32(30, true)];
  if (!DEPTHS[compression]?.includes(depth)) throw new Error(`compression ${compression} of ${depth} bits is unknown`);
  const used = view.getUint32(46, true);
  const palette = readPalette(view, HEADER_AT + size, 4, depth, used);
  const hasMasks = compression === BIT_FIELDS;
  const masks = hasMasks && depth === 32 ? readMasks(view, size) : [];
  const wordLayout = hasMasks && depth === 16 ? readWordLayout(view, HEADER_AT + size) : LAYOUT_555;
  const common = { isTopDown: height < 0, depth, compression, pixelsAt, masks, wordLayout, palette };
  return { isCore: false, width, height: Math.abs(height), ...common };
}

/** Only headers that have a mask of alpha are asked, and only where each colour has a mask (as OpenCV). */
function readMasks(view: DataView, headerBytes: number): readonly number[] {
  if (headerBytes < ALPHA_HEADER_BYTES) return BYTE_MASKS;
  const masks = [0, 4, 8, 12].map((at) => view.getUint32(MASKS_AT + at, true));
  return masks.slice(0, 3).includes(0) ? BYTE_MASKS : masks;
}

function readWordLayout(view: DataView, at: number): WordLayout {
  const masks = [0, 4, 8].map((offset) => view.getUint32(at + offset, true).toString(16)).join(' ');
  const layout = [LAYOUT_555, LAYOUT_565].find((each) => each.masks === masks);
  if (layout === undefined) throw new Error(`masks ${masks} are unknown`);
  return layout;
}

/** Indices that the file has no colour for are black. All colours that the header counts have to be there (as OpenCV). */
function readPalette(view: DataView, at: number, stride: number, depth: number, used: number): Uint8Array {
  if (depth > 8) return new Uint8Array(0);
  if (used > MOST_COLORS) throw new Error(`expected at most ${MOST_COLORS} colours, received ${used}`);
  const size = 2 ** depth;
  const stored = used === 0 ? size : used;
  if (at + stride * stored > view.byteLength) throw new Error(`the file ends before its ${stored} colours do`);
  const palette = new Uint8Array(3 * size);
  for (let index = 0; index < Math.min(size, stored); index += 1) {
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

/** Where a row, counted from the top of the picture, begins in the file; that it ends there with its padding is checked. */
function rowAt(view: DataView, { height, width, depth, pixelsAt, isTopDown }: Header, row: number): number {
  const stride = 4 * Math.ceil((width * depth) / 32);
  const at = pixelsAt + stride * (isTopDown ? row : height - 1 - row);
  if (at + stride > view.byteLength) throw new Error('the pixels end before their last row');
  return at;
}

type RowReader = (from: number, target: Uint8Array, to: number) => void;

function rowReader(view: DataView, { width, depth, compression, masks, wordLayout }: Header): RowReader {
  if (depth === 16) return wordReader(view, width, wordLayout);
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
function wordReader(view: DataView, width: number, { red, green, greenBits }: WordLayout): RowReader {
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
  // Single precision, as OpenCV scales them.
  const largest = masks.map((mask, channel) => mask >>> shifts[channel]!);
  const scales = largest.map((most) => Math.fround(255 / most));
  return (from, target, to) => {
    for (let x = 0; x < width; x += 1) {
      const word = view.getUint32(from + 4 * x, true);
      for (let channel = 0; channel < 4; channel += 1) {
        const most = largest[channel]!;
        const value = (word >>> shifts[channel]!) & most;
        // Without a mask of alpha the picture is opaque.
        target[to + 4 * x + channel] = most === 0 ? 255 : Math.fround((value >>> 0) * scales[channel]!);
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

/**
 * Runs of one index, literal indices and steps; what is stepped over has the index 0. Rows from the top.
 * A run of bytes that fills a row ends it, so an end of row that follows is passed over. Steps go on from row to row.
 * In nibbles a step goes nowhere down, and an end of the picture ends only its row (all as OpenCV).
 */
function readRuns(view: DataView, { height, width, depth, pixelsAt, isTopDown }: Header): Uint8Array {
  const indices = new Uint8Array(height * width);
  const isNibbles = depth === 4;
  let [x, y, at] = [0, 0, pixelsAt];
  let hasWrapped = false;
  const put = (index: number): void => {
    if (x >= width) throw new Error('a run leaves its row');
    indices[(isTopDown ? y : height - 1 - y) * width + x] = index;
    x += 1;
  };
  const indexIn = (byte: number, place: number): number =>
    !isNibbles ? byte : place % 2 === 0 ? byte >>> 4 : byte & 0x0f;
  while (y < height) {
    const [count, value] = [view.getUint8(at), view.getUint8(at + 1)];
    at += 2;
    if (count > 0) {
      for (let place = 0; place < count; place += 1) put(indexIn(value, place));
      hasWrapped = !isNibbles && x === width;
      if (hasWrapped) [x, y] = [0, y + 1];
    } else if (value === END_OF_ROW || (value === END_OF_PICTURE && isNibbles)) {
      if (!hasWrapped) [x, y] = [0, y + 1];
      hasWrapped = false;
    } else if (value === END_OF_PICTURE) return indices;
    else if (value === STEP) {
      const [right, down] = [view.getUint8(at), view.getUint8(at + 1)];
      const to = x + right + (isNibbles ? 0 : down * width);
      [x, y] = [to % width, y + Math.floor(to / width)];
      at += 2;
      hasWrapped = false;
    } else {
      hasWrapped = false;
      for (let place = 0; place < value; place += 1)
        put(indexIn(view.getUint8(at + (isNibbles ? place >>> 1 : place)), place));
      const bytes = isNibbles ? Math.ceil(value / 2) : value;
      at += bytes + (bytes % 2);
      if (at > view.byteLength) throw new Error('the literal indices end before their padding');
    }
  }
  return indices;
}
