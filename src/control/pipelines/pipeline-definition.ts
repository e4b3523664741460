import type { PipelineSettings } from '../../config/settings.js';
import { ServingError } from '../../errors.js';
import { log } from '../../observability/logger.js';
import type { PipelineSnapshot } from '../../servables/snapshot.js';
import { digestFiles, haveChanged, type FileDigests } from './file-digests.js';
import type { BuiltPipeline, PipelineBuilder, Surroundings, UsedServable } from './pipeline-builder.js';
import { logSignature } from './pipeline-log.js';
import {
  needsRevalidation,
  nextState,
  reportedStatus,
  type PipelineEvent,
  type PipelineState,
} from './pipeline-state.js';

/** What stands behind a used servable now; another object when it was loaded anew, `undefined` when it is not there. */
export type Lookup = (used: UsedServable) => unknown;

/** What one build of one definition needs. */
export interface BuildContext {
  readonly surroundings: Surroundings;
  readonly lookup: Lookup;
}

/**
 * One pipeline definition and its life. Whatever the state, a graph that was built keeps serving until another one takes its place
 * or validation refuses the definition.
 */
export class PipelineDefinition {
  readonly name: string;
  /** `null`: the pipeline has no versions. */
  readonly version: number | null;
  readonly #builder: PipelineBuilder;
  readonly #discard: (built: BuiltPipeline) => void;
  #settings: PipelineSettings;
  #state: PipelineState = 'BEGIN';
  #built: BuiltPipeline | null = null;
  /** What the nodes of the built graph refer to. */
  #builtFrom: readonly UsedServable[] = [];
  /** What the used servables were when the definition was last validated, by `describe`. */
  #used = new Map<string, unknown>();
  #files: FileDigests = new Map();

  /** @param discard takes what no snapshot shows any more, to release it once the owner workers have moved on. */
  constructor(settings: PipelineSettings, builder: PipelineBuilder, discard: (built: BuiltPipeline) => void) {
    this.name = settings.name;
    this.version = settings.version;
    this.#settings = settings;
    this.#builder = builder;
    this.#discard = discard;
  }

  get isRetired(): boolean {
    return this.#state === 'RETIRED';
  }

  /** Whether a used model has changed since the last validation; see {@link noticeChanges}. */
  get needsRevalidation(): boolean {
    return needsRevalidation(this.#state);
  }

  get built(): BuiltPipeline | null {
    return this.#built;
  }

  get recordedRequests(): string | null {
    return this.#settings.warmUpRequests;
  }

  /** What the graph that serves refers to, whatever the definition says by now; each once. */
  get builtFrom(): readonly UsedServable[] {
    return this.#builtFrom;
  }

  /** What its nodes refer to; each once. */
  get used(): readonly UsedServable[] {
    return this.#builder.used(this.#settings);
  }

  snapshot(): PipelineSnapshot {
    const { name, version } = this;
    const { state, errorCode } = reportedStatus(this.#state, this.#built !== null);
    return { name, version, state, errorCode, graph: this.#built?.graph ?? null };
  }

  /** The file was read again and lists it, perhaps as it was before: it has to be validated, if it was not to be anyway. */
  relist(settings: PipelineSettings): void {
    this.#settings = settings;
    if (this.#state !== 'BEGIN' && this.#state !== 'RELOADING') this.#handle('ReloadEvent');
  }

  /** The file lists it no longer. Its name stays taken (as OVMS 2026.2.1). */
  retire(): void {
    this.#handle('RetireEvent');
    this.#replace(null);
    this.#used.clear();
    this.#files = new Map();
  }

  /** Compares the used servables with those it was validated against. */
  noticeChanges(lookup: Lookup): void {
    for (const used of this.used) {
      const key = describe(used);
      const now = lookup(used);
      if (this.#used.get(key) === now) continue;
      this.#used.set(key, now);
      this.#handle('UsedModelChangedEvent', key);
    }
  }

  filesHaveChanged(): Promise<boolean> {
    return haveChanged(this.#files);
  }

  /** Validates it; the fault, if there is one, is logged. */
  async validate(context: BuildContext, opening = 'Validation of'): Promise<ServingError | null> {
    const built = await this.#build(context);
    if (built instanceof ServingError) {
      log.modelmanager.error(`${opening} pipeline definition: ${this.#title} failed: ${built.message}`);
      this.#replace(null);
      this.#handle('ValidationFailedEvent');
      return built;
    }
    this.#passed(built);
    return null;
  }

  /**
   * Builds it again because one of its files changed. Other than a change of the configuration, a change that does not build leaves
   * a pipeline on the graph it has.
   */
  async rebuild(context: BuildContext): Promise<ServingError | null> {
    if (this.#built === null) {
      this.#handle('ReloadEvent');
      return this.validate(context);
    }
    const built = await this.#build(context);
    if (built instanceof ServingError) {
      log.modelmanager.error(`Pipeline: ${this.#title} serves on as it was; its changed files fail: ${built.message}`);
      return built;
    }
    this.#handle('ReloadEvent');
    this.#passed(built);
    return null;
  }

  /** The end of the server. */
  close(): void {
    this.#built?.release();
    this.#built = null;
  }

  /** How the log calls it. */
  get #title(): string {
    return titleOf(this);
  }

  #passed(built: BuiltPipeline): void {
    this.#replace(built);
    logSignature(built.graph);
    this.#handle('ValidationPassedEvent');
    log.modelmanager.info(`Loading pipeline definition: ${this.#title} succeeded`);
  }

  async #build({ surroundings, lookup }: BuildContext): Promise<BuiltPipeline | ServingError> {
    this.#used = new Map(this.used.map((used) => [describe(used), lookup(used)]));
    const named = this.#builder.files(this.#settings);
    // Before the build, so that a file that changes meanwhile counts as changed; after a failure all are watched on.
    const before = await digestFiles([...named, ...this.#files.keys()]);
    this.#files = before;
    try {
      const built = await this.#builder.build(this.#settings, surroundings);
      const found = await digestFiles(built.files ?? []);
      this.#files = new Map([...found, ...[...before].filter(([path]) => named.includes(path) || found.has(path))]);
      return built;
    } catch (error) {
      return toServingError(error);
    }
  }

  #replace(built: BuiltPipeline | null): void {
    const previous = this.#built;
    this.#built = built;
    this.#builtFrom = built === null ? [] : this.used;
    if (previous !== null) this.#discard(previous);
  }

  #handle(event: PipelineEvent, details = ''): void {
    this.#state = nextState(this.#state, event);
    log.modelmanager.info(
      `Pipeline: ${this.#title} state changed to: ${this.#state} after handling: ${event}: ${details}`,
    );
  }
}

/** Name and, where it has one, version of a definition, for the log. */
export function titleOf({ name, version }: { readonly name: string; readonly version: number | null }): string {
  return version === null ? name : `${name} version: ${version}`;
}

function describe({ kind, ...used }: UsedServable): string {
  return `${kind}: ${titleOf(used)}`;
}

/** A builder that fails in a way nobody foresaw costs its pipeline and nothing else. */
function toServingError(error: unknown): ServingError {
  if (error instanceof ServingError) return error;
  log.modelmanager.error(`Building a pipeline met a fault of the server: ${String((error as Error).stack ?? error)}`);
  return new ServingError('INTERNAL_ERROR', String(error), { cause: error });
}
