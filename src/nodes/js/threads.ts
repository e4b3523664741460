import { Piscina, queueOptionsSymbol } from 'piscina';

import { log } from '../../observability/logger.js';
import type { JsNodeLimits } from './limits.js';
import { textOf } from './module-fault.js';
import { PoolThread } from './pool-thread.js';
import type { DeinitializeResult, DeinitializeTask, ExecuteResult, ThreadData } from './protocol.js';
import { Errand, type Run } from './run.js';

type LoadBalancer = NonNullable<NonNullable<ConstructorParameters<typeof Piscina>[0]>['loadBalancer']>;
type PiscinaWorker = Parameters<LoadBalancer>[1][number];

/**
 * The threads of a pool over piscina. Each of `limits.threads` slots stands for a thread that is occupied, being started or ending:
 * whoever gives piscina a task or ends a thread holds one, so piscina always has a thread for a task or may start one.
 */
export class Threads {
  readonly #module: string;
  readonly #limits: JsNodeLimits;
  readonly #piscina: Piscina;
  readonly #known = new Map<number, PoolThread>();
  readonly #freeSlots: number[];
  readonly #onSlotFree: () => void;
  readonly #idleTimer: NodeJS.Timeout;
  /** Errands that hold a slot. */
  readonly #errands = new Set<Promise<void>>();

