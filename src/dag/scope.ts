import type { PipelineGraph } from './graph.js';

/**
 * Where each value and node of a graph stands among those of its level, and what a fresh scope of a level starts from. Worked out
 * once a graph.
 */
export class ScopeLayout {
  /** Place of each value among the values of its level. */
  readonly valuePlace: Int32Array;
  /** Place of each node among the nodes of its level. */
  readonly nodePlace: Int32Array;
  readonly initialUses: readonly (readonly number[])[];
  readonly initialWaiting: readonly (readonly number[])[];
  /** The values of the request's inputs. */
  readonly inputValues: readonly number[];
  /** For each node, the values of its outputs. */
  readonly outputValues: readonly (readonly number[])[];
  /** For each node, the outermost level that reads its outputs: above it nobody waits for the shards. */
  readonly gatheredAt: Int32Array;

  constructor({ inputs, levels, values, nodes }: PipelineGraph) {
    this.inputValues = inputs.map(({ value }) => value);
    const uses = levels.map((): number[] => []);
    this.valuePlace = Int32Array.from(values, ({ level, uses: count }) => uses[level]!.push(count) - 1);
    const waiting = levels.map((): number[] => []);
    this.nodePlace = Int32Array.from(nodes, ({ level, dependencyCount }) => waiting[level]!.push(dependencyCount) - 1);
    this.initialUses = uses;
    this.initialWaiting = waiting;
    this.outputValues = nodes.map(({ outputs }) => outputs.map(({ value }) => value));
    this.gatheredAt = Int32Array.from(nodes, ({ dependants }) =>
      dependants.reduce((outermost, next) => Math.min(outermost, nodes[next]!.level), levels.length),
    );
  }
}

/** Most requests open nothing: they need no map of their own. */
const NOTHING_OPENED: ReadonlyMap<number, never> = new Map<number, never>();

/** One shard's share of an execution: the values and the countdown of the nodes of its level. Level 0 has one scope, the request's. */
export class Scope<Value> {
  readonly values: (Value | null)[];
  /** Uses of each value that nobody has consumed yet. */
  readonly uses: number[];
  /** Dependencies of each node that have not ended yet. */
  readonly waiting: number[];
  #children: Map<number, readonly Scope<Value>[]> | null = null;
  /** For each node of a deeper level, in how many of the shards it has ended. */
  #ended: Map<number, number> | null = null;

  /** @param index of this shard among those of its demultiplexer. */
  constructor(
    layout: ScopeLayout,
    readonly level: number,
    readonly parent: Scope<Value> | null,
    readonly index: number,
  ) {
    this.uses = layout.initialUses[level]!.slice();
    this.waiting = layout.initialWaiting[level]!.slice();
    this.values = new Array<Value | null>(this.uses.length).fill(null);
  }

  /** The shards of each level that was opened from here. */
  get children(): ReadonlyMap<number, readonly Scope<Value>[]> {
    return this.#children ?? NOTHING_OPENED;
  }

  open(level: number, shards: readonly Scope<Value>[]): void {
    (this.#children ??= new Map()).set(level, shards);
  }

  /** A node of a deeper level has ended in one more shard. @returns in how many by now. */
  endedBelow(node: number): number {
    const ended = (this.#ended?.get(node) ?? 0) + 1;
    (this.#ended ??= new Map()).set(node, ended);
    return ended;
  }
}

/** Key of a session in logs: `<demultiplexer>_<index>` from the innermost outwards, joined by `_` (as OVMS 2026.2.1). */
export function sessionKey(graph: PipelineGraph, scope: Scope<unknown>): string {
  const parts: string[] = [];
  for (let at: Scope<unknown> = scope; at.parent !== null; at = at.parent) {
    parts.push(`${graph.levels[at.level]!.demultiplexer}_${at.index}`);
  }
  return parts.join('_');
}
