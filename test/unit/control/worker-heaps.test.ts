import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { prepareWorkerHeaps } from '#src/control/worker-heaps.js';

const SPACE_OF_YOUNG_OBJECTS = `
  const { parentPort } = require('node:worker_threads');
  const spaces = require('node:v8').getHeapSpaceStatistics();
  parentPort.postMessage(spaces.find(({ space_name: name }) => name === 'new_space').space_size);
`;

/** Bytes, in a thread that starts now. */
async function spaceOfYoungObjects(): Promise<number> {
  const worker = new Worker(SPACE_OF_YOUNG_OBJECTS, { eval: true });
  const [bytes] = (await once(worker, 'message')) as [number];
  await worker.terminate();
  return bytes;
}

test('worker heaps: threads that start afterwards have all their space for young objects from the beginning', async () => {
  const usual = await spaceOfYoungObjects();
  prepareWorkerHeaps('native');
  const prepared = await spaceOfYoungObjects();
  assert.ok(prepared >= 16 * 1024 ** 2 && prepared > usual, `${usual} bytes before, ${prepared} afterwards`);
});
