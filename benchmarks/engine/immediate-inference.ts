import type { Inference, InferenceModel } from '#src/inference/inference.js';
import type { SlabRegistrar } from '#src/tensors/slab-registrar.js';
import { Tensor } from '#src/tensors/tensor.js';

/** Computes nothing and ends at once: what is left is the scheduler with its leases and queues. Addresses are made up. */
export class ImmediateInference implements Inference, SlabRegistrar {
  readonly memory = this;
  #slabs = 0;

  useArena(): void {
    // Nothing is allocated here.
  }

  openModel(): Promise<InferenceModel> {
    return Promise.resolve({
      createInferRequest: () => ({
        infer: (_inputs, targets, done) =>
          done(
            null,
            targets.map((target) => (target instanceof Tensor ? target : null)),
            0,
          ),
        close: () => undefined,
      }),
      close: () => undefined,
    });
  }

  registerSlab(): number {
    return this.#slabs++;
  }

  unregisterSlab(): void {
    // Slabs are only counted.
  }

  slabAddress(_slabId: number, byteOffset: number): bigint {
    return BigInt(byteOffset);
  }

  copyIn(): void {
    // Nobody reads.
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
