import { CATALOGUE, ServingError } from '../../errors.js';
import { log, type LoggingOptions } from '../../observability/logger.js';
import type { Tensor } from '../../tensors/tensor.js';
import type { NodeExecuted, Withdraw } from '../node-instance.js';
import { Board, PHASE } from './board.js';
import { Execution, type PooledNode } from './execution.js';
import type { JsNodeLimits } from './limits.js';
import { textOf } from './module-fault.js';
import type { ExecuteResult, NodeFault } from './protocol.js';
import type { JsNodeReference } from './reference.js';
import { Run } from './run.js';
import { Threads } from './threads.js';

/** An execution that never started because its thread was lost, or could not be had, is tried so often. */
const MOST_ATTEMPTS = 3;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Executes the nodes that use one generation of a module in one owner worker: a new generation gets a new pool, and with its threads
 * a fresh module cache.
 *
 * The pool keeps its own queue and gives piscina no more than there are threads, so what has not begun can always be taken back. An
 * execution is over when its thread has answered or has been joined, never earlier: until then it may write the leased memory.
 */
export class ThreadPool {
  readonly #module: string;
  readonly #limits: JsNodeLimits;
  readonly #board: Board;
  readonly #threads: Threads;
  readonly #queue: { readonly execution: Execution; readonly attempt: number }[] = [];
  readonly #runs = new Map<Execution, Run>();
  #onDrained: (() => void) | null = null;

  constructor({ module, files }: JsNodeReference, limits: JsNodeLimits, logging: LoggingOptions | null) {
    this.#module = module;
    this.#limits = limits;
    this.#board = Board.ofSlots(limits.threads);
    const data = { module, files, board: this.#board.buffer, deinitializeLimitMs: limits.deinitializeMs, logging };
    this.#threads = new Threads(
      data,
      limits,
      () => this.#dispatch(),
      (error) => this.#onIdleLost(error),
    );
  }

  get threadCount(): number {
    return this.#threads.count;
  }

  execute(node: PooledNode, inputs: readonly Tensor[], wanted: readonly boolean[], done: NodeExecuted): Withdraw {
    const execution = new Execution(node, inputs, wanted, done);
    this.#queue.push({ execution, attempt: 1 });
    this.#dispatch();
    return (error) => this.#withdraw(execution, error);
  }

  /** Nothing of the node runs or will. */
  forget(node: PooledNode): void {
    this.#threads.forget(node.id);
  }

