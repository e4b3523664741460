import { modelGraph, type GraphNode, type PipelineGraph } from '../dag/graph.js';
import { ServingError } from '../errors.js';
import type { ModelInfo } from '../native/binding.js';
import { ConvertUnit } from './convert-unit.js';
import type { ModelRuntime } from './model-runtime.js';
import type { NodeUnit } from './node-unit.js';
import { PipelineUnit } from './pipeline-unit.js';
import { planGraph, type Plan } from './plan.js';
import type { VersionStatus } from './serving.js';
import type { StatefulModel } from './stateful/run-in-sequence.js';
import {
  defaultVersion,
  EMPTY_SNAPSHOT,
  type ModelSnapshot,
  type ModelVersionSnapshot,
  type PipelineSnapshot,
  type ServablesSnapshot,
} from './snapshot.js';
import type { UserUnit } from './user-unit.js';

/** How long a request waits for a model that is loading (as OVMS 2026.2.1). */
const MODEL_WAIT_MS = 10_000;
/** How long a request waits for a pipeline that is loading (as OVMS 2026.2.1). */
const PIPELINE_WAIT_MS = 500;

/** A servable that cannot answer now: what to say, and how long it is worth waiting for the next snapshot first. */
export interface Absent {
  readonly error: ServingError;
  readonly waitMs: number;
  /** What to say when the wait was in vain; `error` when absent. */
  readonly late?: ServingError;
}

/** What an owner worker has opened for a snapshot; an error where something could not be opened. */
export interface OpenedUnits {
  /** By {@link runtimeKey}. */
  readonly models: ReadonlyMap<string, ModelRuntime | ServingError>;
  /** By the key of the reference. */
  readonly userNodes: ReadonlyMap<string, UserUnit | ServingError>;
}

const NOTHING_OPENED: OpenedUnits = { models: new Map(), userNodes: new Map() };

export function runtimeKey(model: string, version: number): string {
  return `${version}/${model}`;
}

/** One snapshot made ready for requests: names looked up once, every graph planned. Never changed after it was made. */
export class ServableDirectory {
  readonly #snapshot: ServablesSnapshot;
  readonly #opened: OpenedUnits;
  readonly #models = new Map<string, ModelSnapshot>();
  readonly #modelPlans = new Map<string, Plan>();
  /** All versions of each pipeline. */
  readonly #pipelines = new Map<string, readonly PipelineSnapshot[]>();
  readonly #pipelinePlans = new Map<PipelineSnapshot, Plan>();
  /** Plans of default versions that were asked for. */
  readonly #defaults = new Map<string, Plan>();

  constructor(snapshot: ServablesSnapshot, opened: OpenedUnits) {
    this.#snapshot = snapshot;
    this.#opened = opened;
    for (const model of snapshot.models) this.#addModel(model);
    for (const pipeline of snapshot.pipelines) {
      this.#pipelines.set(pipeline.name, [...(this.#pipelines.get(pipeline.name) ?? []), pipeline]);
    }
    for (const pipeline of snapshot.pipelines) this.#planPipeline(pipeline);
  }

  static empty(): ServableDirectory {
    return new ServableDirectory(EMPTY_SNAPSHOT, NOTHING_OPENED);
  }

  isModel(name: string): boolean {
    return this.#models.has(name);
  }

  /** The plan behind a name: models first, then pipelines. `null` or 0 asks for the default version. */
  find(name: string, version: bigint | null): Plan | Absent {
    if (version !== null && version !== 0n) return this.#find(name, version);
    const known = this.#defaults.get(name);
    if (known !== undefined) return known;
    const found = this.#find(name, null);
    if (!('error' in found)) this.#defaults.set(name, found);
    return found;
  }

  #find(name: string, version: bigint | null): Plan | Absent {
    const model = this.#models.get(name);
    if (model !== undefined) return this.#findVersion(model, version);
    const pipelines = this.#pipelines.get(name);
    if (pipelines !== undefined) return this.#findPipeline(pipelines, version);
    // Nothing was configured yet: the ports listen before the configuration is read.
    return { error: new ServingError('PIPELINE_NAME_MISSING'), waitMs: this.#snapshot.epoch === 0 ? MODEL_WAIT_MS : 0 };
  }

