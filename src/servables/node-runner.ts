import { passes, type GraphCondition } from '../dag/condition.js';
import type { NodeDone, NodeRunner } from '../dag/execution.js';
import type { GraphLevel, GraphNode, GraphValue } from '../dag/graph.js';
import { sessionKey, type Scope } from '../dag/scope.js';
import { ServingError } from '../errors.js';
import type { Withdraw } from '../nodes/node-instance.js';
import { isEnabled, log } from '../observability/logger.js';
import { ExecutionMetrics } from '../observability/metrics/execution-metrics.js';
import { gatherTensors, splitTensors } from '../tensors/shards.js';
import { elementCount, formatShape } from '../tensors/shape.js';
import { Tensor } from '../tensors/tensor.js';
import { checkIntermediates } from './check-intermediates.js';
import type { SessionEnd, UnitSession } from './node-unit.js';
import type { Plan } from './plan.js';
import type { PlannedNode } from './planned-node.js';
import type { RunContext } from './run-context.js';
import type { SessionName } from './serving.js';

/** Runs the nodes of one execution by their units, and tells log and time line of them. */
export class PlanRunner implements NodeRunner<Tensor> {
  readonly #plan: Plan;
  readonly #context: RunContext;
  readonly #metrics: ExecutionMetrics;
  /** Those that wait or run. What ends while it is started is never among them. */
  #active: Set<NodeSession> | null = null;

  constructor(plan: Plan, context: RunContext) {
    this.#plan = plan;
    this.#context = context;
    const nodes = plan.graph.kind === 'pipeline' ? context.metrics.nodes(plan.graph, plan.version) : null;
    this.#metrics = new ExecutionMetrics(context.caller, nodes);
  }

  /** As the reference, a node is announced when it becomes ready, so that parallel branches stand side by side in the log. */
  ready(node: GraphNode, scope: Scope<Tensor>): void {
    if (node.program.kind === 'select') return;
    this.#context.timeline?.ready(node, scope, this.sessionName(node, scope));
    if (this.#plan.graph.kind === 'model' || !isEnabled('DEBUG')) return;
    const { program } = node;
    if (program.kind === 'model')
      log.serving.debug(`Requesting model: ${program.modelName}; version: ${program.version ?? 0}.`);
    this.#logSession(
      scope,
      (session) => `Started execution of pipeline: ${this.#plan.graph.name} node: ${node.name} session: ${session}`,
    );
  }

