import type { LoadedConfig, PipelineSettings } from '../../config/settings.js';
import type { ServableCatalogue } from '../../dag/definition.js';
import { ServingError } from '../../errors.js';
import { log } from '../../observability/logger.js';
import type { PipelineSnapshot } from '../../servables/snapshot.js';
import type { BuiltPipeline, PipelineBuilder } from './pipeline-builder.js';
import { PipelineDefinition, titleOf, type BuildContext, type Lookup } from './pipeline-definition.js';
import { PipelineTable } from './pipeline-table.js';

/** What the models of a pass are to pipelines: those that end with the pass are left out. */
export interface ModelSurroundings {
  readonly models: Pick<ServableCatalogue, 'isModelName' | 'signature'>;
  readonly libraries: LoadedConfig['libraries'];
  /** Models that are not yet what they will be; absent: there are none. */
  readonly pending?: PendingModels;
}

export interface PendingModels {
  /** Whether a version is loading, or is loading with other settings; `null` asks for the highest. */
  isAwaited(name: string, version: number | null): boolean;

  /** Whether the commit of this pass would replace or retire versions of a model. */
  isChanging(name: string): boolean;
}

/**
 * All pipelines and their life. Driven by the passes of the control plane, one at a time: {@link list} when the file was read, then
 * {@link update} in every pass, with the models as they will be.
 *
 * A definition that was read and uses a model that is still loading waits for it and serves on the graph it has. Whatever that graph
 * uses stays meanwhile as it is: models ({@link held}), nested pipelines, and by them further definitions.
 */
export class Pipelines {
  readonly #builder: PipelineBuilder;
  readonly #table = new PipelineTable();
  readonly #discarded: BuiltPipeline[] = [];
  /** What the file lists. */
  #listed = new Set<PipelineDefinition>();
  /** Read from the file, and not validated since. */
  #relisted = new Set<PipelineDefinition>();
  #held: ReadonlySet<string> = new Set();

  constructor(builder: PipelineBuilder) {
    this.#builder = builder;
  }

  /** Whether a pipeline has, or ever had, this name (as OVMS 2026.2.1). */
  has(name: string): boolean {
    return this.#table.has(name);
  }

  /** Models that must not change in this pass, by name: definitions that wait serve on graphs that use them. */
  get held(): ReadonlySet<string> {
    return this.#held;
  }

  /** Whether every definition that was read is validated. */
  get isComplete(): boolean {
    return this.#relisted.size === 0;
  }

  snapshots(): PipelineSnapshot[] {
    return this.#table.all().map((definition) => definition.snapshot());
  }

  /**
   * Takes the pipelines of a file that was read. Each of them will be validated, changed or not (as OVMS 2026.2.1).
   *
   * @param isModelName whether a model has, or ever had, a name.
   * @returns a fault for each whose name is taken: those are not registered.
   */
  list(pipelines: LoadedConfig['pipelines'], isModelName: (name: string) => boolean): ServingError[] {
    const free = pipelines.filter(({ name }) => !isModelName(name));
    this.#relisted = new Set(free.map((settings) => this.#relist(settings)));
    this.#listed = new Set(this.#relisted);
    return pipelines.filter((pipeline) => !free.includes(pipeline)).map(({ name }) => nameOccupied(name));
  }

