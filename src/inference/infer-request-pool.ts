import type { InferRequest } from './inference.js';

/**
 * The infer requests of one model version in one owner worker: one fair queue for direct calls and for all pipelines
 * (as OVMS 2026.2.1; waiting is unbounded). Driven by events only: a request that is given back goes to the oldest waiter at once.
 */
export class InferRequestPool {
  readonly #idle: InferRequest[];
  readonly #waiting = new Set<Ticket>();
  readonly size: number;

  constructor(requests: readonly InferRequest[]) {
    this.#idle = [...requests].reverse();
    this.size = requests.length;
  }

  /** Calls `granted` with an infer request, now when one is idle, else in turn. */
  acquire(granted: (request: InferRequest) => void): Ticket {
    const ticket: Ticket = { granted };
    const request = this.#idle.pop();
    if (request === undefined) this.#waiting.add(ticket);
    else granted(request);
    return ticket;
  }

  /** Takes a waiting ticket out of the queue; `false` when it was granted before. */
  withdraw(ticket: Ticket): boolean {
    return this.#waiting.delete(ticket);
  }

  giveBack(request: InferRequest): void {
    for (const ticket of this.#waiting) {
      this.#waiting.delete(ticket);
      ticket.granted(request);
      return;
    }
    this.#idle.push(request);
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
}

/** A place in the queue of a pool. */
export interface Ticket {
  readonly granted: (request: InferRequest) => void;
}