  /** The version that a name and version mean now, available or not; `null` when there is no such servable. */
  identify(name: string, version: bigint | null): number | null {
    const model = this.#models.get(name);
    if (model === undefined) return identifyPipeline(this.#pipelines.get(name) ?? [], version);
    const isDefault = version === null || version === 0n;
    return (isDefault ? defaultVersion(model) : findVersion(model, version))?.version ?? null;
  }

  /** What a version of a model says of itself; `null` when it says nothing, and of pipelines. */
  modelInfo(name: string, version: number): ModelInfo | null {
    const found = this.#models.get(name)?.versions.find((each) => each.version === version);
    return found?.serving?.reference.description.modelInfo ?? null;
  }

  status(name: string, version: bigint | null): readonly VersionStatus[] {
    const model = this.#models.get(name);
    if (model === undefined) return this.#pipelineStatus(name, version);
    if (version === null || version === 0n) return model.versions.map(versionStatus);
    const found = findVersion(model, version);
    if (found === undefined) throw new ServingError('MODEL_VERSION_MISSING');
    return [versionStatus(found)];
  }

  /** Status of every model and pipeline, sorted by name. */
  allStatuses(): { readonly name: string; readonly versions: readonly VersionStatus[] }[] {
    return [...this.#models.keys(), ...this.#pipelines.keys()]
      .sort()
      .map((name) => ({ name, versions: this.status(name, null) }));
  }

  #addModel(model: ModelSnapshot): void {
    this.#models.set(model.name, model);
    for (const { version, serving } of model.versions) {
      if (serving === null) continue;
      const key = runtimeKey(model.name, version);
      const runtime = this.#opened.models.get(key);
      if (runtime === undefined) continue;
      const graph = modelGraph(model.name, version, serving.inputs, serving.outputs);
      const plan = planGraph(graph, version, () => runtime);
      this.#modelPlans.set(key, isStateful(runtime) ? { ...plan, stateful: runtime } : plan);
    }
  }

  /** Nested pipelines are planned with the pipeline that contains them; validation has seen that none contains itself. */
  #planPipeline(pipeline: PipelineSnapshot): Plan | undefined {
    const known = this.#pipelinePlans.get(pipeline);
    if (known !== undefined || pipeline.graph === null) return known;
    const plan = planGraph(pipeline.graph, pipeline.version ?? 1, (node, graph) => this.#unit(node, graph));
    this.#pipelinePlans.set(pipeline, plan);
    return plan;
  }

  #unit({ program, inputs, outputs }: GraphNode, { values }: PipelineGraph): NodeUnit | ServingError {
    switch (program.kind) {
      case 'model':
        return this.#runtime(program.modelName, program.version);
      case 'user':
        return this.#opened.userNodes.get(program.reference.key) ?? new ServingError('PIPELINE_NOT_LOADED');
      case 'pipeline':
        return this.#nested(program.pipelineName, program.version);
      case 'convert':
        return new ConvertUnit(program.conversion, values[inputs[0]!.value]!.info, values[outputs[0]!.value]!.info);
      case 'select':
        throw new Error('a select node has no unit: the engine passes its input on');
    }
  }

  #nested(name: string, version: number | null): NodeUnit | ServingError {
    const found = choosePipeline(this.#pipelines.get(name) ?? [], version === null ? null : BigInt(version));
    const plan = found === undefined ? undefined : this.#planPipeline(found);
    if (plan === undefined) return new ServingError('PIPELINE_NOT_LOADED', `nested pipeline ${name}`);
    return plan.fault ?? new PipelineUnit(plan);
  }

