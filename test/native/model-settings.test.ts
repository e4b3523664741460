import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_PREPROCESSING, type CompileSpecification, type Preprocessing } from '#src/native/binding.js';
import { covers } from '../contract/covers.js';
import { writeArgmaxModel, writeDummyModel, writeFullyConnectedModel, writeReshapeModel } from '../fixtures/ir.js';
import { binding, compile, newSlab, temporaryDirectory, TestRequest } from './support.js';

const directory = temporaryDirectory();
const picture = writeDummyModel(directory, { name: 'picture', shape: [1, 3, 1, 2], layout: 'NCHW' });

/** `[min, max]` of the dimensions of each input. */
function inputs(path: string, changes: Partial<CompileSpecification>) {
  return binding.describeModel(compile(path, changes)).inputs.map(({ dimensions }) => dimensions);
}

test('batch: it is the first dimension of every input where no layout says more', () => {
  const path = writeArgmaxModel(directory, { name: 'argmax', classes: 7 });
  const dimensions = [
    [4, 4],
    [7, 7],
  ];
  assert.deepEqual(inputs(path, { batch: [4, 4] }), [dimensions, dimensions]);
});

test('batch: it is where the layout of clients has its N', () => {
  covers('config.batch-index');
  const path = writeDummyModel(directory, { name: 'columns', shape: [10, 1] });
  const layouts = [{ name: '', tensor: null, model: 'CN' }];
  assert.deepEqual(inputs(path, { layouts, batch: [1, 8] }), [
    [
      [10, 10],
      [1, 8],
    ],
  ]);
});

test('batch: -1 leaves it open, and then each size is answered', () => {
  const path = writeFullyConnectedModel(directory, { name: 'connected' });
  const model = compile(path, { batch: [0, -1] });
  assert.deepEqual(binding.describeModel(model).inputs[0]!.dimensions?.[0], [0, -1]);
  const slab = newSlab(4096);
  slab.floats.fill(1);
  for (const size of [1, 3]) {
    const request = new TestRequest(model, { slab: slab.id, offset: 0, shape: [size, 2, 4, 4] }, null);
    assert.deepEqual([request.infer().status, request.shape(1)], ['OK', [size, 2]]);
    const result = newSlab(64);
    binding.copyOutput(request.handle, 0, result.id, 0);
    assert.deepEqual([...result.floats.subarray(0, size * 2)], Array(size * 2).fill(96));
  }
});

test('batch: a model without dimensions has none to change', () => {
  const path = writeDummyModel(directory, { name: 'scalar', shape: [] });
  assert.deepEqual(inputs(path, { batch: [4, 4] }), [[]]);
});

test('batch: one that a model cannot have is RESHAPE_FAILED', () => {
  const path = writeReshapeModel(directory, { name: 'ten' });
  assert.throws(() => compile(path, { batch: [9, 9] }), { code: 'RESHAPE_FAILED' });
});

test('shapes: null opens every dimension, and what cannot be connected is refused before the inference', async () => {
  const path = writeFullyConnectedModel(directory, { name: 'open' });
  const model = compile(path, { shapes: [{ name: '', dimensions: null }] });
  assert.deepEqual(binding.describeModel(model).inputs[0]!.dimensions, Array(4).fill([0, -1]));
  const slab = newSlab(4096);
  const input = (shape: readonly number[]) => ({ slab: slab.id, offset: 0, shape });
  assert.equal((await new TestRequest(model, input([2, 2, 4, 4]), null).start()).status, 'OK');
  const outcome = await new TestRequest(model, input([1, 2, 5, 5]), null).start();
  assert.equal(outcome.status, 'RESHAPE_FAILED');
  assert.match(outcome.text, /^\(1,2,5,5\): /);
});

/** What the dummy (`a = b + 1`) answers to a picture of two pixels after a preprocessing. */
function preprocessed(
  sent: Float32Array | Uint8Array,
  shape: readonly number[],
  preprocessing: Partial<Preprocessing>,
  layouts: CompileSpecification['layouts'] = [],
): number[] {
  const model = compile(picture, { layouts, preprocessing: { ...NO_PREPROCESSING, ...preprocessing } });
  const slab = newSlab(4096);
  slab.bytes.set(new Uint8Array(sent.buffer));
  const request = new TestRequest(
    model,
    { slab: slab.id, offset: 0, shape },
    { slab: slab.id, offset: 1024, shape: [1, 3, 1, 2] },
  );
  assert.deepEqual(request.infer(), { status: 'OK', text: '' });
  return [...slab.floats.subarray(256, 262)];
}

const PIXELS = Float32Array.of(10, 20, 30, 40, 50, 60);
const CHANNELS_LAST = [{ name: '', tensor: 'NHWC', model: 'NCHW' }];

