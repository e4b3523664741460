import { EventEmitter, once } from 'node:events';

import { ServingError } from '../errors.js';
import { SEQUENCE_CONTROL, type Inference, type SequenceRequest, type SequenceTurn } from '../inference/inference.js';
import { isEnabled, log } from '../observability/logger.js';
import type { Caller } from '../observability/metrics/caller.js';
import type { ServableMetrics } from '../observability/metrics/servable-metrics.js';
import { WorkerMetrics } from '../observability/metrics/worker-metrics.js';
import type { Arena, Lease } from '../tensors/arena.js';
import { ELEMENT_BYTES, type Precision } from '../tensors/precision.js';
import { elementCount } from '../tensors/shape.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import { Tensor } from '../tensors/tensor.js';
import { abortSignalOf, type Cancellation } from './cancellation.js';
import { checkRequest } from './check-request.js';
import type { HeldUnit } from './held-unit.js';
import { ModelRuntime } from './model-runtime.js';
import type { InlineRun } from './inline-run.js';
import type { UserNodeReference } from '../nodes/user-node-reference.js';
import type { NodeInstance } from '../nodes/node-instance.js';
import { holdUnits, letUnitsGo, type Plan } from './plan.js';
import type { PredictRequest, RequestTensor } from './predict-request.js';
import { outputTargets } from './output-targets.js';
import type { OutputTargets } from './run-context.js';
import { runPlan } from './run-plan.js';
import { RunningExecutions } from './running-executions.js';
import { runtimeKey, ServableDirectory } from './servable-directory.js';
import type { CallContext, PredictResult, ServableMetadata, Serving, VersionStatus } from './serving.js';
import type { ServablesSnapshot, ServingModel } from './snapshot.js';
import { PredictOutcome } from './predict-outcome.js';
import { admitStrings, hasStrings } from './strings/admit-strings.js';
import type { PictureDecoder } from './strings/picture-decoder.js';
import { runInSequence, type StatefulModel } from './stateful/run-in-sequence.js';
import { readSequenceRequest, SEQUENCE_INPUTS } from './stateful/sequence-inputs.js';
import { TimelineRecorder } from './timeline-recorder.js';
import { UserUnit } from './user-unit.js';
import { shortened } from '../texts.js';

/** Opens a node of a user's own code for this worker; throws a `ServingError`. */
export type UserNodeOpener = (reference: UserNodeReference) => NodeInstance;

/**
 * The servables of one owner worker: the snapshot of this moment with its models opened and its graphs planned.
 * A request keeps the plan it began with, however many snapshots follow, and the models of that plan stay open until it ends.
 */
export class WorkerServing implements Serving {
  readonly #inference: Inference;
  readonly #arena: Arena;
  readonly #share: (nireq: number) => number;
  readonly #userNodeOpener: UserNodeOpener;
  readonly #metrics: WorkerMetrics;
  readonly #pictureDecoder: PictureDecoder;
  readonly #events = new EventEmitter<{ applied: [] }>().setMaxListeners(0);
  #directory = ServableDirectory.empty();
  /** Open runtimes by {@link runtimeKey}, with the registry entry each was opened from. */
  #runtimes = new Map<string, OpenedModel>();
  /** Open nodes of users' own code by the key of their reference. */
  #userNodes = new Map<string, Opened<UserUnit>>();
  /** Opened for snapshots to come, until one shows them. */
  readonly #prepared = new Prepared();
  readonly #executions = new RunningExecutions();
  #applying: Promise<void> = Promise.resolve();

  /** @param share how many of a model's infer requests this worker gets. */
  constructor(
    inference: Inference,
    arena: Arena,
    share: (nireq: number) => number,
    userNodeOpener: UserNodeOpener,
    metrics: WorkerMetrics,
    pictureDecoder: PictureDecoder,
  ) {
    this.#pictureDecoder = pictureDecoder;
    this.#userNodeOpener = userNodeOpener;
    this.#inference = inference;
    this.#arena = arena;
    this.#share = share;
    this.#metrics = metrics;
  }