  #runtime(name: string, version: number | null): ModelRuntime | ServingError {
    const model = this.#models.get(name);
    if (model === undefined) return new ServingError('MODEL_NAME_MISSING');
    const found = version === null ? defaultVersion(model) : findVersion(model, BigInt(version));
    if (!found) return new ServingError('MODEL_VERSION_MISSING');
    return this.#opened.models.get(runtimeKey(name, found.version)) ?? absentVersion(found).error;
  }

  #findVersion(model: ModelSnapshot, version: bigint | null): Plan | Absent {
    if (version === null || version === 0n) {
      const found = defaultVersion(model);
      if (found !== null) return this.#versionPlan(model, found);
      const error = new ServingError('MODEL_VERSION_MISSING');
      return mayComeUp(model) ? awaited(error) : { error, waitMs: 0 };
    }
    const found = findVersion(model, version);
    const plan = found === undefined ? undefined : this.#versionPlan(model, found);
    if (plan !== undefined && (!('error' in plan) || plan.waitMs > 0)) return plan;
    const error = plan?.error ?? new ServingError('MODEL_VERSION_MISSING');
    return model.awaitsScan === true ? awaited(error) : { error, waitMs: 0 };
  }

  #versionPlan(model: ModelSnapshot, version: ModelVersionSnapshot): Plan | Absent {
    return this.#modelPlans.get(runtimeKey(model.name, version.version)) ?? absentVersion(version);
  }

  #findPipeline(versions: readonly PipelineSnapshot[], version: bigint | null): Plan | Absent {
    const found = choosePipeline(versions, version);
    if (found === undefined) return { error: new ServingError('MODEL_VERSION_MISSING'), waitMs: 0 };
    const plan = this.#pipelinePlans.get(found);
    if (plan !== undefined) return plan;
    const { state, errorCode } = found;
    if (state === 'END') return { error: new ServingError('PIPELINE_RETIRED'), waitMs: 0 };
    return { error: new ServingError('PIPELINE_NOT_LOADED'), waitMs: errorCode === 'OK' ? PIPELINE_WAIT_MS : 0 };
  }

  /** A pipeline without versions answers for whatever version is asked (as OVMS 2026.2.1). */
  #pipelineStatus(name: string, version: bigint | null): VersionStatus[] {
    const versions = this.#pipelines.get(name);
    if (versions === undefined) throw new ServingError('MODEL_NAME_MISSING');
    const asked = version === null || version === 0n || isUnversioned(versions);
    const found = asked ? versions : versions.filter((each) => BigInt(each.version ?? 1) === version);
    if (found.length === 0) throw new ServingError('MODEL_VERSION_MISSING');
    return found
      .map(({ version: number, state, errorCode }) => ({ version: number ?? 1, state, errorCode }))
      .sort((a, b) => a.version - b.version);
  }
}

function isStateful(runtime: ModelRuntime | ServingError): runtime is ModelRuntime & StatefulModel {
  return !(runtime instanceof ServingError) && runtime.sequences !== null;
}

function isUnversioned(versions: readonly PipelineSnapshot[]): boolean {
  return versions.every(({ version }) => version === null);
}

/** The version asked for; without one the highest that answers, else the highest. */
function choosePipeline(versions: readonly PipelineSnapshot[], version: bigint | null): PipelineSnapshot | undefined {
  if (version !== null && version !== 0n && !isUnversioned(versions))
    return versions.find((each) => BigInt(each.version ?? 1) === version);
  const descending = [...versions].sort((a, b) => (b.version ?? 1) - (a.version ?? 1));
  return descending.find(({ graph }) => graph !== null) ?? descending[0];
}

function identifyPipeline(versions: readonly PipelineSnapshot[], version: bigint | null): number | null {
  const found = choosePipeline(versions, version);
  return found === undefined ? null : (found.version ?? 1);
}

function findVersion(model: ModelSnapshot, version: bigint): ModelVersionSnapshot | undefined {
  return model.versions.find((candidate) => BigInt(candidate.version) === version);
}

/** What it cannot answer yet is worth waiting for: no version is there, but there may be one soon. */
function mayComeUp({ versions, awaitsScan }: ModelSnapshot): boolean {
  return awaitsScan === true || versions.some(isLoading);
}

function awaited(error: ServingError): Absent {
  return { error, waitMs: MODEL_WAIT_MS, late: new ServingError('MODEL_VERSION_NOT_LOADED') };
}

function isLoading({ state, errorCode }: VersionStatus): boolean {
  return (state === 'START' || state === 'LOADING') && errorCode === 'OK';
}

function absentVersion(version: ModelVersionSnapshot): Absent {
  if (version.state === 'UNLOADING' || version.state === 'END') {
    return { error: new ServingError('MODEL_VERSION_RETIRED'), waitMs: 0 };
  }
  return { error: new ServingError('MODEL_VERSION_NOT_LOADED'), waitMs: isLoading(version) ? MODEL_WAIT_MS : 0 };
}

function versionStatus({ version, state, errorCode }: VersionStatus): VersionStatus {
  return { version, state, errorCode };
}
