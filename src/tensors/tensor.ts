import type { Lease } from './arena.js';
import { elementArray, elementValue, isAligned, type NumericPrecision } from './elements.js';
import { ELEMENT_BYTES, type Precision } from './precision.js';
import { elementCount, type Shape } from './shape.js';

/**
 * A tensor of one request: precision, concrete shape and the leased region that holds its elements, row-major and little-endian.
 * Strings are packed (`strings.ts`) and fill their lease.
 * Never changed after it was made; the lease counts who still reads it.
 */
export class Tensor {
  /** @param start of the elements in the lease, in bytes: a shard begins in the middle of its demultiplexer's region. */
  constructor(
    readonly precision: Precision,
    readonly shape: Shape,
    readonly lease: Lease,
    readonly start = 0,
  ) {}

  get slabId(): number {
    return this.lease.slabId;
  }

  get byteOffset(): number {
    return this.lease.byteOffset + this.start;
  }

  get byteLength(): number {
    if (this.precision === 'STRING') return this.lease.byteLength - this.start;
    return (elementCount(this.shape) ?? 0) * ELEMENT_BYTES[this.precision];
  }

  /** The elements, valid until the last use is released. */
  get bytes(): Uint8Array {
    return new Uint8Array(this.lease.buffer, this.byteOffset, this.byteLength);
  }

  /** One element as a number: 64-bit integers stay exact. Not of STRING. */
  element(index: number): number | bigint {
    const precision = this.precision as NumericPrecision;
    const size = ELEMENT_BYTES[precision];
    const start = this.byteOffset + index * size;
    if (isAligned(precision, start))
      return elementValue(precision, elementArray(precision, this.lease.buffer, start, 1), 0);
    const bytes = Uint8Array.from(this.bytes.subarray(index * size, (index + 1) * size));
    return elementValue(precision, elementArray(precision, bytes.buffer, 0, 1), 0);
  }

  retain(uses: number): void {
    this.lease.retain(uses);
  }

  release(): void {
    this.lease.release();
  }
}