  /** Opens the models that are new, swaps the snapshot and retires the models that are gone. Snapshots are applied in order. */
  apply(snapshot: ServablesSnapshot): Promise<void> {
    this.#applying = this.#applying.then(() => this.#apply(snapshot));
    return this.#applying;
  }

  /**
   * Opens what a snapshot to come has; it stays open for that snapshot, whichever others come before.
   *
   * @returns the plans of that snapshot; for {@link rehearse} only.
   */
  prepare(snapshot: ServablesSnapshot): Promise<ServableDirectory> {
    const prepared = this.#applying.then(async () => {
      const runtimes = await this.#openModels(snapshot);
      const userNodes = this.#openUserNodes(snapshot);
      this.#prepared.add(runtimes, this.#runtimes, userNodes, this.#userNodes);
      return new ServableDirectory(snapshot, { models: unitsOf(runtimes), userNodes: unitsOf(userNodes) });
    });
    this.#applying = prepared.then(() => undefined);
    return prepared;
  }

  /** Closes a model that {@link prepare} opened for a snapshot that will not come. */
  forget(modelId: number): void {
    const prepared = this.#prepared.takeModel(modelId);
    if (prepared !== undefined) retire(prepared);
  }

  /**
   * Runs a plan as a request does, and forgets the answer: nothing is counted, and of a sequence nothing stays.
   *
   * @throws ServingError as {@link predict}
   */
  async rehearse(plan: Plan, inputs: PredictRequest['inputs'], signal: AbortSignal): Promise<void> {
    const { graph, stateful } = plan;
    const own = new Map([...inputs].filter(([name]) => !SEQUENCE_INPUTS.some((special) => special.name === name)));
    const request = { servable: graph.name, version: null, inputs: stateful === undefined ? inputs : own };
    const tensors = checkRequest(request, plan.inputs, plan.isDemultiplexed);
    if (plan.fault !== null) throw plan.fault;
    if (signal.aborted) throw signal.reason;
    const call = { ...REHEARSAL, arrived: performance.now(), signal };
    holdUnits(plan);
    let turn: SequenceTurn | null = null;
    try {
      if (stateful !== undefined) turn = await stateful.sequences.enter(NEW_SEQUENCE, signal);
      const outputs = await this.#run(
        { plan, call, timeline: null, turn, targets: null, metrics: new WorkerMetrics() },
        tensors,
      );
      for (const output of outputs) output?.release();
    } finally {
      turn?.end(false);
      letUnitsGo(plan);
    }
  }

  /**
   * What waits is in methods of its own, here and behind: a function that makes a closure somewhere allocates the variables of that
   * closure whenever it is called, and most requests wait for nothing.
   */
  predict(request: PredictRequest, call: CallContext): Promise<PredictResult> | PredictResult {
    try {
      const result = this.#predict(request, call);
      return result instanceof Promise ? this.#countingRefusal(result, request, call) : result;
    } catch (error) {
      this.refused(request.servable, request.version, call);
      throw error;
    }
  }

  async #countingRefusal(
    result: Promise<PredictResult>,
    request: PredictRequest,
    call: CallContext,
  ): Promise<PredictResult> {
    try {
      return await result;
    } catch (error) {
      this.refused(request.servable, request.version, call);
      throw error;
    }
  }

  #predict(request: PredictRequest, call: CallContext): Promise<PredictResult> | PredictResult {
    this.#logRequest(request, call);
    const found = this.#directory.find(request.servable, request.version);
    return 'error' in found ? this.#predictLater(request, call) : this.#predictBy(found, request, call);
  }

  async #predictLater(request: PredictRequest, call: CallContext): Promise<PredictResult> {
    const plan = await this.#awaitPlan(request.servable, request.version, call.signal);
    return this.#predictBy(plan, request, call);
  }

  #predictBy(plan: Plan, request: PredictRequest, call: CallContext): Promise<PredictResult> | PredictResult {
    if (plan.graph.kind === 'pipeline' && isEnabled('DEBUG')) {
      log.dagExecutor.debug(`Started execution of pipeline: ${plan.graph.name}`);
    }
    const { stateful } = plan;
    const sequence = stateful === undefined ? null : readSequenceRequest(request.inputs);
    const tensors = checkRequest(request, plan.inputs, plan.isDemultiplexed, sequence === null ? [] : SEQUENCE_INPUTS);
    if (plan.fault !== null) throw plan.fault;
    if (call.signal.aborted) throw call.signal.reason;
    const targets = request.outputs === undefined ? null : outputTargets(plan, request.outputs);
    const timeline = call.wantsTimeline ? new TimelineRecorder(call.arrived) : null;
    const run = { plan, call, timeline, turn: null, targets, metrics: this.#metrics };
    if (sequence !== null) return this.#predictInSequence(run, stateful!, sequence, tensors);
    const outputs = this.#run(run, tensors);
    return outputs instanceof Promise ? this.#outcomeLater(run, outputs) : this.#outcome(run, outputs, null);
  }

  async #predictInSequence(
    run: Run,
    model: StatefulModel,
    sequence: SequenceRequest,
    tensors: readonly RequestTensor[],
  ): Promise<PredictOutcome> {
    const { outputs, sequenceId } = await this.#runInSequence(run, model, sequence, tensors);
    return this.#outcome(run, outputs, sequenceId);
  }

  async #outcomeLater(run: Run, outputs: Promise<Outputs>): Promise<PredictOutcome> {
    return this.#outcome(run, await outputs, null);
  }

  #outcome({ plan, call, timeline }: Run, outputs: Outputs, sequenceId: bigint | null): PredictOutcome {
    if (isEnabled('DEBUG')) {
      log.serving.debug(
        `Total ${call.interface} request processing time: ${(performance.now() - call.arrived).toFixed(3)} ms`,
      );
    }
    const metrics = this.#metrics.servable(plan.graph.name, plan.version);
    const { copies } = this.#arena;
    return new PredictOutcome(plan, outputs, sequenceId, timeline?.finish() ?? null, call, { metrics, copies });
  }

  metadata(name: string, version: bigint | null, caller: Caller): ServableMetadata {
    const found = this.#directory.find(name, version);
    const metrics = this.#metricsOf(name, version);
    if ('error' in found) {
      metrics?.failed(caller, 'metadata');
      throw nameOfMetadata(found.error);
    }
    metrics?.succeeded(caller, 'metadata');
    return {
      name,
      version: found.version,
      versions: this.#directory.status(name, null).flatMap((each) => (each.state === 'AVAILABLE' ? each.version : [])),
      inputs: found.inputs,
      outputs: found.graph.outputs.map((port) => port.info),
      modelInfo: this.#directory.modelInfo(name, found.version),
    };
  }

  ready(name: string, version: bigint | null, caller: Caller): boolean {
    const found = this.#directory.find(name, version);
    const error = 'error' in found ? nameOfMetadata(found.error) : null;
    if (error?.code === 'MODEL_NAME_MISSING' || error?.code === 'MODEL_VERSION_MISSING') throw error;
    this.#metricsOf(name, version)?.succeeded(caller, 'status');
    return error === null;
  }

  status(name: string, version: bigint | null, caller: Caller): readonly VersionStatus[] {
    const versions = this.#directory.status(name, version);
    // Counted once, whichever versions the answer has: the series names none.
    const [first] = versions;
    if (first !== undefined) this.#metrics.servable(name, first.version)?.succeeded(caller, 'status');
    return versions;
  }

  allStatuses(): { readonly name: string; readonly versions: readonly VersionStatus[] }[] {
    return this.#directory.allStatuses();
  }

  inputs(
    name: string,
    version: bigint | null,
    call: CallContext,
  ): Promise<readonly TensorInfo[]> | readonly TensorInfo[] {
    const found = this.#directory.find(name, version);
    if (!('error' in found)) return requestInputs(found);
    return this.#awaitPlan(name, version, call.signal).then(requestInputs, (error: unknown) => {
      this.refused(name, version, call);
      throw error;
    });
  }

  /** What found no servable is not counted (as OVMS 2026.2.1). */
  refused(name: string, version: bigint | null, caller: Caller): void {
    this.#metricsOf(name, version)?.failed(caller, 'predict');
  }

  /** Resolves when no node runs: an execution that exited early leaves some behind. */
  idle(): Promise<void> {
    return this.#executions.idle();
  }

  /** Closes everything that was opened; no node may be running. */
  close(): void {
    this.#directory = ServableDirectory.empty();
    const all = [...this.#runtimes.values(), ...this.#userNodes.values(), ...this.#prepared.takeAll()];
    for (const opened of all) retire(opened);
    this.#runtimes.clear();
    this.#userNodes.clear();
  }

  async #apply(snapshot: ServablesSnapshot): Promise<void> {
    const runtimes = await this.#openModels(snapshot);
    const userNodes = this.#openUserNodes(snapshot);
    const previous = [...this.#runtimes.values(), ...this.#userNodes.values()];
    this.#runtimes = runtimes;
    this.#userNodes = userNodes;
    this.#prepared.taken(runtimes, userNodes);
    this.#directory = new ServableDirectory(snapshot, { models: unitsOf(runtimes), userNodes: unitsOf(userNodes) });
    const kept = new Set<Opened>([...runtimes.values(), ...userNodes.values()]);
    for (const opened of previous) if (!kept.has(opened)) retire(opened);
    this.#events.emit('applied');
  }

  async #openModels({ models }: ServablesSnapshot): Promise<Map<string, OpenedModel>> {
    const next = new Map<string, OpenedModel>();
    for (const { name, versions } of models) {
      for (const { version, serving } of versions) {
        if (serving === null) continue;
        const key = runtimeKey(name, version);
        const { modelId } = serving.reference;
        const open = this.#runtimes.get(key);
        const kept = open?.modelId === modelId ? open : this.#prepared.model(modelId);
        next.set(key, kept ?? (await this.#open(name, version, serving)));
      }
    }
    return next;
  }

  #openUserNodes({ pipelines }: ServablesSnapshot): Map<string, Opened<UserUnit>> {
    const next = new Map<string, Opened<UserUnit>>();
    for (const { program } of pipelines.flatMap(({ graph }) => graph?.nodes ?? [])) {
      if (program.kind !== 'user') continue;
      const { key } = program.reference;
      next.set(
        key,
        next.get(key) ??
          this.#userNodes.get(key) ??
          this.#prepared.userNode(key) ??
          this.#openUserNode(program.reference),
      );
    }
    return next;
  }

  #openUserNode(reference: UserNodeReference): Opened<UserUnit> {
    try {
      return { unit: new UserUnit(reference, this.#userNodeOpener(reference)) };
    } catch (error) {
      const known = knownError(error);
      log.serving.error(`Opening node ${reference.title} failed: ${known.message}`);
      return { unit: known };
    }
  }

  async #open(name: string, version: number, serving: ServingModel): Promise<OpenedModel> {
    const { modelId } = serving.reference;
    try {
      const nireq = this.#share(serving.nireq);
      const metrics = this.#metrics.model(name, version);
      const batches = this.#metrics.batches(name, version);
      const unit = await ModelRuntime.open(this.#inference, name, version, serving, nireq, metrics, batches);
      return { modelId, unit };
    } catch (error) {
      const known = knownError(error);
      log.serving.error(`Opening model: ${name} version: ${version} failed: ${known.message}`);
      return { modelId, unit: known };
    }
  }

  /** The plan behind a name that has none now: waited for while it is loading. */
  async #awaitPlan(name: string, version: bigint | null, cancellation: Cancellation): Promise<Plan> {
    let found = this.#directory.find(name, version);
    if (!('error' in found)) return found;
    if (found.waitMs === 0) throw found.error;
    const deadline = AbortSignal.timeout(found.waitMs);
    const signal = AbortSignal.any([abortSignalOf(cancellation), deadline]);
    while ('error' in found && found.waitMs > 0 && !deadline.aborted) {
      await once(this.#events, 'applied', { signal }).catch(() => undefined);
      if (cancellation.aborted) throw cancellation.reason;
      const { waitMs } = found;
      found = this.#directory.find(name, version);
      // It turned out to be a pipeline.
      if ('error' in found && found.waitMs < waitMs) return this.#awaitPlan(name, version, cancellation);
    }
    if ('error' in found) throw found.late ?? found.error;
    return found;
  }

  #run(run: Run, tensors: readonly RequestTensor[]): Promise<Outputs> | Outputs {
    if (hasStrings(tensors)) return this.#decodeAndExecute(run, tensors);
    return this.#execute(run, this.#admit(tensors, run.plan.inputs, run.call));
  }

  /** Memory is leased when the turn has come; a snapshot that comes meanwhile closes nothing of the plan. */
  async #runInSequence(
    run: Run,
    model: StatefulModel,
    sequence: SequenceRequest,
    tensors: readonly RequestTensor[],
  ): Promise<{ readonly outputs: Outputs; readonly sequenceId: bigint }> {
    holdUnits(run.plan);
    try {
      return await runInSequence(model, sequence, run.call.signal, async (turn) => ({
        outputs: await this.#run({ ...run, turn }, tensors),
        sequenceId: turn.sequenceId,
      }));
    } finally {
      letUnitsGo(run.plan);
    }
  }

  /** Decodes the request's strings and executes; a snapshot that comes meanwhile closes nothing of the plan. */
  async #decodeAndExecute(run: Run, tensors: readonly RequestTensor[]): Promise<Outputs> {
    const { plan, call } = run;
    holdUnits(plan);
    try {
      const strings = await admitStrings(tensors, plan.inputs, this.#arena, this.#pictureDecoder);
      const inputs = this.#admit(tensors, plan.inputs, call, strings);
      return await this.#executeIfWanted(run, inputs);
    } finally {
      letUnitsGo(plan);
    }
  }

  /**
   * Copies the request's tensors into leased regions: the one copy on the way in. Those that a transport has put into leased memory
   * already stay where they are.
   *
   * @param strings what is leased already, by place; released with the rest when memory cannot be had.
   */
  #admit(
    tensors: readonly RequestTensor[],
    inputs: readonly TensorInfo[],
    { message }: CallContext,
    strings: readonly (Tensor | null)[] = NO_TENSORS,
  ): Tensor[] {
    const admitted: Tensor[] = [];
    try {
      for (let index = 0; index < tensors.length; index += 1) {
        admitted.push(strings[index] ?? this.#admitTensor(tensors[index]!, inputs[index]!, message ?? null));
      }
      return admitted;
    } catch (error) {
      for (const tensor of admitted) tensor.release();
      for (const tensor of strings.slice(admitted.length)) tensor?.release();
      throw new ServingError('OUT_OF_MEMORY', String(error), { cause: error });
    }
  }

  #admitTensor({ shape, content }: RequestTensor, { precision }: TensorInfo, message: Lease | null): Tensor {
    const memory = content.kind === 'bytes' ? (content.lease ?? message) : null;
    if (content.kind === 'bytes' && memory !== null && mayStay(memory, precision)) {
      const start = startWithin(memory, content.bytes);
      if (start !== null && (memory.byteOffset + start) % ELEMENT_BYTES[precision] === 0) {
        memory.retain(1);
        return new Tensor(precision, shape, memory, start);
      }
    }
    const lease = this.#arena.lease(elementCount(shape)! * ELEMENT_BYTES[precision]);
    if (content.kind === 'bytes') this.#arena.copyIn(lease, content.bytes, 'request');
    else if (content.kind === 'values') {
      content.writeTo(lease.bytes);
      this.#arena.copies.count('request', lease.byteLength);
    }
    return new Tensor(precision, shape, lease);
  }

  /** At once when every node ran inline: then there was nothing to cancel. */
  #execute(run: Run, inputs: readonly Tensor[]): Promise<Outputs> | Outputs {
    const { inlineRun } = run.plan;
    const isWarmUp = run.metrics !== this.#metrics;
    if (inlineRun !== null && !isWarmUp && run.timeline === null && !isEnabled('DEBUG') && inlineRun.isReady()) {
      if (!inlineRun.hasTime()) return this.#executeLater(inlineRun, run, inputs);
      return inlineRun.run(inputs, this.#arena, this.#metrics, run.call, run.targets);
    }
    return this.#executeByEngine(run, isWarmUp, inputs);
  }

  /** In the turn of the event loop that has time for it; a snapshot that comes meanwhile closes nothing of the plan. */
  async #executeLater(inlineRun: InlineRun, run: Run, inputs: readonly Tensor[]): Promise<Outputs> {
    holdUnits(run.plan);
    this.#executions.began();
    try {
      return await new Promise<Outputs>((resolve) => {
        inlineRun.defer(() => resolve(this.#executeIfWanted(run, inputs)), this.#metrics, run.call);
      });
    } finally {
      letUnitsGo(run.plan);
      this.#executions.drained();
    }
  }

  /** For a request that has waited. @throws the reason of its cancellation, if it came meanwhile */
  async #executeIfWanted(run: Run, inputs: readonly Tensor[]): Promise<Outputs> {
    const { signal } = run.call;
    if (!signal.aborted) return this.#execute(run, inputs);
    for (const tensor of inputs) tensor.release();
    throw signal.reason;
  }

  #executeByEngine(
    { plan, call, timeline, turn, targets, metrics }: Run,
    isWarmUp: boolean,
    inputs: readonly Tensor[],
  ): Promise<Outputs> | Outputs {
    const context = {
      arena: this.#arena,
      metrics,
      executions: this.#executions,
      caller: call,
      timeline,
      around: null,
      targets,
      turn,
      isWarmUp,
    };
    const ending = new Ending();
    const execution = runPlan(plan, inputs, context, (error, outputs) => ending.ended(error, outputs));
    if (ending.outputs !== null) return ending.outputs;
    if (ending.error !== null) throw ending.error;
    const { signal } = call;
    const abort = (): void => execution.abort(signal.reason as ServingError);
    signal.addEventListener('abort', abort);
    return new Promise((resolve, reject) => {
      ending.listener = (error, outputs) => {
        signal.removeEventListener('abort', abort);
        if (error === null) resolve(outputs!);
        else reject(error);
      };
    });
  }

  #metricsOf(name: string, version: bigint | null): ServableMetrics | undefined {
    const found = this.#directory.identify(name, version);
    return found === null ? undefined : this.#metrics.servable(name, found);
  }

  #logRequest({ servable, version }: PredictRequest, call: CallContext): void {
    if (!isEnabled('DEBUG')) return;
    const name = shortened(servable);
    log.serving.debug(`Processing ${call.interface} request for model: ${name}; version: ${version ?? 0}`);
    log.serving.debug(`Requesting model: ${name}; version: ${version ?? 0}.`);
    if (this.#directory.isModel(servable)) return;
    log.serving.debug(`Requested model: ${name} does not exist. Searching for pipeline with that name...`);
    log.serving.debug(`Requesting pipeline: ${name};`);
  }
}

