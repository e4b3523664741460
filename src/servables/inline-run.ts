import type { GraphNode, PipelineGraph } from '../dag/graph.js';
import { ServingError } from '../errors.js';
import type { InlineInference, OutputTarget } from '../inference/inference.js';
import type { Caller } from '../observability/metrics/caller.js';
import { ExecutionMetrics } from '../observability/metrics/execution-metrics.js';
import type { WorkerMetrics } from '../observability/metrics/worker-metrics.js';
import type { Arena, Lease } from '../tensors/arena.js';
import { Tensor } from '../tensors/tensor.js';
import { checkPort } from './check-intermediates.js';
import { leaseOutput } from './lease-output.js';
import { ModelRuntime } from './model-runtime.js';
import type { RuntimePort } from './node-unit.js';
import type { PlannedNode } from './planned-node.js';
import type { OutputTargets } from './run-context.js';

/** So many inferences at most hold the event loop between two looks at its budget. */
const LONGEST = 16;

/**
 * A graph of nothing but models that infer inline: run from its first node to its last in one go, in the order of the dependencies. The
 * engine would do the same step by step; without sessions, scopes and callbacks, for which there is nobody, a node costs a third of
 * what it costs there and next to no memory.
 *
 * Only for what cannot go another way: no conditions, no demultiplexers, all shapes known. Whatever else a request may want (a time
 * line, a debug log), and whenever one of the models does not infer inline now, the engine runs the graph.
 */
export class InlineRun {
  readonly #graph: PipelineGraph;
  readonly #version: number;
  readonly #steps: readonly Step[];
  /** By value; empty between runs. */
  readonly #values: (Tensor | null)[];

  private constructor(graph: PipelineGraph, version: number, steps: readonly Step[]) {
    this.#graph = graph;
    this.#version = version;
    this.#steps = steps;
    this.#values = graph.values.map(() => null);
  }

  /** @param nodes by index. @returns `null` when only the engine can run it. */
  static of(graph: PipelineGraph, version: number, nodes: readonly (PlannedNode | null)[]): InlineRun | null {
    if (graph.levels.length > 1 || nodes.length > LONGEST) return null;
    const steps: Step[] = [];
    for (const node of inOrder(graph)) {
      const step = stepOf(graph, node, nodes[node.index]!);
      if (step === null) return null;
      steps.push(step);
    }
    return fits(graph, steps) ? new InlineRun(graph, version, steps) : null;
  }

  /** Whether all of it can run on this thread now, be there {@link hasTime} or not. */
  isReady(): boolean {
    for (const { runtime, inline } of this.#steps) if (!inline.isOpen() || runtime.pool.idle === 0) return false;
    return true;
  }

  /** Whether this turn of the event loop has time left. */
  hasTime(): boolean {
    return this.#steps[0]!.inline.hasTime();
  }

  /**
   * For when it has none: in a later turn. Until then the nodes without dependencies count as waiting, as they would in the engine.
   *
   * @param work runs the graph, or whatever else has become right; does not throw.
   */
  defer(work: () => void, metrics: WorkerMetrics, caller: Caller): void {
    const counts = this.#counts(metrics, caller);
    for (const { isEntry, runtime } of this.#steps) if (isEntry) counts.queued(runtime.metrics);
    this.#steps[0]!.inline.defer(() => {
      for (const { isEntry, runtime } of this.#steps) if (isEntry) counts.withdrawn(runtime.metrics);
      work();
    });
  }

  /**
   * For when {@link isReady}.
   *
   * @param inputs in the order of the graph's inputs, one use each, which are taken over.
   * @param targets memory for outputs; `null`: all of it is to be leased.
   * @returns the outputs in the order of the graph's, one use each.
   * @throws ServingError of the inference that failed, or OUT_OF_MEMORY
   */
  run(
    inputs: readonly Tensor[],
    arena: Arena,
    metrics: WorkerMetrics,
    caller: Caller,
    targets: OutputTargets | null = null,
  ): readonly Tensor[] {
    const counts = this.#counts(metrics, caller);
    const values = this.#values;
    try {
      for (let index = 0; index < inputs.length; index += 1) values[this.#graph.inputs[index]!.value] = inputs[index]!;
      for (const step of this.#steps) this.#infer(step, arena, counts, targets?.get(step.index));
      return this.#takeOutputs();
    } finally {
      for (let value = 0; value < values.length; value += 1) {
        values[value]?.release();
        values[value] = null;
      }
    }
  }

  #counts(metrics: WorkerMetrics, caller: Caller): ExecutionMetrics {
    const nodes = this.#graph.kind === 'pipeline' ? metrics.nodes(this.#graph, this.#version) : null;
    return new ExecutionMetrics(caller, nodes);
  }

  #infer(
    { index, runtime, inline, inputs, outputs, given, targets }: Step,
    arena: Arena,
    counts: ExecutionMetrics,
    wanted: ReadonlyMap<number, Lease> | undefined,
  ): void {
    const model = runtime.metrics;
    counts.queued(model);
    model.taken();
    counts.granted(model, 0);
    try {
      for (let port = 0; port < inputs.length; port += 1) given[port] = this.#values[inputs[port]!]!;
      for (let port = 0; port < outputs.length; port += 1) {
        const value = outputs[port]!;
        if (value === UNREAD) continue;
        targets[port] = this.#values[value] = outputOf(runtime.outputs[port]!, arena, wanted?.get(port));
      }
      const micros = inline.inferNow(given, targets);
      model.inferred(micros);
      counts.succeeded(model);
      counts.ran(index, 0, Math.round(micros));
    } finally {
      counts.ended(model);
      model.givenBack();
    }
  }

  /** A value that is the output twice gets a use for each. */
  #takeOutputs(): readonly Tensor[] {
    const values = this.#values;
    return this.#graph.outputs.map(({ value }) => {
      const tensor = values[value]!;
      tensor.retain(1);
      return tensor;
    });
  }
}

