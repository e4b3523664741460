import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { Core, Tensor } from '#src/openvino/index.js';
import { writeDummyModel } from '../fixtures/ir.js';
import { floats, numbers, tens } from '../unit/openvino/tensors.js';
import { binding, temporaryDirectory } from './support.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const path = writeDummyModel(temporaryDirectory());
const dummy = new Core().compileModelSync(path, 'CPU');
const sharedFloats = (value: number): Tensor =>
  new Tensor('f32', [1, 10], new Float32Array(new SharedArrayBuffer(40)).fill(value));

/** Ids are used again from the last one given back, so the first free ones tell how many slabs are registered. */
function freeSlabIds(count: number): Set<number> {
  const ids = Array.from({ length: count }, () => binding.registerSlab(new Uint8Array(new SharedArrayBuffer(1))));
  for (const id of [...ids].reverse()) binding.unregisterSlab(id);
  return new Set(ids);
}

test('memory: tensors that took turns on a request are not held, though the event loop never turned', () => {
  const request = dummy.createInferRequest();
  for (let value = 0; value < 100; value += 1) {
    request.setOutputTensor(new Tensor('f32', [1, 10]));
    assert.deepEqual(numbers(request.infer([sharedFloats(value)])['a']), tens(value + 1));
  }
  assert.ok(Math.max(...freeSlabIds(10)) < 20);
});

test('memory: native code knows results only while it fills them', () => {
  const request = dummy.createInferRequest();
  const results = Array.from({ length: 100 }, (_, value) => request.infer([sharedFloats(value)])['a']);
  assert.deepEqual(
    results.map(numbers),
    results.map((_, value) => tens(value + 1)),
  );
  assert.ok(Math.max(...freeSlabIds(10)) < 30);
});

test('memory: the slabs of forgotten requests are given back', async () => {
  const before = Math.max(...freeSlabIds(1));
  const useAndForget = (): void => {
    for (let count = 0; count < 50; count += 1) dummy.createInferRequest().infer([sharedFloats(1)]);
  };
  useAndForget();
  const isGivenBack = (): boolean => Math.max(...freeSlabIds(40)) <= before + 50;
  for (let round = 0; round < 1000 && !isGivenBack(); round += 1) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(isGivenBack());
});

test('memory: the registry keeps no entry of a model, whether it compiled or not', async () => {
  const core = new Core();
  const before = binding.reserveModel();
  const models = [core.compileModelSync(path, 'CPU'), await core.compileModel(path, 'CPU')];
  assert.throws(() => core.compileModelSync(path, 'TPU'), { code: 'MODEL_COMPILE_FAILED' });
  await assert.rejects(core.compileModel(path, 'TPU'), { code: 'MODEL_COMPILE_FAILED' });
  const after = binding.reserveModel();
  assert.equal(after, before + 5);
  for (let modelId = before + 1; modelId < after; modelId += 1) {
    assert.throws(() => binding.openModel(modelId), { code: 'NOT_COMPILED', message: /is unknown/ });
  }
  for (const model of models) assert.deepEqual(numbers(model.createInferRequest().infer()['a']), tens(1));
});

test('memory: a request that nobody refers to answers all the same', async () => {
  const asked = Array.from({ length: 20 }, (_, value) => dummy.createInferRequest().inferAsync([floats(value)]));
  collectGarbage();
  const results = await Promise.all(asked);
  assert.deepEqual(
    results.map(({ a }) => numbers(a)),
    results.map((_, value) => tens(value + 1)),
  );
});

test('memory: a request works on while its model is forgotten', () => {
  const request = new Core().compileModelSync(path, 'CPU').createInferRequest();
  collectGarbage();
  assert.deepEqual(numbers(request.infer([floats(1)])['a']), tens(2));
});

test('memory: a worker infers in the memory that another thread made', async () => {
  const input = sharedFloats(3);
  const output = new Tensor('f32', [1, 10]);
  const program = `
    const { workerData: { facade, path, input, output } } = require('node:worker_threads');
    import(facade).then(async ({ Core, Tensor }) => {
      const request = (await new Core().compileModel(path, 'CPU')).createInferRequest();
      request.setOutputTensor(new Tensor('f32', [1, 10], output));
      await request.inferAsync([new Tensor('f32', [1, 10], input)]);
    });`;
  const facade = import.meta.resolve('#src/openvino/index.js');
  const workerData = { facade, path, input: input.data, output: output.data };
  const worker = new Worker(program, { eval: true, workerData });
  const code = await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
  assert.equal(code, 0);
  assert.deepEqual(numbers(output), tens(4));
});
