import { EventEmitter, once } from 'node:events';

import { Execution } from '../dag/execution.js';
import { ServingError } from '../errors.js';
import type { Inference } from '../inference/inference.js';
import { isEnabled, log } from '../observability/logger.js';
import type { Arena } from '../tensors/arena.js';
import { ELEMENT_BYTES } from '../tensors/precision.js';
import { elementCount } from '../tensors/shape.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import { Tensor } from '../tensors/tensor.js';
import { checkRequest } from './check-request.js';
import { ModelRuntime } from './model-runtime.js';
import { PlanRunner } from './node-runner.js';
import type { Plan } from './plan.js';
import type { PredictRequest, RequestTensor, ResponseTensor } from './predict-request.js';
import { runtimeKey, ServableDirectory } from './servable-directory.js';
import type { CallContext, PredictResult, ServableMetadata, Serving, VersionStatus } from './serving.js';
import type { ServablesSnapshot, ServingModel } from './snapshot.js';
import { TimelineRecorder } from './timeline-recorder.js';

/**
 * The servables of one owner worker: the snapshot of this moment with its models opened and its graphs planned.
 * A request keeps the plan it began with, however many snapshots follow, and the models of that plan stay open until it ends.
 */
export class WorkerServing implements Serving {
  readonly #inference: Inference;
  readonly #arena: Arena;
  readonly #share: (nireq: number) => number;
  readonly #events = new EventEmitter<{ applied: [] }>().setMaxListeners(0);
  #directory = ServableDirectory.empty();
  /** Open runtimes by {@link runtimeKey}, with the registry entry each was opened from. */
  #runtimes = new Map<string, OpenedRuntime>();
  #applying: Promise<void> = Promise.resolve();

  /** @param share how many of a model's infer requests this worker gets. */
  constructor(inference: Inference, arena: Arena, share: (nireq: number) => number) {
    this.#inference = inference;
    this.#arena = arena;
    this.#share = share;
  }

  /** Opens the models that are new, swaps the snapshot and retires the models that are gone. Snapshots are applied in order. */
  apply(snapshot: ServablesSnapshot): Promise<void> {
    this.#applying = this.#applying.then(() => this.#apply(snapshot));
    return this.#applying;
  }

  async predict(request: PredictRequest, call: CallContext): Promise<PredictResult> {
    const accepted = performance.now();
    this.#logRequest(request, call);
    const plan = await this.#resolve(request.servable, request.version, call.signal);
    if (plan.graph.kind === 'pipeline') log.dagExecutor.debug(`Started execution of pipeline: ${plan.graph.name}`);
    const tensors = checkRequest(request, plan.inputs);
    if (plan.fault !== null) throw plan.fault;
    if (call.signal.aborted) throw call.signal.reason;
    const timeline = call.wantsTimeline ? new TimelineRecorder(plan.graph, accepted) : null;
    const outputs = await this.#execute(plan, this.#admit(tensors, plan.inputs), call.signal, timeline);
    if (isEnabled('DEBUG')) {
      log.serving.debug(
        `Total ${call.interface} request processing time: ${(performance.now() - accepted).toFixed(3)} ms`,
      );
    }
    return {
      outputs: plan.graph.outputs.map((port, index) => responseTensor(port.info.name, outputs[index]!)),
      version: plan.version,
      timeline: timeline?.finish() ?? null,
      release: () => outputs.forEach((tensor) => tensor.release()),
    };
  }

  metadata(name: string, version: bigint | null): ServableMetadata {
    const found = this.#directory.find(name, version);
    if ('error' in found) throw nameOfMetadata(found.error);
    return {
      name,
      version: found.version,
      inputs: found.inputs,
      outputs: found.graph.outputs.map((port) => port.info),
    };
  }

  status(name: string, version: bigint | null): readonly VersionStatus[] {
    return this.#directory.status(name, version);
  }

  allStatuses(): { readonly name: string; readonly versions: readonly VersionStatus[] }[] {
    return this.#directory.allStatuses();
  }