/** A node, with arrays that every run fills anew. */
interface Step {
  readonly index: number;
  /** It reads nothing but the request. */
  readonly isEntry: boolean;
  readonly runtime: ModelRuntime;
  readonly inline: InlineInference;
  /** By port, the value it reads. */
  readonly inputs: readonly number[];
  /** By port, the value it gives; {@link UNREAD} when nobody reads it. */
  readonly outputs: readonly number[];
  readonly given: Tensor[];
  readonly targets: OutputTarget[];
}

const UNREAD = -1;

function stepOf(graph: PipelineGraph, node: GraphNode, { unit, inputOfPort, portOfOutput }: PlannedNode): Step | null {
  if (!(unit instanceof ModelRuntime) || unit.inline === null || unit.sequences !== null) return null;
  if (node.condition !== null || node.exits.length > 0) return null;
  if (unit.outputs.some(({ staticShape }) => staticShape === null)) return null;
  const outputs = unit.outputs.map((_, port) => {
    const value = node.outputs[portOfOutput.indexOf(port)]?.value ?? UNREAD;
    return value !== UNREAD && graph.values[value]!.uses > 0 ? value : UNREAD;
  });
  return {
    index: node.index,
    isEntry: node.dependencyCount === 0,
    runtime: unit,
    inline: unit.inline,
    inputs: inputOfPort.map((input) => node.inputs[input]!.value),
    outputs,
    given: [],
    targets: outputs.map(() => 'discard'),
  };
}

/** Whether what each node gives is what the next one takes: with shapes that are known that is so for every request, or for none. */
function fits({ nodes }: PipelineGraph, steps: readonly Step[]): boolean {
  const given = new Map<number, RuntimePort>();
  for (const { runtime, outputs } of steps) outputs.forEach((value, port) => given.set(value, runtime.outputs[port]!));
  return steps.every(({ index, runtime, inputs }) =>
    inputs.every((value, port) => {
      const source = given.get(value);
      if (source === undefined) return true;
      const tensor = { precision: source.info.precision, shape: source.staticShape! };
      return checkPort(nodes[index]!, runtime.inputs[port]!.info, tensor) === null;
    }),
  );
}

/** Each node behind those whose outputs it reads. */
function inOrder({ nodes }: PipelineGraph): readonly GraphNode[] {
  const waiting = nodes.map(({ dependencyCount }) => dependencyCount);
  const order = nodes.filter(({ dependencyCount }) => dependencyCount === 0);
  for (const { dependants } of order) {
    for (const next of dependants) if ((waiting[next]! -= 1) === 0) order.push(nodes[next]!);
  }
  return order;
}

function outputOf(port: RuntimePort, arena: Arena, wanted: Lease | undefined): Tensor {
  try {
    return leaseOutput(port, port.staticShape!, arena, wanted);
  } catch (error) {
    throw new ServingError('OUT_OF_MEMORY', String(error), { cause: error });
  }
}
