import type { TensorInfo } from '../tensors/tensor-info.js';

/** How many inputs a request must have that sends those of the given names: optional ones count when they are sent (as OVMS 2026.2.1). */
export function countExpected(inputs: readonly TensorInfo[], isSent: (name: string) => boolean): number {
  return inputs.filter(({ name, isOptional }) => isOptional !== true || isSent(name)).length;
}
