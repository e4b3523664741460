import type { Arena, Lease } from '../tensors/arena.js';
import { Tensor } from '../tensors/tensor.js';
import type { RuntimePort } from './node-unit.js';

/**
 * Where an output of known shape goes, with one use: into the memory that its client wants it in, else into a new lease.
 *
 * @throws when memory cannot be had
 */
export function leaseOutput(
  { info, staticBytes }: RuntimePort,
  staticShape: readonly number[],
  arena: Arena,
  wanted: Lease | undefined,
): Tensor {
  wanted?.retain(1);
  return new Tensor(info.precision, staticShape, wanted ?? arena.lease(staticBytes));
}
