import type { ServingError } from '../errors.js';
import type { GraphNode, PipelineGraph } from './graph.js';

/** What the engine needs of a value: that its uses are counted. Tensors pass through it unread. */
export interface CountedValue {
  retain(uses: number): void;
  release(): void;
}

/** Runs single nodes for an execution. */
export interface NodeRunner<Value extends CountedValue> {
  /** The inputs of a node are complete. Told for all nodes that became ready together before the first of them is started. */
  ready(node: GraphNode): void;

  /**
   * Starts a node whose inputs are complete, in the order of `node.inputs`. `done` is called exactly once, perhaps before `start`
   * returns, with one value per `node.outputs`, each with one use, or with an error and no values.
   */
  start(node: GraphNode, inputs: readonly Value[], done: NodeDone<Value>): void;

  /** The execution has failed: nodes that still wait for an infer request must end at once, with `error`. Running ones go on. */
  withdraw(error: ServingError): void;
}

export type NodeDone<Value> = (error: ServingError | null, outputs: readonly Value[] | null) => void;

/**
 * One request's run through a graph: counts down dependencies and starts a node when its last input is there. Pure: no timers, no
 * I/O, no waiting; it moves only when a node ends or somebody aborts it.
 *
 * The first error wins: from then on no node starts, queued ones are withdrawn, running ones drain, and the error is reported after
 * the last of them has ended, because until then they read and write leased memory. Every use of every value is released on every
 * path.
 */
export class Execution<Value extends CountedValue> {
  readonly #graph: PipelineGraph;
  readonly #runner: NodeRunner<Value>;
  readonly #ended: (error: ServingError | null, outputs: readonly Value[] | null) => void;
  readonly #values: (Value | null)[];
  /** Uses of each value that nobody has consumed yet. */
  readonly #uses: Int32Array;
  readonly #waiting: Int32Array;
  readonly #ready: number[] = [];
  #running = 0;
  #pumping = false;
  #finished = false;
  #error: ServingError | null = null;

  /**
   * @param ended called once: with the outputs in the order of `graph.outputs`, one use each for the receiver to release, or with
   * the first error.
   */
  constructor(
    graph: PipelineGraph,
    runner: NodeRunner<Value>,
    ended: (error: ServingError | null, outputs: readonly Value[] | null) => void,
  ) {
    this.#graph = graph;
    this.#runner = runner;
    this.#ended = ended;
    this.#values = new Array<Value | null>(graph.valueUses.length).fill(null);
    this.#uses = Int32Array.from(graph.valueUses);
    this.#waiting = Int32Array.from(graph.nodes, (node) => node.dependencyCount);
  }

  /** Takes over the inputs, in the order of `graph.inputs`, one use each, and starts every node that needs nothing else. */
  begin(inputs: readonly Value[]): void {
    this.#graph.inputs.forEach((port, index) => this.#publish(port.value, inputs[index]!));
    for (const node of this.#graph.nodes) if (node.dependencyCount === 0) this.#makeReady(node.index);
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
      if (this.#error === null) this.#start(this.#graph.nodes[next]!);
    }
    this.#pumping = false;
    if (this.#running === 0) this.#finish();
  }

  #start(node: GraphNode): void {
    this.#running += 1;
    const inputs = node.inputs.map((input) => this.#values[input.value]!);
    this.#runner.start(node, inputs, (error, outputs) => {
      this.#running -= 1;
      for (const input of node.inputs) this.#consume(input.value);
      if (outputs !== null) node.outputs.forEach((output, index) => this.#publish(output.value, outputs[index]!));
      if (error !== null) this.#fail(error);
      else this.#countDown(node);
      this.#pump();
    });
  }

  #countDown(node: GraphNode): void {
    for (const next of node.dependants) {
      this.#waiting[next]! -= 1;
      if (this.#waiting[next] === 0) this.#makeReady(next);
    }
  }

  #makeReady(index: number): void {
    this.#ready.push(index);
    if (this.#error === null) this.#runner.ready(this.#graph.nodes[index]!);
  }

  #publish(index: number, value: Value): void {
    const uses = this.#uses[index]!;
    if (uses === 0) return value.release();
    this.#values[index] = value;
    if (uses > 1) value.retain(uses - 1);
  }

  #consume(index: number): void {
    this.#uses[index]! -= 1;
    this.#values[index]!.release();
  }

  #fail(error: ServingError): void {
    if (this.#error !== null) return;
    this.#error = error;
    this.#runner.withdraw(error);
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    if (this.#error === null) {
      this.#ended(
        null,
        this.#graph.outputs.map((port) => this.#values[port.value]!),
      );
      return;
    }
    this.#values.forEach((value, index) => {
      for (let uses = value === null ? 0 : this.#uses[index]!; uses > 0; uses -= 1) value!.release();
    });
    this.#ended(this.#error, null);
  }
}
