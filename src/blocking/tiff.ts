/** Bytes of the types that integers may have. */
const TYPE_BYTES: Readonly<Record<number, 1 | 2 | 4>> = { 1: 1, 3: 2, 4: 4 };
const ENTRY_BYTES = 12;
const MOST_ENTRIES = 4096;
const [BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC, SAMPLES_PER_PIXEL] = [258, 259, 262, 277];
const [ROWS_PER_STRIP, PLANAR_CONFIGURATION, EXTRA_SAMPLES, SAMPLE_FORMAT] = [278, 284, 338, 339];
const [TILE_WIDTH, TILE_LENGTH] = [322, 323];
const FIELDS: readonly number[] = [
  BITS_PER_SAMPLE,
  COMPRESSION,
  PHOTOMETRIC,
  SAMPLES_PER_PIXEL,
  ROWS_PER_STRIP,
  PLANAR_CONFIGURATION,
  TILE_WIDTH,
  TILE_LENGTH,
  EXTRA_SAMPLES,
  SAMPLE_FORMAT,
];
const NONE = 1;
const JPEG = 7;
/** None, three of fax machines, LZW, JPEG, two numbers of Deflate, and PackBits. */
const COMPRESSIONS: readonly number[] = [NONE, 2, 3, 4, 5, JPEG, 8, 32946, 32773];
const UNSIGNED = 1;
const MOST_BITS = 16;
const MOST_SAMPLES = 4;
const DEFAULT_BITS = 1;
const PLANES = 2;
/** Colours that are multiplied by the alpha beside them. */
const PREMULTIPLIED = 1;
const RGB = 2;
const PALETTE = 3;
/** White is zero, black is zero, red green blue, palette. */
const PHOTOMETRICS: readonly number[] = [0, 1, RGB, PALETTE];
/** Converted by the decoder of JPEG, and by nothing else. */
const YCBCR = 6;

type Fields = ReadonlyMap<number, readonly number[]>;

/**
 * Refuses what the library would read as other numbers: samples that are signed, floats or wider than 16 bits, colours that it does not
 * convert, most planes of anything but RGB, and alpha that it reads wrongly. OVMS 2026.2.1 is built without TIFF, so nothing is lost that
 * it has.
 *
 * @returns whether the picture is made of tiles, not of strips
 * @throws Error that says what was found
 */
export function checkTiff(encoded: Uint8Array): boolean {
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
  checkColors(found);
  checkSamples(found);
  checkExtraSamples(found);
  return found.has(TILE_WIDTH) || found.has(TILE_LENGTH);
}

function checkColors(found: Fields): void {
  const photometric = found.get(PHOTOMETRIC)?.[0];
  const compression = found.get(COMPRESSION)?.[0] ?? NONE;
  if (!COMPRESSIONS.includes(compression)) throw new Error(`the compression ${compression} is unknown`);
  const isKnown = PHOTOMETRICS.includes(photometric ?? -1);
  if (!isKnown && !(photometric === YCBCR && compression === JPEG))
    throw new Error(`expected grey, RGB or a palette, received the colours ${photometric ?? 'of none'}`);
}

function checkSamples(found: Fields): void {
  const format = found.get(SAMPLE_FORMAT)?.find((each) => each !== UNSIGNED);
  if (format !== undefined) throw new Error(`expected unsigned integers, received the sample format ${format}`);
  const bits = found.get(BITS_PER_SAMPLE)?.find((each) => each > MOST_BITS);
  if (bits !== undefined) throw new Error(`expected at most ${MOST_BITS} bits a sample, received ${bits}`);
  const samples = found.get(SAMPLES_PER_PIXEL)?.[0] ?? 1;
  if (samples > MOST_SAMPLES) throw new Error(`expected at most ${MOST_SAMPLES} samples a pixel, received ${samples}`);
}

/**
 * The library mixes the rows of planes that it has to convert, unless each row is a strip.
 * It finds no alpha beside indices of less than a byte, and divides colours by an alpha that multiplies them.
 */
function checkExtraSamples(found: Fields): void {
  if ((found.get(SAMPLES_PER_PIXEL)?.[0] ?? 1) === 1) return;
  const photometric = found.get(PHOTOMETRIC)?.[0];
  const bits = found.get(BITS_PER_SAMPLE)?.[0] ?? DEFAULT_BITS;
  const isPlanes = found.get(PLANAR_CONFIGURATION)?.[0] === PLANES;
  const isUnmixed = photometric === RGB || found.get(ROWS_PER_STRIP)?.[0] === 1;
  if (isPlanes && !(isUnmixed && bits % 8 === 0))
    throw new Error(`expected planes of RGB in whole bytes, received the colours ${photometric} of ${bits} bits`);
  if (photometric === PALETTE && bits !== 8)
    throw new Error(`expected indices of 8 bits beside alpha, received ${bits} bits`);
  if (found.get(EXTRA_SAMPLES)?.includes(PREMULTIPLIED))
    throw new Error('expected colours that alpha does not change, received those multiplied by it');
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
