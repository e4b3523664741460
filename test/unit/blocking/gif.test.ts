import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openGif } from '#src/blocking/gif.js';
import { covers } from '../../contract/covers.js';
import { gif, type Color, type Gif } from '../../helpers/gif.js';
import { decode } from '../../helpers/pictures.js';

const COLORS: readonly Color[] = [
  [10, 20, 30],
  [40, 50, 60],
  [70, 80, 90],
  [100, 110, 120],
];
/** The colours as they are decoded: blue first. */
const [C0, C1, C2, C3] = COLORS.map((color) => color.toReversed()) as [number[], number[], number[], number[]];

// Expected values are those of OpenCV 4.13.0, cv2.imdecode(..., cv2.IMREAD_UNCHANGED).

test('gif: a frame that covers the screen is three channels', async () => {
  covers('pictures.formats', 'pictures.opencv');
  const rows = [
    [0, 1, 2],
    [3, 2, 1],
  ];
  const decoded = await decode(gif({ width: 3, height: 2, colors: COLORS, frames: [{ rows }] }));
  assert.deepEqual(decoded, { height: 2, width: 3, channels: 3, values: [C0, C1, C2, C3, C2, C1].flat() });
});

test('gif: around the frame is the background’s colour', async () => {
  covers('pictures.opencv');
  const frames = [{ left: 1, top: 1, rows: [[3, 0]] }];
  const { values } = await decode(gif({ width: 3, height: 2, colors: COLORS, background: 2, frames }));
  assert.deepEqual(values, [C2, C2, C2, C2, C3, C0].flat());
});

test('gif: what is transparent has the background’s colour and alpha 0', async () => {
  covers('pictures.opencv');
  const frames = [{ left: 1, rows: [[3, 1]], transparent: 1 }];
  const { channels, values } = await decode(gif({ width: 3, height: 1, colors: COLORS, background: 2, frames }));
  assert.equal(channels, 4);
  assert.deepEqual(values, [...C2, 0, ...C3, 255, ...C2, 0]);
});

test('gif: without a table for all frames the background is black', async () => {
  covers('pictures.opencv');
  const frames = [{ left: 1, rows: [[3]], colors: COLORS }];
  assert.deepEqual((await decode(gif({ width: 2, height: 1, background: 2, frames }))).values, [0, 0, 0, ...C3]);
});

test('gif: a frame’s own colours come before those of all', async () => {
  covers('pictures.opencv');
  const frames = [{ left: 1, rows: [[0]], colors: COLORS.toReversed() }];
  const { values } = await decode(gif({ width: 2, height: 1, colors: COLORS, background: 1, frames }));
  assert.deepEqual(values, [...C1, ...C3]);
});

test('gif: indices without any colours are grey, and the second one white', async () => {
  covers('pictures.opencv');
  const { values } = await decode(gif({ width: 4, height: 1, frames: [{ rows: [[0, 1, 2, 3]] }] }));
  assert.deepEqual(
    values,
    [0, 255, 2, 3].flatMap((value) => [value, value, value]),
  );
});

test('gif: rows of an interlaced frame are put in order', async () => {
  covers('pictures.opencv');
  const inOrder = [0, 1, 2, 3, 3, 2, 1, 0, 1];
  const rows = [0, 8, 4, 2, 6, 1, 3, 5, 7].map((row) => [inOrder[row]!]);
  const frames = [{ rows, isInterlaced: true }];
  const { values } = await decode(gif({ width: 1, height: 9, colors: COLORS, frames }));
  assert.deepEqual(
    values,
    inOrder.flatMap((index) => [C0, C1, C2, C3][index]!),
  );
});

test('gif: of an animation the first frame is decoded; the last one decides whether there is alpha', async () => {
  covers('pictures.opencv');
  const [first, last] = [{ rows: [[1, 2]] }, { left: 1, rows: [[0]], transparent: 3 }];
  const screen = { width: 2, height: 1, colors: COLORS };
  const open = await decode(gif({ ...screen, frames: [first, last] }));
  assert.deepEqual([open.channels, open.values], [4, [...C1, 255, ...C2, 255]]);
  const opaque = await decode(gif({ ...screen, frames: [{ ...first, transparent: 1 }, { rows: [[1, 1]] }] }));
  assert.deepEqual([opaque.channels, opaque.values], [4, [...C0, 0, ...C2, 255]]);
});

test('gif: codes grow, and may say what is only being made', async () => {
  covers('pictures.formats', 'pictures.opencv');
  const text = 'R0lGODdhCAAIAIEAAAoUHigyPAAAAAAAACwAAAAACAAIAAAIFQABCBxIsKDBgQESKlzIMMDBhxADAgA7';
  const { height, width, values } = await decode(Buffer.from(text, 'base64'));
  const rows = Array.from({ length: height }, (_, row) => (row === 3 || row === 4 ? [60, 50, 40] : [30, 20, 10]));
  assert.deepEqual(
    values,
    rows.flatMap((color) => Array.from({ length: width }, () => color).flat()),
  );
});

test('gif: what cannot be is refused', async () => {
  covers('pictures.undecodable');
  const good: Gif = { width: 2, height: 1, colors: COLORS, frames: [{ rows: [[0, 1]] }] };
  const whole = gif(good);
  const refused = [
    gif({ ...good, frames: [] }),
    gif({ ...good, background: 4 }),
    gif({ ...good, frames: [{ left: 1, rows: [[0, 1]] }] }),
    gif({ ...good, width: 0 }),
    gif({ ...good, width: 65535, height: 65535 }),
    whole.subarray(0, -1),
    whole.subarray(0, 30),
    Buffer.from(whole).fill(0xff, whole.length - 4, whole.length - 2),
  ];
  for (const [index, encoded] of refused.entries())
    await assert.rejects(decode(encoded), { code: 'PICTURE_PARSING_FAILED' }, `case ${index}`);
});

test('gif: a frame that claims more than its bytes can say is refused before it takes memory', () => {
  const claim = gif({ width: 2, height: 1, colors: COLORS, frames: [{ rows: [[0, 1]] }] });
  for (const at of [6, 8, 30, 32]) claim.writeUInt16LE(16000, at);
  const { shape, read } = openGif(claim);
  assert.deepEqual(shape, { height: 16000, width: 16000, channels: 3 });
  assert.throws(read, /^Error: expected 256000000 pixels, received \d+ codes at most/);
});

test('gif: whatever bytes follow the signature, they are a picture or an error', async () => {
  const whole = gif({
    width: 5,
    height: 4,
    colors: COLORS,
    frames: [
      {
        left: 1,
        top: 1,
        rows: [
          [0, 1],
          [2, 3],
        ],
      },
    ],
  });
  const change = fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }));
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const encoded = Buffer.from(whole);
      // Sizes stay, or a picture of four gigabytes would be right.
      for (const [at, byte] of changes) if (at < 6 || at > 9) encoded[at] = byte;
      if (encoded.toString('latin1', 0, 6) !== 'GIF89a') return;
      const outcome = await decode(encoded).catch((error: unknown) => error as Error);
      if (outcome instanceof Error) assert.equal((outcome as Error & { code?: string }).code, 'PICTURE_PARSING_FAILED');
      else assert.equal(outcome.values.length, 20 * outcome.channels);
    }),
  );
});
