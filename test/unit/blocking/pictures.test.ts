import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { covers } from '../../contract/covers.js';
import { blueFirst, decode, somePixels } from '../../helpers/pictures.js';

/** Two rows of three pixels of four inks; the byte of Adobe's marker says whether they are CMYK (0) or YCCK (2). */
const INKS = Buffer.from(
  '/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwACAQEBAQECAQEBAgICAgIEAwICAgIFBAQDBAYFBgYGBQYGBgcJCAYHCQcGBggLCAkKCgoKCgYICwwLCgwJCgoK' +
    '/8AAFAgAAgADBEMRAE0RAFkRAEsRAP/EABUAAQEAAAAAAAAAAAAAAAAAAAgJ/8QAIRAAAgICAwADAQEAAAAAAAAAAgMBBAUGBwgJABExChL/2gAO' +
    'BEMATQBZAEsAAD8AJP8AQZ3f7pdXPYbmrhbrL295Q4606jlMZepanom/5HEYyvavYejfuvCrUctQMsXLNmy44GCa6w1pyRsIplN7gbHsO0+vPYvJ7Nnb' +
    'uRsq5Yy1NVi/aNxhXrvmvXTBHMzC1JUtQD+ACxEYiBiImP2q9RfTLXeTsXj9f9FOdaKGcb6baYiny5mVAT36zjHObMDZiJNjWMYZfpGZFMzMzPwAey3e' +
    'Lurp/oXtWC1LuByli6Iapp7hp47kDJIVDG6timtOAB0R/o2GZlP19kRkU/czM/P/2Q==',
  'base64',
);
const TRANSFORM_AT = 17;

// Expected values are those of OpenCV 4.13.0, cv2.imdecode(..., cv2.IMREAD_UNCHANGED).

test('jpeg: the inks of CMYK are mixed to colours', async () => {
  covers('pictures.opencv');
  const { height, width, channels, values } = await decode(INKS);
  assert.deepEqual([height, width, channels], [2, 3, 3]);
  assert.deepEqual(values, [255, 255, 255, 253, 254, 1, 190, 1, 190, 1, 123, 124, 148, 51, 225, 0, 0, 0]);
});

test('jpeg: the inks of YCCK are mixed to colours', async () => {
  covers('pictures.opencv');
  const encoded = Buffer.from(INKS);
  encoded[TRANSFORM_AT] = 2;
  const { channels, values } = await decode(encoded);
  assert.deepEqual([channels, values], [3, [1, 136, 1, 31, 254, 81, 170, 36, 1, 1, 1, 88, 119, 7, 1, 0, 0, 0]]);
});

test('webp: an animation without alpha has none around its frames', async () => {
  covers('pictures.opencv');
  const text =
    'UklGRlgAAABXRUJQVlA4WAoAAAACAAAAAwAAAQAAQU5JTQYAAAAQIECAAABBTk1GLAAAAAEAAAAAAAEAAAAAAGQAAABWUDhMFAAAAC8BAAAAD1CZe7DfSHD+g0NG9D8A';
  const encoded = Buffer.from(text, 'base64');
  const around = Array<number>(12).fill(0);
  const decoded = await decode(encoded);
  assert.deepEqual(decoded, {
    height: 2,
    width: 4,
    channels: 3,
    values: [0, 0, 0, 0, 0, 0, 200, 100, 10, 70, 50, 30, ...around],
  });
  encoded[20]! |= 0x10;
  const { channels, values } = await decode(encoded);
  assert.deepEqual([channels, values.slice(4, 16)], [4, [0, 0, 0, 0, 200, 100, 10, 255, 70, 50, 30, 255]]);
});

type Field = readonly [tag: number, type: number, ...values: number[]];
const [SHORT, LONG] = [3, 4];

