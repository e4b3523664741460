import type { NativeBinding } from '../native/binding.js';

/** Drops the slabs of infer requests that nothing refers to any more; a request that runs is referred to by the completion ring. */
const forgotten = new FinalizationRegistry<SlabHolds>((holds) => holds.releaseAll());

/**
 * The memory that one infer request has made known to native code. A slab is kept alive natively, so whatever is registered here is
 * given back when other memory takes its place or the request is gone.
 */
export class SlabHolds {
  readonly #binding: NativeBinding;
  readonly #slabs = new Set<number>();

  /** @param owner is watched, not held. */
  constructor(binding: NativeBinding, owner: object) {
    this.#binding = binding;
    forgotten.register(owner, this);
  }

  register(buffer: SharedArrayBuffer): number {
    const id = this.#binding.registerSlab(new Uint8Array(buffer));
    this.#slabs.add(id);
    return id;
  }

  release(id: number): void {
    this.#binding.unregisterSlab(id);
    this.#slabs.delete(id);
  }

  releaseAll(): void {
    for (const id of [...this.#slabs]) this.release(id);
  }

  /** Copies natively: V8's own copy into shared memory takes three times as long. */
  copyIn(id: number, source: Uint8Array): void {
    if (source.byteLength > 0) this.#binding.copyIn(id, 0, source);
  }
}
