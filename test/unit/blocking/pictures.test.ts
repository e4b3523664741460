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

/** A TIFF of one row of two pixels, little-endian; later fields take the place of earlier ones. */
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
  const fields = [...new Map([...plain, ...changes].map((field) => [field[0], field])).values()];
  const at = 8 + samples.byteLength + (samples.byteLength % 2);
  const directory = Buffer.alloc(2 + 12 * fields.length + 4);
  directory.writeUInt16LE(fields.length);
  fields.sort(([a], [b]) => a - b);
  fields.forEach(([tag, type, ...values], index) => {
    const place = 2 + 12 * index;
    directory.writeUInt16LE(tag, place);
    directory.writeUInt16LE(type, place + 2);
    directory.writeUInt32LE(values.length, place + 4);
    const bytes = type === SHORT ? 2 : 4;
    values.forEach((value, item) => directory.writeUIntLE(value, place + 8 + bytes * item, bytes));
  });
  const head = Buffer.alloc(at);
  head.write('II*\0', 'latin1');
  head.writeUInt32LE(at, 4);
  head.set(samples, 8);
  return Buffer.concat([head, directory]);
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
