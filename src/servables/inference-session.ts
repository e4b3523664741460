import { ServingError } from '../errors.js';
import type { InferenceDone, InferRequest, OutputTarget } from '../inference/inference.js';
import type { InferRequestPool } from '../inference/infer-request-pool.js';
import type { Withdraw } from '../nodes/node-instance.js';
import { ModelMetrics } from '../observability/metrics/servable-metrics.js';
import type { Lease } from '../tensors/arena.js';
import { formatShape } from '../tensors/shape.js';
import { Tensor } from '../tensors/tensor.js';
import { leaseOutput } from './lease-output.js';
import { failed, type RuntimePort, type UnitSession } from './node-unit.js';

/**
 * Takes an infer request of a model in turn, leases the outputs, infers, and gives the infer request to the next in line before the
 * results are handed on, so that whoever waited longer goes first.
 */
export function startInference(inferred: InferredModel, session: UnitSession): Withdraw {
  const { pool, outputs } = inferred;
  const { metrics, context } = session;
  const model = context.isWarmUp === true ? NOBODY : inferred.metrics;
  metrics.queued(model);
  const ticket = pool.acquire(infer);
  if (ticket === null) return GOES_ON;
  return (error) => {
    if (!pool.withdraw(ticket)) return;
    metrics.withdrawn(model);
    session.ended(failed(error));
  };

  function infer(request: InferRequest): void {
    session.started();
    model.taken();
    metrics.granted(model, session.queueMicros);
    const targets = leaseOutputs(outputs, session);
    if (targets instanceof ServingError) {
      metrics.ended(model);
      model.givenBack();
      pool.giveBack(request);
      return session.ended(failed(targets));
    }
    const done: InferenceDone = (error, tensors, micros) => {
      if (error === null) {
        model.inferred(micros);
        metrics.succeeded(model);
      }
      metrics.ended(model);
      model.givenBack();
      pool.giveBack(request);
      if (error === null)
        return session.ended({ error, outputs: tensors!, micros, copiedBytes: allocatedBytes(targets, tensors!) });
      releaseAll(targets);
      session.ended(failed(refusal(error, inferred, session), micros));
    };
    request.infer(session.inputs, targets, done, session.context.turn);
  }
}

/** What has begun is not withdrawn. */
const GOES_ON: Withdraw = () => undefined;

/** Where a warm-up counts. */
const NOBODY = ModelMetrics.detached();

/** A model version in one owner worker. */
export interface InferredModel {
  readonly pool: InferRequestPool;
  readonly outputs: readonly RuntimePort[];
  readonly metrics: ModelMetrics;
  readonly isAuto: boolean;
}

/** Where OVMS 2026.2.1 compiles for a new shape and fails, OpenVINO fails in the inference that is the first to see the shape. */
export function refusal(error: ServingError, { isAuto }: InferredModel, { inputs }: UnitSession): ServingError {
  if (!isAuto || error.code !== 'INFERENCE_FAILED') return error;
  const shapes = inputs.map((input) => formatShape(input.shape)).join(', ');
  return new ServingError('MODEL_RESHAPE_FAILED', `${shapes}: ${error.detail}`, { cause: error });
}

function leaseOutputs(ports: readonly RuntimePort[], session: UnitSession): OutputTarget[] | ServingError {
  const targets: OutputTarget[] = [];
  try {
    ports.forEach((port, index) => {
      targets.push(
        session.wanted[index] === true ? outputTarget(port, session.targets?.get(index), session) : 'discard',
      );
    });
    return targets;
  } catch (error) {
    releaseAll(targets);
    return new ServingError('OUT_OF_MEMORY', String(error), { cause: error });
  }
}

function outputTarget(port: RuntimePort, wanted: Lease | undefined, { context }: UnitSession): OutputTarget {
  return port.staticShape === null ? 'allocate' : leaseOutput(port, port.staticShape, context.arena, wanted);
}

/** What OpenVINO allocated itself had to be copied. */
export function allocatedBytes(targets: readonly OutputTarget[], tensors: readonly (Tensor | null)[]): number {
  return targets.reduce(
    (bytes, target, index) => (target === 'allocate' ? bytes + (tensors[index]?.byteLength ?? 0) : bytes),
    0,
  );
}

export function releaseAll(targets: readonly OutputTarget[]): void {
  for (const target of targets) if (target instanceof Tensor) target.release();
}
