import { crc32 } from 'node:zlib';

const SIGNATURE_BYTES = 8;
/** Length and type before the data of a chunk, a checksum after it. */
const HEAD_BYTES = 8;
const CHECKSUM_BYTES = 4;
const SEQUENCE_BYTES = 4;
const COLOR_TYPE_AT = 9;
const GREY = 0;
const IHDR_BYTES = 13;
const FRAME_CONTROL_BYTES = 26;
const ANIMATION_CONTROL_BYTES = 8;

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
  /** With its head and checksum. */
  readonly whole: Uint8Array;
}

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
 * Takes out of a PNG what OpenCV's IMREAD_UNCHANGED passes over: the transparent grey of a grey picture; and the default image of an
 * animation where it is no frame, whose first frame is decoded instead.
 *
 * @param encoded begins with the signature of PNG.
 * @throws Error that says what is wrong with its chunks
 */
export function preparePng(encoded: Uint8Array): PreparedPng {
  const chunks = readChunks(encoded);
  const header = chunks[0];
  if (header?.type !== 'IHDR' || header.data.byteLength !== IHDR_BYTES) throw new Error('expected IHDR first');
  const frame = firstFrame(chunks);
  const isStripped = header.data[COLOR_TYPE_AT] === GREY && chunks.some(({ type }) => type === 'tRNS');
  if (frame === null && !isStripped) return { encoded, place: null };
  const signature = encoded.subarray(0, SIGNATURE_BYTES);
  const kept = (frame?.chunks ?? chunks).filter(({ type }) => !isStripped || type !== 'tRNS');
  return { encoded: Buffer.concat([signature, ...kept.map(({ whole }) => whole)]), place: frame?.place ?? null };
}

function readChunks(encoded: Uint8Array): Chunk[] {
  const view = viewOf(encoded);
  const chunks: Chunk[] = [];
  for (let at = SIGNATURE_BYTES; chunks.at(-1)?.type !== 'IEND';) {
    if (at + HEAD_BYTES > encoded.byteLength) throw new Error('the chunks end before IEND');
    const dataAt = at + HEAD_BYTES;
    const end = dataAt + view.getUint32(at) + CHECKSUM_BYTES;
    if (end > encoded.byteLength) throw new Error('a chunk ends after the file');
    const type = Buffer.from(encoded.subarray(at + 4, dataAt)).toString('latin1');
    chunks.push({ type, data: encoded.subarray(dataAt, end - CHECKSUM_BYTES), whole: encoded.subarray(at, end) });
    at = end;
  }
  return chunks;
}

/** The first frame of an animation whose default image is none, as a PNG of its own; `null` for other pictures. */
function firstFrame(chunks: readonly Chunk[]): { readonly chunks: Chunk[]; readonly place: FramePlace } | null {
  const imageAt = chunks.findIndex(({ type }) => type === 'IDAT');
  const before = chunks.slice(0, Math.max(imageAt, 0));
  const animation = before.find(({ type }) => type === 'acTL');
  if (animation === undefined || before.some(({ type }) => type === 'fcTL')) return null;
  if (animation.data.byteLength !== ANIMATION_CONTROL_BYTES || viewOf(animation.data).getUint32(0) < 2) return null;
  const controlAt = chunks.findIndex(({ type }) => type === 'fcTL');
  const control = chunks[controlAt]?.data;
  if (control?.byteLength !== FRAME_CONTROL_BYTES) throw new Error('expected the control of a frame');
  const next = chunks.findIndex(({ type }, at) => at > controlAt && (type === 'fcTL' || type === 'IEND'));
  const data = chunks.slice(controlAt, next).filter(({ type }) => type === 'fdAT');
  const header = Buffer.from(before[0]!.data);
  const place = placeOf(viewOf(control), viewOf(header));
  header.set(control.subarray(4, 12));
  const own = before.filter(({ type }) => type === 'PLTE' || type === 'tRNS');
  const frames = data.map((chunk) => makeChunk('IDAT', chunk.data.subarray(SEQUENCE_BYTES)));
  return { chunks: [makeChunk('IHDR', header), ...own, ...frames, chunks.at(-1)!], place };
}

function placeOf(control: DataView, header: DataView): FramePlace {
  const [width, height] = [header.getUint32(0), header.getUint32(4)];
  const [left, top] = [control.getUint32(12), control.getUint32(16)];
  if (left + control.getUint32(4) > width || top + control.getUint32(8) > height)
    throw new Error('expected a frame inside of the picture');
  return { left, top, height, width };
}

function makeChunk(type: string, data: Uint8Array): Chunk {
  const whole = Buffer.alloc(HEAD_BYTES + data.byteLength + CHECKSUM_BYTES);
  whole.writeUInt32BE(data.byteLength);
  whole.write(type, 4, 'latin1');
  whole.set(data, HEAD_BYTES);
  const end = HEAD_BYTES + data.byteLength;
  whole.writeUInt32BE(crc32(whole.subarray(4, end)), end);
  return { type, data, whole };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
