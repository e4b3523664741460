import type { NodeDone, NodeRunner } from '../dag/execution.js';
import type { GraphLevel, GraphNode, GraphValue } from '../dag/graph.js';
import { sessionKey, type Scope } from '../dag/scope.js';
import { ServingError } from '../errors.js';
import type { InferRequest, OutputTarget } from '../inference/inference.js';
import type { Ticket } from '../inference/infer-request-pool.js';
import { isEnabled, log } from '../observability/logger.js';
import { gatherTensors, splitTensors } from '../tensors/shards.js';
import type { Arena } from '../tensors/arena.js';
import { accepts, formatPartialShape, formatShape } from '../tensors/shape.js';
import { Tensor } from '../tensors/tensor.js';
import { batchIndex, type TensorInfo } from '../tensors/tensor-info.js';
import type { RuntimePort } from './model-runtime.js';
import type { Plan, PlannedNode } from './plan.js';
import type { TimelineRecorder } from './timeline-recorder.js';

/** A node that waits for an infer request or runs. */
interface NodeSession {
  readonly node: GraphNode;
  readonly scope: Scope<Tensor>;
  readonly planned: PlannedNode;
  readonly inputs: readonly Tensor[];
  readonly done: NodeDone<Tensor>;
  ticket: Ticket | null;
}

/**
 * Runs the nodes of one request: takes an infer request of the node's model in turn, leases the outputs, infers, and gives the infer
 * request to the next in line before the results are handed on, so that whoever waited longer goes first.
 */
export class PlanRunner implements NodeRunner<Tensor> {
  readonly #plan: Plan;
  readonly #arena: Arena;
  readonly #timeline: TimelineRecorder | null;
  readonly #waiting = new Set<NodeSession>();

  constructor(plan: Plan, arena: Arena, timeline: TimelineRecorder | null) {
    this.#plan = plan;
    this.#arena = arena;
    this.#timeline = timeline;
  }

