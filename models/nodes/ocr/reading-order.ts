import type { Corners, Point } from './geometry.js';

/**
 * Boxes as a page is read: lines from the top down, boxes of a line from the left. A box is on the line of another when its centre
 * is no further below than half of the other's height.
 */
export function inReadingOrder(boxes: readonly Corners[]): Corners[] {
  const lines: { readonly reach: number; readonly boxes: Corners[] }[] = [];
  for (const box of [...boxes].sort((a, b) => centreOf(a).y - centreOf(b).y)) {
    const line = lines.at(-1);
    const { y } = centreOf(box);
    if (line !== undefined && y <= line.reach) line.boxes.push(box);
    else lines.push({ reach: y + heightOf(box) / 2, boxes: [box] });
  }
  return lines.flatMap((line) => line.boxes.sort((a, b) => centreOf(a).x - centreOf(b).x));
}

function centreOf([topLeft, , bottomRight]: Corners): Point {
  return { x: (topLeft.x + bottomRight.x) / 2, y: (topLeft.y + bottomRight.y) / 2 };
}

function heightOf([topLeft, , , bottomLeft]: Corners): number {
  return Math.hypot(bottomLeft.x - topLeft.x, bottomLeft.y - topLeft.y);
}
