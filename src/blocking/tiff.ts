/** Bytes of the types that integers may have. */
const TYPE_BYTES: Readonly<Record<number, 1 | 2 | 4>> = { 1: 1, 3: 2, 4: 4 };
const ENTRY_BYTES = 12;
const MOST_ENTRIES = 4096;
const [BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC, SAMPLES_PER_PIXEL, SAMPLE_FORMAT] = [258, 259, 262, 277, 339];
const FIELDS: readonly number[] = [BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC, SAMPLES_PER_PIXEL, SAMPLE_FORMAT];
const JPEG = 7;
const UNSIGNED = 1;
const MOST_BITS = 16;
const MOST_SAMPLES = 4;
/** White is zero, black is zero, red green blue, palette. */
const PHOTOMETRICS: readonly number[] = [0, 1, 2, 3];
/** Converted by the decoder of JPEG, and by nothing else. */
const YCBCR = 6;

/**
 * Refuses what the library would read as other numbers: samples that are signed, floats or wider than 16 bits, and colours
 * that the library does not convert. OVMS 2026.2.1 is built without TIFF, so nothing is lost that it has.
 *
 * @throws Error that says what was found
 */
export function checkTiff(encoded: Uint8Array): void {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  const isLittle = view.getUint16(0) === 0x4949;
  const directory = view.getUint32(4, isLittle);
  const count = view.getUint16(directory, isLittle);
  if (count > MOST_ENTRIES) throw new Error(`expected at most ${MOST_ENTRIES} fields, received ${count}`);
  const found = new Map<number, readonly number[]>();
  for (let index = 0; index < count; index += 1) {
    const at = directory + 2 + index * ENTRY_BYTES;
    const tag = view.getUint16(at, isLittle);
    if (FIELDS.includes(tag)) found.set(tag, readIntegers(view, at, isLittle));
  }
  const photometric = found.get(PHOTOMETRIC)?.[0];
  const isKnown = PHOTOMETRICS.includes(photometric ?? -1);
  if (!isKnown && !(photometric === YCBCR && found.get(COMPRESSION)?.[0] === JPEG))
    throw new Error(`expected grey, RGB or a palette, received the colours ${photometric ?? 'of none'}`);
  const format = found.get(SAMPLE_FORMAT)?.find((each) => each !== UNSIGNED);
  if (format !== undefined) throw new Error(`expected unsigned integers, received the sample format ${format}`);
  const bits = found.get(BITS_PER_SAMPLE)?.find((each) => each > MOST_BITS);
  if (bits !== undefined) throw new Error(`expected at most ${MOST_BITS} bits a sample, received ${bits}`);
  const samples = found.get(SAMPLES_PER_PIXEL)?.[0] ?? 1;
  if (samples > MOST_SAMPLES) throw new Error(`expected at most ${MOST_SAMPLES} samples a pixel, received ${samples}`);
}

/** The values of a field, which stand in the field itself or where it points to. */
function readIntegers(view: DataView, at: number, isLittle: boolean): number[] {
  const bytes = TYPE_BYTES[view.getUint16(at + 2, isLittle)];
  const count = view.getUint32(at + 4, isLittle);
  if (bytes === undefined || count > MOST_SAMPLES)
    throw new Error(`expected at most ${MOST_SAMPLES} integers in a field`);
  const from = count * bytes <= 4 ? at + 8 : view.getUint32(at + 8, isLittle);
  return Array.from({ length: count }, (_, index) => integerAt(view, from + bytes * index, bytes, isLittle));
}

function integerAt(view: DataView, at: number, bytes: 1 | 2 | 4, isLittle: boolean): number {
  if (bytes === 1) return view.getUint8(at);
  return bytes === 2 ? view.getUint16(at, isLittle) : view.getUint32(at, isLittle);
}
