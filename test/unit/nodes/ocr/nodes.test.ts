import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as crops from '#nodes/ocr/crops.js';
import * as decode from '#nodes/ocr/decode.js';
import * as prepare from '#nodes/ocr/prepare.js';
import { contextOf, floatsTensor, greyPicture, mapOf, turned } from './drawing.js';

const folder = mkdtempSync(join(tmpdir(), 'vinery-ocr-'));
after(() => rmSync(folder, { recursive: true }));

test('prepare: sides become multiples of 32, the shorter long enough, the longer short enough', () => {
  const sides = prepare.initialize({});
  assert.deepEqual(prepare.networkSize(640, 480, sides), [992, 736]);
  assert.deepEqual(prepare.networkSize(1000, 1000, sides), [992, 992]);
  assert.deepEqual(prepare.networkSize(4000, 3000, sides), [1984, 1504]);
  assert.deepEqual(prepare.networkSize(3000, 1, sides), [1984, 32]);
});

test('prepare: white is 1, black is -1', () => {
  for (const [grey, value] of [
    [255, 1],
    [0, -1],
  ] as const) {
    const context = contextOf({}, { shortest: 32, longest: 64 }, prepare.outputs());
    prepare.execute({ image: greyPicture(40, 20, grey) }, context);
    const planes = context.allocated.get('planes')!;
    assert.deepEqual(planes.shape, [1, 3, 32, 64]);
    assert.ok(Array.from(planes.data, Number).every((each) => Math.abs(each - value) < 1e-6));
  }
});

test('parameters: no number, or one that is too small, is told', () => {
  assert.throws(() => prepare.initialize({ shortest_side: 'big' }), {
    message: 'expected params.shortest_side to be a number from 32 on, received "big"',
  });
  assert.throws(() => crops.initialize({ height: '0' }), /params\.height to be a number from 1 on, received "0"/);
  assert.equal(crops.initialize({ thresh: '0.4' }).boxes.threshold, 0.4);
  assert.equal(crops.initialize({ thresh: 0.4 }).boxes.threshold, 0.4);
  assert.equal(crops.initialize(undefined).boxes.threshold, 0.3);
});

/** A white picture of 200 x 100, and a map of twice its size with these cores. */
function cutOut(...cores: readonly ReturnType<typeof turned>[]) {
  const { width, height, values } = mapOf(400, 200, cores);
  const state = crops.initialize({});
  const context = contextOf({}, state, crops.outputs({}, state));
  crops.execute({ image: greyPicture(200, 100, 255), map: floatsTensor([1, 1, height, width], values) }, context);
  return context.allocated;
}

test('crops: one shard a line, in reading order, boxes in pixels of the picture', () => {
  const allocated = cutOut(turned(200, 140, 360, 16, 0), turned(100, 40, 100, 20, 0));
  assert.deepEqual(allocated.get('crops')!.shape, [2, 1, 3, 48, 480]);
  assert.deepEqual(allocated.get('boxes')!.shape, [2, 4, 2]);
  const [left, top, , , right, bottom] = Array.from(allocated.get('boxes')!.data, Number);
  // The core is 100 x 20 around (100, 40) in the map and is widened by 13 there.
  for (const [have, want] of [
    [left, 18],
    [top, 8.5],
    [right, 82],
    [bottom, 31.5],
  ] as const) {
    assert.ok(Math.abs(have! - want) < 2, `${have} is not near ${want}`);
  }
});

test('crops: the rest of a short line is grey, whatever the memory had', () => {
  const { shape, data } = cutOut(turned(200, 140, 360, 16, 0), turned(100, 40, 100, 20, 0)).get('crops')!;
  const width = shape[4]!;
  assert.equal(data[0], 1);
  assert.equal(data[width - 1], 0);
});

test('crops: no text is no shard', () => {
  const allocated = cutOut();
  assert.deepEqual(allocated.get('crops')!.shape, [0, 1, 3, 48, 320]);
  assert.deepEqual(allocated.get('boxes')!.shape, [0, 4, 2]);
});

test('decode: the text of a crop in a length that every text of so many steps has, and its confidence', async () => {
  const path = join(folder, 'characters.txt');
  writeFileSync(path, 'a\nü\n');
  const params = { characters: path };
  const state = await decode.initialize(params);
  assert.deepEqual(decode.inputs(params, state)[0]!.shape, [1, -1, 4]);
  const context = contextOf(params, state, decode.outputs());
  const probabilities = Float32Array.from([0, 1, 0, 0, 0, 0, 0.5, 0]);
  decode.execute({ probabilities: floatsTensor([1, 2, 4], probabilities) }, context);
  const text = new Uint8Array([97, 0xc3, 0xbc, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(context.allocated.get('text'), { name: 'text', precision: 'U8', shape: [9], data: text });
  assert.deepEqual(context.allocated.get('confidence')!.data, new Float32Array([0.75]));
});

test('decode: the characters must be told and be there', async () => {
  await assert.rejects(decode.initialize({}), { message: 'expected params.characters to be a text, received nothing' });
  await assert.rejects(decode.initialize({ characters: 'absent.txt' }), { code: 'ENOENT' });
});
