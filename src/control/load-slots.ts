import { LOADING_THREADS, SLOW_LOADING_THREADS } from '../blocking/blocking-pool.js';

/** A load that takes longer than this is slow. */
const SLOW_MS = 1_000;

/**
 * How many versions are compiled at a time: as many as there are cores, because a compilation has a core busy. A load that is slow
 * lends its place to another one, so that those behind it do not wait for it; a few can do so, because each holds memory.
 */
export class LoadSlots {
  readonly #waiting: (() => void)[] = [];
  readonly #slowMs: number;
  #free: number;
  #lendable: number;

  constructor(free = LOADING_THREADS, lendable = SLOW_LOADING_THREADS, slowMs = SLOW_MS) {
    this.#free = free;
    this.#lendable = lendable;
    this.#slowMs = slowMs;
  }

  /**
   * Does a piece of work in its turn.
   *
   * @param dropped its reason is thrown when it is aborted before the turn has come.
   */
  async run<T>(work: () => Promise<T>, dropped?: AbortSignal): Promise<T> {
    await this.#turn();
    const turn = { isLent: false };
    const timer = setTimeout(() => {
      if (this.#lendable === 0) return;
      turn.isLent = true;
      this.#lendable -= 1;
      this.#give();
    }, this.#slowMs);
    try {
      dropped?.throwIfAborted();
      return await work();
    } finally {
      clearTimeout(timer);
      if (turn.isLent) this.#lendable += 1;
      else this.#give();
    }
  }

  #turn(): Promise<void> | void {
    if (this.#free === 0) return new Promise((resolve) => void this.#waiting.push(resolve));
    this.#free -= 1;
  }

  #give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