/** One request on its way through its plan. */
interface Run {
  readonly plan: Plan;
  readonly call: CallContext;
  readonly timeline: TimelineRecorder | null;
  readonly turn: SequenceTurn | null;
  /** Where it counts: the worker's own, or for a rehearsal nowhere. */
  readonly metrics: WorkerMetrics;
  readonly targets: OutputTargets | null;
}

const NEW_SEQUENCE: SequenceRequest = { sequenceId: 0n, control: SEQUENCE_CONTROL.START };

/** Nobody asks; what runs has to be told something. */
const REHEARSAL = { api: 'TensorFlowServing', interface: 'gRPC', wantsTimeline: false } as const;

const NO_TENSORS: readonly null[] = [];

/** In the order of the plan's outputs, one use each; `null` for what is missing. */
type Outputs = readonly (Tensor | null)[];

/** How an execution ended, kept until somebody listens. */
class Ending {
  error: ServingError | null = null;
  outputs: Outputs | null = null;
  listener: ((error: ServingError | null, outputs: Outputs | null) => void) | null = null;

  ended(error: ServingError | null, outputs: Outputs | null): void {
    this.error = error;
    this.outputs = outputs;
    this.listener?.(error, outputs);
  }
}

/** Something of a snapshot that was opened, or why it could not be. */
interface Opened<Unit extends HeldUnit = HeldUnit> {
  readonly unit: Unit | ServingError;
}

