/** The timer of the watcher; tests give their own. */
export interface Timer {
  set(call: () => void, milliseconds: number): NodeJS.Timeout;
  clear(timeout: NodeJS.Timeout): void;
}

const NODE_TIMER: Timer = { set: setTimeout, clear: clearTimeout };
/** What is longer, Node.js takes for a millisecond. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Looks at something again and again: at the file system, because network file systems announce nothing (as OVMS 2026.2.1), and at idle
 * sequences. A look begins an interval after the end of the one before, so that they never overlap, and the timer keeps no process alive.
 */
export class Watcher {
  readonly #look: () => Promise<void>;
  readonly #milliseconds: number;
  readonly #timer: Timer;
  #timeout: NodeJS.Timeout | null = null;
  #stopped = false;

  /**
   * @param look must not reject.
   * @param seconds between two looks; 0: never. More than 24 days count as 24.
   */
  constructor(look: () => Promise<void>, seconds: number, timer: Timer = NODE_TIMER) {
    this.#look = look;
    this.#milliseconds = Math.min(seconds * 1000, LONGEST_TIMEOUT_MS);
    this.#timer = timer;
  }

  /** @returns whether it watches at all. */
  start(): boolean {
    if (this.#milliseconds === 0 || this.#stopped) return false;
    this.#timeout = this.#timer.set(() => void this.#look().then(() => this.start()), this.#milliseconds).unref();
    return true;
  }

  /** No look begins any more. */
  stop(): void {
    this.#stopped = true;
    if (this.#timeout !== null) this.#timer.clear(this.#timeout);
  }
}
