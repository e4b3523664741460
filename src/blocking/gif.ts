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
/** As many as indices of a byte. */
const COLORS = 256;
const NONE = -1;

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
 * Opens the first frame of a GIF, as OpenCV's IMREAD_UNCHANGED has it. It has three channels, four where the last frame has a
 * transparent colour. What the frame leaves free has the background's colour and is transparent.
 * This reader is ours because the library for other formats composes frames otherwise.
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
  const indices = decompress(reader, frame.dataAt, frame.width * frame.height);
  checkIndices(indices, screen, frame);
  const elements = new Uint8Array(screen.height * screen.width * channels);
  if (screen.colors !== null) fill(elements, channels, screen.colors.subarray(3 * screen.background));
  const pixels = pixelsOf(screen, frame, channels);
  let from = 0;
  for (const [first, step] of frame.isInterlaced ? PASSES : ALL_ROWS) {
    for (let row = first; row < frame.height; row += step) {
      const to = channels * ((frame.top + row) * screen.width + frame.left);
      drawRow(indices.subarray(from, from + frame.width), elements, to, pixels, frame.transparent ?? NONE);
      from += frame.width;
    }
  }
  return elements;
}

function checkIndices(indices: Uint8Array, { colors }: Screen, frame: Frame): void {
  const count = Math.max(colors?.length ?? 0, frame.colors?.length ?? 0) / 3;
  if (count === 0 || count === COLORS) return;
  for (const index of indices) {
    if (index >= count && index !== frame.transparent)
      throw new Error(`expected indices of ${count} colours, received ${index}`);
  }
}

function fill(elements: Uint8Array, channels: number, color: Uint8Array): void {
  for (let at = 0; at < elements.length; at += channels) {
    for (let channel = 0; channel < 3; channel += 1) elements[at + channel] = color[channel]!;
  }
}

/**
 * The pixel of each index: of the frame's table, or of the screen's where the frame's is too short. Without any table indices
 * are grey, and the second one is white (as OpenCV).
 */
function pixelsOf({ colors }: Screen, frame: Frame, channels: number): Uint8Array {
  const pixels = new Uint8Array(COLORS * channels).fill(255);
  for (let index = 0; index < COLORS; index += 1) {
    const table = frame.colors !== null && 3 * index < frame.colors.length ? frame.colors : colors;
    const grey = index === 1 ? 255 : index;
    for (let channel = 0; channel < 3; channel += 1)
      pixels[channels * index + channel] = table === null ? grey : (table[3 * index + channel] ?? 0);
  }
  return pixels;
}

function drawRow(indices: Uint8Array, elements: Uint8Array, at: number, pixels: Uint8Array, transparent: number): void {
  const channels = pixels.length / COLORS;
  for (let x = 0, to = at; x < indices.length; x += 1, to += channels) {
    const index = indices[x]!;
    if (index === transparent) continue;
    const from = channels * index;
    elements[to] = pixels[from]!;
    elements[to + 1] = pixels[from + 1]!;
    elements[to + 2] = pixels[from + 2]!;
    if (channels === 4) elements[to + 3] = 255;
  }
}

const MOST_CODES = 4096;
const LARGEST_CODE_BITS = 12;

/** The indices that the blocks from `at` on hold (LZW with codes of 3 to 12 bits). */
function decompress(reader: ByteReader, at: number, count: number): Uint8Array {
  reader.at = at;
  const bits = reader.byte();
  if (bits < 2 || bits > 11) throw new Error(`expected codes of 2 to 11 bits, received ${bits}`);
  const codes = new CodeReader(joinBlocks(reader), bits + 1);
  // Before memory is taken for what a frame claims: no code stands for more pixels than there are codes.
  if (count > codes.most * MOST_CODES)
    throw new Error(`expected ${count} pixels, received ${codes.most} codes at most`);
  const indices = new Uint8Array(count);
  const strings = new Strings(2 ** bits);
  let to = 0;
  for (let code = codes.read(); code !== strings.end; code = codes.read()) {
    if (code === strings.clear) strings.forget();
    else to = strings.write(code, indices, to);
    codes.size = strings.codeSize;
  }
  if (to !== count) throw new Error(`expected ${count} pixels, received ${to}`);
  return indices;
}

function joinBlocks(reader: ByteReader): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let length = reader.byte(); length > 0; length = reader.byte()) parts.push(reader.bytes(length));
  return Buffer.concat(parts);
}

/** What codes stand for: a string is that of another code and one index more. */
class Strings {
  readonly clear: number;
  readonly end: number;
  readonly #prefix = new Int16Array(MOST_CODES);
  readonly #suffix = new Uint8Array(MOST_CODES);
  readonly #length = new Uint16Array(MOST_CODES);
  #next = 0;
  #before = NONE;
  /** Bits of the next code. */
  codeSize = 0;

  constructor(indices: number) {
    this.clear = indices;
    this.end = indices + 1;
    for (let index = 0; index < indices; index += 1) [this.#suffix[index], this.#length[index]] = [index, 1];
    this.forget();
  }

  forget(): void {
    this.#next = this.end + 1;
    this.#before = NONE;
    this.codeSize = Math.log2(this.clear) + 1;
  }

  /** Writes the string of a code and makes the next one; returns where the string ends. */
  write(code: number, target: Uint8Array, from: number): number {
    const before = this.#before;
    const next = this.#next;
    // The code that is being made: the string before, and its first index once more.
    const isNew = code === next && before !== NONE && next < MOST_CODES;
    if (!isNew && (code >= next || this.#length[code] === 0)) throw new Error(`code ${code} is unknown`);
    let at = isNew ? before : code;
    const length = this.#length[at]!;
    const end = from + length + (isNew ? 1 : 0);
    if (end > target.length) throw new Error('more pixels than the frame has');
    for (let place = from + length - 1; place > from; place -= 1) {
      target[place] = this.#suffix[at]!;
      at = this.#prefix[at]!;
    }
    const first = this.#suffix[at]!;
    target[from] = first;
    if (isNew) target[end - 1] = first;
    if (before !== NONE && next < MOST_CODES) this.#make(before, first);
    this.#before = code;
    return end;
  }

  #make(before: number, suffix: number): void {
    const next = this.#next;
    this.#prefix[next] = before;
    this.#suffix[next] = suffix;
    this.#length[next] = this.#length[before]! + 1;
    this.#next = next + 1;
    if (this.#next === 1 << this.codeSize && this.codeSize < LARGEST_CODE_BITS) this.codeSize += 1;
  }
}

/** Codes of a few bits out of bytes, low bits first. */
class CodeReader {
  readonly #bytes: Uint8Array;
  /** Bits of the next code. */
  size: number;
  #at = 0;
  #bits = 0;
  #held = 0;

  constructor(bytes: Uint8Array, size: number) {
    this.#bytes = bytes;
    this.size = size;
  }

  /** How many codes there can be. */
  get most(): number {
    return Math.floor((8 * this.#bytes.byteLength) / this.size);
  }

  read(): number {
    while (this.#held < this.size) {
      if (this.#at === this.#bytes.byteLength) throw new Error('the pixels end before the last of them');
      this.#bits |= this.#bytes[this.#at]! << this.#held;
      this.#held += 8;
      this.#at += 1;
    }
    const code = this.#bits & ((1 << this.size) - 1);
    this.#bits >>>= this.size;
    this.#held -= this.size;
    return code;
  }
}
