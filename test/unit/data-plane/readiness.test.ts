import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Readiness } from '#src/data-plane/readiness.js';

test('readiness: comes with the first snapshot behind the first load pass, and tells who waits', async () => {
  const readiness = new Readiness('1');
  readiness.observe({ isLoaded: false });
  assert.equal(readiness.isReady(), false);
  const ready = readiness.ready();
  readiness.observe({ isLoaded: true });
  await ready;
  assert.equal(readiness.isReady(), true);
});
