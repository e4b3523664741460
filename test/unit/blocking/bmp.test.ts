import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openBmp } from '#src/blocking/bmp.js';
import type { Picture } from '#src/tensors/picture.js';
import { covers } from '../../contract/covers.js';
import { bmp, colorBmp, type Bitmap } from '../../helpers/bitmaps.js';
import { somePixels } from '../../helpers/pictures.js';

const RLE8 = 1;
const RLE4 = 2;
const BIT_FIELDS = 3;

function read(encoded: Uint8Array): Picture {
  const { shape, read: readPicture } = openBmp(encoded);
  const picture = readPicture() as Picture;
  const { height, width, channels } = picture;
  assert.deepEqual({ height, width, channels }, shape);
  return picture;
}

function elementsOf(bitmap: Bitmap): readonly [channels: number, elements: number[]] {
  const { channels, elements } = read(bmp(bitmap));
  return [channels, [...elements]];
}

test('bmp: 24 bits are three channels, red first, whatever pads the rows', () => {
  covers('pictures.formats');
  for (const width of [1, 2, 3, 4, 5]) {
    const pixels = somePixels(3, width, 3);
    const { height, channels, elements } = read(colorBmp(pixels));
    assert.deepEqual({ height, channels, elements }, { height: 3, channels: 3, elements: pixels.elements });
  }
});

test('bmp: a negative height is a picture that begins at the top', () => {
  const pixels = Uint8Array.of(3, 2, 1, 0, 6, 5, 4, 0);
  assert.deepEqual(elementsOf({ width: 1, height: 2, depth: 24, pixels }), [3, [4, 5, 6, 1, 2, 3]]);
  assert.deepEqual(elementsOf({ width: 1, height: -2, depth: 24, pixels }), [3, [1, 2, 3, 4, 5, 6]]);
});

const COLORS = [
  [0, 0, 0],
  [255, 0, 0],
  [1, 2, 3],
] as const;

test('bmp: indices of one, four and eight bits are colours', () => {
  covers('pictures.unchanged');
  const two = COLORS.slice(0, 2);
  const bits = elementsOf({ width: 3, height: 1, depth: 1, palette: two, pixels: Uint8Array.of(0b0100_0000, 0, 0, 0) });
  assert.deepEqual(bits, [3, [0, 0, 0, 255, 0, 0, 0, 0, 0]]);
  const nibbles = { width: 3, height: 1, depth: 4, palette: COLORS, pixels: Uint8Array.of(0x21, 0x00, 0, 0) };
  assert.deepEqual(elementsOf(nibbles), [3, [1, 2, 3, 255, 0, 0, 0, 0, 0]]);
  // The last index has no colour in the file.
  const bytes = { width: 3, height: 1, depth: 8, palette: COLORS, pixels: Uint8Array.of(2, 1, 9, 0) };
  assert.deepEqual(elementsOf(bytes), [3, [1, 2, 3, 255, 0, 0, 0, 0, 0]]);
});

test('bmp: a grey palette makes a grey picture', () => {
  covers('pictures.unchanged');
  const palette = [
    [9, 9, 9],
    [200, 200, 200],
  ] as const;
  const pixels = Uint8Array.of(1, 0, 0, 0);
  assert.deepEqual(elementsOf({ width: 2, height: 1, depth: 8, palette, pixels }), [1, [200, 9]]);
});

test('bmp: runs of indices, literal ones, and what is stepped over', () => {
  const palette = Array.from({ length: 256 }, (_, index) => [index, index, index] as const);
  const runs = Uint8Array.of(2, 7, 0, 3, 4, 5, 6, 0, 0, 0, 1, 8, 0, 2, 2, 0, 2, 9, 0, 1);
  const eight = elementsOf({ width: 5, height: 2, depth: 8, compression: RLE8, palette, pixels: runs });
  assert.deepEqual(eight, [1, [8, 0, 0, 9, 9, 7, 7, 4, 5, 6]]);
  const nibbles = Uint8Array.of(3, 0x12, 0, 3, 0x34, 0x50, 0, 0, 0, 1);
  const four = { width: 6, height: 2, depth: 4, compression: RLE4, palette: palette.slice(0, 16), pixels: nibbles };
  assert.deepEqual(elementsOf(four), [1, [0, 0, 0, 0, 0, 0, 1, 2, 1, 3, 4, 5]]);
});

