import assert from 'node:assert/strict';
import type { NativeBinding } from '#src/native/binding.js';

/** An addon that knows of one device, and who holds which entry of the registry; numbers count from 1. */
export function fakeRegistry(held: Set<number>): NativeBinding {
  let last = 0;
  const registry = {
    reserveModel: () => (held.add((last += 1)), last),
    availableDevices: () => ['CPU'],
    openvinoVersion: () => 'none',
    releaseModel: (id: number) => assert.ok(held.delete(id), `model ${id} is released once`),
  };
  return registry as unknown as NativeBinding;
}
