/** Point of a picture in pixels; the pixel in the corner spans 0 to 1 both ways. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A rectangle at any angle. `right` is the unit vector along its width, less than 45 degrees off the horizontal. */
export interface Rectangle {
  readonly centre: Point;
  readonly right: Point;
  readonly width: number;
  readonly height: number;
}

/** Top left, top right, bottom right, bottom left. */
export type Corners = readonly [Point, Point, Point, Point];

export function cornersOf({ centre, right, width, height }: Rectangle): Corners {
  const corner = (across: number, along: number): Point => ({
    x: centre.x + across * width * right.x - along * height * right.y,
    y: centre.y + across * width * right.y + along * height * right.x,
  });
  return [corner(-0.5, -0.5), corner(0.5, -0.5), corner(0.5, 0.5), corner(-0.5, 0.5)];
}

export function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/** Whether a point lies in a rectangle, edges included. */
export function contains({ centre, right, width, height }: Rectangle, { x, y }: Point): boolean {
  const dx = x - centre.x;
  const dy = y - centre.y;
  return Math.abs(dx * right.x + dy * right.y) <= width / 2 && Math.abs(dy * right.x - dx * right.y) <= height / 2;
}

/** The convex hull of points, without points on its edges, in turning order (Andrew's monotone chain). */
export function convexHull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a.x - b.x || a.y - b.y);
  if (sorted.length < 3) return sorted;
  return [...halfHull(sorted), ...halfHull(sorted.reverse())];
}

/** One side of the hull, without its last point, which begins the other side. */
function halfHull(sorted: readonly Point[]): Point[] {
  const hull: Point[] = [];
  for (const point of sorted) {
    while (hull.length > 1 && turn(hull.at(-2)!, hull.at(-1)!, point) <= 0) hull.pop();
    hull.push(point);
  }
  return hull.slice(0, -1);
}

function turn(a: Point, b: Point, c: Point): number {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

/**
 * The rectangle of the least area around points, of which there must be one at least. One of its sides lies on an edge of their
 * hull; of equal ones the first edge of the hull decides.
 */
export function smallestRectangle(points: readonly Point[]): Rectangle {
  const hull = convexHull(points);
  let best = rectangleAlong(hull, { x: 1, y: 0 });
  hull.forEach((point, index) => {
    const next = hull[(index + 1) % hull.length]!;
    const length = distance(point, next);
    if (length === 0) return;
    const candidate = rectangleAlong(
      hull,
      levelled({ x: (next.x - point.x) / length, y: (next.y - point.y) / length }),
    );
    if (candidate.width * candidate.height < best.width * best.height - 1e-9) best = candidate;
  });
  return best;
}

/** Of the four directions of a rectangle's sides the one that is nearest to the right. */
function levelled({ x, y }: Point): Point {
  if (Math.abs(x) >= Math.abs(y)) return x > 0 ? { x, y } : { x: -x, y: -y };
  return y > 0 ? { x: y, y: -x } : { x: -y, y: x };
}

function rectangleAlong(points: readonly Point[], right: Point): Rectangle {
  const [left, width] = extent(points.map(({ x, y }) => x * right.x + y * right.y));
  const [top, height] = extent(points.map(({ x, y }) => y * right.x - x * right.y));
  const across = left + width / 2;
  const along = top + height / 2;
  const centre = { x: across * right.x - along * right.y, y: across * right.y + along * right.x };
  return { centre, right, width, height };
}

/** Least value, and the way from there to the greatest. */
function extent(values: readonly number[]): [number, number] {
  const least = Math.min(...values);
  return [least, Math.max(...values) - least];
}
