import type { Arena, Lease } from '../../tensors/arena.js';
import type { Shape } from '../../tensors/shape.js';
import { copyStrings, packedBytes, stringCount, writeLength, type StringList } from '../../tensors/strings.js';
import { Tensor } from '../../tensors/tensor.js';

/** Strings from here on are copied natively: see `Arena.copyIn`. */
const LONG_BYTES = 4096;

/** Width of the rows that hold the strings: one byte more than the longest, so that each ends with a NUL (as OVMS 2026.2.1). */
export function rowWidth({ lengths }: StringList): number {
  let longest = 0;
  for (let index = 0; index < lengths.length; index += 1) longest = Math.max(longest, lengths[index]!);
  return longest + 1;
}

/** Copies strings into the rows of a U8 tensor `[N, longest + 1]`, filled up with NULs; the caller owns its one use. */
export function admitRows(strings: StringList, arena: Arena): Tensor {
  const width = rowWidth(strings);
  const count = stringCount(strings);
  const lease = arena.lease(count * width);
  const { bytes } = lease;
  bytes.fill(0);
  copy(strings, arena, lease, bytes, (row) => row * width);
  return new Tensor('U8', [count, width], lease);
}

/** Copies strings packed into leased memory, for a model whose input has the precision STRING; the caller owns the one use. */
export function admitNative(strings: StringList, shape: Shape, arena: Arena): Tensor {
  const lease = arena.lease(packedBytes(strings));
  const { bytes } = lease;
  let end = 0;
  copy(strings, arena, lease, bytes, (_, length) => {
    const at = writeLength(bytes, end, length);
    end = at + length;
    return at;
  });
  return new Tensor('STRING', shape, lease);
}

function copy(
  strings: StringList,
  arena: Arena,
  lease: Lease,
  target: Uint8Array,
  placeOf: (index: number, length: number) => number,
): void {
  let native = 0;
  copyStrings(strings, target, placeOf, (string, at) => {
    if (string.byteLength < LONG_BYTES) return target.set(string, at);
    arena.copyIn(lease, string, 'request', at);
    native += string.byteLength;
  });
  arena.copies.count('request', lease.byteLength - native);
}
