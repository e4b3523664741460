import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resizeBytes, resizeNumbers } from '#src/tensors/resize.js';
import { somePixels } from '../../helpers/pictures.js';

/** What `cv2.resize` 4.14 gives, without IPP, for the pixels of `somePixels(height, width, channels)`. */
const BYTES = [
  {
    from: [3, 4, 1],
    to: [5, 7],
    expected: [
      101, 114, 135, 156, 178, 199, 212, 160, 138, 101, 115, 136, 158, 171, 249, 173, 50, 54, 75, 96, 109, 187, 165,
      128, 142, 153, 88, 47, 146, 159, 180, 201, 205, 82, 6,
    ],
  },
  {
    from: [5, 7, 3],
    to: [2, 3],
    expected: [193, 104, 100, 201, 238, 24, 125, 162, 74, 86, 123, 139, 10, 47, 84, 185, 55, 92],
  },
  { from: [4, 4, 1], to: [2, 2], expected: [131, 142, 113, 124] },
  { from: [1, 2, 1], to: [1, 5], expected: [101, 105, 120, 134, 138] },
] as const;

for (const { from, to, expected } of BYTES) {
  test(`resize: 8-bit pixels of ${from.join('x')} to ${to.join('x')} are those of OpenCV`, () => {
    const [height, width, channels] = from;
    const target = new Uint8Array(expected.length);
    resizeBytes(somePixels(height, width, channels), { height: to[0], width: to[1] }, target);
    assert.deepEqual([...target], expected);
  });
}

const SMALL = somePixels(3, 4, 1);
const SIZE = { height: 2, width: 3 };

test('resize: floating point is that of OpenCV in the precision of each', () => {
  const single = new Float32Array(6);
  resizeNumbers(SMALL, SIZE, 'FP32', single);
  const expected = [133.70833114907146, 130.75, 180.08333039283752, 167.45833064615726, 164.5, 56.95834535360336];
  single.forEach((value, at) => assert.ok(Math.abs(value - expected[at]!) < 3e-5, `${value} at ${at}`));
  const double = new Float64Array(6);
  resizeNumbers(SMALL, SIZE, 'FP64', double);
  assert.deepEqual([...double], expected);
});

test('resize: integers of more than 8 bits are rounded, ties to even', () => {
  const target = new Int16Array(6);
  resizeNumbers(SMALL, SIZE, 'I16', target);
  assert.deepEqual([...target], [134, 131, 180, 167, 164, 57]);
  const wide = { ...SMALL, elements: Uint16Array.from(SMALL.elements, (value) => value * 200) };
  const wideTarget = new Uint16Array(6);
  resizeNumbers(wide, SIZE, 'U16', wideTarget);
  assert.deepEqual([...wideTarget], [26742, 26150, 36017, 33492, 32900, 11392]);
});

test('resize: halves are rounded once', () => {
  const target = new Uint16Array(1);
  resizeNumbers(
    { height: 1, width: 2, channels: 1, elements: Uint8Array.of(1, 2) },
    { height: 1, width: 1 },
    'FP16',
    target,
  );
  assert.deepEqual([...target], [0x3e00]);
});

test('resize: one pixel fills any size', () => {
  const target = new Uint8Array(27);
  resizeBytes({ height: 1, width: 1, channels: 3, elements: Uint8Array.of(3, 2, 1) }, { height: 3, width: 3 }, target);
  assert.deepEqual([...target], Array<number[]>(9).fill([3, 2, 1]).flat());
});
