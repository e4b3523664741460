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
}

/**
 * All pipelines and their life. Driven by the passes of the control plane, one at a time: {@link list} when the file was read, then
 * {@link update} in every pass, behind the models.
 */
export class Pipelines {
  readonly #builder: PipelineBuilder;
  readonly #table = new PipelineTable();
  readonly #discarded: BuiltPipeline[] = [];
  /** What the file lists. */
  #listed = new Set<PipelineDefinition>();
  /** Listed since the last update. */
  #relisted: readonly PipelineDefinition[] = [];

  constructor(builder: PipelineBuilder) {
    this.#builder = builder;
  }

  /** Whether a pipeline has, or ever had, this name (as OVMS 2026.2.1). */
  has(name: string): boolean {
    return this.#table.has(name);
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
    this.#relisted = free.map((settings) => this.#relist(settings));
    this.#listed = new Set(this.#relisted);
    return pipelines.filter((pipeline) => !free.includes(pipeline)).map(({ name }) => nameOccupied(name));
  }

  /**
   * Validates what the file lists anew, what uses something that changed, and what was made of files that changed; retires what the
   * file lists no longer.
   *
   * @returns the faults of this pass.
   */
  async update(surroundings: ModelSurroundings): Promise<ServingError[]> {
    const faults: Faults = new Map();
    const relisted = this.#table.inOrderOfUse(this.#relisted);
    this.#relisted = [];
    for (const definition of relisted) {
      faults.set(definition, await definition.validate(this.#context(definition, surroundings)));
    }
    for (const definition of this.#table.live()) if (!this.#listed.has(definition)) definition.retire();
    await this.#revalidate(surroundings, faults);
    await this.#rebuildChanged(surroundings, faults);
    await this.#revalidate(surroundings, faults);
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

  async #rebuildChanged(surroundings: ModelSurroundings, faults: Faults): Promise<void> {
    for (const definition of this.#table.live()) {
      if (!(await definition.filesHaveChanged())) continue;
      faults.set(definition, await definition.rebuild(this.#context(definition, surroundings)));
    }
  }

  /** Goes round until nothing changes: a pipeline may use another one. No chain is longer than there are pipelines. */
  async #revalidate(surroundings: ModelSurroundings, faults: Faults): Promise<void> {
    const live = this.#table.inOrderOfUse(this.#table.live());
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
