import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../contract/covers.js';
import { decode, pngChunk, pngFile, pngHeader, pngRows } from '../../helpers/pictures.js';

const [GREY, COLORS, INDICES, COLORS_AND_ALPHA] = [0, 2, 3, 6];

function data(...rows: readonly (readonly number[])[]): Buffer {
  return pngChunk('IDAT', pngRows(...rows));
}

function numbers(bytes: number, ...values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(bytes * values.length);
  values.forEach((value, index) => buffer.writeUIntBE(value, bytes * index, bytes));
  return buffer;
}

function animation(frames: number): Buffer {
  return pngChunk('acTL', numbers(4, frames, 0));
}

interface Place {
  readonly width: number;
  readonly height: number;
  readonly left?: number;
  readonly top?: number;
}

function control(sequence: number, { width, height, left = 0, top = 0 }: Place): Buffer {
  const numbersOfFrame = numbers(4, sequence, width, height, left, top);
  return pngChunk('fcTL', Buffer.concat([numbersOfFrame, numbers(2, 1, 10), Buffer.from([0, 1])]));
}

function frameData(sequence: number, ...rows: readonly (readonly number[])[]): Buffer {
  return pngChunk('fdAT', Buffer.concat([numbers(4, sequence), pngRows(...rows)]));
}

// Expected values are those of OpenCV 4.13.0, cv2.imdecode(..., cv2.IMREAD_UNCHANGED).

test('png: a transparent grey leaves grey one channel, of 8 and of 16 bits', async () => {
  covers('pictures.opencv', 'pictures.unchanged');
  const transparent = pngChunk('tRNS', numbers(2, 7));
  const narrow = await decode(pngFile(pngHeader(3, 1, 8, GREY), transparent, data([6, 7, 8])));
  assert.deepEqual(narrow, { height: 1, width: 3, channels: 1, values: [6, 7, 8] });
  const wide = await decode(pngFile(pngHeader(2, 1, 16, GREY), transparent, data([0, 7, 255, 1])));
  assert.deepEqual([wide.channels, wide.values], [1, [7, 65281]]);
  const bits = await decode(pngFile(pngHeader(3, 1, 1, GREY), pngChunk('tRNS', numbers(2, 1)), data([0b1010_0000])));
  assert.deepEqual([bits.channels, bits.values], [1, [255, 0, 255]]);
});

test('png: a transparent colour makes four channels', async () => {
  covers('pictures.opencv');
  const transparent = pngChunk('tRNS', numbers(2, 1, 2, 3));
  const { channels, values } = await decode(pngFile(pngHeader(2, 1, 8, COLORS), transparent, data([1, 2, 3, 4, 5, 6])));
  assert.deepEqual([channels, values], [4, [3, 2, 1, 0, 6, 5, 4, 255]]);
});

test('png: a default image that is no frame gives way to the animation’s first frame', async () => {
  covers('pictures.opencv');
  const file = pngFile(
    pngHeader(3, 2, 8, COLORS_AND_ALPHA),
    animation(2),
    data(Array<number>(12).fill(99), Array<number>(12).fill(99)),
    control(0, { width: 1, height: 1, left: 2, top: 1 }),
    frameData(1, [10, 20, 30, 40]),
    control(2, { width: 3, height: 2 }),
    frameData(3, Array<number>(12).fill(1), Array<number>(12).fill(1)),
  );
  const { height, width, channels, values } = await decode(file);
  assert.deepEqual([height, width, channels], [2, 3, 4]);
  assert.deepEqual(values, [...Array<number>(20).fill(0), 30, 20, 10, 40]);
});

test('png: a frame keeps the animation’s palette and its transparency', async () => {
  covers('pictures.opencv');
  const file = pngFile(
    pngHeader(2, 1, 8, INDICES),
    animation(2),
    pngChunk('PLTE', Buffer.from([1, 2, 3, 4, 5, 6])),
    pngChunk('tRNS', Buffer.from([50])),
    data([0, 0]),
    control(0, { width: 2, height: 1 }),
    frameData(1, [1, 0]),
    control(2, { width: 2, height: 1 }),
    frameData(3, [0, 0]),
  );
  assert.deepEqual((await decode(file)).values, [6, 5, 4, 255, 3, 2, 1, 50]);
});

test('png: the data of a frame may come in parts', async () => {
  covers('pictures.opencv');
  const rows = pngRows([5, 6]);
  const part = (sequence: number, bytes: Uint8Array): Buffer =>
    pngChunk('fdAT', Buffer.concat([numbers(4, sequence), bytes]));
  const file = pngFile(
    pngHeader(2, 1, 8, GREY),
    animation(2),
    data([0, 0]),
    control(0, { width: 2, height: 1 }),
    part(1, rows.subarray(0, 3)),
    part(2, rows.subarray(3)),
    control(3, { width: 2, height: 1 }),
    frameData(4, [9, 9]),
  );
  assert.deepEqual((await decode(file)).values, [5, 6]);
});

test('png: a default image that is the first frame is decoded, and so is that of an animation of one', async () => {
  covers('pictures.opencv');
  const whole = { width: 2, height: 1 };
  const header = pngHeader(2, 1, 8, GREY);
  const isFrame = [header, animation(2), control(0, whole), data([3, 4]), control(1, whole), frameData(2, [9, 9])];
  assert.deepEqual((await decode(pngFile(...isFrame))).values, [3, 4]);
  const isAlone = [header, animation(1), data([3, 4]), control(0, whole), frameData(1, [9, 9])];
  assert.deepEqual((await decode(pngFile(...isAlone))).values, [3, 4]);
});

test('png: what cannot be is refused', async () => {
  covers('pictures.undecodable');
  const header = pngHeader(2, 1, 8, GREY);
  const good = pngFile(header, data([1, 2]));
  const frames = [header, animation(2), data([0, 0])];
  const refused: readonly [string, Buffer][] = [
    ['no end', good.subarray(0, -12)],
    ['half a chunk', good.subarray(0, -2)],
    ['another chunk first', pngFile(data([1, 2]), header)],
    ['no frame', pngFile(...frames)],
    ['a frame outside', pngFile(...frames, control(0, { width: 2, height: 1, left: 1 }), frameData(1, [1, 2]))],
    ['a frame without data', pngFile(...frames, control(0, { width: 2, height: 1 }))],
    ['a frame of another size', pngFile(...frames, control(0, { width: 1, height: 9 }), frameData(1, [1]))],
    ['a claim of a billion pixels', pngFile(pngHeader(65535, 65535, 8, GREY), data([1, 2]))],
  ];
  for (const [title, encoded] of refused)
    await assert.rejects(decode(encoded), { code: 'PICTURE_PARSING_FAILED' }, title);
});
