import type { Lease } from './arena.js';
import type { Precision } from './precision.js';
import type { Shape } from './shape.js';

/**
 * A tensor of one request: precision, concrete shape and the leased region that holds its elements, row-major and little-endian.
 * Never changed after it was made; the lease counts who still reads it.
 */
export class Tensor {
  constructor(
    readonly precision: Precision,
    readonly shape: Shape,
    readonly lease: Lease,
  ) {}

  get slabId(): number {
    return this.lease.slabId;
  }

  get byteOffset(): number {
    return this.lease.byteOffset;
  }

  retain(uses: number): void {
    this.lease.retain(uses);
  }

  release(): void {
    this.lease.release();
  }
}
