import type { ServingError } from '../errors.js';
import type { GraphLevel, GraphNode, GraphValue, PipelineGraph } from './graph.js';
import { Scope, type ScopeLayout } from './scope.js';

/** What the engine needs of a value: that its uses are counted. Tensors pass through it unread. */
export interface CountedValue {
  retain(uses: number): void;
  release(): void;
}

/** Runs single nodes for an execution, and knows what values are made of. */
export interface NodeRunner<Value extends CountedValue> {
  /** The inputs of a node are complete. Told for all nodes that became ready together before the first of them is started. */
  ready(node: GraphNode, scope: Scope<Value>): void;

  /**
   * Starts a node whose inputs are complete, in the order of `node.inputs`. `done` is called exactly once, perhaps before `start`
   * returns, with one value per `node.outputs`, each with one use, or with an error and no values.
   */
  start(node: GraphNode, scope: Scope<Value>, inputs: readonly Value[], done: NodeDone<Value>): void;

  /** The execution has failed: nodes that still wait for an infer request must end at once, with `error`. Running ones go on. */
  withdraw(error: ServingError): void;

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
   */
  gather(shards: readonly Value[], sizes: readonly number[], value: GraphValue): Value | ServingError;
}

export type NodeDone<Value> = (error: ServingError | null, outputs: readonly Value[] | null) => void;

/** Reports the outputs in the order of `graph.outputs`, one use each for the receiver to release, or the first error. */
export type ExecutionEnded<Value> = (error: ServingError | null, outputs: readonly Value[] | null) => void;

/**
 * One request's run through a graph: counts down dependencies and starts a node when its last input is there, once in every shard of
 * its level. Pure: no timers, no I/O, no waiting; it moves only when a node ends or somebody aborts it.
 *
 * The first error wins: from then on no node starts, queued ones are withdrawn, running ones drain, and the error is reported after
 * the last of them has ended, because until then they read and write leased memory. Every use of every value is released on every
 * path.
 */
export class Execution<Value extends CountedValue> {
  readonly #graph: PipelineGraph;
  readonly #layout: ScopeLayout;
  readonly #runner: NodeRunner<Value>;
  readonly #ended: ExecutionEnded<Value>;
  readonly #root: Scope<Value>;
  readonly #ready: { readonly node: GraphNode; readonly scope: Scope<Value> }[] = [];
  #running = 0;
  #pumping = false;
  #finished = false;
  #error: ServingError | null = null;

  constructor(graph: PipelineGraph, layout: ScopeLayout, runner: NodeRunner<Value>, ended: ExecutionEnded<Value>) {
    this.#graph = graph;
    this.#layout = layout;
    this.#runner = runner;
    this.#ended = ended;
    this.#root = new Scope(layout, 0, null, 0);
  }

