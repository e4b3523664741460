import { BATCHING, BLOCK_SLOTS } from './block.js';
import { BATCH_BOUNDS, observe } from './histogram.js';

/** What one owner worker counts about the batches of a model version. */
export class BatchMetrics {
  readonly #numbers: Float64Array;

  /** @param numbers of a block of batches. */
  constructor(numbers: Float64Array) {
    this.#numbers = numbers;
  }

  /** One that nobody reads, for whoever runs models without a control plane. */
  static detached(): BatchMetrics {
    return new BatchMetrics(new Float64Array(BLOCK_SLOTS.batching));
  }

  /** An inference succeeded, of so many rows of so many requests; one of the latter is a request that found no company. */
  inferred(rows: number, requests: number): void {
    observe(this.#numbers, BATCHING.size, rows, BATCH_BOUNDS);
    this.#numbers[BATCHING.requests]! += requests;
  }
}
