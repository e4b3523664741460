import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../contract/covers.js';
import { compilerOf, DENORMAL, EXECUTORS, hasDenormals, inferBy, sum } from './denormals.js';
import { compile, INLINE_PROPERTIES, newSlab, specification, TestRequest } from './support.js';

const FLUSH = { CPU_DENORMALS_OPTIMIZATION: 'YES' } as const;

// First, because OpenVINO binds the setting to threads when it makes them, and hands threads on.
for (const executor of EXECUTORS) {
  test(`denormals: they are zeros where the user wants it, with ${executor}`, async () => {
    assert.deepEqual(new Set(await inferBy(executor, FLUSH)), new Set([0]));
  });
}

test('denormals: a model that flushes them hands no thread on to the next model', async () => {
  covers('scheduling.denormals');
  const { compiler, properties } = compilerOf('async', FLUSH);
  const flushing = await compiler.compile(specification(sum, { properties }));
  compiler.release(flushing);
  const slab = newSlab(4096);
  slab.floats.fill(DENORMAL, 0, 10);
  const input = { slab: slab.id, offset: 0, shape: [1, 10] };
  const request = new TestRequest(compile(sum), input, { ...input, offset: 1024 });
  assert.equal(request.infer().status, 'OK');
  assert.ok(slab.floats[256]! > DENORMAL, `received ${slab.floats[256]}`);
  compiler.close();
});

for (const executor of EXECUTORS) {
  test(`denormals: they are numbers to a network by default, with ${executor}`, async () => {
    covers('scheduling.denormals');
    for (const written of [{}, { CPU_DENORMALS_OPTIMIZATION: 'NO' }]) {
      for (const result of await inferBy(executor, written)) assert.ok(result > DENORMAL, `received ${result}`);
    }
  });
}

test('denormals: JavaScript keeps them on every thread that compiles or infers', () => {
  for (const properties of [{}, INLINE_PROPERTIES]) {
    const slab = newSlab(4096);
    slab.floats.fill(DENORMAL, 0, 10);
    assert.ok(hasDenormals());
    const model = compile(sum, { properties: { ...properties, CPU_DENORMALS_OPTIMIZATION: true } });
    assert.ok(hasDenormals(), 'after compiling');
    const input = { slab: slab.id, offset: 0, shape: [1, 10] };
    const request = new TestRequest(model, input, { ...input, offset: 1024 });
    assert.ok(hasDenormals(), 'after making an infer request');
    slab.floats.fill(1, 256, 266);
    // The first one runs on a stream's thread.
    for (let round = 0; round < 2; round += 1) assert.equal(request.infer().status, 'OK');
    assert.ok(hasDenormals(), 'after inferring');
  }
});
