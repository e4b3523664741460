import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commonWidth, crop } from '#nodes/ocr/crop.js';
import { cornersOf, type Corners } from '#nodes/ocr/geometry.js';
import { pictureOf, type Picture } from '#nodes/ocr/picture.js';
import { turned, uprightBox } from './drawing.js';

const SETTINGS = { height: 48, leastWidth: 320, mostWidth: 1000 };

/** Blue is the column, green the row, red 255. */
function gradient(width: number, height: number): Picture {
  const pixels = Uint8Array.from({ length: 3 * width * height }, (_, at) => {
    const pixel = Math.floor(at / 3);
    return [pixel % width, Math.floor(pixel / width), 255][at % 3]!;
  });
  return { width, height, pixels };
}

/** The crop's colours as bytes again, one list of [blue, green] a row. */
function cropped(picture: Picture, box: Corners, width: number, height: number): (readonly [number, number])[][] {
  const values = new Float32Array(3 * width * height);
  crop(picture, box, values, width, height);
  const byte = (value: number): number => Math.round((value + 1) * 127.5 * 100) / 100;
  return Array.from({ length: height }, (_, row) =>
    Array.from({ length: width }, (_, column) => {
      const at = row * width + column;
      return [byte(values[at]!), byte(values[width * height + at]!)] as const;
    }),
  );
}

test("crop: a box of the crop's own size is copied pixel by pixel", () => {
  const rows = cropped(gradient(20, 20), uprightBox(5, 3, 4, 2), 4, 2);
  assert.deepEqual(rows, [
    [
      [5, 3],
      [6, 3],
      [7, 3],
      [8, 3],
    ],
    [
      [5, 4],
      [6, 4],
      [7, 4],
      [8, 4],
    ],
  ]);
});

test('crop: enlarged by interpolation, reduced by averaging', () => {
  assert.deepEqual(
    cropped(gradient(20, 20), uprightBox(5, 3, 2, 1), 4, 2)[0]!.map(([blue]) => blue),
    [4.75, 5.25, 5.75, 6.25],
  );
  assert.deepEqual(
    cropped(gradient(20, 20), uprightBox(4, 4, 8, 4), 4, 2)[0]!.map(([blue]) => blue),
    [4.5, 6.5, 8.5, 10.5],
  );
});

test('crop: a turned box is levelled', () => {
  const [row] = cropped(gradient(100, 100), cornersOf(turned(50, 50, 20, 10, 45)), 20, 10);
  const [first, last] = [row![0]!, row!.at(-1)!];
  // Half a pixel inside the corners: along the box both colours grow alike.
  const growth = 19 * Math.SQRT1_2;
  assert.ok(Math.abs(last[0] - first[0] - growth) < 0.02 && Math.abs(last[1] - first[1] - growth) < 0.02);
});

test('crop: a column is turned to the left, its top becomes the beginning', () => {
  const rows = cropped(gradient(20, 20), uprightBox(5, 3, 2, 4), 4, 2);
  assert.deepEqual(rows, [
    [
      [6, 3],
      [6, 4],
      [6, 5],
      [6, 6],
    ],
    [
      [5, 3],
      [5, 4],
      [5, 5],
      [5, 6],
    ],
  ]);
});

test('crop: outside of the picture is the nearest colour', () => {
  assert.deepEqual(
    cropped(gradient(20, 20), uprightBox(-2, -1, 4, 2), 4, 2)[0]!.map(([blue]) => blue),
    [0, 0, 0, 1],
  );
});

test('crop: what is right of a short text stays as it is', () => {
  const values = new Float32Array(3 * 8 * 2);
  crop(gradient(20, 20), uprightBox(5, 3, 4, 2), values, 8, 2);
  assert.deepEqual(Array.from(values.subarray(4, 8)), [0, 0, 0, 0]);
  assert.ok(values.subarray(0, 4).every((value) => value !== 0));
});

test('crop: all share the width of the widest, in steps, within bounds', () => {
  assert.equal(commonWidth([], SETTINGS), 320);
  assert.equal(commonWidth([uprightBox(0, 0, 30, 10)], SETTINGS), 320);
  assert.equal(commonWidth([uprightBox(0, 0, 30, 10), uprightBox(0, 0, 100, 10)], SETTINGS), 480);
  assert.equal(commonWidth([uprightBox(0, 0, 101, 10)], SETTINGS), 512);
  assert.equal(commonWidth([uprightBox(0, 0, 1000, 10)], SETTINGS), 1000);
});

test('picture: one without pixels is refused', () => {
  assert.throws(() => pictureOf({ shape: [1, 0, 5, 3], data: new Uint8Array(0) }), {
    message: 'expected a picture with pixels, received shape (1,0,5,3)',
  });
});
