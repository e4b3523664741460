import { ServingError } from '../errors.js';
import type { GraphCondition } from './condition.js';
import type { GraphNode, PipelineGraph } from './graph.js';
import type { Scope, ScopeLayout } from './scope.js';
import { ValueStore } from './value-store.js';
import type { CountedValue, ValueAlgebra } from './value.js';

/** Runs single nodes for an execution. */
export interface NodeRunner<Value extends CountedValue> extends ValueAlgebra<Value> {
  /** The inputs of a node are complete. Told for all nodes that became ready together before the first of them is started. */
  ready(node: GraphNode, scope: Scope<Value>): void;

  /** A node does not run, because its condition does not hold or because an input of it was skipped. */
  skipped(node: GraphNode, scope: Scope<Value>): void;

  /**
   * Starts a node whose inputs are complete, in the order of `node.inputs`. `done` is called exactly once, perhaps before `start`
   * returns, with one value per `node.outputs`, each with one use, or `null` for one that the node itself has skipped; or with an
   * error and no values.
   */
  start(node: GraphNode, scope: Scope<Value>, inputs: readonly Value[], done: NodeDone<Value>): void;

  /** Nobody waits for the nodes any more: those that still wait for their turn must end at once, with `error`. Running ones go on. */
  withdraw(error: ServingError): void;
}

export type NodeDone<Value> = (error: ServingError | null, outputs: readonly (Value | null)[] | null) => void;

export interface ExecutionListener<Value> {
  /**
   * The outputs in the order of `graph.outputs`, one use each for the receiver to release, `null` for what was skipped or not there
   * yet when the execution exited early; or the first error. Once.
   */
  ended(error: ServingError | null, outputs: readonly (Value | null)[] | null): void;
  /** No node of the execution runs any more. Once, with or after `ended`: only an early exit leaves nodes behind. */
  drained(): void;
}

/**
 * One request's run through a graph: counts down dependencies and starts a node when its last input is there, once in every shard of
 * its level. Pure: no timers, no I/O, no waiting; it moves only when a node ends or somebody aborts it.
 *
 * The first error wins: from then on no node starts, queued ones are withdrawn, running ones drain, and the error is reported after
 * the last of them has ended, because until then they read and write leased memory. An early exit stops in the same way, but reports
 * what is there at once. Every use of every value is released on every path.
 */
export class Execution<Value extends CountedValue> {
  readonly #graph: PipelineGraph;
  readonly #layout: ScopeLayout;
  readonly #runner: NodeRunner<Value>;
  readonly #listener: ExecutionListener<Value>;
  readonly #store: ValueStore<Value>;
  /** In the order in which they became ready; those before `#next` have been started. */
  #ready: ReadyNode<Value>[] = [];
  #next = 0;
  #running = 0;
  #pumping = false;
  /** Nothing new starts: failed, aborted, exited or finished. */
  #stopped = false;
  #ended = false;
  #drained = false;
  #error: ServingError | null = null;

  constructor(
    graph: PipelineGraph,
    layout: ScopeLayout,
    runner: NodeRunner<Value>,
    listener: ExecutionListener<Value>,
  ) {
    this.#graph = graph;
    this.#layout = layout;
    this.#runner = runner;
    this.#listener = listener;
    this.#store = new ValueStore(graph, layout, runner);
  }

  /** Takes over the inputs, in the order of `graph.inputs`, one use each, and starts every node that needs nothing else. */
  begin(inputs: readonly Value[]): void {
    const { root } = this.#store;
    const values = this.#layout.inputValues;
    const level = values[0] === undefined ? 0 : this.#graph.values[values[0]]!.level;
    if (level === 0) this.#store.publish(root, values, inputs);
    const scopes = level === 0 ? [root] : this.#open(root, level, values, inputs);
    for (const node of this.#graph.nodes) {
      if (node.dependencyCount > 0) continue;
      // A node that gathers from the request itself runs above its shards.
      for (const scope of node.level === level ? scopes : [root]) this.#makeReady(node, scope);
    }
    if (scopes.length === 0) this.#endedNowhere(this.#nodesBelow(level), root);
    this.#pump();
  }

