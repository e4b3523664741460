import assert from 'node:assert/strict';
import { test } from 'node:test';
import { binding, newSlab } from './support.js';

test('slabs: only a view of a whole SharedArrayBuffer can be registered', () => {
  const shared = new SharedArrayBuffer(64);
  const whole = 'slab: expected a view of the whole SharedArrayBuffer';
  assert.throws(() => binding.registerSlab(new Uint8Array(64)), {
    message: 'slab: expected a view of a SharedArrayBuffer',
  });
  assert.throws(() => binding.registerSlab(new Uint8Array(shared, 1)), { message: whole });
  assert.throws(() => binding.registerSlab(new Uint8Array(shared, 0, 63)), { message: whole });
  assert.throws(() => binding.registerSlab(new Int8Array(shared) as unknown as Uint8Array), TypeError);
  assert.throws(() => binding.registerSlab(shared as unknown as Uint8Array), TypeError);
});

test('slabs: ids are used again, and a wrong id throws', () => {
  const first = newSlab(64);
  binding.unregisterSlab(first.id);
  assert.throws(() => binding.unregisterSlab(first.id), { message: `slabId: slab ${first.id} is not registered` });
  assert.throws(() => binding.slabAddress(first.id, 0), TypeError);
  assert.throws(() => binding.slabAddress(-1, 0), TypeError);
  assert.equal(newSlab(64).id, first.id);
});

test('slabs: addresses follow offsets up to the end', () => {
  const { id } = newSlab(64);
  const base = binding.slabAddress(id, 0);
  assert.equal(binding.slabAddress(id, 64), base + 64n);
  assert.throws(() => binding.slabAddress(id, 65), TypeError);
});

test('slabs: copyIn copies any view and stays within the slab', () => {
  const slab = newSlab(64);
  binding.copyIn(slab.id, 3, Buffer.from('vine'));
  assert.equal(Buffer.from(slab.bytes.slice(3, 7)).toString(), 'vine');
  binding.copyIn(slab.id, 4, slab.bytes.subarray(3, 7));
  assert.equal(Buffer.from(slab.bytes.slice(3, 8)).toString(), 'vvine');
  binding.copyIn(slab.id, 64, new Uint8Array(0));
  assert.throws(
    () => binding.copyIn(slab.id, 61, new Uint8Array(4)),
    /byteOffset: 4 bytes at offset 61 do not fit into slab/,
  );
  assert.throws(() => binding.copyIn(slab.id, 0, 'vine' as unknown as Uint8Array), TypeError);
});