test('bmp: a run of bytes that fills its row goes on to the next, and an end of row that follows says nothing', () => {
  covers('pictures.opencv');
  const palette = Array.from({ length: 256 }, (_, index) => [index, index, index] as const);
  const bitmap = { width: 2, height: -3, depth: 8, compression: RLE8, palette };
  const read = (...runs: readonly number[]) => elementsOf({ ...bitmap, pixels: Uint8Array.from(runs) })[1];
  assert.deepEqual(read(2, 7, 2, 8, 2, 9), [7, 7, 8, 8, 9, 9]);
  assert.deepEqual(read(2, 7, 0, 0, 2, 8, 0, 0, 2, 9, 0, 1), [7, 7, 8, 8, 9, 9]);
  assert.deepEqual(read(2, 7, 0, 0, 0, 0, 2, 9, 0, 1), [7, 7, 0, 0, 9, 9]);
  assert.deepEqual(read(1, 7, 0, 2, 2, 0, 1, 9, 0, 1), [7, 0, 0, 9, 0, 0]);
});

test('bmp: colours beyond those of the depth are passed over', () => {
  covers('pictures.opencv');
  const pixels = Uint8Array.of(0b0100_0000, 0, 0, 0);
  assert.deepEqual(elementsOf({ width: 2, height: 1, depth: 1, palette: COLORS, pixels }), [3, [0, 0, 0, 255, 0, 0]]);
});

test('bmp: 16 bits are five a colour, or six of green', () => {
  const pixels = Uint8Array.from(new Uint8Array(Uint16Array.of(0b11111_00001_00010, 0b00001_111111_00011).buffer));
  const red = [248, 8, 16];
  assert.deepEqual(elementsOf({ width: 2, height: 1, depth: 16, pixels })[1].slice(0, 3), [248, 8, 16]);
  const masks = [0xf800, 0x7e0, 0x1f];
  const wide = elementsOf({ width: 2, height: 1, depth: 16, compression: BIT_FIELDS, masks, pixels });
  assert.deepEqual([wide[0], wide[1].slice(3)], [3, [8, 252, 24]]);
  const narrow = elementsOf({
    width: 2,
    height: 1,
    depth: 16,
    compression: BIT_FIELDS,
    masks: [0x7c00, 0x3e0, 0x1f],
    pixels,
  });
  assert.deepEqual(narrow[1].slice(0, 3), red);
});

test('bmp: 32 bits are three channels, and four where masks divide them', () => {
  covers('pictures.unchanged');
  const pixels = Uint8Array.of(3, 2, 1, 4);
  assert.deepEqual(elementsOf({ width: 1, height: 1, depth: 32, pixels }), [3, [1, 2, 3]]);
  const masked = { width: 1, height: 1, depth: 32, compression: BIT_FIELDS, pixels };
  const alpha = elementsOf({ ...masked, masks: [0xff0000, 0xff00, 0xff, 0xff000000] });
  assert.deepEqual(alpha, [4, [1, 2, 3, 4]]);
  const nibble = elementsOf({ ...masked, masks: [0xf, 0xf00, 0xff000000, 0] });
  assert.deepEqual(nibble, [4, [51, 34, 4, 255]]);
});

// Expected values are those of OpenCV 4.13.0, cv2.imdecode(..., cv2.IMREAD_UNCHANGED).

test('bmp: the fourth byte is alpha where the header has no mask of it, or a colour has none', () => {
  covers('pictures.opencv');
  const masked = { width: 1, height: 1, depth: 32, compression: BIT_FIELDS, pixels: Uint8Array.of(3, 2, 1, 4) };
  for (const masks of [
    [0xff0000, 0xff00, 0xff],
    [0xff, 0xff00, 0xff0000],
    [0, 0, 0, 0],
    [0xff0000, 0, 0xff, 0],
  ])
    assert.deepEqual(elementsOf({ ...masked, masks }), [4, [1, 2, 3, 4]], masks.join());
});

test('bmp: masks of other widths are stretched in single precision', () => {
  covers('pictures.opencv');
  const pixels = new Uint8Array(Uint32Array.of((1023 << 20) | (512 << 10) | 1).buffer);
  const masks = [0x3ff00000, 0xffc00, 0x3ff, 0];
  const bitmap = { width: 1, height: 1, depth: 32, compression: BIT_FIELDS, pixels, masks };
  assert.deepEqual(elementsOf(bitmap), [4, [255, 127, 0, 255]]);
});

