import { textOf } from './module-fault.js';
import type { NodeDescription } from './protocol.js';
import type { UserModule } from './user-module.js';

/** A node in this thread, initialised. */
export interface NodeState {
  readonly description: NodeDescription;
  readonly state: unknown;
}

/** The nodes of this thread: each is initialised with its first execution here, and deinitialised once. */
export class NodeStates {
  readonly #descriptions = new Map<number, NodeDescription>();
  readonly #states = new Map<number, NodeState>();

  describe(node: number, description: NodeDescription | null): void {
    if (description !== null) this.#descriptions.set(node, description);
  }

  /** Rejects with whatever `initialize` threw; the next execution tries again. */
  async get(node: number, functions: UserModule): Promise<NodeState> {
    const known = this.#states.get(node);
    if (known !== undefined) return known;
    const description = this.#descriptions.get(node)!;
    const state = await functions.initialize?.(description.params);
    const created = { description, state };
    this.#states.set(node, created);
    return created;
  }

  /**
   * @param limitMs for all together.
   * @returns what went wrong; never rejects.
   */
  async deinitialize(nodes: readonly number[] | 'all', functions: UserModule, limitMs: number): Promise<string[]> {
    const chosen = nodes === 'all' ? [...this.#descriptions.keys()] : nodes;
    const faults: string[] = [];
    const ends = chosen.map((node) => this.#deinitializeOne(node, functions, faults));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        faults.push(`deinitialize: expected its end within ${limitMs} ms`);
        resolve();
      }, limitMs);
    });
    await Promise.race([Promise.all(ends), late]);
    clearTimeout(timer);
    return faults;
  }

  async #deinitializeOne(node: number, functions: UserModule, faults: string[]): Promise<void> {
    const known = this.#states.get(node);
    this.#states.delete(node);
    this.#descriptions.delete(node);
    if (known === undefined) return;
    try {
      await functions.deinitialize?.(known.state);
    } catch (thrown) {
      faults.push(`node ${known.description.name}: deinitialize: ${textOf(thrown)}`);
    }
  }
}
