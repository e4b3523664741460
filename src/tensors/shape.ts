import { sizesText } from '../texts.js';

/** A concrete shape: one non-negative integer a dimension. `[]` is a scalar. */
export type Shape = readonly number[];

/** One dimension of a model's port: `min === max` when static, `max === Infinity` when unbounded. */
export interface Dimension {
  readonly min: number;
  readonly max: number;
}

/** Shape of a model's port: dimensions may be ranges. The rank is always known. */
export type PartialShape = readonly Dimension[];

export const ANY_DIMENSION: Dimension = Object.freeze({ min: 0, max: Infinity });

export function staticDimension(size: number): Dimension {
  return { min: size, max: size };
}

export function isStatic(shape: PartialShape): boolean {
  return shape.every((dimension) => dimension.min === dimension.max);
}

export function accepts(dimension: Dimension, size: number): boolean {
  return size >= dimension.min && size <= dimension.max;
}

/**
 * Number of elements of a concrete shape, 1 for a scalar.
 * @returns `null` when the product leaves the safe integers, which no real tensor reaches.
 */
export function elementCount(shape: Shape): number | null {
  if (shape.includes(0)) return 0;
  let count = 1;
  for (const size of shape) {
    count *= size;
    if (count > Number.MAX_SAFE_INTEGER) return null;
  }
  return count;
}

/** `(1,3,224,224)`, as OVMS 2026.2.1 prints shapes in errors and logs; shortened beyond 32 dimensions, and so no key. */
export function formatShape(shape: Shape): string {
  return `(${sizesText(shape)})`;
}

/** `(1,3,[200~500],-1)`: ranges in brackets, unbounded dimensions as -1 (as OVMS 2026.2.1). */
export function formatPartialShape(shape: PartialShape): string {
  return `(${sizesText(shape, formatDimension)})`;
}

export function formatDimension({ min, max }: Dimension): string {
  if (min === max) return String(min);
  return max === Infinity ? '-1' : `[${min}~${max}]`;
}

/** Sizes as metadata shows them: whatever is not fixed is -1 (as OVMS 2026.2.1). */
export function metadataDimensions(shape: PartialShape): number[] {
  return shape.map(({ min, max }) => (min === max ? min : -1));
}