/** A TIFF of one row of two pixels, little-endian; later fields take the place of earlier ones, and those without values leave none. */
function tiff(samples: Uint8Array, ...changes: readonly Field[]): Buffer {
  const plain: Field[] = [
    [256, SHORT, 2],
    [257, SHORT, 1],
    [258, SHORT, 8],
    [259, SHORT, 1],
    [262, SHORT, 1],
    [273, LONG, 8],
    [277, SHORT, 1],
    [278, SHORT, 1],
    [279, LONG, samples.byteLength],
  ];
  const last = new Map([...plain, ...changes].map((field) => [field[0], field]));
  const fields = [...last.values()].filter((field) => field.length > 2);
  const at = 8 + samples.byteLength + (samples.byteLength % 2);
  const directory = Buffer.alloc(2 + 12 * fields.length + 4);
  directory.writeUInt16LE(fields.length);
  fields.sort(([a], [b]) => a - b);
  const behind: Buffer[] = [];
  let behindAt = at + directory.byteLength;
  fields.forEach(([tag, type, ...values], index) => {
    const place = 2 + 12 * index;
    directory.writeUInt16LE(tag, place);
    directory.writeUInt16LE(type, place + 2);
    directory.writeUInt32LE(values.length, place + 4);
    const bytes = type === SHORT ? 2 : 4;
    const data = Buffer.alloc(Math.max(4, bytes * values.length));
    values.forEach((value, item) => data.writeUIntLE(value, bytes * item, bytes));
    if (data.byteLength === 4) return directory.set(data, place + 8);
    directory.writeUInt32LE(behindAt, place + 8);
    behind.push(data);
    behindAt += data.byteLength;
  });
  const head = Buffer.alloc(at);
  head.write('II*\0', 'latin1');
  head.writeUInt32LE(at, 4);
  head.set(samples, 8);
  return Buffer.concat([head, directory, ...behind]);
}

test('tiff: unsigned samples of 8 and 16 bits are read', async () => {
  covers('pictures.tiff');
  assert.deepEqual((await decode(tiff(Uint8Array.of(7, 200)))).values, [7, 200]);
  assert.deepEqual((await decode(tiff(Uint8Array.of(7, 200), [262, SHORT, 0]))).values, [248, 55]);
  assert.deepEqual((await decode(tiff(Uint8Array.of(7, 1, 0, 255), [258, SHORT, 16]))).values, [263, 65280]);
  assert.deepEqual((await decode(tiff(Uint8Array.of(0x1f), [258, SHORT, 4]))).values, [17, 255]);
});

test('tiff: colours compressed as JPEG are read', async () => {
  covers('pictures.tiff');
  const { height, width, channels, elements } = { ...somePixels(16, 16, 3), elements: new Uint8Array(768).fill(90) };
  const picture = sharp(elements, { raw: { height, width, channels } });
  const { values } = await decode(await picture.tiff({ compression: 'jpeg', quality: 100 }).toBuffer());
  assert.ok(values.every((value) => Math.abs(value - 90) <= 1));
});

/** Two rows of two pixels as planes. */
const GREY_AND_ALPHA = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

/** Planes of two rows of two pixels, in strips of so many rows. */
function twoRows(planes: number, bits: number, rows: number): Field[] {
  const rowBytes = (2 * bits) / 8;
  const strips = Array.from({ length: (planes * 2) / rows }, (_, strip) => 8 + strip * rows * rowBytes);
  return [
    [257, SHORT, 2],
    [258, SHORT, ...Array<number>(planes).fill(bits)],
    [273, SHORT, ...strips],
    [277, SHORT, planes],
    [278, SHORT, rows],
    [279, SHORT, ...strips.map(() => rows * rowBytes)],
    [284, SHORT, 2],
  ];
}

/** A tile of 16 rows of 16 bytes, in place of the strip. */
function oneTile(at: number): Field[] {
  return [
    [273, LONG],
    [278, SHORT],
    [279, LONG],
    [322, SHORT, 16],
    [323, SHORT, 16],
    [324, LONG, at],
    [325, LONG, 256],
  ];
}

/** A palette: the red of an index is itself, its green twice as much, its blue 100 more. */
function palette(bits: number): Field[] {
  const colors = [(index: number) => index, (index: number) => 2 * index, (index: number) => index + 100];
  const values = colors.flatMap((color) => Array.from({ length: 2 ** bits }, (_, index) => 257 * (color(index) % 256)));
  return [
    [262, SHORT, 3],
    [320, SHORT, ...values],
  ];
}

test('tiff: planes of RGB are read, and of grey and alpha where each row is a strip', async () => {
  covers('pictures.tiff');
  const colors = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
  for (const rows of [1, 2]) {
    const { values } = await decode(tiff(colors, ...twoRows(3, 8, rows), [262, SHORT, 2]));
    assert.deepEqual(values, [9, 5, 1, 10, 6, 2, 11, 7, 3, 12, 8, 4]);
  }
  const { channels, values } = await decode(tiff(GREY_AND_ALPHA, ...twoRows(2, 8, 1)));
  assert.deepEqual([channels, values], [4, [1, 1, 1, 5, 2, 2, 2, 6, 3, 3, 3, 7, 4, 4, 4, 8]]);
});