test('bmp: the header of the first Windows makes every picture grey', () => {
  covers('pictures.opencv');
  const head = Buffer.alloc(26 + 6);
  head.write('BM');
  head.writeUInt32LE(head.byteLength, 10);
  head.writeUInt32LE(12, 14);
  head.writeUInt16LE(2, 18);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 24);
  head.set([3, 2, 1, 6, 5, 4], 26);
  const { channels, elements } = read(Buffer.concat([head, Uint8Array.of(0b0100_0000, 0, 0, 0)]));
  assert.deepEqual([channels, [...elements]], [1, [2, 5]]);
});

test('bmp: masks of 16 bits stand behind the header, however long it is', () => {
  covers('pictures.opencv');
  const pixels = new Uint8Array(Uint16Array.of(0b00001_111111_00011, 0).buffer);
  const bitmap = { width: 1, height: 1, depth: 16, compression: BIT_FIELDS, pixels };
  for (const headerBytes of [40, 52, 56, 64, 108, 124]) {
    assert.deepEqual(elementsOf({ ...bitmap, headerBytes, masks: [0xf800, 0x7e0, 0x1f] }), [3, [8, 252, 24]]);
    assert.deepEqual(elementsOf({ ...bitmap, headerBytes, masks: [0x7c00, 0x3e0, 0x1f] }), [3, [24, 248, 24]]);
  }
  for (const headerBytes of [56, 108, 124]) {
    const within = bmp({ ...bitmap, headerBytes, masks: [0xf800, 0x7e0, 0x1f, 0], pixels: new Uint8Array(12) });
    assert.throws(() => read(within), { message: 'masks 0 0 0 are unknown' });
  }
});

test('bmp: a header may end behind its number of colours, and its size has a sign', () => {
  covers('pictures.opencv');
  const bitmap = { width: 2, height: 1, depth: 8, palette: COLORS, pixels: Uint8Array.of(2, 1, 0, 0) };
  assert.deepEqual(elementsOf({ ...bitmap, headerBytes: 36 }), [3, [1, 2, 3, 255, 0, 0]]);
  const color = bmp({ width: 1, height: 1, depth: 24, pixels: Uint8Array.of(3, 2, 1, 0) });
  assert.deepEqual([...read(color).elements], [1, 2, 3]);
  color.writeInt32LE(35, 14);
  assert.throws(() => read(color), { message: 'a header of 35 bytes is unknown' });
  color.writeInt32LE(-40, 14);
  assert.throws(() => read(color), { message: 'a header of -40 bytes is unknown' });
});

test('bmp: the header of the first Windows has no 16 bits', () => {
  covers('pictures.opencv');
  const head = Buffer.alloc(26);
  head.write('BM');
  head.writeUInt32LE(26, 10);
  head.writeUInt32LE(12, 14);
  head.writeUInt16LE(1, 18);
  head.writeUInt16LE(1, 20);
  const of = (depth: number): Buffer => {
    head.writeUInt16LE(depth, 24);
    return Buffer.concat([head, Uint8Array.of(3, 2, 1, 0)]);
  };
  assert.deepEqual([...read(of(24)).elements], [2]);
  assert.throws(() => read(of(16)), { message: 'a header of 12 bytes with 16 bits is unknown' });
});

test('bmp: in runs of nibbles a step goes to the right alone, and an end of the picture ends a row', () => {
  covers('pictures.opencv');
  const palette = Array.from({ length: 16 }, (_, index) => [index, index, index] as const);
  const bitmap = { width: 4, height: -2, depth: 4, compression: RLE4, palette };
  const runs = (...pixels: readonly number[]) => elementsOf({ ...bitmap, pixels: Uint8Array.from(pixels) })[1];
  assert.deepEqual(runs(1, 0x12, 0, 2, 2, 1, 1, 0x34, 0, 0, 2, 0x56, 0, 1), [1, 0, 0, 3, 5, 6, 0, 0]);
  assert.deepEqual(runs(1, 0x12, 0, 2, 5, 0, 2, 0x34, 0, 1), [1, 0, 0, 0, 0, 0, 3, 4]);
  assert.deepEqual(runs(1, 0x12, 0, 1, 2, 0x34, 0, 1), [1, 0, 0, 0, 3, 4, 0, 0]);
  assert.throws(() => runs(1, 0x12, 0, 2, 0, 1, 0, 1), RangeError);
  assert.throws(() => runs(4, 0x12, 1, 0x34, 0, 0, 0, 1), { message: 'a run leaves its row' });
});

