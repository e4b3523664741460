import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { contains, convexHull, cornersOf, smallestRectangle, type Rectangle } from '#nodes/ocr/geometry.js';
import { turned } from './drawing.js';

function assertClose(actual: Rectangle, expected: Rectangle): void {
  const numbers = ({ centre, right, width, height }: Rectangle) => [
    centre.x,
    centre.y,
    right.x,
    right.y,
    width,
    height,
  ];
  const [have, want] = [numbers(actual), numbers(expected)];
  have.forEach((value, index) =>
    assert.ok(Math.abs(value - want[index]!) < 1e-6, `${have.join()} is not ${want.join()}`),
  );
}

test('geometry: corners go from the top left clockwise', () => {
  const corners = cornersOf({ centre: { x: 5, y: 3 }, right: { x: 1, y: 0 }, width: 4, height: 2 });
  assert.deepEqual(
    corners.map(({ x, y }) => [x, y]),
    [
      [3, 2],
      [7, 2],
      [7, 4],
      [3, 4],
    ],
  );
});

test('geometry: the hull leaves out what is inside and on edges', () => {
  const square = [0, 2, 4].flatMap((x) => [0, 2, 4].map((y) => ({ x, y })));
  assert.deepEqual(new Set(convexHull(square).map(({ x, y }) => `${x},${y}`)), new Set(['0,0', '4,0', '4,4', '0,4']));
});

test('geometry: the smallest rectangle of a turned rectangle is that rectangle', () => {
  for (const degrees of [-44, -8, 0, 3, 30, 44]) {
    const rectangle = turned(50, 40, 30, 7, degrees);
    assertClose(smallestRectangle(cornersOf(rectangle)), rectangle);
  }
});

test('geometry: a side never leans more than 45 degrees, so that a steep line is a high rectangle', () => {
  assertClose(smallestRectangle(cornersOf(turned(0, 0, 30, 7, 80))), turned(0, 0, 7, 30, -10));
  assertClose(smallestRectangle(cornersOf(turned(0, 0, 30, 7, 180))), turned(0, 0, 30, 7, 0));
});

test('geometry: one point and a row of points have rectangles without area', () => {
  assertClose(smallestRectangle([{ x: 2, y: 3 }]), turned(2, 3, 0, 0, 0));
  assertClose(smallestRectangle([0, 1, 2].map((x) => ({ x, y: 1 }))), turned(1, 1, 2, 0, 0));
});

test('geometry: the smallest rectangle holds all points and is no larger than the upright one', () => {
  const point = fc.record({ x: fc.integer({ min: 0, max: 50 }), y: fc.integer({ min: 0, max: 50 }) });
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 30 }), (points) => {
      const rectangle = smallestRectangle(points);
      const grown = { ...rectangle, width: rectangle.width + 1e-6, height: rectangle.height + 1e-6 };
      assert.ok(points.every((each) => contains(grown, each)));
      const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
      const upright = (Math.max(...xs) - Math.min(...xs)) * (Math.max(...ys) - Math.min(...ys));
      assert.ok(rectangle.width * rectangle.height <= upright + 1e-6);
    }),
  );
});
