import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPnm } from '#src/blocking/pnm.js';
import type { Picture } from '#src/tensors/picture.js';
import { covers } from '../../contract/covers.js';
import { pnm } from '../../helpers/bitmaps.js';
import { somePixels } from '../../helpers/pictures.js';

function read(...parts: readonly (string | readonly number[])[]): Picture {
  const encoded = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  const { shape, read: readPicture } = openPnm(encoded);
  const picture = readPicture() as Picture;
  const { height, width, channels } = picture;
  assert.deepEqual({ height, width, channels }, shape);
  return picture;
}

for (const channels of [1, 3] as const) {
  test(`pnm: binary samples of ${channels} channels are left as they are`, () => {
    covers('pictures.formats', 'pictures.unchanged');
    const pixels = somePixels(3, 5, channels);
    const picture = openPnm(pnm(pixels));
    assert.deepEqual(picture.shape, { height: 3, width: 5, channels });
    assert.deepEqual((picture.read() as Picture).elements, pixels.elements);
  });
}

test('pnm: samples in text are stretched to 255, and those too large are the largest', () => {
  covers('pictures.formats');
  assert.deepEqual([...read('P2 2 2 3\n0 1\n2 9').elements], [0, 85, 170, 255]);
  assert.deepEqual([...read('P3#1\n1 # width\n#\n1\r\n15 ', '15 5 0').elements], [255, 85, 0]);
});

test('pnm: bits are black where they are set, in text and in binary', () => {
  covers('pictures.formats');
  assert.deepEqual([...read('P1\n3 2\n101\n0 1 0').elements], [0, 255, 0, 255, 0, 255]);
  assert.deepEqual([...read('P4 9 1\n', [0b1000_0001, 0b1000_0000]).elements], [0, 255, 255, 255, 255, 255, 255, 0, 0]);
});

test('pnm: a comment ends with its line, however lines end', () => {
  covers('pictures.opencv');
  assert.deepEqual([...read('P2\r2 1 #x\r255\r', '7 8 ').elements], [7, 8]);
});

test('pnm: samples above 255 have 16 bits', () => {
  covers('pictures.unchanged');
  for (const picture of [read('P5 2 1 1000\n', [1, 0, 3, 232]), read('P2 2 1 1000 256 1000')]) {
    assert.ok(picture.elements instanceof Uint16Array);
    assert.deepEqual([...picture.elements], [256, 1000]);
  }
});

const WRONG: readonly [string, string, RegExp][] = [
  ['another kind', 'P7 1 1', /^expected P1 to P6$/],
  ['no sizes', 'P5', /^expected a digit at byte 2$/],
  ['a size that is no number', 'P5 1 x 255 a', /^expected a digit at byte 5$/],
  ['no rows', 'P5 1 0 255 ', /^expected 1 to 268402689 pixels/],
  ['a size beyond all numbers', `P5 ${'9'.repeat(400)} 1 255 `, /^expected 1 to 268402689 pixels/],
  ['no largest sample', 'P5 1 1 0 a', /^expected a largest sample of 1 to 65535, received 0$/],
  ['a largest sample beyond 16 bits', 'P5 1 1 65536 a', /received 65536$/],
  ['too few binary samples', 'P6 2 1 255 abcde', /^the samples end before the last of them$/],
  ['too few samples of 16 bits', 'P5 2 1 256 abc', /^the samples end before the last of them$/],
  ['too few bits', 'P4 9 2\nabc', /^the samples end before the last of them$/],
  ['more samples than there is text', 'P2 16000 16000 255 1 2 3', /^the samples end before the last of them$/],
  ['a sample that is no number', 'P2 2 1 255 1 x   ', /^expected a digit at byte 13$/],
  ['a comment without an end', 'P2 1 1 255 #    ', /^expected a digit at byte 16$/],
];

for (const [what, text, message] of WRONG) {
  test(`pnm: ${what} is refused`, () => {
    assert.throws(() => read(text), { message });
  });
}
