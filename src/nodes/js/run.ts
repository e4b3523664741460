import type { ServingError } from '../../errors.js';
import type { Execution } from './execution.js';
import type { PoolThread } from './pool-thread.js';
import type { DeinitializeTask, ExecuteTask } from './protocol.js';

/**
 * What piscina takes for an abort signal; far cheaper than an `AbortController` for each execution. Only for tasks that no thread
 * has: piscina rejects an aborted task before its thread has ended, so threads that run are ended directly, and their end is what
 * makes piscina reject.
 */
export class TaskSignal {
  #abort: (() => void) | null = null;
  #isForgotten = false;

  get isForgotten(): boolean {
    return this.#isForgotten;
  }

  /** Takes the task out of piscina's queue; its promise rejects. */
  forget(): void {
    this.#isForgotten = true;
    this.#abort?.();
  }

  once(_event: 'abort', listener: () => void): void {
    this.#abort = listener;
  }

  off(): void {
    this.#abort = null;
  }

  removeListener(): void {
    this.#abort = null;
  }
}

/** One attempt to have a thread execute: from the moment a thread is sought until the slot is free again. */
export class Run extends TaskSignal {
  thread: PoolThread | null = null;
  /** Why its thread is being ended. */
  error: ServingError | null = null;
  assignedAt = 0;
  limitTimer: NodeJS.Timeout | undefined;
  graceTimer: NodeJS.Timeout | undefined;
  readonly #onAssigned: (run: Run) => void;

  constructor(
    readonly execution: Execution,
    readonly task: ExecuteTask,
    readonly attempt: number,
    onAssigned: (run: Run) => void,
  ) {
    super();
    this.#onAssigned = onAssigned;
  }

  get slot(): number {
    return this.task.slot;
  }

  assign(thread: PoolThread): void {
    this.thread = thread;
    this.assignedAt = performance.now();
    thread.task = this;
    if (thread.nodes.has(this.task.node)) this.task.description = null;
    thread.nodes.add(this.task.node);
    this.#onAssigned(this);
  }

  clearTimers(): void {
    clearTimeout(this.limitTimer);
    clearTimeout(this.graceTimer);
  }
}

/** A task for one thread only, given while that has none. */
export class Errand extends TaskSignal {
  isAssigned = false;

  constructor(
    readonly thread: PoolThread,
    readonly task: DeinitializeTask,
  ) {
    super();
  }

  assign(): void {
    this.isAssigned = true;
    this.thread.task = this;
  }
}
