import assert from 'node:assert/strict';
import type { SlabRegistrar } from '#src/tensors/slab-registrar.js';

/** Slabs at invented addresses that are aligned to 16 bytes only, as real SharedArrayBuffers are. */
export class FakeRegistrar implements SlabRegistrar {
  readonly slabs = new Map<number, Uint8Array>();
  #next = 0;

  registerSlab(slab: Uint8Array): number {
    this.slabs.set(this.#next, slab);
    return this.#next++;
  }

  unregisterSlab(slabId: number): void {
    assert.ok(this.slabs.delete(slabId));
  }

  slabAddress(slabId: number, byteOffset: number): bigint {
    return BigInt(0x1000_0000 * (slabId + 1) + 16 * (slabId % 4) + byteOffset);
  }

  copyIn(slabId: number, byteOffset: number, source: Uint8Array): void {
    this.slabs.get(slabId)!.set(source, byteOffset);
  }
}
