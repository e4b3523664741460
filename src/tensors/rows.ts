import type { Arena } from './arena.js';
import { copyTogether } from './copy-together.js';
import { Tensor } from './tensor.js';

/**
 * Joins tensors of one precision that differ in their first dimension alone, in their order. They are copied once into a new region,
 * unless they lie one behind the other in one lease, as the shards of a demultiplexer do: then the result is a view of it. A single
 * tensor is the result itself, and need not have rows.
 *
 * @param parts at least one; they keep their uses.
 * @returns with one use of its own.
 * @throws when memory cannot be had
 */
export function joinRows(parts: readonly Tensor[], arena: Arena): Tensor {
  const first = parts[0]!;
  if (parts.length === 1) {
    first.retain(1);
    return first;
  }
  const rows = parts.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const shape = [rows, ...first.shape.slice(1)];
  if (lieTogether(parts)) {
    first.retain(1);
    return new Tensor(first.precision, shape, first.lease, first.start);
  }
  return new Tensor(first.precision, shape, copyTogether(parts, arena, 'batch'));
}

/** Some rows of a tensor that has rows: a view that shares its lease, without a use of its own. */
export function viewRows({ precision, shape, lease, start, byteLength }: Tensor, first: number, rows: number): Tensor {
  return new Tensor(precision, [rows, ...shape.slice(1)], lease, start + (byteLength / shape[0]!) * first);
}

function lieTogether(parts: readonly Tensor[]): boolean {
  const { lease, start } = parts[0]!;
  let next = start;
  for (const part of parts) {
    if (part.lease !== lease || part.start !== next) return false;
    next += part.byteLength;
  }
  return true;
}