test('tiff: tiles, palettes, and alpha beside grey and beside the indices of a palette are read', async () => {
  covers('pictures.tiff');
  const tile = Uint8Array.from({ length: 256 }, (_, at) => at);
  assert.deepEqual((await decode(tiff(tile, ...oneTile(8), [257, SHORT, 2]))).values, [0, 1, 16, 17]);
  assert.deepEqual((await decode(tiff(Uint8Array.of(7, 9), ...palette(8)))).values, [107, 14, 7, 109, 18, 9]);
  const pairs: Field[] = [
    [258, SHORT, 8, 8],
    [277, SHORT, 2],
    [338, SHORT, 2],
  ];
  const samples = Uint8Array.of(7, 50, 9, 60);
  assert.deepEqual((await decode(tiff(samples, ...pairs))).values, [7, 7, 7, 50, 9, 9, 9, 60]);
  const { values } = await decode(tiff(samples, ...pairs, ...palette(8)));
  assert.deepEqual(values, [107, 14, 7, 50, 109, 18, 9, 60]);
});

test('tiff: samples that would be read as other numbers are refused', async () => {
  covers('pictures.tiff');
  const floats = Buffer.alloc(8);
  floats.writeFloatLE(0.5);
  floats.writeFloatLE(250.25, 4);
  const refused: readonly [string, Buffer][] = [
    ['floats', tiff(floats, [258, SHORT, 32], [339, SHORT, 3])],
    ['floats that say so in long numbers', tiff(floats, [258, LONG, 32], [339, LONG, 3])],
    ['doubles', tiff(Buffer.alloc(16), [258, SHORT, 64], [339, SHORT, 3])],
    ['halves', tiff(Buffer.alloc(4), [258, SHORT, 16], [339, SHORT, 3])],
    ['signed bytes', tiff(Uint8Array.of(200, 7), [339, SHORT, 2])],
    ['signed words', tiff(Buffer.alloc(4, 200), [258, SHORT, 16], [339, SHORT, 2])],
    ['words of 32 bits', tiff(Buffer.alloc(8, 3), [258, SHORT, 32])],
    ['undefined samples', tiff(Uint8Array.of(200, 7), [339, SHORT, 4])],
    ['inks', tiff(Buffer.alloc(8, 3), [258, SHORT, 8], [262, SHORT, 5], [277, SHORT, 4])],
    ['YCbCr', tiff(Buffer.alloc(6, 3), [262, SHORT, 6], [277, SHORT, 3])],
    ['CIELAB', tiff(Buffer.alloc(6, 3), [262, SHORT, 8], [277, SHORT, 3])],
    ['planes of grey and alpha', tiff(GREY_AND_ALPHA, ...twoRows(2, 8, 2))],
    ['planes of nibbles', tiff(GREY_AND_ALPHA, ...twoRows(2, 4, 1))],
    ['nibbles of a palette beside alpha', tiff(Buffer.alloc(8), ...palette(4), [258, SHORT, 4, 4], [277, SHORT, 2])],
    ['premultiplied grey', tiff(GREY_AND_ALPHA, [258, SHORT, 8, 8], [277, SHORT, 2], [338, SHORT, 1])],
    ['Zstandard', tiff(Buffer.alloc(8, 3), [259, SHORT, 50000])],
    ['a tile of Zstandard', tiff(Buffer.alloc(256, 3), ...oneTile(8), [259, SHORT, 50000])],
    ['a tile outside', tiff(Buffer.alloc(256, 3), ...oneTile(9999))],
    ['five samples', tiff(Buffer.alloc(10, 3), [262, SHORT, 2], [277, SHORT, 5])],
    ['a directory outside', tiff(Uint8Array.of(7, 200)).subarray(0, 20)],
  ];
  for (const [title, encoded] of refused)
    await assert.rejects(decode(encoded), { code: 'PICTURE_PARSING_FAILED' }, title);
});

test('tiff: red, green and blue of the library’s own making come back', async () => {
  covers('pictures.tiff');
  const pixels = somePixels(3, 5, 3);
  const picture = sharp(pixels.elements, { raw: { height: 3, width: 5, channels: 3 } });
  const { values } = await decode(await picture.tiff({ compression: 'lzw' }).toBuffer());
  assert.deepEqual(values, blueFirst(pixels));
});