interface OpenedModel extends Opened<ModelRuntime> {
  readonly modelId: number;
}

/** What was opened ahead of the snapshot that shows it. */
class Prepared {
  /** By registry entry. */
  readonly #models = new Map<number, OpenedModel>();
  readonly #userNodes = new Map<string, Opened<UserUnit>>();

  model(modelId: number): OpenedModel | undefined {
    return this.#models.get(modelId);
  }

  takeModel(modelId: number): OpenedModel | undefined {
    const model = this.#models.get(modelId);
    this.#models.delete(modelId);
    return model;
  }

  userNode(key: string): Opened<UserUnit> | undefined {
    return this.#userNodes.get(key);
  }

  /** @param openModels and @param openUserNodes what the snapshot of this moment has: that stays its own. */
  add(
    models: ReadonlyMap<string, OpenedModel>,
    openModels: ReadonlyMap<string, OpenedModel>,
    userNodes: ReadonlyMap<string, Opened<UserUnit>>,
    openUserNodes: ReadonlyMap<string, Opened<UserUnit>>,
  ): void {
    for (const [key, model] of models) if (openModels.get(key) !== model) this.#models.set(model.modelId, model);
    for (const [key, node] of userNodes) if (openUserNodes.get(key) !== node) this.#userNodes.set(key, node);
  }

