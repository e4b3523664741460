import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServingError } from '#src/errors.js';
import type { RequestTensor } from '#src/servables/predict-request.js';
import { admitStrings } from '#src/servables/strings/admit-strings.js';
import type { PictureDecoder, PictureTarget } from '#src/servables/strings/picture-decoder.js';
import { Arena } from '#src/tensors/arena.js';
import { stringList } from '#src/tensors/strings.js';
import { tensor } from '../../dag/pipeline-fixture.js';
import { FakeRegistrar } from '../../tensors/fake-registrar.js';

const PICTURES = tensor('p', { shape: [-1, -1, -1, 1], precision: 'U8', layout: 'NHWC' });
const ROWS = tensor('r', { shape: [-1, -1], precision: 'U8' });

function strings(...values: readonly string[]): RequestTensor {
  const content = { kind: 'strings', strings: stringList(values) } as const;
  return { precision: 'STRING', precisionText: 'STRING', shape: [values.length], content };
}

/** Pictures are their pixels as text, in one row; `bad` ones fail one turn later. */
class TextPictures implements PictureDecoder {
  readonly targets: PictureTarget[] = [];
  decoding = 0;

  measurePicture(encoded: Uint8Array): Promise<{ height: number; width: number; channels: number }> {
    return Promise.resolve({ height: 1, width: encoded.byteLength, channels: 1 });
  }

  async decodePicture(encoded: Uint8Array, target: PictureTarget): Promise<void> {
    this.targets.push(target);
    this.decoding += 1;
    await Promise.resolve();
    this.decoding -= 1;
    const text = Buffer.from(encoded).toString();
    if (text.startsWith('bad')) throw new ServingError('PICTURE_PARSING_FAILED', text);
    target.bytes.set(encoded);
  }
}

test('admit strings: each picture is decoded into its part of one tensor', async () => {
  const arena = new Arena(new FakeRegistrar());
  const decoder = new TextPictures();
  const bytes: RequestTensor = { ...strings(), content: { kind: 'bytes', bytes: new Uint8Array(0) } };
  const admitted = await admitStrings(
    [strings('abc', 'def'), bytes, strings('x')],
    [PICTURES, ROWS, ROWS],
    arena,
    decoder,
  );
  assert.deepEqual(
    admitted.map((each) => each && { shape: each.shape, text: Buffer.from(each.bytes).toString() }),
    [{ shape: [2, 1, 3, 1], text: 'abcdef' }, null, { shape: [1, 2], text: 'x\0' }],
  );
  assert.deepEqual(
    decoder.targets.map(({ otherSize }) => otherSize),
    ['INVALID_SHAPE', 'PICTURE_SIZES_DIFFER'],
  );
  for (const each of admitted) each?.release();
  assert.equal(arena.leasedRegions, 0);
});

test('admit strings: the first fault in the order of the pictures is told, and nothing stays leased or is written then', async () => {
  const arena = new Arena(new FakeRegistrar());
  const decoder = new TextPictures();
  const sent = [strings('x'), strings('abc', 'bad', 'ba2', 'ghi')];
  await assert.rejects(admitStrings(sent, [ROWS, PICTURES], arena, decoder), {
    code: 'PICTURE_PARSING_FAILED',
    detail: 'bad',
  });
  assert.equal(arena.leasedRegions, 0);
  assert.equal(decoder.decoding, 0);
});

test('admit strings: no picture at all is an empty tensor', async () => {
  const arena = new Arena(new FakeRegistrar());
  const [empty] = await admitStrings([strings()], [PICTURES], arena, new TextPictures());
  assert.deepEqual(empty!.shape, [0, 0, 0, 1]);
  empty!.release();
});
