import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Rectangle } from '#nodes/ocr/geometry.js';
import { meanInside, textBoxes, unclip, type BoxSettings } from '#nodes/ocr/text-boxes.js';
import { mapOf, turned } from './drawing.js';

const SETTINGS: BoxSettings = { threshold: 0.3, boxThreshold: 0.5, unclipRatio: 1.6, mostBoxes: 1000 };

/** Within four pixels: a drawn rectangle has whole pixels, the mask is widened by one, and so are the margins by a part. */
function assertNear(actual: Rectangle, expected: Rectangle): void {
  for (const [have, want] of [
    [actual.centre.x, expected.centre.x],
    [actual.centre.y, expected.centre.y],
    [actual.width, expected.width],
    [actual.height, expected.height],
  ] as const) {
    assert.ok(Math.abs(have - want) < 4, `${JSON.stringify(actual)} is not near ${JSON.stringify(expected)}`);
  }
  assert.ok(
    Math.abs(Math.atan2(actual.right.y, actual.right.x) - Math.atan2(expected.right.y, expected.right.x)) < 0.03,
  );
}

test('text boxes: a box a line, widened as the training data was narrowed', () => {
  const cores = [turned(100, 40, 120, 16, 0), turned(150, 90, 200, 20, 0)];
  const boxes = textBoxes(mapOf(300, 120, cores), SETTINGS);
  assert.equal(boxes.length, 2);
  boxes.forEach((box, index) => assertNear(box, unclip(cores[index]!, 1.6)));
});

test('text boxes: a turned line has a turned box', () => {
  for (const degrees of [-20, -8, 8, 30]) {
    const core = turned(150, 150, 180, 24, degrees);
    const [box] = textBoxes(mapOf(300, 300, [core]), SETTINGS);
    assertNear(box!, unclip(core, 1.6));
  }
});

test('text boxes: widened by area times ratio over perimeter on every side', () => {
  assert.deepEqual(unclip(turned(0, 0, 30, 10, 0), 2), turned(0, 0, 45, 25, 0));
});

test('text boxes: specks, faint lines and an empty map have none', () => {
  assert.deepEqual(textBoxes(mapOf(60, 60, [turned(30, 30, 40, 2, 0)]), SETTINGS), []);
  assert.deepEqual(textBoxes(mapOf(60, 60, [turned(30, 30, 40, 10, 0)], 0.45), SETTINGS), []);
  assert.deepEqual(textBoxes(mapOf(60, 60, []), SETTINGS), []);
});

test('text boxes: no more than asked for', () => {
  const cores = [20, 50, 80].map((y) => turned(50, y, 60, 10, 0));
  assert.equal(textBoxes(mapOf(100, 100, cores), { ...SETTINGS, mostBoxes: 2 }).length, 2);
});

test('text boxes: the mean counts the pixels inside only, and those inside the map only', () => {
  const core = turned(10, 10, 8, 4, 0);
  const map = mapOf(20, 20, [core], 0.75);
  assert.equal(meanInside(map, core), 0.75);
  assert.equal(meanInside(map, turned(10, 10, 16, 4, 0)), 0.375);
  assert.equal(meanInside(map, turned(-50, 10, 8, 4, 0)), 0);
});
