import type { Dimension, PartialShape as PartialShapeInterface } from './api.js';

/** `[min, max]` a dimension, max -1 when unbounded; `null` when not even the rank is known. */
export type DimensionRanges = readonly (readonly [number, number])[] | null;

const UNBOUNDED = -1;

/** A shape whose dimensions may be ranges, in OpenVINO's notation: `[1,?,2..5,3..]`, `[...]` for an unknown rank. */
export class PartialShape implements PartialShapeInterface {
  readonly #dimensions: DimensionRanges;

  /** @throws Error that names the dimension that cannot be read */
  constructor(shape: string | DimensionRanges = '') {
    this.#dimensions = typeof shape === 'string' ? parse(shape) : shape;
  }

  isStatic(): boolean {
    return this.#dimensions?.every(([min, max]) => min === max) ?? false;
  }

  isDynamic(): boolean {
    return !this.isStatic();
  }

  /** A number for a fixed size, -1 for one without an upper bound, else `[min, max]` (as openvino-node 2026.4). */
  getDimensions(): Dimension[] {
    if (this.#dimensions === null) throw new Error('the rank of the shape is not known');
    return this.#dimensions.map(([min, max]) => (min === max || max === UNBOUNDED ? max : [min, max]));
  }

  toString(): string {
    return `[${this.#dimensions?.map(formatDimension).join(',') ?? '...'}]`;
  }
}

function formatDimension([min, max]: readonly [number, number]): string {
  if (min === max) return String(min);
  if (min === 0 && max === UNBOUNDED) return '?';
  return `${min > 0 ? min : ''}..${max === UNBOUNDED ? '' : max}`;
}

function parse(text: string): DimensionRanges {
  const list = /^\s*\[(.*)\]\s*$/.exec(text)?.[1] ?? text;
  if (list.trim() === '...') return null;
  return list.trim() === '' ? [] : list.split(',').map((dimension) => parseDimension(dimension.trim(), text));
}

function parseDimension(dimension: string, shape: string): readonly [number, number] {
  if (dimension === '?' || dimension === '-1') return [0, UNBOUNDED];
  const [, lower, range, upper] = /^(\d*)(\.\.)?(\d*)$/.exec(dimension) ?? [];
  const min = Number(lower);
  const max = range === undefined ? min : upper === '' ? UNBOUNDED : Number(upper);
  if (dimension === '' || lower === undefined || (max !== UNBOUNDED && max < min)) {
    throw new Error(`shape: expected sizes like 3, ?, 1..3 or 2.., received "${dimension}" in "${shape}"`);
  }
  return [min, max];
}
