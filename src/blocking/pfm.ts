import { checkSize, type OpenedPicture } from './opened-picture.js';

/** Sizes and scale stand in the first bytes, each before one white space. */
const HEADER = /^P([fF])\n(\d{1,9})\s(\d{1,9})\s([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s/;
const HEADER_BYTES = 256;
const SAMPLE_BYTES = 4;

/**
 * Opens a portable float map, as OpenCV's IMREAD_UNCHANGED has it. Rows begin at the bottom, the sign of the scale says how
 * bytes are ordered, and samples are divided by its magnitude.
 * This reader is ours because the library for other formats knows no such maps.
 *
 * @throws Error that says what is wrong with the header
 */
export function openPfm(encoded: Uint8Array): OpenedPicture {
  const head = HEADER.exec(Buffer.from(encoded.subarray(0, HEADER_BYTES)).toString('latin1'));
  if (head === null) throw new Error('expected sizes and a scale after Pf or PF');
  const [whole, kind, width, height, scale] = head as unknown as [string, string, string, string, string];
  const shape = { height: Number(height), width: Number(width), channels: kind === 'F' ? 3 : 1 };
  checkSize(shape);
  const factor = Math.fround(1 / Math.abs(Math.fround(Number(scale))));
  if (!Number.isFinite(factor)) throw new Error(`expected a scale that is not 0, received ${scale}`);
  const isLittle = scale.startsWith('-');
  const read = (): Float32Array => readSamples(encoded.subarray(whole.length), shape, factor, isLittle);
  return { shape, read: () => ({ ...shape, elements: read() }) };
}

function readSamples(
  samples: Uint8Array,
  { height, width, channels }: OpenedPicture['shape'],
  factor: number,
  isLittle: boolean,
): Float32Array {
  const rowLength = width * channels;
  if (samples.byteLength < height * rowLength * SAMPLE_BYTES)
    throw new Error('the samples end before the last of them');
  const view = new DataView(samples.buffer, samples.byteOffset, samples.byteLength);
  const elements = new Float32Array(height * rowLength);
  for (let row = 0, from = 0; row < height; row += 1) {
    const to = (height - 1 - row) * rowLength;
    for (let at = 0; at < rowLength; at += 1, from += SAMPLE_BYTES)
      elements[to + at] = view.getFloat32(from, isLittle) * factor;
  }
  return elements;
}
