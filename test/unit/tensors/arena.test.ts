import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { COPY_REASONS } from '#src/tensors/copy-counter.js';
import { Arena, REGION_ALIGNMENT, sizeClass, type Lease } from '#src/tensors/arena.js';
import { FakeRegistrar } from './fake-registrar.js';

test('arena: every region starts at an aligned address, inside its slab', () => {
  const registrar = new FakeRegistrar();
  const arena = new Arena(registrar);
  for (const bytes of [0, 1, 64, 65, 4004, 602_112, 5_000_000]) {
    for (let index = 0; index < 3; index += 1) {
      const lease = arena.lease(bytes);
      assert.equal(registrar.slabAddress(lease.slabId, lease.byteOffset) % BigInt(REGION_ALIGNMENT), 0n);
      assert.ok(lease.byteOffset + bytes <= registrar.slabs.get(lease.slabId)!.byteLength);
    }
  }
});

test('arena: the region that was given back last is leased first', () => {
  const arena = new Arena(new FakeRegistrar());
  const first = arena.lease(4004);
  const address = [first.slabId, first.byteOffset];
  first.release();
  const second = arena.lease(4004);
  assert.deepEqual([second.slabId, second.byteOffset], address);
});

test('lease: goes back with its last use', () => {
  const arena = new Arena(new FakeRegistrar());
  const lease = arena.lease(100);
  lease.retain(2);
  lease.release();
  lease.release();
  assert.equal(arena.leasedRegions, 1);
  lease.release();
  assert.equal(arena.leasedRegions, 0);
});

test('lease: a release too many throws, because the memory may be in use by another request', () => {
  const lease = new Arena(new FakeRegistrar()).lease(8);
  lease.release();
  assert.throws(() => lease.release(), /released more often/);
  assert.throws(() => lease.retain(1), /after its last use/);
});

test('arena: copyIn writes the leased bytes and refuses more than were leased', () => {
  const arena = new Arena(new FakeRegistrar());
  const lease = arena.lease(3);
  arena.copyIn(lease, Uint8Array.of(1, 2, 3), 'request');
  assert.deepEqual([...lease.bytes], [1, 2, 3]);
  assert.throws(() => arena.copyIn(lease, new Uint8Array(4), 'request'), RangeError);
});

test('arena: what is copied in is counted by its reason', () => {
  const arena = new Arena(new FakeRegistrar());
  const lease = arena.lease(8);
  arena.copyIn(lease, new Uint8Array(3), 'request');
  arena.copyIn(lease, new Uint8Array(5), 'request', 3);
  arena.copyIn(lease, new Uint8Array(2), 'gather');
  arena.copyIn(lease, new Uint8Array(0), 'conversion');
  assert.throws(() => arena.copyIn(lease, new Uint8Array(9), 'request'), RangeError);
  const counted = COPY_REASONS.map((reason) => [reason, arena.copies.bytes(reason)]);
  assert.deepEqual(
    counted.filter(([, bytes]) => bytes !== 0),
    [
      ['request', 8],
      ['gather', 2],
    ],
  );
});

test('arena: slabs without a lease are given back once more than the limit is idle', () => {
  const registrar = new FakeRegistrar();
  const arena = new Arena(registrar, { idleBytes: 1_000_000 });
  const leases = Array.from({ length: 4 }, () => arena.lease(600_000 * 8));
  for (const lease of leases) lease.release();
  assert.equal(registrar.slabs.size, 0);
  assert.equal(arena.reservedBytes, 0);
});

test('size classes: hold what was asked for, waste at most a fifth, and are multiples of the alignment', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 30 }), (bytes) => {
      const size = sizeClass(bytes);
      assert.ok(size >= bytes);
      assert.equal(size % REGION_ALIGNMENT, 0);
      assert.ok(size - bytes <= Math.max(REGION_ALIGNMENT - 1, size / 5));
    }),
  );
});

test('arena: regions in use never overlap, whatever the order of leases and releases', () => {
  const step = fc.record({ bytes: fc.integer({ min: 0, max: 300_000 }), release: fc.boolean(), pick: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const arena = new Arena(new FakeRegistrar(), { idleBytes: 500_000 });
      const leases: Lease[] = [];
      for (const { bytes, release, pick } of steps) {
        if (release && leases.length > 0) leases.splice(pick % leases.length, 1)[0]!.release();
        else leases.push(arena.lease(bytes));
        assertDisjoint(leases);
      }
      assert.equal(arena.leasedRegions, leases.length);
      for (const lease of leases) lease.release();
      assert.equal(arena.leasedRegions, 0);
    }),
  );
});

function assertDisjoint(leases: readonly Lease[]): void {
  const sorted = [...leases].sort((a, b) => a.slabId - b.slabId || a.byteOffset - b.byteOffset);
  for (const [index, lease] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next === undefined || next.slabId !== lease.slabId) continue;
    assert.ok(lease.byteOffset + Math.max(1, lease.byteLength) <= next.byteOffset, 'two leases share bytes');
  }
}

test('arena: adopts the memory of another thread without a copy and forgets it with the last use', () => {
  const registrar = new FakeRegistrar();
  const arena = new Arena(registrar);
  const buffer = new SharedArrayBuffer(256);
  const lease = arena.adopt(buffer, 64, 128);
  assert.equal(lease.buffer, buffer);
  assert.deepEqual([lease.byteOffset, lease.byteLength, lease.bytes.byteOffset], [64, 128, 64]);
  assert.equal(registrar.slabs.get(lease.slabId)!.byteLength, 256);
  assert.equal(arena.leasedRegions, 1);
  assert.equal(arena.reservedBytes, 256);
  lease.retain(1);
  lease.release();
  assert.equal(arena.leasedRegions, 1);
  lease.release();
  assert.deepEqual([arena.leasedRegions, arena.reservedBytes, registrar.slabs.size], [0, 0, 0]);
});

test('arena: adopted memory is never leased to anybody else', () => {
  const arena = new Arena(new FakeRegistrar());
  const adopted = arena.adopt(new SharedArrayBuffer(4096), 0, 4096);
  adopted.release();
  assert.notEqual(arena.lease(4096).buffer, adopted.buffer);
});

test('arena: one buffer adopted twice is two leases', () => {
  const registrar = new FakeRegistrar();
  const arena = new Arena(registrar);
  const buffer = new SharedArrayBuffer(64);
  const [first, second] = [arena.adopt(buffer, 0, 32), arena.adopt(buffer, 32, 32)];
  first.release();
  assert.equal(second.bytes.byteLength, 32);
  assert.equal(registrar.slabs.size, 1);
  second.release();
  assert.equal(registrar.slabs.size, 0);
});

test('arena: refuses to adopt what does not lie within the buffer', () => {
  const registrar = new FakeRegistrar();
  const arena = new Arena(registrar);
  assert.throws(
    () => arena.adopt(new SharedArrayBuffer(64), 32, 64),
    new RangeError('region of 64 bytes from byte 32 of a buffer of 64 bytes'),
  );
  assert.deepEqual([arena.leasedRegions, registrar.slabs.size], [0, 0]);
});
