import { ServingError } from '../errors.js';
import { decodePredictionLog } from '../frontends/tfs/warm-up/prediction-log.js';
import { readRecords } from '../frontends/tfs/warm-up/record-file.js';
import { ModelRuntime } from '../servables/model-runtime.js';
import type { Plan } from '../servables/plan.js';
import type { PredictRequest } from '../servables/predict-request.js';
import type { ServablesSnapshot } from '../servables/snapshot.js';
import {
  warmUpWithRecorded,
  warmUpWithZeros,
  type Ask,
  type WarmUpOutcome,
  type WarmUpTask,
} from '../servables/warm-up.js';
import type { WorkerServing } from '../servables/worker-serving.js';

/** A servable that answers nothing must not keep the others from loading. */
const LIMIT_MS = 60_000;

/**
 * Asks one servable of a snapshot to come, between the requests of this worker: nothing here holds the event loop for longer than a
 * request of a client does. Never rejects.
 *
 * @param stopping aborted when the worker is to end; the reason is a `ServingError`.
 */
export async function warmUp(
  serving: WorkerServing,
  snapshot: ServablesSnapshot,
  task: WarmUpTask,
  stopping: AbortSignal,
): Promise<WarmUpOutcome> {
  const limit = new AbortController();
  const expire = (): void => limit.abort(new ServingError('DEADLINE_EXCEEDED', `after ${LIMIT_MS / 1000} seconds`));
  const timer = setTimeout(expire, LIMIT_MS);
  const signal = AbortSignal.any([stopping, limit.signal]);
  try {
    const directory = await serving.prepare(snapshot);
    const plan = directory.find(task.name, BigInt(task.version));
    if ('error' in plan) throw plan.error;
    const ask: Ask = (inputs) => serving.rehearse(plan, inputs, signal);
    if (task.recorded === null) return await warmUpWithZeros(plan.inputs, inferRequests(plan), ask);
    return await warmUpWithRecorded(task.name, recordedRequests(task.recorded), ask, signal);
  } catch (error) {
    return { answered: 0, failed: 0, fault: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** A log of another kind is one request that fails; a fault of the file ends it. */
async function* recordedRequests(path: string): AsyncGenerator<PredictRequest | ServingError> {
  for await (const record of readRecords(path)) yield decoded(record);
}

function decoded(record: Uint8Array): PredictRequest | ServingError {
  try {
    return decodePredictionLog(record);
  } catch (error) {
    if (error instanceof ServingError) return error;
    throw error;
  }
}

/** Of the model that is asked alone; a pipeline is asked once. */
function inferRequests({ graph, nodes }: Plan): number {
  const unit = graph.kind === 'model' ? nodes[0]?.unit : undefined;
  return unit instanceof ModelRuntime ? unit.pool.size : 1;
}
