import { modelGraph } from '../dag/graph.js';
import { ServingError } from '../errors.js';
import type { ModelRuntime } from './model-runtime.js';
import { planGraph, type Plan } from './plan.js';
import type { VersionStatus } from './serving.js';
import {
  defaultVersion,
  EMPTY_SNAPSHOT,
  type ModelSnapshot,
  type ModelVersionSnapshot,
  type PipelineSnapshot,
  type ServablesSnapshot,
} from './snapshot.js';

/** How long a request waits for a model that is loading (as OVMS 2026.2.1). */
const MODEL_WAIT_MS = 10_000;
/** How long a request waits for a pipeline that is loading (as OVMS 2026.2.1). */
const PIPELINE_WAIT_MS = 500;

/** A servable that cannot answer now: what to say, and how long it is worth waiting for the next snapshot first. */
export interface Absent {
  readonly error: ServingError;
  readonly waitMs: number;
}

/** The opened runtimes of a snapshot, by {@link runtimeKey}; an error where the backend refused the model. */
export type Runtimes = ReadonlyMap<string, ModelRuntime | ServingError>;

export function runtimeKey(model: string, version: number): string {
  return `${version}/${model}`;
}

/** One snapshot made ready for requests: names looked up once, every graph planned. Never changed after it was made. */
export class ServableDirectory {
  readonly #snapshot: ServablesSnapshot;
  readonly #models = new Map<string, ModelSnapshot>();
  readonly #modelPlans = new Map<string, Plan>();
  readonly #pipelines = new Map<string, PipelineSnapshot>();
  readonly #pipelinePlans = new Map<string, Plan>();

  constructor(snapshot: ServablesSnapshot, runtimes: Runtimes) {
    this.#snapshot = snapshot;
    for (const model of snapshot.models) this.#addModel(model, runtimes);
    const lookup = (name: string, version: number | null): ModelRuntime | ServingError =>
      this.#runtime(name, version, runtimes);
    for (const pipeline of snapshot.pipelines) {
      this.#pipelines.set(pipeline.name, pipeline);
      if (pipeline.graph !== null) this.#pipelinePlans.set(pipeline.name, planGraph(pipeline.graph, 1, lookup));
    }
  }

  static empty(): ServableDirectory {
    return new ServableDirectory(EMPTY_SNAPSHOT, new Map());
  }

  isModel(name: string): boolean {
    return this.#models.has(name);
  }

  /** The plan behind a name: models first, then pipelines, which ignore the version. `null` or 0 asks for the default version. */
  find(name: string, version: bigint | null): Plan | Absent {
    const model = this.#models.get(name);
    if (model !== undefined) return this.#findVersion(model, version);
    const pipeline = this.#pipelines.get(name);
    if (pipeline !== undefined) return this.#findPipeline(pipeline);
    // Nothing was configured yet: the ports listen before the configuration is read.
    return { error: new ServingError('PIPELINE_NAME_MISSING'), waitMs: this.#snapshot.epoch === 0 ? MODEL_WAIT_MS : 0 };
  }

  status(name: string, version: bigint | null): readonly VersionStatus[] {
    const model = this.#models.get(name);
    if (model === undefined) return [this.#pipelineStatus(name)];
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

  #addModel(model: ModelSnapshot, runtimes: Runtimes): void {
    this.#models.set(model.name, model);
    for (const { version, serving } of model.versions) {
      if (serving === null) continue;
      const key = runtimeKey(model.name, version);
      const runtime = runtimes.get(key);
      if (runtime === undefined) continue;
      const graph = modelGraph(model.name, version, serving.inputs, serving.outputs);
      this.#modelPlans.set(
        key,
        planGraph(graph, version, () => runtime),
      );
    }
  }

  #runtime(name: string, version: number | null, runtimes: Runtimes): ModelRuntime | ServingError {
    const model = this.#models.get(name);
    if (model === undefined) return new ServingError('MODEL_NAME_MISSING');
    const found = version === null ? defaultVersion(model) : findVersion(model, BigInt(version));
    if (!found) return new ServingError('MODEL_VERSION_MISSING');
    return runtimes.get(runtimeKey(name, found.version)) ?? absentVersion(found).error;
  }

  #findVersion(model: ModelSnapshot, version: bigint | null): Plan | Absent {
    if (version === null || version === 0n) {
      const found = defaultVersion(model);
      if (found !== null) return this.#versionPlan(model, found);
      const loading = model.versions.some(isLoading);
      return { error: new ServingError('MODEL_VERSION_MISSING'), waitMs: loading ? MODEL_WAIT_MS : 0 };
    }
    const found = findVersion(model, version);
    if (found === undefined) return { error: new ServingError('MODEL_VERSION_MISSING'), waitMs: 0 };
    return this.#versionPlan(model, found);
  }

  #versionPlan(model: ModelSnapshot, version: ModelVersionSnapshot): Plan | Absent {
    return this.#modelPlans.get(runtimeKey(model.name, version.version)) ?? absentVersion(version);
  }

  #findPipeline({ name, state, errorCode }: PipelineSnapshot): Plan | Absent {
    const plan = this.#pipelinePlans.get(name);
    if (plan !== undefined) return plan;
    if (state === 'END') return { error: new ServingError('PIPELINE_RETIRED'), waitMs: 0 };
    return { error: new ServingError('PIPELINE_NOT_LOADED'), waitMs: errorCode === 'OK' ? PIPELINE_WAIT_MS : 0 };
  }

  #pipelineStatus(name: string): VersionStatus {
    const pipeline = this.#pipelines.get(name);
    if (pipeline === undefined) throw new ServingError('MODEL_NAME_MISSING');
    return { version: 1, state: pipeline.state, errorCode: pipeline.errorCode };
  }
}

function findVersion(model: ModelSnapshot, version: bigint): ModelVersionSnapshot | undefined {
  return model.versions.find((candidate) => BigInt(candidate.version) === version);
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