  async inputs(name: string, version: bigint | null, call: CallContext): Promise<readonly TensorInfo[]> {
    return (await this.#resolve(name, version, call.signal)).inputs;
  }

  /** Closes every model; no request may be running. */
  close(): void {
    this.#directory = ServableDirectory.empty();
    for (const { runtime } of this.#runtimes.values()) if (runtime instanceof ModelRuntime) runtime.retire();
    this.#runtimes.clear();
  }

  async #apply(snapshot: ServablesSnapshot): Promise<void> {
    const next = new Map<string, OpenedRuntime>();
    for (const { name, versions } of snapshot.models) {
      for (const { version, serving } of versions) {
        if (serving === null) continue;
        const key = runtimeKey(name, version);
        const open = this.#runtimes.get(key);
        const kept = open?.modelId === serving.reference.modelId;
        next.set(key, kept ? open : await this.#open(name, version, serving));
      }
    }
    const previous = this.#runtimes;
    this.#runtimes = next;
    this.#directory = new ServableDirectory(snapshot, new Map([...next].map(([key, { runtime }]) => [key, runtime])));
    for (const [key, opened] of previous) {
      if (next.get(key) !== opened && opened.runtime instanceof ModelRuntime) opened.runtime.retire();
    }
    this.#events.emit('applied');
  }

  async #open(name: string, version: number, serving: ServingModel): Promise<OpenedRuntime> {
    const { modelId } = serving.reference;
    try {
      const runtime = await ModelRuntime.open(this.#inference, name, version, serving, this.#share(serving.nireq));
      return { modelId, runtime };
    } catch (error) {
      const known =
        error instanceof ServingError ? error : new ServingError('INTERNAL_ERROR', String(error), { cause: error });
      log.serving.error(`Opening model: ${name} version: ${version} failed: ${known.message}`);
      return { modelId, runtime: known };
    }
  }

  /** The plan behind a name, waited for while it is loading. */
  async #resolve(name: string, version: bigint | null, signal: AbortSignal): Promise<Plan> {
    let found = this.#directory.find(name, version);
    if (!('error' in found)) return found;
    if (found.waitMs === 0) throw found.error;
    const deadline = AbortSignal.timeout(found.waitMs);
    while ('error' in found && found.waitMs > 0 && !deadline.aborted) {
      await once(this.#events, 'applied', { signal: AbortSignal.any([signal, deadline]) }).catch(() => undefined);
      if (signal.aborted) throw signal.reason;
      found = this.#directory.find(name, version);
    }
    if ('error' in found) throw found.error;
    return found;
  }

  /** Copies the request's tensors into leased regions: the one copy on the way in. */
  #admit(tensors: readonly RequestTensor[], inputs: readonly TensorInfo[]): Tensor[] {
    const admitted: Tensor[] = [];
    try {
      tensors.forEach((tensor, index) => admitted.push(this.#admitTensor(tensor, inputs[index]!)));
      return admitted;
    } catch (error) {
      for (const tensor of admitted) tensor.release();
      throw new ServingError('OUT_OF_MEMORY', String(error), { cause: error });
    }
  }

  #admitTensor({ shape, content }: RequestTensor, { precision }: TensorInfo): Tensor {
    const lease = this.#arena.lease(elementCount(shape)! * ELEMENT_BYTES[precision]);
    if (content.kind === 'bytes') this.#arena.copyIn(lease, content.bytes);
    else if (content.kind === 'values') content.writeTo(lease.bytes);
    return new Tensor(precision, shape, lease);
  }

  #execute(
    plan: Plan,
    inputs: readonly Tensor[],
    signal: AbortSignal,
    timeline: TimelineRecorder | null,
  ): Promise<readonly Tensor[]> {
    for (const { runtime } of plan.nodes) runtime.hold();
    return new Promise((resolve, reject) => {
      const abort = (): void => execution.abort(signal.reason as ServingError);
      const runner = new PlanRunner(plan, this.#arena, timeline);
      const execution = new Execution<Tensor>(plan.graph, plan.layout, runner, (error, outputs) => {
        signal.removeEventListener('abort', abort);
        for (const { runtime } of plan.nodes) runtime.letGo();
        if (error === null) resolve(outputs!);
        else reject(error);
      });
      signal.addEventListener('abort', abort);
      execution.begin(inputs);
    });
  }

  #logRequest({ servable, version }: PredictRequest, call: CallContext): void {
    if (!isEnabled('DEBUG')) return;
    log.serving.debug(`Processing ${call.interface} request for model: ${servable}; version: ${version ?? 0}`);
    log.serving.debug(`Requesting model: ${servable}; version: ${version ?? 0}.`);
    if (this.#directory.isModel(servable)) return;
    log.serving.debug(`Requested model: ${servable} does not exist. Searching for pipeline with that name...`);
    log.serving.debug(`Requesting pipeline: ${servable};`);
  }
}

interface OpenedRuntime {
  readonly modelId: number;
  readonly runtime: ModelRuntime | ServingError;
}

function responseTensor(name: string, { precision, shape, bytes }: Tensor): ResponseTensor {
  return { name, precision, shape, bytes };
}

/** Only Predict speaks of pipelines when a name is unknown (as OVMS 2026.2.1). */
function nameOfMetadata(error: ServingError): ServingError {
  return error.code === 'PIPELINE_NAME_MISSING' ? new ServingError('MODEL_NAME_MISSING') : error;
}
