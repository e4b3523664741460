import type { ServingError } from '../errors.js';
import type { GraphNode, PipelineGraph } from './graph.js';
import { Scope, type ScopeLayout } from './scope.js';
import type { CountedValue, ValueAlgebra } from './value.js';

/**
 * The values of one execution, scope by scope, with the uses that are still open. A value that is not there when its node has ended
 * was skipped: its node did not run.
 */
export class ValueStore<Value extends CountedValue> {
  readonly root: Scope<Value>;
  readonly #graph: PipelineGraph;
  readonly #layout: ScopeLayout;
  readonly #algebra: ValueAlgebra<Value>;

  constructor(graph: PipelineGraph, layout: ScopeLayout, algebra: ValueAlgebra<Value>) {
    this.#graph = graph;
    this.#layout = layout;
    this.#algebra = algebra;
    this.root = new Scope(layout, 0, null, 0);
  }

  /** Takes over values that came up in a scope, one use each, so that they can be read there; `null` for what was skipped. */
  publish(scope: Scope<Value>, values: readonly number[], given: readonly (Value | null)[]): void {
    for (let index = 0; index < values.length; index += 1) {
      const one = given[index] ?? null;
      if (one !== null) this.#publish(scope, values[index]!, one);
    }
  }

  /**
   * Takes over values that came up in a scope, one use each, and splits them over new scopes of the level that they open.
   *
   * @returns the scopes they can be read in.
   */
  open(
    scope: Scope<Value>,
    level: number,
    values: readonly number[],
    given: readonly Value[],
  ): readonly Scope<Value>[] | ServingError {
    const shards = this.#algebra.split(given, this.#graph.levels[level]!);
    for (const value of given) value.release();
    if (!isList(shards)) return shards;
    const opened = shards.map((shard, index) => {
      const child = new Scope<Value>(this.#layout, level, scope, index);
      this.publish(child, values, shard);
      return child;
    });
    scope.open(level, opened);
    return opened;
  }

  /** Whether a value can be taken in a scope, or has been skipped. */
  isThere(scope: Scope<Value>, value: number): boolean {
    if (!this.#isGathered(scope, value)) return this.#at(scope, value) !== null;
    const shards = this.#shards(scope, value);
    return (
      shards !== null && (shards.scopes.length === 0 || shards.scopes.some((shard) => this.#at(shard, value) !== null))
    );
  }

  /** Whether a value has come up in every shard below a scope, and equally many shards everywhere. */
  isComplete(scope: Scope<Value>, value: number): boolean {
    const shards = this.#shards(scope, value);
    return (
      shards !== null && !shards.sizes.includes(-1) && shards.scopes.every((shard) => this.#at(shard, value) !== null)
    );
  }

  /** A value of the scope's own level, which stays in the store; for conditions. */
  peek(scope: Scope<Value>, value: number): Value | null {
    return this.#at(scope, value);
  }

  /**
   * A value for a reader in a scope: as it is where the scope has it, else joined out of all shards below. The reader gives it back
   * with {@link giveBack}.
   *
   * @param reader that takes it, `null` at the response.
   * @returns `null` when the value was skipped.
   */
  take(scope: Scope<Value>, value: number, reader: GraphNode | null): Value | ServingError | null {
    if (!this.#isGathered(scope, value)) return this.#at(scope, value);
    if (!this.isThere(scope, value)) return null;
    const { scopes, sizes } = this.#shards(scope, value)!;
    const shards = scopes.flatMap((shard) => this.#at(shard, value) ?? []);
    if (shards.length < scopes.length) return this.#algebra.shardsSkipped(scopes.length - shards.length, scopes.length);
    const gathered = this.#algebra.gather(shards, sizes, this.#graph.values[value]!, reader, scope);
    if ('release' in gathered) for (const shard of scopes) this.#consume(shard, value);
    return gathered;
  }

  /** As {@link take}, at the root and for good: the receiver has one use to release. */
  takeOut(value: number): Value | ServingError | null {
    const taken = this.take(this.root, value, null);
    if (taken !== null && !this.#isGathered(this.root, value)) this.root.uses[this.#layout.valuePlace[value]!]! -= 1;
    return taken;
  }

  /** A reader has ended: a value of its own scope loses one use, a gathered one was made for it alone. */
  giveBack(scope: Scope<Value>, value: number, given: Value): void {
    if (this.#isGathered(scope, value)) given.release();
    else this.#consume(scope, value);
  }

  /** A reader will never come. */
  discard(scope: Scope<Value>, value: number): void {
    for (const shard of this.#shards(scope, value)?.scopes ?? []) this.#consume(shard, value);
  }

  /** Releases whatever nobody has consumed. */
  clear(): void {
    this.#clear(this.root);
  }

  #clear(scope: Scope<Value>): void {
    scope.values.forEach((value, place) => {
      for (let uses = value === null ? 0 : scope.uses[place]!; uses > 0; uses -= 1) value!.release();
      scope.values[place] = null;
    });
    for (const shards of scope.children.values()) for (const shard of shards) this.#clear(shard);
  }

  #publish(scope: Scope<Value>, value: number, given: Value): void {
    const place = this.#layout.valuePlace[value]!;
    const uses = scope.level === this.#graph.values[value]!.level ? scope.uses[place]! : 0;
    if (uses === 0) return given.release();
    scope.values[place] = given;
    if (uses > 1) given.retain(uses - 1);
  }

  #at(scope: Scope<Value>, value: number): Value | null {
    return scope.values[this.#layout.valuePlace[value]!]!;
  }

  #consume(scope: Scope<Value>, value: number): void {
    const place = this.#layout.valuePlace[value]!;
    const given = scope.values[place];
    if (given === null || given === undefined) return;
    scope.uses[place]! -= 1;
    given.release();
  }

  #isGathered(scope: Scope<Value>, value: number): boolean {
    return this.#graph.values[value]!.level !== scope.level;
  }

  #shards(scope: Scope<Value>, value: number): Shards<Value> | null {
    return this.#shardScopes(scope, this.#graph.values[value]!.level);
  }

  /** Every shard of a deeper level below a scope, in order; `null` when a demultiplexer on the way was skipped. */
  #shardScopes(scope: Scope<Value>, level: number): Shards<Value> | null {
    if (level === scope.level) return { scopes: [scope], sizes: [] };
    const above = this.#shardScopes(scope, this.#graph.levels[level]!.parent);
    if (above === null) return null;
    const children = above.scopes.flatMap((each) => {
      const opened = each.children.get(level);
      return opened === undefined ? [] : [opened];
    });
    const [first] = children;
    if (first === undefined) {
      // Inside of no shard at all, only the configuration knows how many there would have been.
      const size = Math.max(0, this.#graph.levels[level]!.count);
      return above.scopes.length > 0 ? null : { scopes: [], sizes: [...above.sizes, size] };
    }
    const isEven = children.length === above.scopes.length && children.every((each) => each.length === first.length);
    return { scopes: children.flat(), sizes: [...above.sizes, isEven ? first.length : -1] };
  }
}

/** @property sizes of the levels between, outermost first; -1 where they differ. */
interface Shards<Value> {
  readonly scopes: readonly Scope<Value>[];
  readonly sizes: readonly number[];
}

function isList<T>(value: readonly T[] | ServingError): value is readonly T[] {
  return Array.isArray(value);
}
