import type { NativeBinding } from '../native/binding.js';
import { sizeClass, type Arena, type Lease } from '../tensors/arena.js';

/** Small messages share one size, so that any of them finds a region in the stock. */
const SMALLEST_REGION_BYTES = 4096;

/** No region. */
export const NO_REGION = -1;

/**
 * The regions that messages are received into: leased from the arena, lent to the I/O thread, and with a message in the hands of its
 * request. A region whose request is over goes back to the I/O thread's stock, so that the next message need not wait for one.
 *
 * Messages that together would exceed the budget wait for their regions in the order in which they asked, and their clients are held by
 * flow control; one message alone is always let in.
 */
export class MessageRegions {
  readonly #binding: NativeBinding;
  readonly #arena: Arena;
  readonly #budget: number;
  readonly #regions: (Region | null)[] = [];
  readonly #freeNumbers: number[] = [];
  readonly #waiting: { readonly call: number; readonly byteLength: number }[] = [];
  /** Of regions that a message is received into or a request reads. */
  #busyBytes = 0;

  /** @param budget bytes of messages that are received or worked on at a time. */
  constructor(binding: NativeBinding, arena: Arena, budget: number) {
    this.#binding = binding;
    this.#arena = arena;
    this.#budget = budget;
  }

  /** A call's message waits for a region. */
  want(call: number, byteLength: number): void {
    this.#waiting.push({ call, byteLength: sizeClass(Math.max(byteLength, SMALLEST_REGION_BYTES)) });
    this.#serve();
  }

  /** The lease of a region that has come with a message. */
  taken(number: number): Lease {
    const region = this.#regions[number]!;
    this.#setBusy(region, true);
    return region.lease;
  }

  /**
   * The request is over.
   * @returns the region when nobody reads it any more and the I/O thread may have it back, which the caller must see to.
   */
  settle(number: number): number {
    if (number === NO_REGION) return NO_REGION;
    const region = this.#regions[number]!;
    this.#setBusy(region, false);
    // Nodes that outlive their request may still read from it.
    if (region.lease.uses > 1) this.#forget(number, region);
    else if (this.#waiting.length === 0) return number;
    else this.#pass(number, region);
    this.#serve();
    return NO_REGION;
  }

  /** Nothing came of it, and it lies in the stock. */
  dropped(number: number): void {
    this.#setBusy(this.#regions[number]!, false);
    this.#serve();
  }

  /** The stock does not want it. */
  returned(number: number): void {
    this.#forget(number, this.#regions[number]!);
  }

  /** Gives a region of a message that was copied elsewhere back to the stock. */
  restock(number: number): void {
    const settled = this.settle(number);
    if (settled !== NO_REGION) this.#give(0, settled);
  }

  /** The I/O thread has ended. */
  close(): void {
    this.#regions.forEach((region, number) => {
      if (region !== null) this.#forget(number, region);
    });
  }

  /** Hands a free region to the call that waits first, or its memory to whoever wants it. */
  #pass(number: number, region: Region): void {
    const { call, byteLength } = this.#waiting[0]!;
    if (byteLength > region.lease.byteLength) return this.#forget(number, region);
    this.#waiting.shift();
    this.#setBusy(region, true);
    this.#give(call, number);
  }

  #serve(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#busyBytes > 0 && this.#busyBytes + next.byteLength > this.#budget) return;
      this.#waiting.shift();
      const number = this.#freeNumbers.pop() ?? this.#regions.push(null) - 1;
      const region = { lease: this.#arena.lease(next.byteLength), isBusy: false };
      this.#regions[number] = region;
      this.#setBusy(region, true);
      this.#give(next.call, number);
    }
  }

  #give(call: number, number: number): void {
    const { slabId, byteOffset, byteLength } = this.#regions[number]!.lease;
    this.#binding.giveIngressRegion(call, number, slabId, byteOffset, byteLength);
  }

  #setBusy(region: Region, isBusy: boolean): void {
    if (region.isBusy === isBusy) return;
    region.isBusy = isBusy;
    this.#busyBytes += isBusy ? region.lease.byteLength : -region.lease.byteLength;
  }

  #forget(number: number, region: Region): void {
    this.#setBusy(region, false);
    this.#regions[number] = null;
    this.#freeNumbers.push(number);
    region.lease.release();
  }
}

interface Region {
  readonly lease: Lease;
  isBusy: boolean;
}
