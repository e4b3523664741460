/** The timer of the watcher; tests give their own. */
export interface Timer {
  set(call: () => void, milliseconds: number): NodeJS.Timeout;
  clear(timeout: NodeJS.Timeout): void;
}

const NODE_TIMER: Timer = { set: setTimeout, clear: clearTimeout };

/**
 * Looks at the file system again and again. It polls, as OVMS 2026.2.1, because network file systems announce nothing. A look begins
 * an interval after the end of the one before, so that they never overlap, and the timer keeps no process alive.
 */
export class Watcher {
  readonly #look: () => Promise<void>;
  readonly #milliseconds: number;
  readonly #timer: Timer;
  #timeout: NodeJS.Timeout | null = null;
  #stopped = false;

  /**
   * @param look must not reject.
   * @param seconds between two looks; 0: never.
   */
  constructor(look: () => Promise<void>, seconds: number, timer: Timer = NODE_TIMER) {
    this.#look = look;
    this.#milliseconds = seconds * 1000;
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