test('bmp: rows, colours and literal indices that are not whole are refused', () => {
  covers('pictures.opencv');
  const color = { width: 1, height: 1, depth: 24 };
  assert.throws(() => elementsOf({ ...color, pixels: new Uint8Array(3) }), {
    message: 'the pixels end before their last row',
  });
  assert.deepEqual(elementsOf({ ...color, pixels: new Uint8Array(4) }), [3, [0, 0, 0]]);
  const indexed = bmp({ width: 1, height: 1, depth: 1, palette: COLORS, pixels: new Uint8Array(4) });
  indexed.writeUInt32LE(9, 46);
  assert.throws(() => read(indexed), { message: 'the file ends before its 9 colours do' });
  const runs = { width: 3, height: 1, depth: 8, compression: RLE8, palette: COLORS };
  assert.throws(() => elementsOf({ ...runs, pixels: Uint8Array.of(0, 3, 1, 2, 1) }), {
    message: 'the literal indices end before their padding',
  });
});

test('bmp: a row or a column is at most 1048576 pixels long', () => {
  covers('pictures.opencv');
  const row = (width: number): Bitmap => ({
    width,
    height: 1,
    depth: 1,
    palette: COLORS.slice(0, 2),
    pixels: new Uint8Array(4 * Math.ceil(width / 32)),
  });
  assert.equal(read(bmp(row(2 ** 20))).width, 2 ** 20);
  for (const longer of [row(2 ** 20 + 1), { ...row(1), height: 2 ** 20 + 1 }])
    assert.throws(() => read(bmp(longer)), { message: /in rows and columns of at most 1048576, received/ });
});

test('bmp: what cannot be is refused before it takes memory', () => {
  const good: Bitmap = { width: 2, height: 2, depth: 24, pixels: new Uint8Array(16) };
  const refused = (changes: Partial<Bitmap>, text: RegExp): void => {
    assert.throws(() => read(bmp({ ...good, ...changes })), { message: text });
  };
  refused({ pixels: new Uint8Array(13) }, /^the pixels end before their last row$/);
  refused({ width: 16383, height: 16383 }, /^the pixels end before their last row$/);
  refused({ width: 2 ** 31 - 1, height: 2 ** 31 - 1 }, /^expected 1 to 268402689 pixels/);
  refused({ width: 0 }, /^expected 1 to/);
  refused({ width: -2 }, /^expected 1 to/);
  refused({ compression: 4 }, /^compression 4 of 24 bits is unknown$/);
  refused({ depth: 7 }, /^compression 0 of 7 bits is unknown$/);
  refused({ depth: 16, compression: BIT_FIELDS, masks: [1, 2, 4] }, /^masks 1 2 4 are unknown$/);
  refused({ depth: 8, compression: RLE8, palette: COLORS, pixels: Uint8Array.of(3, 1) }, /^a run leaves its row$/);
  refused({ depth: 8, compression: RLE8, palette: COLORS, pixels: Uint8Array.of(2, 1) }, /outside the bounds/i);
  refused(
    { depth: 8, palette: Array<(typeof COLORS)[0]>(257).fill(COLORS[0]) },
    /^expected at most 256 colours, received 257$/,
  );
  assert.throws(() => openBmp(bmp(good).subarray(0, 30)), RangeError);
});

test('bmp: whatever bytes follow the signature, they are a picture or an error', () => {
  const depth = fc.constantFrom(1, 4, 8, 16, 24, 32, 0, 255);
  const sizes = fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 }));
  const bytes = fc.uint8Array({ maxLength: 400 });
  fc.assert(
    fc.property(depth, sizes, fc.integer({ min: 0, max: 4 }), bytes, (bits, [width, height], compression, pixels) => {
      try {
        const { elements, channels } = read(bmp({ width, height, depth: bits, compression, pixels }));
        assert.equal(elements.length, Math.abs(width * height) * channels);
      } catch (error) {
        assert.ok(error instanceof Error && !(error instanceof assert.AssertionError), String(error));
      }
    }),
  );
});
