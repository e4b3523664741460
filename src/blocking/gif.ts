import { ByteReader } from './byte-reader.js';
import { checkSize, type OpenedPicture } from './opened-picture.js';

const SIGNATURES = ['GIF87a', 'GIF89a'];
const HAS_COLORS = 0x80;
const IS_INTERLACED = 0x40;
const EXTENSION = 0x21;
const GRAPHIC_CONTROL = 0xf9;
const GRAPHIC_CONTROL_BYTES = 4;
const HAS_TRANSPARENT_COLOR = 1;
const IMAGE = 0x2c;
const TRAILER = 0x3b;

/** First row and step of each pass of an interlaced frame. */
const PASSES = [
  [0, 8],
  [4, 8],
  [2, 4],
  [1, 2],
] as const;
const ALL_ROWS = [[0, 1]] as const;

interface Screen {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue of each index; `null` without a table. */
  readonly colors: Uint8Array | null;
  /** Index of the colour of what no frame covers. */
  readonly background: number;
}

interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly isInterlaced: boolean;
  readonly colors: Uint8Array | null;
  /** Index that is not drawn; `null` for none. */
  readonly transparent: number | null;
  /** Where the compressed indices begin. */
  readonly dataAt: number;
}

/**
 * Opens the first frame of a GIF, as OpenCV's IMREAD_UNCHANGED has it: three channels, four where the last frame has a transparent
 * colour; what the frame leaves free has the background's colour and is transparent. Libraries compose otherwise, so this reader is ours.
 *
 * @throws Error that says what is wrong with the file; all its blocks are walked through.
 */
export function openGif(encoded: Uint8Array): OpenedPicture {
  const reader = new ByteReader(encoded);
  const screen = readScreen(reader);
  checkSize(screen);
  const { frame, hasAlpha } = readBlocks(reader);
  const { width, height } = screen;
  if (frame.left + frame.width > width || frame.top + frame.height > height)
    throw new Error('expected a frame inside of the screen');
  const shape = { height, width, channels: hasAlpha ? 4 : 3 };
  return { shape, read: () => ({ ...shape, elements: draw(screen, frame, shape.channels, reader) }) };
}

function readScreen(reader: ByteReader): Screen {
  const signature = reader.text(6);
  if (!SIGNATURES.includes(signature)) throw new Error(`expected GIF87a or GIF89a, received ${signature}`);
  const [width, height] = [reader.word(), reader.word()];
  const flags = reader.byte();
  const background = reader.byte();
  reader.skip(1);
  const colors = readColors(reader, flags);
  if (colors !== null && 3 * background >= colors.length)
    throw new Error(`expected a background of ${colors.length / 3} colours, received ${background}`);
  return { width, height, colors, background };
}

function readColors(reader: ByteReader, flags: number): Uint8Array | null {
  return flags & HAS_COLORS ? reader.bytes(3 * 2 ** ((flags & 7) + 1)) : null;
}

/** The first frame; whether the last graphic control has a transparent colour decides of the channels (as OpenCV). */
function readBlocks(reader: ByteReader): { readonly frame: Frame; readonly hasAlpha: boolean } {
  let frame: Frame | null = null;
  let hasAlpha = false;
  let transparent: number | null = null;
  for (let type = reader.byte(); type !== TRAILER; type = reader.byte()) {
    if (type === IMAGE) {
      const found = readFrame(reader, transparent);
      frame ??= found;
      reader.skip(1);
    } else if (type !== EXTENSION) throw new Error(`expected a block, received ${type}`);
    else if (reader.byte() === GRAPHIC_CONTROL) {
      if (reader.byte() !== GRAPHIC_CONTROL_BYTES) throw new Error('expected a graphic control of 4 bytes');
      hasAlpha = (reader.byte() & HAS_TRANSPARENT_COLOR) !== 0;
      reader.skip(2);
      const index = reader.byte();
      transparent = hasAlpha ? index : null;
    }
    skipBlocks(reader);
  }
  if (frame === null) throw new Error('expected a frame');
  return { frame, hasAlpha };
}

function readFrame(reader: ByteReader, transparent: number | null): Frame {
  const [left, top, width, height] = [reader.word(), reader.word(), reader.word(), reader.word()];
  if (width === 0 || height === 0) throw new Error('expected a frame with pixels');
  const flags = reader.byte();
  const colors = readColors(reader, flags);
  const isInterlaced = (flags & IS_INTERLACED) !== 0;
  return { left, top, width, height, isInterlaced, colors, transparent, dataAt: reader.at };
}

function skipBlocks(reader: ByteReader): void {
  for (let length = reader.byte(); length > 0; length = reader.byte()) reader.skip(length);
}