  /** As the reference, a node is announced when it becomes ready, so that parallel branches stand side by side in the log. */
  ready(node: GraphNode, scope: Scope<Tensor>): void {
    this.#timeline?.ready(node, scope);
    if (this.#plan.graph.kind === 'model' || !isEnabled('DEBUG')) return;
    log.serving.debug(`Requesting model: ${node.modelName}; version: ${node.version ?? 0}.`);
    log.dagExecutor.debug(
      `Started execution of pipeline: ${this.#plan.graph.name} node: ${node.name} session: ${this.#sessionKey(scope)}`,
    );
  }

  start(node: GraphNode, scope: Scope<Tensor>, inputs: readonly Tensor[], done: NodeDone<Tensor>): void {
    const planned = this.#plan.nodes[node.index]!;
    const fault = checkIntermediates(node, planned, inputs);
    if (fault !== null) return done(fault, null);
    const session: NodeSession = { node, scope, planned, inputs, done, ticket: null };
    this.#waiting.add(session);
    session.ticket = planned.runtime.pool.acquire((request) => {
      this.#waiting.delete(session);
      this.#infer(session, request);
    });
  }

  withdraw(error: ServingError): void {
    for (const session of [...this.#waiting]) {
      // A node that is being granted its infer request right now is no longer in the queue.
      if (session.ticket === null || !session.planned.runtime.pool.withdraw(session.ticket)) continue;
      this.#waiting.delete(session);
      session.done(error, null);
    }
  }

  #infer({ node, scope, planned, inputs, done }: NodeSession, request: InferRequest): void {
    const { pool } = planned.runtime;
    const targets = this.#leaseOutputs(planned);
    if (targets instanceof ServingError) {
      pool.giveBack(request);
      return done(targets, null);
    }
    this.#timeline?.started(node, scope);
    this.#logInference(node);
    const portInputs = planned.inputOfPort.map((input) => inputs[input]!);
    request.infer(portInputs, targets, (error, outputs, inferMicros) => {
      this.#timeline?.ended(node, scope, inferMicros);
      pool.giveBack(request);
      this.#logEnd(node, scope, inferMicros);
      if (error === null)
        return done(
          null,
          planned.portOfOutput.map((port) => outputs![port]!),
        );
      releaseAll(targets);
      done(error, null);
    });
  }

  #leaseOutputs(planned: PlannedNode): OutputTarget[] | ServingError {
    const targets: OutputTarget[] = [];
    try {
      planned.runtime.outputs.forEach((port, index) => {
        targets.push(planned.outputOfPort[index] === -1 ? 'discard' : this.#leaseOutput(port));
      });
      return targets;
    } catch (error) {
      releaseAll(targets);
      return new ServingError('OUT_OF_MEMORY', String(error), { cause: error });
    }
  }

  #leaseOutput({ info, staticShape, staticBytes }: RuntimePort): OutputTarget {
    return staticShape === null ? 'allocate' : new Tensor(info.precision, staticShape, this.#arena.lease(staticBytes));
  }

  split(values: readonly Tensor[], { count, allowsEmpty }: GraphLevel): readonly (readonly Tensor[])[] | ServingError {
    return splitTensors(values, count, allowsEmpty);
  }

  gather(shards: readonly Tensor[], sizes: readonly number[], { info }: GraphValue): Tensor | ServingError {
    return gatherTensors(shards, sizes, info, this.#arena);
  }

  #sessionKey(scope: Scope<Tensor>): string {
    return sessionKey(this.#plan.graph, scope);
  }

  #logInference(node: GraphNode): void {
    if (this.#plan.graph.kind === 'model' || !isEnabled('DEBUG')) return;
    log.dagExecutor.debug(`Setting completion callback for node name: ${node.name}`);
    log.dagExecutor.debug(`Starting infer async for node name: ${node.name}`);
  }

  #logEnd(node: GraphNode, scope: Scope<Tensor>, inferMicros: number): void {
    if (!isEnabled('DEBUG')) return;
    const milliseconds = (inferMicros / 1000).toFixed(3);
    if (this.#plan.graph.kind === 'model') {
      log.serving.debug(
        `Prediction duration in model ${node.modelName}, version ${this.#plan.version}: ${milliseconds} ms`,
      );
      return;
    }
    const session = this.#sessionKey(scope);
    log.dagExecutor.debug(`Completion callback received for node name: ${node.name}`);
    log.dagExecutor.debug(
      `Pipeline: ${this.#plan.graph.name} got message that node: ${node.name} session: ${session} finished.`,
    );
    log.dagExecutor.debug(
      `Inference processing time for node ${node.name}; model name: ${node.modelName}; session: ${session} - ${milliseconds} ms`,
    );
  }
}

function releaseAll(targets: readonly OutputTarget[]): void {
  for (const target of targets) if (target instanceof Tensor) target.release();
}

/** The texts are those of OVMS 2026.2.1 for a tensor that does not fit the next model. */
function checkIntermediates(node: GraphNode, planned: PlannedNode, inputs: readonly Tensor[]): ServingError | null {
  for (const port of planned.checkedPorts) {
    const fault = mismatch(inputs[planned.inputOfPort[port]!]!, planned.runtime.inputs[port]!.info, node);
    if (fault !== null) return fault;
  }
  return null;
}

function mismatch({ precision, shape }: Tensor, info: TensorInfo, node: GraphNode): ServingError | null {
  const where = `Node: ${node.name} input: ${info.name}`;
  if (precision !== info.precision) {
    return new ServingError(
      'INVALID_PRECISION',
      `${where} Invalid precision - Expected: ${info.precision}; Actual: ${precision}`,
    );
  }
  const sizes = `Expected: ${formatPartialShape(info.shape)}; Actual: ${formatShape(shape)}`;
  if (shape.length !== info.shape.length) {
    return new ServingError('INVALID_NO_OF_SHAPE_DIMENSIONS', `${where} Invalid number of shape dimensions - ${sizes}`);
  }
  const wrong = shape.findIndex((size, axis) => !accepts(info.shape[axis]!, size));
  if (wrong === -1) return null;
  if (wrong === batchIndex(info.layout))
    return new ServingError('INVALID_BATCH_SIZE', `${where} Invalid batch size - ${sizes}`);
  return new ServingError('INVALID_SHAPE', `${where} Invalid shape - ${sizes}`);
}