  /**
   * @param onSlotFree a slot may be taken again.
   * @param onIdleLost a thread without a task has ended, perhaps before it began.
   */
  constructor(data: ThreadData, limits: JsNodeLimits, onSlotFree: () => void, onIdleLost: (error: unknown) => void) {
    this.#module = data.module;
    this.#limits = limits;
    this.#onSlotFree = onSlotFree;
    this.#freeSlots = Array.from({ length: limits.threads }, (_, slot) => slot);
    this.#piscina = new Piscina({
      filename: new URL('./thread.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: limits.threads,
      concurrentTasksPerWorker: 1,
      // Idle threads end here, after their states: piscina would stop them as they are.
      idleTimeout: Infinity,
      // With its default a waiting worker sits in Atomics.wait and its event loop stands still.
      atomics: 'disabled',
      recordTiming: false,
      resourceLimits: { maxOldGenerationSizeMb: limits.heapMegabytes },
      workerData: data,
      loadBalancer: (task, workers) => this.#choose(task[queueOptionsSymbol as keyof typeof task], workers),
    });
    this.#piscina.on('error', onIdleLost);
    this.#idleTimer = setInterval(() => this.#endIdle(), limits.idleMs / 2).unref();
  }

  /** Threads that have had a task and have not ended. */
  get count(): number {
    return this.#known.size;
  }

  takeSlot(): number | undefined {
    return this.#freeSlots.pop();
  }

  giveBackSlot(slot: number): void {
    this.#freeSlots.push(slot);
    // States that nobody needs go before the next execution, which may keep the thread busy for long.
    for (const thread of this.#known.values()) this.#endClosedNodes(thread);
    this.#onSlotFree();
  }

  /** Rejects when the thread was lost, which then perhaps has not ended yet, or when the run was told to {@link Run.forget}. */
  async execute(run: Run): Promise<ExecuteResult> {
    // The balancer finds the run under the symbol, which does not cross to the thread.
    const task = Object.assign(run.task, { [queueOptionsSymbol]: run });
    const result = (await this.#piscina.run(task, { signal: run })) as ExecuteResult | null;
    // A thread that ended by `throw null` looks to piscina like a task that ended well.
    if (result === null) throw new Error('null was thrown');
    return result;
  }

  /** Ends the states of a node in every thread, as soon as that has nothing else to do. */
  forget(node: number): void {
    for (const thread of this.#known.values()) {
      if (!thread.nodes.has(node)) continue;
      thread.closedNodes.add(node);
      this.#endClosedNodes(thread);
    }
  }

  /** Deinitialises every state and ends every thread. No execution may hold a slot. */
  async close(): Promise<void> {
    clearInterval(this.#idleTimer);
    await Promise.all(this.#errands);
    await Promise.all([...this.#known.values()].map((thread) => this.#retire(thread)));
    await this.#piscina.destroy();
  }

  /** Prefers threads in which the node has been initialised, then those that have loaded the module. */
  #choose(wanted: unknown, workers: readonly PiscinaWorker[]): PiscinaWorker | null {
    const idle = workers.filter(({ currentUsage, destroyed }) => currentUsage === 0 && !destroyed);
    if (wanted instanceof Errand) {
      const own = idle.find(({ id }) => id === wanted.thread.id) ?? null;
      if (own !== null) wanted.assign();
      return own;
    }
    const run = wanted as Run;
    const free = idle.filter(({ id }) => !(this.#known.get(id)?.isEnding ?? false));
    const chosen =
      free.find(({ id }) => this.#known.get(id)?.nodes.has(run.task.node)) ??
      free.find(({ id }) => this.#known.has(id)) ??
      free[0];
    if (chosen === undefined) return null;
    run.assign(this.#threadOf(chosen.id));
    return chosen;
  }

  #threadOf(id: number): PoolThread {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const worker = this.#piscina.threads.find(({ threadId }) => threadId === id)!;
    const thread = new PoolThread(id, worker);
    this.#known.set(id, thread);
    worker.once('exit', () => this.#known.delete(id));
    return thread;
  }

  #endIdle(): void {
    const before = performance.now() - this.#limits.idleMs;
    for (const thread of this.#known.values()) {
      if (thread.isIdle && thread.idleSince <= before) this.#withSlot(() => this.#retire(thread));
    }
  }

  #endClosedNodes(thread: PoolThread): void {
    if (!thread.isIdle || thread.closedNodes.size === 0) return;
    this.#withSlot(async () => {
      const nodes = [...thread.closedNodes];
      thread.closedNodes.clear();
      for (const node of nodes) thread.nodes.delete(node);
      if (!(await this.#deinitialize(thread, nodes))) await thread.end();
    });
  }

  /** Does nothing when all slots are taken: the next slot that is given back or the next idle time will do. */
  #withSlot(work: () => Promise<void>): void {
    const slot = this.#freeSlots.pop();
    if (slot === undefined) return;
    const errand = work().finally(() => {
      this.#errands.delete(errand);
      this.giveBackSlot(slot);
    });
    this.#errands.add(errand);
  }

  async #retire(thread: PoolThread): Promise<void> {
    thread.reserveForEnd();
    await this.#deinitialize(thread, 'all');
    await thread.end();
  }

  /** @returns whether the thread is still of use. */
  async #deinitialize(thread: PoolThread, nodes: DeinitializeTask['nodes']): Promise<boolean> {
    const errand = new Errand(thread, { kind: 'deinitialize', nodes });
    // The thread has a limit of its own; this one is for a thread that does not come to its timers.
    const timer = setTimeout(() => void thread.end(), this.#limits.deinitializeMs * 2);
    try {
      const { faults } = await this.#run(errand);
      for (const fault of faults) this.#warn(fault);
      return true;
    } catch (error) {
      this.#warn(`deinitialize: its thread ended: ${textOf(error)}`);
      return false;
    } finally {
      clearTimeout(timer);
      thread.answered(errand);
    }
  }

  #run(errand: Errand): Promise<DeinitializeResult> {
    const task = Object.assign({ ...errand.task }, { [queueOptionsSymbol]: errand });
    const result = this.#piscina.run(task, { signal: errand }) as Promise<DeinitializeResult>;
    // A thread that has gone meanwhile takes no task, and no other may.
    if (!errand.isAssigned) errand.forget();
    return result;
  }

  #warn(text: string): void {
    log.serving.warning(`JavaScript node: module: ${this.#module}; ${text}`);
  }
}
