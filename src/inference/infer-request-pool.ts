import type { InferRequest } from './inference.js';

/**
 * The infer requests of one model version in one owner worker: one fair queue for direct calls and for all pipelines
 * (as OVMS 2026.2.1; waiting is unbounded). Driven by events only: a request that is given back goes to the oldest waiter at once.
 */
export class InferRequestPool {
  readonly #idle: InferRequest[];
  readonly #waiting = new Set<Ticket>();
  /**
   * Stands behind the tickets that had their turn. Beginning anew each time would walk over the places of all of those, which the set
   * keeps for a while: ten thousand shards of a demultiplexer wait here together.
   */
  #turns = this.#waiting.values();
  readonly size: number;

  constructor(requests: readonly InferRequest[]) {
    this.#idle = [...requests].reverse();
    this.size = requests.length;
  }

  /**
   * Calls `granted` with an infer request, now when one is idle, else in turn.
   * @returns the place in the queue; `null` when it was granted now.
   */
  acquire(granted: (request: InferRequest) => void): Ticket | null {
    const request = this.#idle.pop();
    if (request !== undefined) {
      granted(request);
      return null;
    }
    const ticket: Ticket = { granted };
    this.#waiting.add(ticket);
    return ticket;
  }

  /** Takes a waiting ticket out of the queue; `false` when it was granted before. */
  withdraw(ticket: Ticket): boolean {
    return this.#waiting.delete(ticket);
  }

  giveBack(request: InferRequest): void {
    const ticket = this.#takeOldest();
    if (ticket === undefined) this.#idle.push(request);
    else ticket.granted(request);
  }

  get idle(): number {
    return this.#idle.length;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Closes the infer requests; all must be idle. */
  close(): void {
    if (this.#idle.length !== this.size) {
      throw new Error(`${this.size - this.#idle.length} of ${this.size} infer requests are still in use`);
    }
    for (const request of this.#idle) request.close();
    this.#idle.length = 0;
  }

  #takeOldest(): Ticket | undefined {
    if (this.#waiting.size === 0) return undefined;
    let turn = this.#turns.next();
    // An iterator that has come to the end stays there, whoever queues afterwards.
    if (turn.done === true) turn = (this.#turns = this.#waiting.values()).next();
    const ticket = turn.value!;
    this.#waiting.delete(ticket);
    return ticket;
  }
}

/** A place in the queue of a pool. */
export interface Ticket {
  readonly granted: (request: InferRequest) => void;
}
