import type { Worker } from 'node:worker_threads';

/** A thread of a pool as its owner sees it. */
export class PoolThread {
  /** Nodes it has been told of. */
  readonly nodes = new Set<number>();
  /** Nodes whose states it is to end when it has nothing else to do. */
  readonly closedNodes = new Set<number>();
  /** What it has been given and has not answered; compared by identity only. */
  task: object | null = null;
  idleSince = performance.now();
  readonly #worker: Worker;
  readonly #exit: Promise<void>;
  #isEnding = false;

  constructor(
    readonly id: number,
    worker: Worker,
  ) {
    this.#worker = worker;
    this.#exit = new Promise((resolve) => worker.once('exit', () => resolve()));
  }

  /** It gets no execution any more. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  get isIdle(): boolean {
    return this.task === null && !this.#isEnding;
  }

  reserveForEnd(): void {
    this.#isEnding = true;
  }

  /** Piscina may have given it the next task before the answer to this one is seen here. */
  answered(task: object): void {
    if (this.task !== task) return;
    this.task = null;
    this.idleSince = performance.now();
  }

  /**
   * Stops the thread wherever it is. When the promise resolves, Node.js has joined it, which it does before it tells of the exit:
   * nothing writes the memory it had. It may take long when a native function of the thread does not return.
   */
  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#worker.terminate();
    await this.#exit;
  }
}
