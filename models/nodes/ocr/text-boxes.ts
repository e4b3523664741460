import { components, threshold } from './components.js';
import { contains, cornersOf, smallestRectangle, type Rectangle } from './geometry.js';

/** A map of probabilities, row by row: how likely each pixel belongs to the core of a text line. */
export interface TextMap {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** How boxes are taken from a map; the names in config.json are those of PP-OCR. */
export interface BoxSettings {
  /** Probability from which on a pixel is text. */
  readonly threshold: number;
  /** Least mean probability inside a box. */
  readonly boxThreshold: number;
  /** How far a box is widened: the network marks only the core of a line. */
  readonly unclipRatio: number;
  readonly mostBoxes: number;
}

/** Sides of the core of a line and of its box, below which it is noise (as PP-OCR). */
const SHORTEST_CORE = 3;
const SHORTEST_BOX = 5;

/** Boxes of text lines, in pixels of the map. The order is that of the map; the result is the same on every machine. */
export function textBoxes(map: TextMap, settings: BoxSettings): Rectangle[] {
  const boxes: Rectangle[] = [];
  for (const { outline } of components(threshold(map.values, map.width, map.height, settings.threshold))) {
    const core = smallestRectangle(outline);
    if (shorterSide(core) < SHORTEST_CORE || meanInside(map, core) < settings.boxThreshold) continue;
    const box = unclip(core, settings.unclipRatio);
    if (shorterSide(box) < SHORTEST_BOX) continue;
    boxes.push(box);
    if (boxes.length === settings.mostBoxes) break;
  }
  return boxes;
}

/** Widens a rectangle on all sides by area * ratio / perimeter, the inverse of how the network's training data was shrunk. */
export function unclip(rectangle: Rectangle, ratio: number): Rectangle {
  const { width, height } = rectangle;
  const margin = (width * height * ratio) / (2 * (width + height));
  return { ...rectangle, width: width + 2 * margin, height: height + 2 * margin };
}

/** Mean probability of the pixels whose centre is in a rectangle. */
export function meanInside({ width, height, values }: TextMap, rectangle: Rectangle): number {
  const corners = cornersOf(rectangle);
  const [left, right] = pixelRange(
    corners.map(({ x }) => x),
    width,
  );
  const [top, bottom] = pixelRange(
    corners.map(({ y }) => y),
    height,
  );
  let sum = 0;
  let count = 0;
  for (let row = top; row < bottom; row += 1) {
    for (let column = left; column < right; column += 1) {
      if (!contains(rectangle, { x: column + 0.5, y: row + 0.5 })) continue;
      sum += values[row * width + column]!;
      count += 1;
    }
  }
  return count === 0 ? 0 : sum / count;
}

/** The pixels that `places` span, as far as they are among the first `size`. */
function pixelRange(places: readonly number[], size: number): [number, number] {
  return [Math.max(0, Math.floor(Math.min(...places))), Math.min(size, Math.ceil(Math.max(...places)))];
}

function shorterSide({ width, height }: Rectangle): number {
  return Math.min(width, height);
}
