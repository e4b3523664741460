import type { Picture } from '../tensors/picture.js';
import { checkSize, type OpenedPicture } from './opened-picture.js';

const LARGEST_SAMPLE = 0xffff;
const NEWLINES = new Set([0x0a, 0x0d]);
const MOST_CHANNELS = 4;

/** Tuple types that OpenCV knows. Channels follow `DEPTH` alone. */
const TUPLE_TYPES = ['BLACKANDWHITE', 'GRAYSCALE', 'GRAYSCALE_ALPHA', 'RGB', 'RGB_ALPHA'];
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
 * Opens a portable arbitrary map, as OpenCV's IMREAD_UNCHANGED has it: channels as they stand in the file, also red first; samples
 * above 255 keep 16 bits; with a `MAXVAL` of 1 the first bytes of a row are read as its bits. The library for other formats knows none.
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
  const fields = new Map<string, string>();
  let at = 3;
  if (!NEWLINES.has(encoded[2] ?? 0)) throw new Error('expected a line of P7');
  for (;;) {
    const end = encoded.findIndex((byte, place) => place >= at && NEWLINES.has(byte));
    if (end < 0) throw new Error('expected a header that ends with ENDHDR');
    const line = Buffer.from(encoded.subarray(at, end)).toString('latin1').trim();
    at = end + 1;
    if (line === 'ENDHDR') break;
    if (line === '' || line.startsWith('#')) continue;
    const [, key = '', value = ''] = /^(\S+)\s*(.*)$/.exec(line)!;
    if (key !== 'TUPLTYPE' && fields.has(key)) throw new Error(`expected one ${key}`);
    fields.set(key, value);
  }
  const [width, height, channels, largest] = SIZE_FIELDS.map((key) => numberOf(fields, key));
  const header = { width: width!, height: height!, channels: channels!, largest: largest!, samplesAt: at };
  checkKind(header, fields);
  return header;
}

function numberOf(fields: ReadonlyMap<string, string>, key: string): number {
  const text = fields.get(key) ?? 'nothing';
  if (!/^\d{1,9}$/.test(text)) throw new Error(`expected a number for ${key}, received ${text.slice(0, 40)}`);
  return Number(text);
}

function checkKind({ channels, largest }: Header, fields: ReadonlyMap<string, string>): void {
  const unknown = [...fields.keys()].find((key) => key !== 'TUPLTYPE' && !SIZE_FIELDS.some((each) => each === key));
  if (unknown !== undefined) throw new Error(`field ${unknown.slice(0, 40)} is unknown`);
  if (channels < 1 || channels > MOST_CHANNELS)
    throw new Error(`expected 1 to ${MOST_CHANNELS} channels, received ${channels}`);
  if (largest < 1 || largest > LARGEST_SAMPLE)
    throw new Error(`expected a MAXVAL of 1 to ${LARGEST_SAMPLE}, received ${largest}`);
  const type = fields.get('TUPLTYPE');
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
