import type { Precision } from '../../tensors/precision.js';
import type { Shape } from '../../tensors/shape.js';
import { stringCount, StringPlaces, unpackStrings, type StringList } from '../../tensors/strings.js';
import type { ResponseTensor } from '../predict-request.js';

/** An output that clients get as strings: views of the output. */
export interface StringOutput {
  readonly shape: Shape;
  readonly strings: StringList;
}

/**
 * The strings of an output of precision STRING, and of one whose rows are texts: U8 of rank 2 with a name that ends in `_string`, each
 * row up to its first NUL (as OVMS 2026.2.1).
 *
 * @returns `null` for every other output.
 */
export function outputStrings(output: ResponseTensor): StringOutput | null {
  const { name, precision, shape, bytes } = output;
  if (precision === 'STRING') return { shape, strings: packedStrings(name, bytes) };
  if (!hasTextRows(output)) return null;
  const strings = textRows(bytes, shape as readonly [number, number]);
  return { shape: [stringCount(strings)], strings };
}

/** Whether the rows of an output are texts: of any output, before or after it is there. */
export function hasTextRows({ name, precision, shape }: NamedTensor): boolean {
  return precision === 'U8' && shape.length === 2 && name.endsWith('_string');
}

interface NamedTensor {
  readonly name: string;
  readonly precision: Precision;
  readonly shape: readonly unknown[];
}

/** What stands in the region was packed by native code or by this server. */
function packedStrings(name: string, bytes: Uint8Array): StringList {
  return unpackStrings(bytes, (at) => new Error(`output ${name}: the string at byte ${at} ends beyond the tensor`));
}

function textRows(bytes: Uint8Array, [rows, width]: readonly [number, number]): StringList {
  const places = new StringPlaces();
  for (let row = 0; row < rows; row += 1) {
    const begin = row * width;
    const length = bytes.subarray(begin, begin + width).indexOf(0);
    places.add(begin, length < 0 ? width : length);
  }
  return places.in(bytes);
}