  skipped(node: GraphNode, scope: Scope<Tensor>): void {
    this.#metrics.skipped(node.index);
    if (!isEnabled('DEBUG')) return;
    this.#logSession(
      scope,
      (session) => `Skipped pipeline: ${this.#plan.graph.name} node: ${node.name} session: ${session}`,
    );
  }

  start(node: GraphNode, scope: Scope<Tensor>, inputs: readonly Tensor[], done: NodeDone<Tensor>): void {
    const planned = this.#plan.nodes[node.index]!;
    const fault = checkIntermediates(node, planned, inputs);
    if (fault !== null) return done(fault, null);
    const session = new NodeSession(this, node, scope, planned, inputs, this.#context, this.#metrics, done);
    const withdraw = planned.unit.start(session);
    if (session.hasEnded) return;
    session.withdraw = withdraw;
    (this.#active ??= new Set()).add(session);
  }

  withdraw(error: ServingError): void {
    if (this.#active !== null) for (const session of [...this.#active]) session.withdraw?.(error);
  }

  split(values: readonly Tensor[], { count, allowsEmpty }: GraphLevel): readonly (readonly Tensor[])[] | ServingError {
    return splitTensors(values, count, allowsEmpty);
  }

  gather(
    shards: readonly Tensor[],
    sizes: readonly number[],
    { info }: GraphValue,
    reader: GraphNode | null,
    scope: Scope<Tensor>,
  ): Tensor | ServingError {
    const gathered = gatherTensors(shards, sizes, info, this.#context.arena);
    if (gathered instanceof Tensor && reader !== null) this.#copied(reader, scope, gathered.byteLength);
    return gathered;
  }

  shardsSkipped(skipped: number, shards: number): ServingError {
    return new ServingError('GATHER_SHARDS_DIFFER', `conditions skipped ${skipped} of ${shards} shards`);
  }

  holds(tensor: Tensor, { element, tests }: GraphCondition): boolean | ServingError {
    const count = elementCount(tensor.shape) ?? 0;
    if (element === null ? count !== 1 : element >= count) {
      const expected = element === null ? 'one element' : `more than ${element} elements`;
      return new ServingError(
        'CONDITION_ELEMENT_MISSING',
        `expected ${expected}, received ${formatShape(tensor.shape)}`,
      );
    }
    return passes(tensor.element(element ?? 0), tests);
  }

  /** @internal */
  sessionName({ name }: GraphNode, scope: Scope<Tensor>): SessionName {
    const { around } = this.#context;
    const session = sessionKey(this.#plan.graph, scope);
    if (around === null) return { node: name, session };
    const sessions = [around.session, session].filter((part) => part !== '');
    return { node: `${around.node}/${name}`, session: sessions.join('/') };
  }

  /** @internal A session stops waiting. */
  sessionStarted({ node, scope }: NodeSession, microsAgo: number): void {
    this.#context.timeline?.started(node, scope, microsAgo);
    if (this.#plan.graph.kind === 'model' || !isEnabled('DEBUG')) return;
    log.dagExecutor.debug(`Setting completion callback for node name: ${node.name}`);
    log.dagExecutor.debug(`Starting infer async for node name: ${node.name}`);
  }

  /** @internal */
  sessionEnded(session: NodeSession, { error, outputs, micros, copiedBytes }: SessionEnd): void {
    this.#active?.delete(session);
    const { node, scope, planned, done } = session;
    if (copiedBytes > 0) this.#copied(node, scope, copiedBytes);
    if (session.hasStarted) {
      this.#metrics.ran(node.index, session.queueMicros, session.runMicros);
      this.#context.timeline?.ended(node, scope, session.queueMicros, micros);
      this.#logEnd(node, scope, micros);
    }
    if (error !== null) return done(error, null);
    done(
      null,
      planned.portOfOutput.map((port) => outputs[port]!),
    );
  }

  #copied(node: GraphNode, scope: Scope<Tensor>, bytes: number): void {
    this.#metrics.copied(node.index, bytes);
    this.#context.timeline?.copied(node, scope, bytes);
  }

  #logSession(scope: Scope<Tensor>, text: (session: string) => string): void {
    log.dagExecutor.debug(text(sessionKey(this.#plan.graph, scope)));
  }

  #logEnd(node: GraphNode, scope: Scope<Tensor>, micros: number): void {
    if (!isEnabled('DEBUG')) return;
    const milliseconds = (micros / 1000).toFixed(3);
    const { program } = node;
    const model = program.kind === 'model' ? program.modelName : program.kind;
    if (this.#plan.graph.kind === 'model') {
      log.serving.debug(`Prediction duration in model ${model}, version ${this.#plan.version}: ${milliseconds} ms`);
      return;
    }
    log.dagExecutor.debug(`Completion callback received for node name: ${node.name}`);
    this.#logSession(
      scope,
      (session) =>
        `Pipeline: ${this.#plan.graph.name} got message that node: ${node.name} session: ${session} finished.`,
    );
    this.#logSession(
      scope,
      (session) =>
        `Inference processing time for node ${node.name}; model name: ${model}; session: ${session} - ${milliseconds} ms`,
    );
  }
}

/** A node that waits for its turn or runs. */
class NodeSession implements UnitSession {
  readonly inputs: readonly Tensor[];
  readonly wanted: readonly boolean[];
  /** Until its turn came, and from then until it ended. */
  queueMicros = 0;
  runMicros = 0;
  withdraw: Withdraw | null = null;
  hasStarted = false;
  hasEnded = false;
  readonly #runner: PlanRunner;
  /** `performance.now()` of the moment its inputs were complete, and later of that its turn came. */
  #since = performance.now();

  constructor(
    runner: PlanRunner,
    readonly node: GraphNode,
    readonly scope: Scope<Tensor>,
    readonly planned: PlannedNode,
    inputs: readonly Tensor[],
    readonly context: RunContext,
    readonly metrics: ExecutionMetrics,
    readonly done: NodeDone<Tensor>,
  ) {
    this.#runner = runner;
    this.inputs = planned.inputOfPort.map((input) => inputs[input]!);
    this.wanted = planned.wanted;
  }

  get targets(): UnitSession['targets'] {
    return this.context.targets?.get(this.node.index) ?? null;
  }

  get name(): SessionName {
    return this.#runner.sessionName(this.node, this.scope);
  }

  started(microsAgo = 0): void {
    this.hasStarted = true;
    // One whose unit has not come back yet has not waited.
    if (this.withdraw !== null) this.queueMicros = this.#lap(microsAgo);
    this.#runner.sessionStarted(this, microsAgo);
  }

  ended(end: SessionEnd): void {
    this.hasEnded = true;
    this.runMicros = this.#lap();
    this.#runner.sessionEnded(this, end);
  }

  /** Microseconds since the last lap, up to a moment that may be some time ago. */
  #lap(microsAgo = 0): number {
    const moment = Math.max(this.#since, performance.now() - microsAgo / 1000);
    const micros = Math.round((moment - this.#since) * 1000);
    this.#since = moment;
    return micros;
  }
}