  /** These belong to a snapshot from now on. */
  taken(models: ReadonlyMap<string, OpenedModel>, userNodes: ReadonlyMap<string, Opened<UserUnit>>): void {
    for (const { modelId } of models.values()) this.#models.delete(modelId);
    for (const key of userNodes.keys()) this.#userNodes.delete(key);
  }

  takeAll(): Opened[] {
    const all = [...this.#models.values(), ...this.#userNodes.values()];
    this.#models.clear();
    this.#userNodes.clear();
    return all;
  }
}

function unitsOf<Unit extends HeldUnit>(
  opened: ReadonlyMap<string, Opened<Unit>>,
): ReadonlyMap<string, Unit | ServingError> {
  return new Map([...opened].map(([key, { unit }]) => [key, unit]));
}

function retire({ unit }: Opened): void {
  if (!(unit instanceof ServingError)) unit.retire();
}

function knownError(error: unknown): ServingError {
  return error instanceof ServingError ? error : new ServingError('INTERNAL_ERROR', String(error), { cause: error });
}

/**
 * Whether elements may stay in a client's memory while they are used. Integers of these types are indices and shapes, which OpenVINO
 * checks first and reads again afterwards; a client that changes them in between would lead it anywhere.
 */
function mayStay({ isForeign }: Lease, precision: Precision): boolean {
  return !isForeign || (precision !== 'I32' && precision !== 'I64');
}

/** Where bytes begin in a lease, `null` when they are elsewhere. */
function startWithin(lease: Lease, { buffer, byteOffset, byteLength }: Uint8Array): number | null {
  const start = byteOffset - lease.byteOffset;
  const isWithin = buffer === lease.buffer && start >= 0 && start + byteLength <= lease.byteLength;
  return isWithin && byteLength > 0 ? start : null;
}

/** What a request may send, those that tell a sequence among them. */
function requestInputs({ inputs, stateful }: Plan): readonly TensorInfo[] {
  return stateful === undefined ? inputs : [...inputs, ...SEQUENCE_INPUTS];
}

/** Only Predict speaks of pipelines when a name is unknown (as OVMS 2026.2.1). */
function nameOfMetadata(error: ServingError): ServingError {
  return error.code === 'PIPELINE_NAME_MISSING' ? new ServingError('MODEL_NAME_MISSING') : error;
}
