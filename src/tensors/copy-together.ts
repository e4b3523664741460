import type { Arena, Lease } from './arena.js';
import type { CopyReason } from './copy-counter.js';
import type { Tensor } from './tensor.js';

/**
 * Copies tensors into a new region, one behind the other. They need not be of one size: strings have their own.
 *
 * @throws when memory cannot be had
 */
export function copyTogether(parts: readonly Tensor[], arena: Arena, reason: CopyReason): Lease {
  const lease = arena.lease(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let start = 0;
  for (const { bytes } of parts) {
    arena.copyIn(lease, bytes, reason, start);
    start += bytes.byteLength;
  }
  return lease;
}
