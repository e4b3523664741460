import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventLoopClock as clock } from '#src/servables/batching/batch-clock.js';

/** The moment at which the clock woke. */
function wakes(delayMs: number): Promise<number> {
  return new Promise((resolve) => clock.at(clock.now() + delayMs, () => resolve(clock.now())));
}

for (const delayMs of [0, 0.1, 0.9, 1.5, 3]) {
  test(`batch clock: a wait of ${delayMs} ms never ends before its time`, async () => {
    const moment = clock.now() + delayMs;
    assert.ok((await wakes(delayMs)) >= moment);
  });
}

for (const delayMs of [0.3, 2.5]) {
  test(`batch clock: a wait of ${delayMs} ms that is taken back never ends`, async () => {
    const cancel = clock.at(clock.now() + delayMs, () => assert.fail('was taken back'));
    cancel();
    await wakes(2 * delayMs);
  });
}

test('batch clock: what is to come soon comes before the event loop goes on', async () => {
  const order: string[] = [];
  const turned = new Promise<void>((resolve) =>
    setImmediate(() => {
      order.push('turn');
      resolve();
    }),
  );
  clock.soon(() => order.push('soon'));
  order.push('now');
  await turned;
  assert.deepEqual(order, ['now', 'soon', 'turn']);
});