  /** Takes over the inputs, in the order of `graph.inputs`, one use each, and starts every node that needs nothing else. */
  begin(inputs: readonly Value[]): void {
    const values = this.#graph.inputs.map((port) => port.value);
    const level = values[0] === undefined ? 0 : this.#graph.values[values[0]]!.level;
    const scopes = this.#place(this.#root, level, values, inputs);
    for (const node of this.#graph.nodes) {
      if (node.dependencyCount > 0) continue;
      // A node that gathers from the request itself runs above its shards.
      for (const scope of node.level === level ? scopes : [this.#root]) this.#makeReady(node, scope);
    }
    if (scopes.length === 0) this.#endedNowhere(this.#nodesBelow(level), this.#root);
    this.#pump();
  }

  /** Ends the execution with `error` unless it has ended or failed before. */
  abort(error: ServingError): void {
    if (this.#finished || this.#error !== null) return;
    this.#fail(error);
    this.#pump();
  }

  /** Starts what is ready. Nodes that end while they are started only add to the list, so that long chains need no deep stack. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    for (let next = this.#ready.shift(); next !== undefined; next = this.#ready.shift()) {
      if (this.#error === null) this.#start(next.node, next.scope);
    }
    this.#pumping = false;
    if (this.#running === 0) this.#finish();
  }

  #start(node: GraphNode, scope: Scope<Value>): void {
    const inputs = this.#takeAll(scope, node.inputs);
    if (inputs === null) return;
    this.#running += 1;
    this.#runner.start(node, scope, inputs, (error, outputs) => {
      this.#running -= 1;
      node.inputs.forEach((input, index) => this.#giveBack(scope, input.value, inputs[index]!));
      if (error !== null) this.#fail(error);
      else this.#nodeEnded(node, scope, outputs!);
      this.#pump();
    });
  }

  #nodeEnded(node: GraphNode, scope: Scope<Value>, outputs: readonly Value[]): void {
    const opened = this.#place(
      scope,
      node.opens ?? node.level,
      node.outputs.map((output) => output.value),
      outputs,
    );
    if (this.#error !== null) return;
    for (const each of opened) this.#endedIn(node, each);
    if (opened.length === 0) this.#endedNowhere([node, ...this.#nodesBelow(node.opens!)], scope);
  }

  /** A demultiplexer gave no shard: whatever would have run in them has ended before it began. */
  #endedNowhere(nodes: readonly GraphNode[], scope: Scope<Value>): void {
    if (this.#error === null) for (const node of nodes) this.#endedIn(node, scope);
  }

  /** A node has ended in a scope, and in all shards below it: counts down who waits here, and above once all siblings have ended. */
  #endedIn(node: GraphNode, scope: Scope<Value>): void {
    for (const next of node.dependants) {
      const dependant = this.#graph.nodes[next]!;
      if (dependant.level === scope.level) this.#countDown(dependant, scope);
    }
    const { parent, level } = scope;
    if (parent === null || this.#layout.gatheredAt[node.index]! >= level) return;
    const ended = (parent.ended.get(node.index) ?? 0) + 1;
    parent.ended.set(node.index, ended);
    if (ended === parent.children.get(level)!.length) this.#endedIn(node, parent);
  }

  #countDown(node: GraphNode, scope: Scope<Value>): void {
    const place = this.#layout.nodePlace[node.index]!;
    scope.waiting[place]! -= 1;
    if (scope.waiting[place] === 0) this.#makeReady(node, scope);
  }

  #makeReady(node: GraphNode, scope: Scope<Value>): void {
    this.#ready.push({ node, scope });
    if (this.#error === null) this.#runner.ready(node, scope);
  }

  /**
   * Publishes values that came up in a scope: here, or split over new scopes of a level that they open.
   *
   * @returns the scopes they can be read in.
   */
  #place(
    scope: Scope<Value>,
    level: number,
    values: readonly number[],
    given: readonly Value[],
  ): readonly Scope<Value>[] {
    if (level === scope.level || this.#error !== null) {
      values.forEach((value, index) => this.#publish(scope, value, given[index]!));
      return [scope];
    }
    const shards = this.#runner.split(given, this.#graph.levels[level]!);
    for (const value of given) value.release();
    if (!isList(shards)) {
      this.#fail(shards);
      return [];
    }
    const opened = shards.map((shard, index) => {
      const child = new Scope<Value>(this.#layout, level, scope, index);
      values.forEach((value, position) => this.#publish(child, value, shard[position]!));
      return child;
    });
    scope.children.set(level, opened);
    return opened;
  }

  #publish(scope: Scope<Value>, value: number, given: Value): void {
    const place = this.#layout.valuePlace[value]!;
    const uses = scope.level === this.#graph.values[value]!.level ? scope.uses[place]! : 0;
    if (uses === 0) return given.release();
    scope.values[place] = given;
    if (uses > 1) given.retain(uses - 1);
  }

  /** The values that a reader in a scope gets; `null` when shards cannot be joined, which fails the execution. */
  #takeAll(scope: Scope<Value>, readers: readonly { readonly value: number }[]): Value[] | null {
    const taken: Value[] = [];
    for (const { value } of readers) {
      const given = this.#take(scope, value);
      if ('release' in given) {
        taken.push(given);
        continue;
      }
      taken.forEach((each, index) => {
        if (this.#isGathered(scope, readers[index]!.value)) each.release();
      });
      this.#fail(given);
      return null;
    }
    return taken;
  }

  #take(scope: Scope<Value>, value: number): Value | ServingError {
    if (!this.#isGathered(scope, value)) return scope.values[this.#layout.valuePlace[value]!]!;
    const { scopes, sizes } = this.#shardScopes(scope, this.#graph.values[value]!.level);
    const place = this.#layout.valuePlace[value]!;
    const gathered = this.#runner.gather(
      scopes.map((shard) => shard.values[place]!),
      sizes,
      this.#graph.values[value]!,
    );
    if ('release' in gathered) for (const shard of scopes) this.#consume(shard, place);
    return gathered;
  }

  /** A reader has ended: a value of its own scope loses one use, a gathered one was made for it alone. */
  #giveBack(scope: Scope<Value>, value: number, given: Value): void {
    if (this.#isGathered(scope, value)) given.release();
    else this.#consume(scope, this.#layout.valuePlace[value]!);
  }

  #isGathered(scope: Scope<Value>, value: number): boolean {
    return this.#graph.values[value]!.level !== scope.level;
  }

  #consume(scope: Scope<Value>, place: number): void {
    scope.uses[place]! -= 1;
    scope.values[place]!.release();
  }

  /** Every shard of a deeper level below a scope, in order, with the sizes of the levels between; -1 where they differ. */
  #shardScopes(scope: Scope<Value>, level: number): { scopes: readonly Scope<Value>[]; sizes: number[] } {
    if (level === scope.level) return { scopes: [scope], sizes: [] };
    const above = this.#shardScopes(scope, this.#graph.levels[level]!.parent);
    const children = above.scopes.map((each) => each.children.get(level) ?? []);
    const [first] = children;
    // Inside of no shard at all, only the configuration knows how many there would have been.
    if (first === undefined)
      return { scopes: [], sizes: [...above.sizes, Math.max(0, this.#graph.levels[level]!.count)] };
    const size = children.every((each) => each.length === first.length) ? first.length : -1;
    return { scopes: children.flat(), sizes: [...above.sizes, size] };
  }

  #nodesBelow(level: number): GraphNode[] {
    const { levels, nodes } = this.#graph;
    const isBelow = (at: number): boolean => at === level || (at > level && isBelow(levels[at]!.parent));
    return nodes.filter((node) => isBelow(node.level));
  }

  #fail(error: ServingError): void {
    if (this.#error !== null) return;
    this.#error = error;
    this.#runner.withdraw(error);
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    const outputs = this.#error === null ? this.#takeAll(this.#root, this.#graph.outputs) : null;
    if (outputs !== null) return this.#ended(null, outputs);
    this.#releaseScope(this.#root);
    this.#ended(this.#error, null);
  }

  #releaseScope(scope: Scope<Value>): void {
    scope.values.forEach((value, place) => {
      for (let uses = value === null ? 0 : scope.uses[place]!; uses > 0; uses -= 1) value!.release();
    });
    for (const shards of scope.children.values()) for (const shard of shards) this.#releaseScope(shard);
  }
}

function isList<T>(value: readonly T[] | ServingError): value is readonly T[] {
  return Array.isArray(value);
}
