import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SnapshotPublisher } from '#src/control/snapshot-publisher.js';
import type { ServablesSnapshot } from '#src/servables/snapshot.js';

/** A data plane that runs on a snapshot when the test says so. */
class ManualDataPlane {
  readonly received: number[] = [];
  readonly #pending: (() => void)[] = [];
  readonly publisher = new SnapshotPublisher(
    (epoch): ServablesSnapshot => ({ epoch, isLoaded: true, models: [], pipelines: [] }),
    ({ epoch }) => {
      this.received.push(epoch);
      return new Promise((resolve) => this.#pending.push(resolve));
    },
  );

  apply(): void {
    this.#pending.shift()!();
  }
}

test('changes made in one go are one snapshot, later ones another', async () => {
  const { publisher, received } = new ManualDataPlane();
  publisher.changed();
  publisher.changed();
  assert.deepEqual(received, []);
  await new Promise(setImmediate);
  publisher.changed();
  await new Promise(setImmediate);
  assert.deepEqual(received, [1, 2]);
  assert.equal(publisher.epoch, 2);
});

test('all that was changed is applied when every snapshot is, in whichever order', async () => {
  const plane = new ManualDataPlane();
  let applied = false;
  plane.publisher.changed();
  await new Promise(setImmediate);
  plane.publisher.changed();
  const done = plane.publisher.applied().then(() => (applied = true));
  await new Promise(setImmediate);
  plane.apply();
  await new Promise(setImmediate);
  assert.equal(applied, false);
  plane.apply();
  await done;
});

test('without a change there is nothing to wait for', async () => {
  const { publisher } = new ManualDataPlane();
  await publisher.applied();
  assert.equal(publisher.epoch, 0);
});
