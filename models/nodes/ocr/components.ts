import type { Point } from './geometry.js';

/** One connected part of a mask, by the leftmost and rightmost pixel of each of its rows: all that its hull needs. */
export interface Component {
  /** Centres of these pixels. */
  readonly outline: readonly Point[];
  /** Pixels in it. */
  readonly size: number;
}

/** A mask of `width` times `height` bytes, 1 where something is. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly bits: Uint8Array;
}

/**
 * Where a map of probabilities exceeds `threshold`, widened by one pixel to the right and down, which joins letters that almost
 * touch (PP-OCR widens with a kernel of 2 x 2).
 */
export function threshold(map: Float32Array, width: number, height: number, least: number): Mask {
  const bits = new Uint8Array(width * height);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const at = row * width + column;
      if (map[at]! <= least) continue;
      bits[at] = 1;
      const inRow = column + 1 < width;
      if (inRow) bits[at + 1] = 1;
      if (row + 1 >= height) continue;
      bits[at + width] = 1;
      if (inRow) bits[at + width + 1] = 1;
    }
  }
  return { width, height, bits };
}

/** The parts of a mask that touch by edge or corner, in the order in which rows from the top meet them. Empties the mask. */
export function* components(mask: Mask): Generator<Component> {
  const { bits } = mask;
  const queue = new Int32Array(bits.length);
  for (let start = 0; start < bits.length; start += 1) {
    if (bits[start] === 0) continue;
    const size = fill(mask, start, queue);
    yield { outline: outlineOf(queue.subarray(0, size), mask.width), size };
  }
}

/** Takes the part around `start` out of the mask and lists its pixels at the beginning of `queue`. @returns how many they are. */
function fill({ width, height, bits }: Mask, start: number, queue: Int32Array): number {
  let size = 1;
  queue[0] = start;
  bits[start] = 0;
  for (let next = 0; next < size; next += 1) {
    const row = Math.floor(queue[next]! / width);
    const column = queue[next]! - row * width;
    for (let y = Math.max(row - 1, 0); y <= Math.min(row + 1, height - 1); y += 1) {
      for (let x = Math.max(column - 1, 0); x <= Math.min(column + 1, width - 1); x += 1) {
        const at = y * width + x;
        if (bits[at] === 0) continue;
        bits[at] = 0;
        queue[size] = at;
        size += 1;
      }
    }
  }
  return size;
}

function outlineOf(pixels: Int32Array, width: number): Point[] {
  const rows = new Map<number, { left: number; right: number }>();
  for (const pixel of pixels) {
    const row = Math.floor(pixel / width);
    const column = pixel - row * width;
    const ends = rows.get(row);
    if (ends === undefined) rows.set(row, { left: column, right: column });
    else if (column < ends.left) ends.left = column;
    else if (column > ends.right) ends.right = column;
  }
  return [...rows].flatMap(([row, { left, right }]) => [
    { x: left + 0.5, y: row + 0.5 },
    { x: right + 0.5, y: row + 0.5 },
  ]);
}
