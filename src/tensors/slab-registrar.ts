/** What the arena needs of a backend: memory that infer requests can name by (slab, offset). */
export interface SlabRegistrar {
  registerSlab(slab: Uint8Array): number;
  unregisterSlab(slabId: number): void;
  slabAddress(slabId: number, byteOffset: number): bigint;
  copyIn(slabId: number, byteOffset: number, source: Uint8Array): void;
}