  /** Ends the execution with `error` unless it has ended or failed before. */
  abort(error: ServingError): void {
    if (this.#stopped) return;
    this.#fail(error);
    this.#pump();
  }

  /** Starts what is ready. Nodes that end while they are started only add to the list, so that long chains need no deep stack. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    // Not by `shift`, which moves all that is left: with the shards of two demultiplexers that is a hundred thousand.
    while (this.#next < this.#ready.length && !this.#stopped) {
      const { node, scope, runs } = this.#ready[this.#next]!;
      this.#next += 1;
      if (runs) this.#start(node, scope);
      else this.#skip(node, scope);
    }
    this.#ready = [];
    this.#next = 0;
    this.#pumping = false;
    if (this.#running === 0) this.#finish();
  }

  #start(node: GraphNode, scope: Scope<Value>): void {
    if (node.condition !== null) this.#store.discard(scope, node.condition.value);
    if (node.program.kind === 'select') return this.#select(node, scope);
    const inputs = this.#takeAll(scope, node);
    if (inputs === null) return;
    this.#running += 1;
    this.#runner.start(node, scope, inputs, (error, outputs) => {
      for (let index = 0; index < inputs.length; index += 1) {
        this.#store.giveBack(scope, node.inputs[index]!.value, inputs[index]!);
      }
      if (error !== null) this.#fail(error);
      else this.#nodeEnded(node, scope, outputs!);
      // Only now: what is withdrawn meanwhile must not finish an execution that still takes values in.
      this.#running -= 1;
      this.#pump();
    });
  }

  /** Passes on the first input that is there; the others lose their reader. */
  #select(node: GraphNode, scope: Scope<Value>): void {
    const chosen = node.inputs.findIndex(({ value }) => this.#store.isThere(scope, value));
    const { value } = node.inputs[chosen]!;
    const taken = this.#store.take(scope, value, node)!;
    if (!('release' in taken)) return this.#fail(taken);
    taken.retain(1);
    this.#store.giveBack(scope, value, taken);
    node.inputs.forEach((input, index) => {
      if (index !== chosen) this.#store.discard(scope, input.value);
    });
    this.#nodeEnded(node, scope, [taken]);
  }

  #skip(node: GraphNode, scope: Scope<Value>): void {
    if (node.condition !== null) this.#store.discard(scope, node.condition.value);
    for (const input of node.inputs) this.#store.discard(scope, input.value);
    this.#runner.skipped(node, scope);
    this.#neverRan(node, scope);
  }

