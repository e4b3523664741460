import { crc32 } from 'node:zlib';

const SIGNATURE_BYTES = 8;
/** Length and type before the data of a chunk, a checksum after it. */
const HEAD_BYTES = 8;
const CHECKSUM_BYTES = 4;
const SEQUENCE_BYTES = 4;
const SIZE_BYTES = 8;
const COLOR_TYPE_AT = 9;
const GREY = 0;
const IHDR_BYTES = 13;
const FRAME_CONTROL_BYTES = 26;
const ANIMATION_CONTROL_BYTES = 8;

/** A frame's place in the picture. */
export interface FramePlace {
  readonly left: number;
  readonly top: number;
  /** Of the whole picture. */
  readonly height: number;
  readonly width: number;
}

/** A PNG that says no more than what is to be decoded. */
export interface PreparedPng {
  readonly encoded: Uint8Array;
  /** Where it belongs, if it is a frame of an animation; what is around it is black and transparent. */
  readonly place: FramePlace | null;
}

/**
 * Takes out of a PNG what OpenCV's IMREAD_UNCHANGED passes over. That is the transparent grey of a grey picture. It is also an
 * animation's default image that is no frame: the first frame is decoded instead.
 *
 * @param encoded begins with the signature of PNG.
 * @throws Error that says what is wrong with its chunks
 */
export function preparePng(encoded: Uint8Array): PreparedPng {
  const outline = readOutline(encoded);
  if (outline.frameControl !== null) return firstFrame(encoded, outline.frameControl, outline.hasPlainGrey);
  if (!outline.hasPlainGrey || !outline.hasTransparency) return { encoded, place: null };
  const writer = new ChunkWriter(encoded);
  for (const chunk of chunksOf(encoded)) if (chunk.type !== 'tRNS') writer.copy(chunk);
  return { encoded: writer.written, place: null };
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

interface Outline {
  /** One sample a pixel, which is no index. */
  readonly hasPlainGrey: boolean;
  readonly hasTransparency: boolean;
  /** Of the first frame of an animation whose default image is none; `null` for other pictures. */
  readonly frameControl: Uint8Array | null;
}

function readOutline(encoded: Uint8Array): Outline {
  let header: Uint8Array | null = null;
  let frames = 0;
  let [hasTransparency, hasImage, isImageFrame] = [false, false, false];
  let frameControl: Uint8Array | null = null;
  for (const { type, data } of chunksOf(encoded)) {
    if (header === null) header = headerOf(type, data);
    else if (type === 'tRNS') hasTransparency = true;
    else if (type === 'IDAT') hasImage = true;
    else if (type === 'acTL' && !hasImage) frames = framesOf(data);
    else if (type === 'fcTL' && !hasImage) isImageFrame = true;
    else if (type === 'fcTL') frameControl ??= data;
  }
  const isAnimation = frames > 1 && !isImageFrame;
  if (isAnimation && frameControl === null) throw new Error('expected a frame of the animation');
  const hasPlainGrey = header?.[COLOR_TYPE_AT] === GREY;
  return { hasPlainGrey, hasTransparency, frameControl: isAnimation ? frameControl : null };
}

function headerOf(type: string, data: Uint8Array): Uint8Array {
  if (type !== 'IHDR' || data.byteLength !== IHDR_BYTES) throw new Error('expected IHDR first');
  return data;
}

function framesOf(control: Uint8Array): number {
  return control.byteLength === ANIMATION_CONTROL_BYTES ? viewOf(control).getUint32(0) : 0;
}

/** Chunk by chunk, up to IEND. */
function* chunksOf(encoded: Uint8Array): Generator<Chunk> {
  const view = viewOf(encoded);
  for (let at = SIGNATURE_BYTES; ;) {
    if (at + HEAD_BYTES > encoded.byteLength) throw new Error('the chunks end before IEND');
    const dataAt = at + HEAD_BYTES;
    const end = dataAt + view.getUint32(at) + CHECKSUM_BYTES;
    if (end > encoded.byteLength) throw new Error('a chunk ends after the file');
    const type = Buffer.from(encoded.buffer, encoded.byteOffset + at + 4, 4).toString('latin1');
    yield { type, data: encoded.subarray(dataAt, end - CHECKSUM_BYTES) };
    if (type === 'IEND') return;
    at = end;
  }
}

/** The first frame that `control` describes, as a PNG of its own. */
function firstFrame(encoded: Uint8Array, control: Uint8Array, isOpaque: boolean): PreparedPng {
  if (control.byteLength !== FRAME_CONTROL_BYTES) throw new Error('expected the control of a frame');
  const writer = new ChunkWriter(encoded);
  let place: FramePlace | null = null;
  let [hasBegun, hasEnded] = [false, false];
  for (const chunk of chunksOf(encoded)) {
    const { type, data } = chunk;
    if (type === 'IHDR') {
      place = placeOf(viewOf(control), viewOf(data));
      const header = Buffer.from(data);
      header.set(control.subarray(SEQUENCE_BYTES, SEQUENCE_BYTES + SIZE_BYTES));
      writer.make('IHDR', header);
    } else if (type === 'fcTL') [hasBegun, hasEnded] = [true, hasBegun];
    else if (type === 'fdAT' && hasBegun && !hasEnded) writer.make('IDAT', data.subarray(SEQUENCE_BYTES));
    else if (type === 'PLTE' || type === 'IEND' || (type === 'tRNS' && !isOpaque)) writer.copy(chunk);
  }
  return { encoded: writer.written, place };
}

function placeOf(control: DataView, header: DataView): FramePlace {
  const [width, height] = [header.getUint32(0), header.getUint32(4)];
  const [left, top] = [control.getUint32(12), control.getUint32(16)];
  if (left + control.getUint32(4) > width || top + control.getUint32(8) > height)
    throw new Error('expected a frame inside of the picture');
  return { left, top, height, width };
}

/** Writes chunks of a PNG, or what takes their place and is no longer, into memory of its size. */
class ChunkWriter {
  readonly #memory: Buffer;
  #at = SIGNATURE_BYTES;

  constructor(source: Uint8Array) {
    this.#memory = Buffer.alloc(source.byteLength);
    this.#memory.set(source.subarray(0, SIGNATURE_BYTES));
  }

  get written(): Buffer {
    return this.#memory.subarray(0, this.#at);
  }

  /** With the checksum that it had, which the library looks at. */
  copy({ data }: Chunk): void {
    const { buffer, byteOffset, byteLength } = data;
    const whole = new Uint8Array(buffer, byteOffset - HEAD_BYTES, HEAD_BYTES + byteLength + CHECKSUM_BYTES);
    this.#memory.set(whole, this.#at);
    this.#at += whole.byteLength;
  }

  make(type: string, data: Uint8Array): void {
    const [typeAt, dataAt] = [this.#at + 4, this.#at + HEAD_BYTES];
    const end = dataAt + data.byteLength;
    this.#memory.writeUInt32BE(data.byteLength, this.#at);
    this.#memory.write(type, typeAt, 'latin1');
    this.#memory.set(data, dataAt);
    this.#memory.writeUInt32BE(crc32(this.#memory.subarray(typeAt, end)), end);
    this.#at = end + CHECKSUM_BYTES;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
