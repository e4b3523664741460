import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../contract/covers.js';
import { DENORMAL, EXECUTORS, inferBy } from './denormals.js';

// A process of its own: OpenVINO hands threads on from one model to the next, with their treatment of denormals.
for (const executor of EXECUTORS) {
  test(`denormals: they are numbers where the user wants them, with ${executor}`, async () => {
    covers('scheduling.denormals');
    const [first] = await inferBy(executor, { CPU_DENORMALS_OPTIMIZATION: 'NO' });
    assert.ok(first! > DENORMAL, `received ${first}`);
  });
}
