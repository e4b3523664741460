import { readFile } from 'node:fs/promises';
import { ELEMENT_BYTES, type Precision } from '../tensors/precision.js';
import { elementCount } from '../tensors/shape.js';
import { ClientError, unreadableFile } from './client-error.js';
import { readElements, type Elements } from './elements.js';

/** An array of numbers as NumPy keeps it, row-major. */
export interface NdArray {
  readonly precision: Precision;
  readonly shape: readonly number[];
  readonly elements: Elements;
}

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');

/** Precisions by NumPy's kind and size. */
const PRECISION_OF_DESCR: Readonly<Record<string, Precision>> = {
  f2: 'FP16',
  f4: 'FP32',
  f8: 'FP64',
  i1: 'I8',
  i2: 'I16',
  i4: 'I32',
  i8: 'I64',
  u1: 'U8',
  u2: 'U16',
  u4: 'U32',
  u8: 'U64',
};

/** @throws ClientError for a file that is absent or is not an array of numbers that can be read. */
export async function readNpy(path: string): Promise<NdArray> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (fault) {
    throw unreadableFile(path, fault);
  }
  return parseNpy(bytes, path);
}

/**
 * Parses a `.npy` file of format version 1, 2 or 3. The elements may be a view of `bytes`.
 * @param source Named in errors.
 * @throws ClientError
 */
export function parseNpy(bytes: Uint8Array, source: string): NdArray {
  const { header, data } = splitHeader(bytes, source);
  const precision = parsePrecision(entry(header, 'descr', /'([^']*)'/, source), source);
  // Fortran order only matters from two dimensions on, but NumPy sets the flag for no smaller array.
  if (entry(header, 'fortran_order', /(True|False)/, source) === 'True') {
    throw new ClientError(
      `File ${source}: arrays in Fortran order are not supported, save it with numpy.ascontiguousarray`,
    );
  }
  const shape = parseShape(entry(header, 'shape', /\(([^)]*)\)/, source), source);
  const count = elementCount(shape);
  const expected = count === null ? Infinity : count * ELEMENT_BYTES[precision];
  if (data.byteLength < expected) {
    throw new ClientError(`File ${source} is truncated: expected ${expected} bytes of data, found ${data.byteLength}`);
  }
  return { precision, shape, elements: readElements(precision, data.subarray(0, expected)) };
}

function splitHeader(bytes: Uint8Array, source: string): { readonly header: string; readonly data: Uint8Array } {
  if (bytes.byteLength < 10 || MAGIC.compare(bytes, 0, MAGIC.length) !== 0) {
    throw new ClientError(`File ${source} is not a .npy file`);
  }
  const version = bytes[6]!;
  if (version < 1 || version > 3)
    throw new ClientError(`File ${source} has .npy format version ${version}, expected 1 to 3`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Version 1 counts its header in two bytes, later ones in four.
  const begin = version === 1 ? 10 : 12;
  if (bytes.byteLength < begin) throw new ClientError(`File ${source} ends within its .npy header`);
  const end = begin + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (end > bytes.byteLength) throw new ClientError(`File ${source} ends within its .npy header`);
  return { header: new TextDecoder().decode(bytes.subarray(begin, end)), data: bytes.subarray(end) };
}

/** The text of one entry of the header, which is a Python dictionary of three known keys. */
function entry(header: string, key: string, value: RegExp, source: string): string {
  const found = new RegExp(`'${key}'\\s*:\\s*${value.source}`).exec(header);
  if (found?.[1] === undefined) throw new ClientError(`File ${source} has a .npy header without ${key}`);
  return found[1];
}

function parsePrecision(descr: string, source: string): Precision {
  const found = /^[<|=]?([fiu][1248])$/.exec(descr);
  const precision = found?.[1] === undefined ? undefined : PRECISION_OF_DESCR[found[1]];
  if (precision === undefined) {
    throw new ClientError(
      `File ${source} has elements of type '${descr}', expected little-endian f2 f4 f8, i1 to i8 or u1 to u8`,
    );
  }
  return precision;
}

function parseShape(text: string, source: string): number[] {
  const sizes = text.split(',').map((size) => size.trim());
  // (10,) ends with a comma, () has no size at all.
  if (sizes.at(-1) === '') sizes.pop();
  return sizes.map((size) => {
    if (!/^\d+L?$/.test(size)) throw new ClientError(`File ${source} has a .npy header with shape (${text})`);
    return Number.parseInt(size, 10);
  });
}
