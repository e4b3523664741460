import type { ServingError } from '../errors.js';
import type { GraphCondition } from './condition.js';
import type { GraphLevel, GraphNode, GraphValue } from './graph.js';
import type { Scope } from './scope.js';

/** What the engine needs of a value: that its uses are counted. Tensors pass through it unread. */
export interface CountedValue {
  retain(uses: number): void;
  release(): void;
}

/** What values are made of. */
export interface ValueAlgebra<Value extends CountedValue> {
  /**
   * Splits the values of a demultiplexer on their first dimension: one list of values a shard, in the order of `values`, each with
   * one use. Nothing is copied. The given values keep their uses.
   *
   * @param level that is opened: how many shards the configuration asks for, and whether there may be none.
   */
  split(values: readonly Value[], level: GraphLevel): readonly (readonly Value[])[] | ServingError;

  /**
   * Joins the shards of one value, in order, under new leading dimensions of the given sizes. The shards keep their uses.
   *
   * @param sizes outermost first; -1 where the scopes of a level do not all have equally many shards.
   * @param value what is gathered, for when there is no shard to tell.
   * @param reader for which it is done, `null` at the response; and the scope it reads in.
   */
  gather(
    shards: readonly Value[],
    sizes: readonly number[],
    value: GraphValue,
    reader: GraphNode | null,
    scope: Scope<Value>,
  ): Value | ServingError;

  /** What to say when a condition has skipped some of the shards that are to be gathered, and not the others. */
  shardsSkipped(skipped: number, shards: number): ServingError;

  /** Whether the condition holds of a value. */
  holds(value: Value, condition: GraphCondition): boolean | ServingError;
}
