import type { Arena } from '../../tensors/arena.js';
import { Tensor } from '../../tensors/tensor.js';
import type { ResponseTensor } from '../predict-request.js';

/** Width of the rows that hold the strings: one byte more than the longest, so that each ends with a NUL (as OVMS 2026.2.1). */
export function rowWidth(strings: readonly Uint8Array[]): number {
  let longest = 0;
  for (const { byteLength } of strings) longest = Math.max(longest, byteLength);
  return longest + 1;
}

/** Copies strings into the rows of a U8 tensor `[N, longest + 1]`, filled up with NULs; the caller owns its one use. */
export function admitRows(strings: readonly Uint8Array[], arena: Arena): Tensor {
  const width = rowWidth(strings);
  const lease = arena.lease(strings.length * width);
  strings.forEach((string, row) => {
    arena.copyIn(lease, string, 'request', row * width);
    lease.bytes.fill(0, row * width + string.byteLength, (row + 1) * width);
  });
  return new Tensor('U8', [strings.length, width], lease);
}

/**
 * The strings of an output whose rows are texts: U8 of rank 2 with a name that ends in `_string` (as OVMS 2026.2.1).
 *
 * @returns views of the output, each cut at its first NUL; `null` for every other output.
 */
export function textRows({ name, precision, shape, bytes }: ResponseTensor): readonly Uint8Array[] | null {
  if (precision !== 'U8' || shape.length !== 2 || !name.endsWith('_string')) return null;
  const [rows, width] = shape as readonly [number, number];
  return Array.from({ length: rows }, (_, row) => untilNul(bytes.subarray(row * width, (row + 1) * width)));
}

function untilNul(row: Uint8Array): Uint8Array {
  const end = row.indexOf(0);
  return end < 0 ? row : row.subarray(0, end);
}
