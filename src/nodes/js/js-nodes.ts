import { availableParallelism } from 'node:os';
import { basename } from 'node:path';

import type { LoggingOptions } from '../../observability/logger.js';
import type { Arena } from '../../tensors/arena.js';
import type { NodeInstance } from '../node-instance.js';
import type { PooledNode } from './execution.js';
import type { JsNodeLimits } from './limits.js';
import type { JsNodeReference } from './reference.js';
import { ThreadPool } from './thread-pool.js';

export const JS_NODE_LIMITS: JsNodeLimits = {
  threads: availableParallelism(),
  idleMs: 60_000,
  withdrawGraceMs: 1_000,
  initializeMs: 60_000,
  deinitializeMs: 5_000,
  heapMegabytes: 1_024,
};

export interface JsNodesOptions {
  readonly limits?: Partial<JsNodeLimits>;
  /** Where lines that nodes print go; those of the owner worker. Default: standard output. */
  readonly logging?: LoggingOptions;
}

interface Generation {
  readonly pool: ThreadPool;
  instances: number;
}

/** The nodes of users' own modules in one owner worker, used on its thread only. Nodes of one generation of a module share threads. */
export class JsNodes {
  readonly #limits: JsNodeLimits;
  readonly #logging: LoggingOptions | null;
  readonly #generations = new Map<string, Generation>();
  readonly #closing = new Set<Promise<void>>();
  #nextNode = 0;

  constructor({ limits = {}, logging }: JsNodesOptions = {}) {
    this.#limits = { ...JS_NODE_LIMITS, ...limits };
    this.#logging = logging ?? null;
  }

  /**
   * Opens a node. Nothing is loaded before its first execution, and nothing is thrown.
   *
   * @param arena where outputs are leased.
   * @param name what errors and logs call the node.
   */
  open(reference: JsNodeReference, arena: Arena, name = basename(reference.module)): NodeInstance {
    const key = `${reference.module}\0${reference.digest}`;
    const generation = this.#generationOf(key, reference);
    generation.instances += 1;
    const { params, signature, timeoutMs } = reference;
    const node: PooledNode = { id: this.#nextNode++, description: { name, params, signature }, timeoutMs, arena };
    let isOpen = true;
    return {
      execute: (inputs, wanted, done) => generation.pool.execute(node, inputs, wanted, done),
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        this.#closeInstance(key, generation, node);
      },
    };
  }

  /** Threads that have executed something and have not ended, of all modules. */
  get threadCount(): number {
    return [...this.#generations.values()].reduce((sum, { pool }) => sum + pool.threadCount, 0);
  }

  /** Ends what is still open. When the promise resolves, all threads have ended. */
  async close(): Promise<void> {
    for (const [key, { pool }] of this.#generations) this.#closePool(key, pool);
    await Promise.all(this.#closing);
  }

  #generationOf(key: string, reference: JsNodeReference): Generation {
    const known = this.#generations.get(key);
    if (known !== undefined) return known;
    const created = { pool: new ThreadPool(reference, this.#limits, this.#logging), instances: 0 };
    this.#generations.set(key, created);
    return created;
  }

  #closeInstance(key: string, generation: Generation, node: PooledNode): void {
    generation.instances -= 1;
    if (generation.instances > 0) generation.pool.forget(node);
    else if (this.#generations.get(key) === generation) this.#closePool(key, generation.pool);
  }

  #closePool(key: string, pool: ThreadPool): void {
    this.#generations.delete(key);
    const closed = pool.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }
}
