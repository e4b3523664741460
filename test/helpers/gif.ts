export type Color = readonly [red: number, green: number, blue: number];

export interface GifFrame {
  readonly left?: number;
  readonly top?: number;
  readonly rows: readonly (readonly number[])[];
  /** Four colours of its own. */
  readonly colors?: readonly Color[];
  readonly transparent?: number;
  readonly isInterlaced?: boolean;
}

export interface Gif {
  readonly width: number;
  readonly height: number;
  /** Four colours for every frame. */
  readonly colors?: readonly Color[];
  readonly background?: number;
  readonly frames: readonly GifFrame[];
}

const BITS = 2;
const CLEAR = 4;
const END = 5;
/** Codes after which the table would need longer ones. */
const CODES_BETWEEN_CLEARS = 2;

/** A GIF of indices of two bits. Rows of an interlaced frame come in the order of the file. */
export function gif({ width, height, colors, background = 0, frames }: Gif): Buffer {
  const head = Buffer.alloc(13);
  head.write('GIF89a');
  head.writeUInt16LE(width, 6);
  head.writeUInt16LE(height, 8);
  head.set([colors === undefined ? 0 : 0x81, background], 10);
  return Buffer.concat([head, tableOf(colors), ...frames.flatMap(frameOf), Buffer.from([0x3b])]);
}

function tableOf(colors: readonly Color[] = []): Buffer {
  return Buffer.from(colors.flat());
}

function frameOf({ left = 0, top = 0, rows, colors, transparent, isInterlaced = false }: GifFrame): Buffer[] {
  const control = transparent === undefined ? [] : [0x21, 0xf9, 4, 1, 0, 0, transparent, 0];
  const place = Buffer.alloc(10);
  place[0] = 0x2c;
  [left, top, rows[0]!.length, rows.length].forEach((value, index) => place.writeUInt16LE(value, 1 + 2 * index));
  place[9] = (colors === undefined ? 0 : 0x81) | (isInterlaced ? 0x40 : 0);
  return [Buffer.from(control), place, tableOf(colors), compressed(rows.flat())];
}

/** Codes of three bits, with a clear code wherever they would grow. */
function compressed(indices: readonly number[]): Buffer {
  const codes = indices.flatMap((index, at) => (at % CODES_BETWEEN_CLEARS === 0 ? [CLEAR, index] : [index]));
  const bytes: number[] = [];
  let [bits, held] = [0, 0];
  for (const code of [...codes, END]) {
    bits |= code << held;
    for (held += BITS + 1; held >= 8; held -= 8, bits >>>= 8) bytes.push(bits & 0xff);
  }
  if (held > 0) bytes.push(bits);
  return Buffer.from([BITS, bytes.length, ...bytes, 0]);
}
