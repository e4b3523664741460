import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inReadingOrder } from '#nodes/ocr/reading-order.js';
import { uprightBox } from './drawing.js';

test('reading order: lines from the top, boxes of a line from the left though they are not level', () => {
  const [left, right, below] = [uprightBox(10, 14, 50, 20), uprightBox(100, 8, 50, 20), uprightBox(5, 40, 50, 20)];
  assert.deepEqual(inReadingOrder([below, right, left]), [left, right, below]);
});

test('reading order: small lines that touch stay lines', () => {
  const boxes = [0, 12, 24].map((top) => uprightBox(100 - top, top, 50, 12));
  assert.deepEqual(inReadingOrder([...boxes].reverse()), boxes);
});
