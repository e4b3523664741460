import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageRegions, NO_REGION } from '#src/ingress/message-regions.js';
import type { NativeBinding } from '#src/native/binding.js';
import { Arena } from '#src/tensors/arena.js';

const KIB = 1024;

/** Remembers which region each call was given; 0 stands for the stock. */
class Given {
  readonly regions: (readonly [call: number, region: number, byteLength: number])[] = [];
  readonly arena = new Arena({
    registerSlab: () => 0,
    unregisterSlab: () => undefined,
    slabAddress: () => 0n,
    copyIn: () => undefined,
  });

  open(budget: number): MessageRegions {
    const giveIngressRegion: NativeBinding['giveIngressRegion'] = (call, region, _slab, _offset, byteLength) =>
      void this.regions.push([call, region, byteLength]);
    return new MessageRegions({ giveIngressRegion } as NativeBinding, this.arena, budget);
  }

  get calls(): number[] {
    return this.regions.map(([call]) => call);
  }
}

test('message regions: a call gets a region at once while there is memory, of 4 KiB at least', () => {
  const given = new Given();
  const regions = given.open(100 * KIB);
  regions.want(1, 10);
  regions.want(2, 50 * KIB);
  assert.deepEqual(given.calls, [1, 2]);
  assert.equal(given.regions[0]![2], 4 * KIB);
  assert.ok(given.regions[1]![2] >= 50 * KIB);
  regions.close();
  assert.equal(given.arena.leasedRegions, 0);
});

test('message regions: beyond the budget calls wait in turn, and get the region of who is through', () => {
  const given = new Given();
  const regions = given.open(100 * KIB);
  for (const call of [1, 2, 3]) regions.want(call, 60 * KIB);
  assert.deepEqual(given.calls, [1]);
  const [, first] = given.regions[0]!;
  regions.taken(first);
  assert.equal(regions.settle(first), NO_REGION);
  assert.deepEqual(given.regions[1]!.slice(0, 2), [2, first]);
  regions.dropped(first);
  assert.deepEqual(given.calls, [1, 2, 3]);
  regions.close();
  assert.equal(given.arena.leasedRegions, 0);
});

test('message regions: one call alone gets more than the budget', () => {
  const given = new Given();
  const regions = given.open(100 * KIB);
  regions.want(1, 1000 * KIB);
  regions.want(2, 10);
  assert.deepEqual(given.calls, [1]);
  regions.settle(given.regions[0]![1]);
  assert.deepEqual(given.calls, [1, 2]);
  regions.close();
});

test('message regions: a region that is free goes back to the stock, one that is still read to the arena', () => {
  const given = new Given();
  const regions = given.open(100 * KIB);
  regions.want(1, 10);
  regions.want(2, 10);
  const [free, read] = given.regions.map(([, region]) => region);
  regions.taken(free!);
  const lease = regions.taken(read!);
  lease.retain(1);
  assert.equal(regions.settle(free!), free);
  assert.equal(regions.settle(read!), NO_REGION);
  assert.equal(given.arena.leasedRegions, 2);
  lease.release();
  assert.equal(given.arena.leasedRegions, 1);
  regions.returned(free!);
  assert.equal(given.arena.leasedRegions, 0);
});
