import { NODE } from './block.js';
import { observe } from './histogram.js';

/** What one owner worker counts about a node of a pipeline, in all requests and all shards. */
export class NodeMetrics {
  readonly #numbers: Float64Array;

  /** @param numbers of a block of a node. */
  constructor(numbers: Float64Array) {
    this.#numbers = numbers;
  }

  /**
   * A session of the node ended, well or not, after its turn had come.
   *
   * @param queueMicros from complete inputs to its turn.
   * @param micros from its turn to its outputs.
   */
  ran(queueMicros: number, micros: number): void {
    observe(this.#numbers, NODE.queueTime, queueMicros);
    observe(this.#numbers, NODE.time, micros);
  }

  /** Bytes were copied to join its inputs or to bring its outputs into leased memory. */
  copied(bytes: number): void {
    this.#numbers[NODE.copied]! += bytes;
  }

  /** A session of the node did not run, because of a condition of its own or of one before it. */
  skipped(): void {
    this.#numbers[NODE.skipped]! += 1;
  }
}
