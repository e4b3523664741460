import type { Picture } from '../tensors/picture.js';
import { checkSize, type OpenedPicture } from './opened-picture.js';

const LARGEST_SAMPLE = 0xffff;
const HASH = 0x23;
const NEWLINES = new Set([0x0a, 0x0d]);
/** Of a line with a field: its name and as many characters as OpenCV takes of a value. */
const LONGEST_LINE = 264;
const MOST_CHANNELS = 4;

/** Tuple types that OpenCV knows. Channels follow `DEPTH` alone. */
const TUPLE_TYPES = ['BLACKANDWHITE', 'GRAYSCALE', 'GRAYSCALE_ALPHA', 'RGB', 'RGB_ALPHA'];
const TUPLE_TYPE = 'TUPLTYPE';
const SIZE_FIELDS = ['WIDTH', 'HEIGHT', 'DEPTH', 'MAXVAL'] as const;

interface Header {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly largest: number;
  /** Where the samples begin. */
  readonly samplesAt: number;
}

/**
 * Opens a portable arbitrary map, as OpenCV's IMREAD_UNCHANGED has it. Channels stay as they stand in the file, also red
 * first; samples above 255 keep 16 bits. With a `MAXVAL` of 1 the first bytes of a row are read as its bits.
 * This reader is ours because the library for other formats knows no such maps.
 *
 * @throws Error that says what is wrong with the header
 */
export function openPam(encoded: Uint8Array): OpenedPicture {
  const header = readHeader(encoded);
  const { height, width, channels } = header;
  checkSize(header);
  const shape = { height, width, channels };
  return { shape, read: () => ({ ...shape, elements: readSamples(encoded, header), isBlueFirst: true }) };
}

function readHeader(encoded: Uint8Array): Header {
  if (!NEWLINES.has(encoded[2] ?? 0)) throw new Error('expected a line of P7');
  const fields = new Map<string, string>();
  for (let at = 3; ;) {
    const end = endOfLine(encoded, at);
    const line = encoded[at] === HASH ? '' : lineOf(encoded.subarray(at, end));
    at = end + 1;
    if (line === 'ENDHDR') return headerOf(fields, at);
    if (line === '' || line.startsWith('#')) continue;
    const [key = '', value = ''] = line.split(/\s+(.*)/s, 2);
    if (key !== TUPLE_TYPE && !SIZE_FIELDS.some((each) => each === key)) throw new Error(`field ${key} is unknown`);
    if (key !== TUPLE_TYPE && fields.has(key)) throw new Error(`expected one ${key}`);
    fields.set(key, value);
  }
}

function endOfLine(encoded: Uint8Array, from: number): number {
  let at = from;
  while (at < encoded.byteLength && !NEWLINES.has(encoded[at]!)) at += 1;
  if (at === encoded.byteLength) throw new Error('expected a header that ends with ENDHDR');
  return at;
}

function lineOf(bytes: Uint8Array): string {
  if (bytes.byteLength > LONGEST_LINE) throw new Error(`expected lines of at most ${LONGEST_LINE} characters`);
  return Buffer.from(bytes).toString('latin1').trim();
}

function headerOf(fields: ReadonlyMap<string, string>, samplesAt: number): Header {
  const [width, height, channels, largest] = SIZE_FIELDS.map((key) => numberOf(fields, key));
  const header = { width: width!, height: height!, channels: channels!, largest: largest!, samplesAt };
  checkKind(header, fields.get(TUPLE_TYPE));
  return header;
}

function numberOf(fields: ReadonlyMap<string, string>, key: string): number {
  const text = fields.get(key) ?? 'nothing';
  if (!/^\d{1,9}$/.test(text)) throw new Error(`expected a number for ${key}, received ${text.slice(0, 40)}`);
  return Number(text);
}

function checkKind({ channels, largest }: Header, type: string | undefined): void {
  if (channels < 1 || channels > MOST_CHANNELS)
    throw new Error(`expected 1 to ${MOST_CHANNELS} channels, received ${channels}`);
  if (largest < 1 || largest > LARGEST_SAMPLE)
    throw new Error(`expected a MAXVAL of 1 to ${LARGEST_SAMPLE}, received ${largest}`);
  const isPlain = type === undefined && largest < 256 && (channels === 1 || channels === 3);
  if (!isPlain && !TUPLE_TYPES.includes(type ?? ''))
    throw new Error(`tuple type ${(type ?? 'of none').slice(0, 40)} is unknown`);
  if (largest === 1 && channels !== 1 && channels !== 3)
    throw new Error(`expected 1 or 3 channels of bits, received ${channels}`);
}

function readSamples(
  encoded: Uint8Array,
  { width, height, channels, largest, samplesAt }: Header,
): Picture['elements'] {
  const samples = encoded.subarray(samplesAt);
  const count = width * height * channels;
  const bytes = largest > 255 ? 2 : 1;
  if (samples.byteLength < count * bytes) throw new Error('the samples end before the last of them');
  if (largest === 1) return readBits(samples, width, height, channels);
  if (bytes === 1) return new Uint8Array(samples.subarray(0, count));
  return Uint16Array.from({ length: count }, (_, at) => (samples[2 * at]! << 8) | samples[2 * at + 1]!);
}

function readBits(samples: Uint8Array, width: number, height: number, channels: number): Uint8Array {
  const elements = new Uint8Array(width * height * channels);
  for (let at = 0; at < width * height; at += 1) {
    const [row, x] = [Math.floor(at / width), at % width];
    const byte = samples[row * width * channels + (x >>> 3)]!;
    const value = (byte >>> (7 - (x & 7))) & 1 ? 255 : 0;
    elements.fill(value, at * channels, (at + 1) * channels);
  }
  return elements;
}
