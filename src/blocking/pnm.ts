import type { Picture } from '../tensors/picture.js';
import { checkSize, type OpenedPicture } from './opened-picture.js';

const LARGEST_SAMPLE = 0xffff;
const HASH = 0x23;
const NEWLINES = [0x0a, 0x0d];
const ZERO = 0x30;

/** By the digit behind the P: channels, whether samples are one bit each, and whether they are written as text. */
const KINDS: Readonly<
  Record<string, { readonly channels: 1 | 3; readonly isBits: boolean; readonly isText: boolean }>
> = {
  P1: { channels: 1, isBits: true, isText: true },
  P2: { channels: 1, isBits: false, isText: true },
  P3: { channels: 3, isBits: false, isText: true },
  P4: { channels: 1, isBits: true, isText: false },
  P5: { channels: 1, isBits: false, isText: false },
  P6: { channels: 3, isBits: false, isText: false },
};

/**
 * Opens a picture of PBM, PGM or PPM, as OpenCV's IMREAD_UNCHANGED has it: bits are black and white; samples above 255 keep 16 bits;
 * samples in text are stretched to 255, others are left as they are. The library for other formats knows none.
 *
 * @throws Error that says what is wrong with the header
 */
export function openPnm(encoded: Uint8Array): OpenedPicture {
  const kind = KINDS[Buffer.from(encoded.subarray(0, 2)).toString('latin1')];
  if (kind === undefined) throw new Error('expected P1 to P6');
  const scanner = new Scanner(encoded, 2);
  const [width, height] = [scanner.number(), scanner.number()];
  const { channels, isBits, isText } = kind;
  const largest = isBits ? 1 : scanner.number();
  checkSize({ height, width });
  if (largest < 1 || largest > LARGEST_SAMPLE)
    throw new Error(`expected a largest sample of 1 to ${LARGEST_SAMPLE}, received ${largest}`);
  const shape = { height, width, channels };
  const read = (): Picture['elements'] => {
    if (isText) return readText(scanner, height * width * channels, largest, isBits);
    // One white space stands between the header and the samples.
    const samples = encoded.subarray(scanner.at + 1);
    return isBits ? readBits(samples, height, width) : readBinary(samples, height * width * channels, largest);
  };
  return { shape, read: () => ({ ...shape, elements: read() }) };
}

function samplesOf(count: number, largest: number): Uint8Array | Uint16Array {
  return largest > 255 ? new Uint16Array(count) : new Uint8Array(count);
}

function readText(scanner: Scanner, count: number, largest: number, isBits: boolean): Uint8Array | Uint16Array {
  // Each sample is a digit at least.
  if (count > scanner.rest) throw new Error('the samples end before the last of them');
  const elements = samplesOf(count, largest);
  for (let at = 0; at < count; at += 1) {
    const sample = Math.min(isBits ? scanner.digit() : scanner.number(), largest);
    const stretched = largest > 255 ? sample : Math.floor((sample * 255) / largest);
    elements[at] = isBits ? 255 - stretched : stretched;
  }
  return elements;
}

function readBits(samples: Uint8Array, height: number, width: number): Uint8Array {
  const stride = Math.ceil(width / 8);
  if (samples.byteLength < stride * height) throw new Error('the samples end before the last of them');
  const elements = new Uint8Array(height * width);
  for (let at = 0; at < elements.length; at += 1) {
    const [row, x] = [Math.floor(at / width), at % width];
    const byte = samples[row * stride + (x >>> 3)]!;
    elements[at] = (byte >>> (7 - (x & 7))) & 1 ? 0 : 255;
  }
  return elements;
}

function readBinary(samples: Uint8Array, count: number, largest: number): Uint8Array | Uint16Array {
  const bytes = largest > 255 ? 2 : 1;
  if (samples.byteLength < count * bytes) throw new Error('the samples end before the last of them');
  if (bytes === 1) return new Uint8Array(samples.subarray(0, count));
  return Uint16Array.from({ length: count }, (_, at) => (samples[2 * at]! << 8) | samples[2 * at + 1]!);
}

/** Reads the numbers of a text, with comments from `#` to the end of the line between them. */
class Scanner {
  readonly #bytes: Uint8Array;
  /** The byte behind what was read. */
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  get rest(): number {
    return this.#bytes.byteLength - this.at;
  }

  /** Samples of one digit need no space between them. */
  digit(): number {
    this.#skip();
    const digit = this.#digit();
    if (digit === null) throw new Error(`expected a digit at byte ${this.at}`);
    this.at += 1;
    return digit;
  }

  number(): number {
    let number = this.digit();
    for (let digit = this.#digit(); digit !== null; digit = this.#digit()) {
      number = Math.min(number * 10 + digit, Number.MAX_SAFE_INTEGER / 100);
      this.at += 1;
    }
    return number;
  }

  #digit(): number | null {
    const digit = (this.#bytes[this.at] ?? 0) - ZERO;
    return digit >= 0 && digit <= 9 ? digit : null;
  }

  #skip(): void {
    for (;;) {
      const byte = this.#bytes[this.at];
      if (byte === HASH) {
        while (this.at < this.#bytes.byteLength && !NEWLINES.includes(this.#bytes[this.at]!)) this.at += 1;
      } else if (byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d)) this.at += 1;
      else return;
    }
  }
}