  /**
   * Validates what the file lists anew, what uses something that changed, and what was made of files that changed; retires what the
   * file lists no longer. Definitions that must wait are left as they are.
   *
   * @returns the faults of this pass.
   */
  async update(surroundings: ModelSurroundings): Promise<ServingError[]> {
    const faults: Faults = new Map();
    const waiting = this.#findWaiting(surroundings.pending);
    const isFree = (definition: PipelineDefinition): boolean => !waiting.has(definition);
    for (const definition of this.#table.inOrderOfUse([...this.#relisted].filter(isFree))) {
      faults.set(definition, await definition.validate(this.#context(definition, surroundings)));
      this.#relisted.delete(definition);
    }
    const free = (): PipelineDefinition[] => this.#table.live().filter(isFree);
    for (const definition of free()) if (!this.#listed.has(definition)) definition.retire();
    await this.#revalidate(free(), surroundings, faults);
    await this.#rebuildChanged(free(), surroundings, faults);
    await this.#revalidate(free(), surroundings, faults);
    return [...faults.values()].filter((fault) => fault !== null);
  }

  /** Absolute path of the recorded requests of a definition. */
  recordedRequests(name: string, version: number | null): string | null {
    return this.#table.get(name, version)?.recordedRequests ?? null;
  }

  /** Releases what was replaced or retired: every owner worker has applied a snapshot without it. */
  releaseDiscarded(): void {
    for (const built of this.#discarded.splice(0)) built.release();
  }

  /** The end of the server: no owner worker is left. */
  close(): void {
    this.releaseDiscarded();
    for (const definition of this.#table.all()) definition.close();
  }

  #relist(settings: PipelineSettings): PipelineDefinition {
    log.modelmanager.info(`Reading pipeline: ${titleOf(settings)} configuration`);
    const known = this.#table.get(settings.name, settings.version);
    if (known !== undefined) {
      known.relist(settings);
      return known;
    }
    const discard = (built: BuiltPipeline): void => void this.#discarded.push(built);
    const definition = new PipelineDefinition(settings, this.#builder, discard);
    this.#table.add(definition);
    return definition;
  }

  /** Finds the definitions that must wait, and with them the models that must. Each may make others wait, so it goes round. */
  #findWaiting(pending: PendingModels | undefined): ReadonlySet<PipelineDefinition> {
    const waiting = new Set<PipelineDefinition>();
    const held = new Set<string>();
    this.#held = held;
    if (pending === undefined || this.#relisted.size === 0) return waiting;
    const live = this.#table.live();
    const hasWaiting = (name: string): boolean => [...waiting].some((definition) => definition.name === name);
    const mustWait = (definition: PipelineDefinition): boolean =>
      definition.used.some(({ kind, name, version }) => {
        if (kind === 'pipeline') return hasWaiting(name);
        return held.has(name) || (this.#relisted.has(definition) && pending.isAwaited(name, version));
      });
    const mayChange = (definition: PipelineDefinition): boolean =>
      this.#relisted.has(definition) ||
      !this.#listed.has(definition) ||
      definition.used.some(({ kind, name }) => kind === 'pipeline' || pending.isChanging(name));
    for (let before = -1; before !== waiting.size + held.size;) {
      before = waiting.size + held.size;
      for (const definition of live) if (mustWait(definition)) waiting.add(definition);
      for (const { kind, name } of [...waiting].flatMap(({ builtFrom }) => builtFrom)) {
        if (kind === 'model' && pending.isChanging(name)) held.add(name);
        if (kind === 'model') continue;
        for (const inner of live) if (inner.name === name && mayChange(inner)) waiting.add(inner);
      }
    }
    return waiting;
  }

  async #rebuildChanged(
    definitions: readonly PipelineDefinition[],
    surroundings: ModelSurroundings,
    faults: Faults,
  ): Promise<void> {
    for (const definition of definitions) {
      if (!(await definition.filesHaveChanged())) continue;
      faults.set(definition, await definition.rebuild(this.#context(definition, surroundings)));
    }
  }

  /** Goes round until nothing changes: a pipeline may use another one. No chain is longer than there are pipelines. */
  async #revalidate(
    definitions: readonly PipelineDefinition[],
    surroundings: ModelSurroundings,
    faults: Faults,
  ): Promise<void> {
    const live = this.#table.inOrderOfUse(definitions);
    for (let round = 0; round <= live.length; round += 1) {
      for (const definition of live) definition.noticeChanges(this.#lookup(surroundings));
      const pending = live.filter((definition) => definition.needsRevalidation);
      if (pending.length === 0) return;
      for (const definition of pending) {
        faults.set(definition, await definition.validate(this.#context(definition, surroundings), 'Revalidation'));
      }
    }
  }

  #context(user: PipelineDefinition, surroundings: ModelSurroundings): BuildContext {
    const { models, libraries } = surroundings;
    const pipeline: ServableCatalogue['pipeline'] = (name, version) => this.#table.signature(name, version, user);
    return {
      surroundings: { servables: { ...models, pipeline }, libraries },
      lookup: this.#lookup(surroundings),
    };
  }

  #lookup({ models }: ModelSurroundings): Lookup {
    return ({ kind, name, version }) =>
      kind === 'model' ? models.signature(name, version) : this.#table.built(name, version);
  }
}

/** The last outcome of each definition of a pass. */
type Faults = Map<PipelineDefinition, ServingError | null>;

function nameOccupied(name: string): ServingError {
  const fault = new ServingError('PIPELINE_NAME_OCCUPIED');
  log.modelmanager.error(`Loading pipeline: ${name} failed: ${fault.message}`);
  return fault;
}
