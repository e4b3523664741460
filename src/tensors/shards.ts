import { ServingError } from '../errors.js';
import type { Arena } from './arena.js';
import { copyTogether } from './copy-together.js';
import { formatShape, type Shape } from './shape.js';
import { Tensor } from './tensor.js';
import type { TensorInfo } from './tensor-info.js';

/** Most shards of one demultiplexer (as OVMS 2026.2.1). */
const MOST_SHARDS = 10_000;
/** A shard must still be a batch of something (as OVMS 2026.2.1). */
const SMALLEST_RANK = 3;

/**
 * Splits tensors on their first dimension, which must be the same in all of them. Shards are views: they share the leases of the
 * tensors, which keep their own uses, and lose the first dimension.
 *
 * @param count shards expected, -1: as many as there are.
 * @param allowsEmpty whether there may be none.
 * @returns one list of shards an index, in the order of `tensors`; or what OVMS 2026.2.1 answers when they cannot be split.
 */
export function splitTensors(
  tensors: readonly Tensor[],
  count: number,
  allowsEmpty: boolean,
): Tensor[][] | ServingError {
  const fault = splitFault(tensors, count, allowsEmpty);
  if (fault !== null) return fault;
  const shards = tensors[0]!.shape[0]!;
  if (shards > 0) for (const tensor of tensors) tensor.retain(shards);
  return Array.from({ length: shards }, (_, index) => tensors.map((tensor) => shardOf(tensor, index)));
}

function shardOf({ precision, shape, lease, start, byteLength }: Tensor, index: number): Tensor {
  return new Tensor(precision, shape.slice(1), lease, start + (byteLength / shape[0]!) * index);
}

function splitFault(tensors: readonly Tensor[], count: number, allowsEmpty: boolean): ServingError | null {
  const [first] = tensors;
  const shards = first?.shape[0] ?? 0;
  for (const { precision, shape } of tensors) {
    const received = `received ${formatShape(shape)}`;
    if (precision === 'STRING') return new ServingError('DEMULTIPLY_STRING');
    if (shape.length < SMALLEST_RANK)
      return new ServingError('DEMULTIPLY_WRONG_RANK', `expected ${SMALLEST_RANK} at least, ${received}`);
    const expected = count === -1 ? shards : count;
    if (shape[0] !== expected)
      return new ServingError('DEMULTIPLY_WRONG_SIZE', `expected ${expected} shards, ${received}`);
  }
  if (shards > MOST_SHARDS)
    return new ServingError('DEMULTIPLY_TOO_LARGE', `expected at most ${MOST_SHARDS}, received ${shards}`);
  return shards === 0 && !allowsEmpty ? new ServingError('NO_CONTENT') : null;
}

/**
 * Joins shards of one shape and precision in a new region, under leading dimensions of the given sizes: the one copy of a gather.
 *
 * @param sizes outermost first; -1 where the shards of one demultiplexer are not equally many everywhere.
 * @param info one shard: what an empty result looks like, with 0 for the dimensions that only a shard would have told.
 */
export function gatherTensors(
  shards: readonly Tensor[],
  sizes: readonly number[],
  info: TensorInfo,
  arena: Arena,
): Tensor | ServingError {
  const [first] = shards;
  if (first === undefined) return emptyTensor(sizes, info, arena);
  if (sizes.includes(-1))
    return new ServingError('GATHER_SHARDS_DIFFER', 'the demultiplexers inside gave different numbers of shards');
  const odd = shards.find(({ precision, shape }) => precision !== first.precision || !sameShape(shape, first.shape));
  if (odd !== undefined)
    return new ServingError('GATHER_SHARDS_DIFFER', `${formatShape(first.shape)} and ${formatShape(odd.shape)}`);
  try {
    return new Tensor(first.precision, [...sizes, ...first.shape], copyTogether(shards, arena, 'gather'));
  } catch (error) {
    return new ServingError('OUT_OF_MEMORY', String(error), { cause: error });
  }
}

function emptyTensor(sizes: readonly number[], { precision, shape }: TensorInfo, arena: Arena): Tensor {
  const shard = shape.map(({ min, max }) => (min === max ? min : 0));
  return new Tensor(precision, [...sizes, ...shard], arena.lease(0));
}

function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}
