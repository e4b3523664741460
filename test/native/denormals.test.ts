import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../contract/covers.js';
import { DENORMAL, EXECUTORS, hasDenormals, inferBy, sum } from './denormals.js';
import { compile, INLINE_PROPERTIES, newSlab, TestRequest } from './support.js';

for (const executor of EXECUTORS) {
  test(`denormals: they are zeros to a network by default, with ${executor}`, async () => {
    covers('scheduling.denormals');
    assert.deepEqual(new Set(await inferBy(executor, {})), new Set([0]));
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
    assert.equal(request.infer().status, 'OK');
    assert.ok(hasDenormals(), 'after inferring');
    assert.equal(slab.floats[256], 0);
  }
});
