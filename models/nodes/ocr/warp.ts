import type { Point } from './geometry.js';
import { addColour, normalised, type Picture, type Planes } from './picture.js';

/** A parallelogram by three of its corners: where the top left, top right and bottom left of what is drawn come from. */
export interface Frame {
  readonly topLeft: Point;
  readonly topRight: Point;
  readonly bottomLeft: Point;
}

/** Where the parts of one drawn pixel come from: steps in the picture, and how many samples are averaged each way. */
interface Grid {
  readonly right: Point;
  readonly down: Point;
  readonly across: number;
  readonly along: number;
}

/**
 * Draws the part of a picture inside `frame` into the left `width` columns of `planes`, over their full height. Where several
 * pixels of the picture fall on one, they are averaged, so that fine strokes do not vanish.
 */
export function warp(picture: Picture, frame: Frame, planes: Planes, width: number): void {
  const { height, values } = planes;
  const grid = gridOf(frame, width, height);
  const planeSize = planes.width * height;
  const colour = new Float64Array(3);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      average(picture, frame.topLeft, grid, column, row, colour);
      const at = row * planes.width + column;
      for (let channel = 0; channel < 3; channel += 1) values[channel * planeSize + at] = normalised(colour[channel]!);
    }
  }
}

function gridOf({ topLeft, topRight, bottomLeft }: Frame, width: number, height: number): Grid {
  const right = { x: (topRight.x - topLeft.x) / width, y: (topRight.y - topLeft.y) / width };
  const down = { x: (bottomLeft.x - topLeft.x) / height, y: (bottomLeft.y - topLeft.y) / height };
  return { right, down, across: samples(right), along: samples(down) };
}

function samples({ x, y }: Point): number {
  return Math.max(1, Math.round(Math.hypot(x, y)));
}

function average(picture: Picture, origin: Point, grid: Grid, column: number, row: number, colour: Float64Array): void {
  const { right, down, across, along } = grid;
  colour.fill(0);
  for (let i = 0; i < along; i += 1) {
    for (let j = 0; j < across; j += 1) {
      const u = column + (j + 0.5) / across;
      const v = row + (i + 0.5) / along;
      const x = origin.x + u * right.x + v * down.x;
      const y = origin.y + u * right.y + v * down.y;
      addColour(picture, x, y, 1 / (across * along), colour);
    }
  }
}