  #neverRan(node: GraphNode, scope: Scope<Value>): void {
    if (node.opens === null) this.#endedIn(node, scope);
    else this.#endedNowhere([node, ...this.#nodesBelow(node.opens)], scope);
  }

  #nodeEnded(node: GraphNode, scope: Scope<Value>, outputs: readonly (Value | null)[]): void {
    if (node.opens !== null && !this.#stopped) return this.#demultiplex(node, node.opens, scope, outputs);
    const exits = node.exits.length > 0 && !this.#stopped && this.#exits(node, outputs);
    this.#store.publish(scope, this.#layout.outputValues[node.index]!, outputs);
    if (exits) this.#exit();
    else if (!this.#stopped) this.#endedIn(node, scope);
  }

  #demultiplex(node: GraphNode, level: number, scope: Scope<Value>, outputs: readonly (Value | null)[]): void {
    const there = outputs.filter((output) => output !== null);
    if (there.length < outputs.length) {
      // A nested pipeline did not give all that is to be split: as if the node had been skipped.
      for (const output of there) output.release();
      return this.#neverRan(node, scope);
    }
    const opened = this.#open(scope, level, this.#layout.outputValues[node.index]!, there);
    for (const each of opened) this.#endedIn(node, each);
    if (opened.length === 0) this.#endedNowhere([node, ...this.#nodesBelow(level)], scope);
  }

  #exits(node: GraphNode, outputs: readonly (Value | null)[]): boolean {
    return node.exits.some((condition) => this.#holds(condition, outputOf(node, condition, outputs)));
  }

  /** A demultiplexer gave no shard: whatever would have run in them has ended before it began. */
  #endedNowhere(nodes: readonly GraphNode[], scope: Scope<Value>): void {
    if (!this.#stopped) for (const node of nodes) this.#endedIn(node, scope);
  }

  /** A node has ended in a scope, and in all shards below it: counts down who waits here, and above once all siblings have ended. */
  #endedIn(node: GraphNode, scope: Scope<Value>): void {
    for (const next of node.dependants) {
      const dependant = this.#graph.nodes[next]!;
      if (dependant.level === scope.level) this.#countDown(dependant, scope);
    }
    const { parent, level } = scope;
    if (parent === null || this.#layout.gatheredAt[node.index]! >= level) return;
    if (parent.endedBelow(node.index) === parent.children.get(level)!.length) this.#endedIn(node, parent);
  }

  #countDown(node: GraphNode, scope: Scope<Value>): void {
    const place = this.#layout.nodePlace[node.index]!;
    scope.waiting[place]! -= 1;
    if (scope.waiting[place] === 0) this.#makeReady(node, scope);
  }

  #makeReady(node: GraphNode, scope: Scope<Value>): void {
    if (this.#stopped) return;
    const runs = this.#runs(node, scope);
    this.#ready.push({ node, scope, runs });
    if (runs) this.#runner.ready(node, scope);
  }

  #runs({ condition, inputs, program }: GraphNode, scope: Scope<Value>): boolean {
    if (condition !== null && !this.#holds(condition, this.#store.peek(scope, condition.value))) return false;
    // Of a select node one input is enough, of others one that is missing is too many.
    const isSelect = program.kind === 'select';
    for (const { value } of inputs) if (this.#store.isThere(scope, value) === isSelect) return isSelect;
    return !isSelect;
  }

  /** A skipped value makes no condition hold. */
  #holds(condition: GraphCondition, value: Value | null): boolean {
    if (value === null) return false;
    const answer = this.#runner.holds(value, condition);
    if (typeof answer === 'boolean') return answer;
    this.#fail(answer);
    return false;
  }

  /** Splits values over new scopes; none when they cannot be split, which fails the execution. */
  #open(
    scope: Scope<Value>,
    level: number,
    values: readonly number[],
    given: readonly Value[],
  ): readonly Scope<Value>[] {
    const opened = this.#store.open(scope, level, values, given);
    if (!(opened instanceof ServingError)) return opened;
    this.#fail(opened);
    return [];
  }

  /** The values that a node gets; `null` when shards cannot be joined, which fails the execution. */
  #takeAll(scope: Scope<Value>, node: GraphNode): Value[] | null {
    const taken: Value[] = [];
    for (const { value } of node.inputs) {
      const given = this.#store.take(scope, value, node)!;
      if ('release' in given) {
        taken.push(given);
        continue;
      }
      taken.forEach((each, index) => this.#store.giveBack(scope, node.inputs[index]!.value, each));
      this.#fail(given);
      return null;
    }
    return taken;
  }

  #nodesBelow(level: number): GraphNode[] {
    const { levels, nodes } = this.#graph;
    const isBelow = (at: number): boolean => at === level || (at > level && isBelow(levels[at]!.parent));
    return nodes.filter((node) => isBelow(node.level));
  }

  #fail(error: ServingError): void {
    if (this.#stopped) return;
    this.#error = error;
    this.#stopped = true;
    this.#runner.withdraw(error);
  }

  /** Answers with what is complete now. Nodes that run are left to drain. */
  #exit(): void {
    this.#stopped = true;
    this.#endWith(this.#takeOutputs((value) => this.#store.isComplete(this.#store.root, value)));
    this.#runner.withdraw(new ServingError('NODE_WITHDRAWN', `pipeline ${this.#graph.name} has exited early`));
  }

  #finish(): void {
    if (this.#drained) return;
    this.#stopped = true;
    if (!this.#ended) this.#endWith(this.#error ?? this.#takeOutputs(() => true));
    this.#drained = true;
    this.#store.clear();
    this.#listener.drained();
  }

  #takeOutputs(isWanted: (value: number) => boolean): readonly (Value | null)[] | ServingError {
    const taken: (Value | null)[] = [];
    for (const { value } of this.#graph.outputs) {
      const given = isWanted(value) ? this.#store.takeOut(value) : null;
      if (given !== null && !('release' in given)) {
        for (const each of taken) each?.release();
        return given;
      }
      taken.push(given);
    }
    return taken;
  }

  #endWith(result: readonly (Value | null)[] | ServingError): void {
    this.#ended = true;
    if (result instanceof ServingError) this.#listener.ended(result, null);
    else this.#listener.ended(null, result);
  }
}

interface ReadyNode<Value> {
  readonly node: GraphNode;
  readonly scope: Scope<Value>;
  readonly runs: boolean;
}

function outputOf<Value>(
  { outputs }: GraphNode,
  { value }: GraphCondition,
  given: readonly (Value | null)[],
): Value | null {
  return given[outputs.findIndex((output) => output.value === value)]!;
}
