import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeDummyModel, writeHeavyModel } from '../fixtures/ir.js';
import { binding, compile, newSlab, specification, temporaryDirectory, TestRequest } from './support.js';
import { Running } from './running.js';

const directory = temporaryDirectory();
const SIZE = 256;
const MATRIX = SIZE * SIZE * 4;
const heavyFile = writeHeavyModel(directory, { name: 'heavy', size: SIZE, depth: 100 });
const dummyFile = writeDummyModel(directory, { name: 'dummy' });

test('threads: a model compiled in one thread is opened by its id in another', async () => {
  const modelId = binding.reserveModel();
  binding.compileModel(modelId, specification(dummyFile));
  const slab = newSlab(4096);
  slab.floats[0] = 41;
  const running = new Running({ kind: 'infer', modelId, buffer: slab.bytes.buffer as SharedArrayBuffer });
  const { addresses } = await running.report;
  await running.exited;
  assert.equal(slab.floats[16], 42);
  assert.deepEqual(addresses, [binding.slabAddress(slab.id, 0), binding.slabAddress(slab.id, 64)]);
});

test('threads: what a worker writes is the input of a node of another thread, in place', async () => {
  const modelId = binding.reserveModel();
  binding.compileModel(modelId, specification(dummyFile));
  const slab = newSlab(4096);
  const running = new Running({ kind: 'infer', modelId, buffer: slab.bytes.buffer as SharedArrayBuffer });
  const { addresses } = await running.report;
  const next = new TestRequest(
    binding.openModel(modelId),
    { slab: slab.id, offset: 64, shape: [1, 10] },
    { slab: slab.id, offset: 128, shape: [1, 10] },
  );
  assert.equal(next.infer().status, 'OK');
  assert.equal(binding.tensorAddress(next.handle, 0), addresses[1]);
  assert.equal(slab.floats[32], 2);
  await running.exited;
});

test('threads: a worker compiles into an entry that the main thread holds', async () => {
  const modelId = binding.reserveModel();
  const running = new Running({ kind: 'compile', modelId, path: dummyFile });
  await running.exited;
  assert.equal(binding.describeModel(binding.openModel(modelId)).inputs.length, 1);
});

test('threads: entries of a worker go with it, while requests made from them go on', async () => {
  const running = new Running({ kind: 'hold', path: dummyFile });
  const { modelId } = await running.report;
  const slab = newSlab(4096);
  const request = new TestRequest(
    binding.openModel(modelId),
    { slab: slab.id, offset: 0, shape: [1, 10] },
    { slab: slab.id, offset: 64, shape: [1, 10] },
  );
  running.worker.postMessage('end');
  await running.exited;
  assert.throws(() => binding.openModel(modelId), { code: 'NOT_COMPILED' });
  assert.equal(request.infer().status, 'OK');
});

for (const rounds of [1, 2, 3]) {
  test(`threads: a worker terminated while it infers harms nobody (${rounds})`, async () => {
    const modelId = binding.reserveModel();
    binding.compileModel(modelId, specification(heavyFile));
    const slab = newSlab(12 * MATRIX);
    const running = new Running({ kind: 'flood', modelId, buffer: slab.bytes.buffer as SharedArrayBuffer, size: SIZE });
    const { started } = await running.report;
    assert.equal(started, 4);
    await running.worker.terminate();
    // Its inferences are over: nobody writes any more, and nothing was written outside the four outputs.
    slab.floats.fill(7);
    const request = new TestRequest(
      binding.openModel(modelId),
      { slab: slab.id, offset: 0, shape: [SIZE, SIZE] },
      { slab: slab.id, offset: 11 * MATRIX, shape: [SIZE, SIZE] },
    );
    assert.equal((await request.start()).status, 'OK');
    assert.ok(slab.floats.subarray(0, 11 * SIZE * SIZE).every((value) => value === 7));
    binding.releaseModel(modelId);
  });
}

test('threads: workers that come and go while they infer leave the registry usable', async () => {
  const modelId = binding.reserveModel();
  binding.compileModel(modelId, specification(heavyFile));
  const buffer = new SharedArrayBuffer(12 * MATRIX);
  for (let round = 0; round < 4; round++) {
    const workers = [0, 1].map(() => new Running({ kind: 'flood', modelId, buffer, size: SIZE }));
    await Promise.all(workers.map(({ report }) => report));
    await Promise.all(workers.map(({ worker }) => worker.terminate()));
  }
  assert.equal(binding.describeModel(binding.openModel(modelId)).inputs.length, 1);
  assert.ok(compile(dummyFile));
});