  /** Executions under way finish; then every state is deinitialised and every thread ended. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onDrained = resolve;
      this.#reportDrained();
    });
    await this.#threads.close();
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const slot = this.#threads.takeSlot();
      if (slot === undefined) return;
      const { execution, attempt } = this.#queue.shift()!;
      this.#start(execution, attempt, slot);
    }
    this.#reportDrained();
  }

  #reportDrained(): void {
    if (this.#queue.length === 0 && this.#runs.size === 0) this.#onDrained?.();
  }

  #start(execution: Execution, attempt: number, slot: number): void {
    let run: Run;
    try {
      run = new Run(execution, execution.toTask(slot), attempt, (assigned) => this.#watch(assigned));
    } catch (error) {
      execution.fail(error as ServingError);
      return this.#threads.giveBackSlot(slot);
    }
    this.#board.reset(slot);
    this.#runs.set(execution, run);
    this.#threads.execute(run).then(
      (result) => this.#onResult(run, result),
      (error: unknown) => this.#onFault(run, error),
    );
  }

  #onResult(run: Run, result: ExecuteResult): void {
    const isUseless = result.kind === 'failed' && result.fault.isThreadUseless;
    if (run.error !== null || isUseless) {
      void run.thread!.end().then(() => this.#finish(run, result));
    } else {
      run.thread!.answered(run);
      this.#finish(run, result);
    }
  }

  /** Whoever waits for the slot goes first, as it waited longer than what the outputs will start. */
  #finish(run: Run, result: ExecuteResult): void {
    const { execution } = run;
    const micros = Math.max(1, Math.round(this.#elapsedMs(run) * 1000));
    this.#free(run);
    if (run.error !== null) execution.fail(run.error, micros);
    else if (result.kind === 'executed') execution.succeed(result);
    else if (result.kind === 'failed') execution.fail(this.#nodeError(execution, result.fault), result.fault.micros);
  }

  #onFault(run: Run, error: unknown): void {
    if (run.thread === null) {
      this.#free(run);
      return run.isForgotten ? undefined : this.#retry(run, error);
    }
    void run.thread.end().then(() => {
      const hasStarted = this.#board.phase(run.slot) !== PHASE.waiting;
      const micros = hasStarted ? Math.max(1, Math.round(this.#elapsedMs(run) * 1000)) : 0;
      this.#free(run);
      if (run.error === null && !hasStarted) return this.#retry(run, error);
      const text = `the thread of the node ended: ${textOf(error)}`;
      const reason = run.error === null ? text : `its thread had to be ended: ${CATALOGUE[run.error.code].text}`;
      log.serving.warning(`JavaScript node: ${this.#where(run.execution)}; ${reason}`);
      run.execution.fail(run.error ?? this.#failure(run.execution, text, error), micros);
    });
  }

  #retry({ execution, attempt }: Run, error: unknown): void {
    if (execution.isDone) return;
    execution.releaseTargets();
    if (attempt >= MOST_ATTEMPTS) {
      return execution.fail(this.#failure(execution, `no thread could be had: ${textOf(error)}`, error));
    }
    this.#queue.unshift({ execution, attempt: attempt + 1 });
    this.#dispatch();
  }

  /** What waited for the thread seeks another. */
  #onIdleLost(error: unknown): void {
    log.serving.warning(`JavaScript node: module: ${this.#module}; a thread ended: ${textOf(error)}`);
    for (const run of [...this.#runs.values()]) {
      if (run.thread !== null) continue;
      run.forget();
      this.#retry(run, error);
    }
  }

  #free(run: Run): void {
    run.clearTimers();
    if (this.#runs.get(run.execution) === run) this.#runs.delete(run.execution);
    this.#threads.giveBackSlot(run.slot);
  }

  #withdraw(execution: Execution, error: ServingError): void {
    if (execution.isDone) return;
    const queued = this.#queue.findIndex((waiting) => waiting.execution === execution);
    if (queued !== -1) {
      this.#queue.splice(queued, 1);
      execution.fail(error);
      return this.#reportDrained();
    }
    const run = this.#runs.get(execution);
    if (run === undefined) return;
    if (run.thread === null) run.forget();
    else if (!this.#board.withdraw(run.slot)) {
      run.graceTimer ??= setTimeout(() => this.#end(run, error), this.#limits.withdrawGraceMs);
      return;
    }
    run.clearTimers();
    execution.fail(error);
  }

  #end(run: Run, error: ServingError): void {
    run.error ??= error;
    // Its exit makes piscina reject the task.
    void run.thread!.end();
  }

  /** Sees to the time limits from the moment a thread has the task. */
  #watch(run: Run): void {
    const wait = Math.min(run.execution.node.timeoutMs, LONGEST_TIMER_MS);
    run.limitTimer = setTimeout(() => this.#checkLimit(run), wait);
  }

  /** Where the execution is stands on the board, so its thread need not send a message at each start. */
  #checkLimit(run: Run): void {
    const { timeoutMs } = run.execution.node;
    const phase = this.#board.phase(run.slot);
    if (phase === PHASE.executed || phase === PHASE.withdrawn) return;
    const isExecuting = phase === PHASE.executing;
    const elapsed = this.#elapsedMs(run);
    const limit = isExecuting ? timeoutMs : this.#limits.initializeMs;
    if (elapsed >= limit)
      return this.#end(run, this.#timeout(run.execution, isExecuting ? 'execute' : 'initialize', limit));
    const wait = Math.min(isExecuting ? limit - elapsed : timeoutMs, limit - elapsed, LONGEST_TIMER_MS);
    run.limitTimer = setTimeout(() => this.#checkLimit(run), Math.ceil(wait));
  }

  /** Of `execute` once that was called, else of its preparation. */
  #elapsedMs({ slot, assignedAt }: Run): number {
    const phase = this.#board.phase(slot);
    if (phase === PHASE.executing || phase === PHASE.executed) return this.#board.executedMs(slot);
    return performance.now() - assignedAt;
  }

  #timeout(execution: Execution, what: string, limit: number): ServingError {
    return new ServingError(
      'JS_NODE_TIMEOUT',
      `${this.#where(execution)}; ${what}: expected its end within ${limit} ms`,
    );
  }

  #nodeError(execution: Execution, { code, text, stack }: NodeFault): ServingError {
    return new ServingError(code, `${this.#where(execution)}; ${text}`, { cause: new Error(stack) });
  }

  #failure(execution: Execution, text: string, cause: unknown): ServingError {
    return new ServingError('JS_NODE_FAILED', `${this.#where(execution)}; ${text}`, { cause });
  }

  #where({ node }: Execution): string {
    return `node: ${node.description.name}; module: ${this.#module}`;
  }
}