function draw(screen: Screen, frame: Frame, channels: number, reader: ByteReader): Uint8Array {
  const indices = new Uint8Array(frame.width * frame.height);
  decompress(reader, frame.dataAt, indices);
  const elements = new Uint8Array(screen.height * screen.width * channels);
  if (screen.colors !== null) fill(elements, channels, screen.colors.subarray(3 * screen.background));
  let from = 0;
  for (const [first, step] of frame.isInterlaced ? PASSES : ALL_ROWS) {
    for (let row = first; row < frame.height; row += step) {
      const to = channels * ((frame.top + row) * screen.width + frame.left);
      drawRow(indices.subarray(from, from + frame.width), elements, to, channels, screen, frame);
      from += frame.width;
    }
  }
  return elements;
}

function fill(elements: Uint8Array, channels: number, color: Uint8Array): void {
  for (let at = 0; at < elements.length; at += channels) {
    for (let channel = 0; channel < 3; channel += 1) elements[at + channel] = color[channel]!;
  }
}

function drawRow(
  indices: Uint8Array,
  elements: Uint8Array,
  at: number,
  channels: number,
  screen: Screen,
  { colors, transparent }: Frame,
): void {
  for (let x = 0, to = at; x < indices.length; x += 1, to += channels) {
    const index = indices[x]!;
    if (index === transparent) continue;
    const table = colors !== null && 3 * index < colors.length ? colors : screen.colors;
    for (let channel = 0; channel < 3; channel += 1)
      elements[to + channel] = table === null ? greyOf(index) : colorOf(table, index, channel);
    if (channels === 4) elements[to + 3] = 255;
  }
}

/** Without any table indices are grey, and the second one is white (as OpenCV). */
function greyOf(index: number): number {
  return index === 1 ? 255 : index;
}

function colorOf(table: Uint8Array, index: number, channel: number): number {
  const value = table[3 * index + channel];
  if (value === undefined) throw new Error(`expected indices of ${table.length / 3} colours, received ${index}`);
  return value;
}

const MOST_CODES = 4096;
const NONE = -1;

/** Fills `indices` with what the blocks from `at` on hold (LZW with codes of 3 to 12 bits). */
function decompress(reader: ByteReader, at: number, indices: Uint8Array): void {
  reader.at = at;
  const bits = reader.byte();
  if (bits < 2 || bits > 11) throw new Error(`expected codes of 2 to 11 bits, received ${bits}`);
  const clear = 2 ** bits;
  const prefix = new Int16Array(MOST_CODES);
  const suffix = new Uint8Array(MOST_CODES);
  const lengths = new Uint16Array(MOST_CODES);
  for (let code = 0; code < clear; code += 1) [suffix[code], lengths[code]] = [code, 1];
  let [size, next, before, to] = [bits + 1, clear + 2, NONE, 0];
  const codes = new CodeReader(reader);
  for (;;) {
    const code = codes.read(size);
    if (code === clear + 1) break;
    if (code === clear) {
      [size, next, before] = [bits + 1, clear + 2, NONE];
      continue;
    }
    const isNew = code === next && before !== NONE && next < MOST_CODES;
    if (!isNew && (code >= next || lengths[code] === 0)) throw new Error(`code ${code} is unknown`);
    const known = isNew ? before : code;
    const length = lengths[known]! + (isNew ? 1 : 0);
    if (to + length > indices.length) throw new Error('more pixels than the frame has');
    let first = known;
    for (let place = to + lengths[known]! - 1; place >= to; place -= 1) {
      indices[place] = suffix[first]!;
      if (place > to) first = prefix[first]!;
    }
    if (isNew) indices[to + length - 1] = suffix[first]!;
    if (before !== NONE && next < MOST_CODES) {
      prefix[next] = before;
      suffix[next] = suffix[first]!;
      lengths[next] = lengths[before]! + 1;
      next += 1;
      if (next === 2 ** size && size < 12) size += 1;
    }
    before = code;
    to += length;
  }
  if (to !== indices.length) throw new Error(`expected ${indices.length} pixels, received ${to}`);
}

/** Codes of a few bits out of blocks of bytes, low bits first. */
class CodeReader {
  readonly #reader: ByteReader;
  #left = 0;
  #bits = 0;
  #held = 0;

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  read(size: number): number {
    while (this.#held < size) {
      if (this.#left === 0) this.#left = this.#reader.byte();
      if (this.#left === 0) throw new Error('the pixels end before the last of them');
      this.#bits |= this.#reader.byte() << this.#held;
      this.#held += 8;
      this.#left -= 1;
    }
    const code = this.#bits & (2 ** size - 1);
    this.#bits >>>= size;
    this.#held -= size;
    return code;
  }
}