test('preprocessing: one mean and one scale count for all channels', () => {
  assert.deepEqual(preprocessed(PIXELS, [1, 3, 1, 2], { mean: [10], scale: [10] }), [1, 2, 3, 4, 5, 6]);
});

test('preprocessing: mean is subtracted before the division by scale, each channel by its own', () => {
  covers('cli.preprocessing');
  const steps = { mean: [10, 20, 30], scale: [10, 5, 2] };
  assert.deepEqual(preprocessed(PIXELS, [1, 3, 1, 2], steps), [1, 2, 3, 5, 11, 16]);
  const interleaved = Float32Array.of(10, 30, 50, 20, 40, 60);
  assert.deepEqual(preprocessed(interleaved, [1, 1, 2, 3], steps, CHANNELS_LAST), [1, 2, 3, 5, 11, 16]);
});

test('preprocessing: a color format turns channels around, in the layout of clients', () => {
  covers('cli.preprocessing');
  const color = { tensor: 'BGR', model: 'RGB' } as const;
  assert.deepEqual(preprocessed(PIXELS, [1, 3, 1, 2], { color }), [51, 61, 31, 41, 11, 21]);
  const interleaved = Float32Array.of(10, 30, 50, 20, 40, 60);
  assert.deepEqual(preprocessed(interleaved, [1, 1, 2, 3], { color }, CHANNELS_LAST), [51, 61, 31, 41, 11, 21]);
});

test('preprocessing: mean belongs to the channels of the model, that is after the color', () => {
  const color = { tensor: 'BGR', model: 'RGB' } as const;
  assert.deepEqual(preprocessed(PIXELS, [1, 3, 1, 2], { color, mean: [50, 30, 10] }), [1, 11, 1, 11, 1, 11]);
});

test('preprocessing: an element type is what clients send, and mean is subtracted after its conversion', () => {
  const elementType = { tensor: 'u8', model: 'f32' };
  const preprocessing = { ...NO_PREPROCESSING, elementType, mean: [30] };
  assert.equal(binding.describeModel(compile(picture, { preprocessing })).inputs[0]!.elementType, 'u8');
  const sent = Uint8Array.of(10, 20, 30, 40, 50, 255);
  assert.deepEqual(preprocessed(sent, [1, 3, 1, 2], { elementType, mean: [30] }), [-19, -9, 1, 11, 21, 226]);
});

test('preprocessing: planes of NV12 lie below each other in one input, or are inputs of their own', () => {
  const path = writeDummyModel(directory, { name: 'nv12', shape: [1, 3, 4, 4], layout: 'NCHW' });
  const describe = (tensor: 'NV12' | 'NV12_2' | 'I420_3'): readonly unknown[] => {
    const elementType = { tensor: 'u8', model: 'f32' };
    const preprocessing = { ...NO_PREPROCESSING, color: { tensor, model: 'RGB' as const }, elementType };
    const described = binding.describeModel(compile(path, { preprocessing })).inputs;
    return described.map(({ names, dimensions }) => [...names, ...dimensions!.map(([, max]) => max)]);
  };
  assert.deepEqual(describe('NV12'), [['b', 1, 6, 4, 1]]);
  assert.deepEqual(describe('NV12_2'), [
    ['b/y', 1, 4, 4, 1],
    ['b/uv', 1, 2, 2, 2],
  ]);
  assert.deepEqual(describe('I420_3'), [
    ['b/y', 1, 4, 4, 1],
    ['b/u', 1, 2, 2, 1],
    ['b/v', 1, 2, 2, 1],
  ]);
});

const FAULTS: readonly [string, Partial<Preprocessing>, RegExp][] = [
  ['more means than channels', { mean: [1, 2] }, /channels/i],
  ['an element type that is none', { elementType: { tensor: 'abacus', model: 'f32' } }, /abacus/],
  ['a color format that is none', { color: { tensor: 'ABACUS' as 'RGB', model: 'RGB' } }, /ABACUS/],
  ['gray for a model of three channels', { color: { tensor: 'RGB', model: 'GRAY' } }, /Resulting shape/],
  ['a mean of whole numbers', { elementType: { tensor: 'u8', model: 'u8' }, mean: [1] }, /Current type is: u8/],
];
for (const [what, preprocessing, text] of FAULTS) {
  test(`preprocessing: ${what} is PREPROCESSING_FAILED, in one clean sentence`, () => {
    assert.throws(
      () => compile(picture, { preprocessing: { ...NO_PREPROCESSING, ...preprocessing } }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'PREPROCESSING_FAILED');
        assert.match(error.message, text);
        assert.doesNotMatch(error.message, /Exception from|failed at|\n/);
        return true;
      },
    );
  });
}
