import type { InferRequest } from './inference.js';
import type { LoadGate } from './load-gate.js';

/**
 * The infer requests of one model version in one owner worker: one fair queue for direct calls and for all pipelines
 * (as OVMS 2026.2.1; waiting is unbounded). Driven by events only: a request that is given back goes to the oldest waiter at once.
 *
 * It may get a second set, of the same model compiled for throughput, which is used instead while the worker is crowded.
 * Where the sets change, inferences of both run for a moment.
 */
export class InferRequestPool {
  readonly #usual: RequestSet;
  /** `null` until {@link addForThroughput}. */
  #forThroughput: RequestSet | null = null;
  readonly #waiting = new Set<Ticket>();
  /**
   * Stands behind the tickets that had their turn. Beginning anew each time would walk over the places of all of those, which the set
   * keeps for a while: ten thousand shards of a demultiplexer wait here together.
   */
  #turns = this.#waiting.values();
  readonly #load: LoadGate | null;
  #onCrowded: (() => void) | null;

  /**
   * @param load of the worker; without it the usual set is the only one.
   * @param onCrowded called once, when the model is wanted and the worker is crowded.
   */
  constructor(requests: readonly InferRequest[], load: LoadGate | null = null, onCrowded: (() => void) | null = null) {
    this.#usual = new RequestSet(requests);
    this.#load = load;
    this.#onCrowded = onCrowded;
  }

  /** Infer requests of the usual set. */
  get size(): number {
    return this.#usual.size;
  }

  /**
   * Calls `granted` with an infer request, now when one is idle, else in turn.
   * @returns the place in the queue; `null` when it was granted now.
   */
  acquire(granted: (request: InferRequest) => void): Ticket | null {
    if (this.#load !== null) this.#tell(this.#load);
    const request = this.#waiting.size === 0 ? this.#used.take() : undefined;
    if (request !== undefined) {
      granted(request);
      return null;
    }
    const ticket: Ticket = { granted };
    this.#waiting.add(ticket);
    this.#grant();
    return ticket;
  }

  /** Takes a waiting ticket out of the queue; `false` when it was granted before. */
  withdraw(ticket: Ticket): boolean {
    return this.#waiting.delete(ticket);
  }

  giveBack(request: InferRequest): void {
    const set = this.#forThroughput?.has(request) === true ? this.#forThroughput : this.#usual;
    set.putBack(request);
    this.#grant();
  }

  /** The second set; {@link close} closes it, too. */
  addForThroughput(requests: readonly InferRequest[]): void {
    this.#forThroughput = new RequestSet(requests);
    this.#grant();
  }

  /** Infer requests that the next one to ask may have at once. */
  get idle(): number {
    return this.#used.idle;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Closes the infer requests; all must be idle. */
  close(): void {
    this.#usual.close();
    this.#forThroughput?.close();
  }

  get #used(): RequestSet {
    return this.#load?.isCrowded === true ? (this.#forThroughput ?? this.#usual) : this.#usual;
  }

  #tell(load: LoadGate): void {
    if (this.#used.idle === 0) load.hasToWait();
    else if (this.#usual.isAllIdle && (this.#forThroughput?.isAllIdle ?? true)) load.isAlone();
    else load.isOneOfSeveral();
    if (!load.isCrowded || this.#onCrowded === null) return;
    const tell = this.#onCrowded;
    this.#onCrowded = null;
    tell();
  }

  #grant(): void {
    while (this.#waiting.size > 0) {
      const request = this.#used.take();
      if (request === undefined) return;
      this.#takeOldest().granted(request);
    }
  }

  #takeOldest(): Ticket {
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

/** Infer requests of one compiled model. */
class RequestSet {
  readonly #all: ReadonlySet<InferRequest>;
  readonly #idle: InferRequest[];

  constructor(requests: readonly InferRequest[]) {
    this.#all = new Set(requests);
    this.#idle = [...requests].reverse();
  }

  get size(): number {
    return this.#all.size;
  }

  get idle(): number {
    return this.#idle.length;
  }

  get isAllIdle(): boolean {
    return this.#idle.length === this.#all.size;
  }

  has(request: InferRequest): boolean {
    return this.#all.has(request);
  }

  take(): InferRequest | undefined {
    return this.#idle.pop();
  }

  putBack(request: InferRequest): void {
    this.#idle.push(request);
  }

  close(): void {
    if (!this.isAllIdle) throw new Error(`${this.size - this.idle} of ${this.size} infer requests are still in use`);
    for (const request of this.#idle) request.close();
    this.#idle.length = 0;
  }
}
