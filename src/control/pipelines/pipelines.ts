import type { LoadedConfig, PipelineSettings } from '../../config/settings.js';
import { ServingError } from '../../errors.js';
import { log } from '../../observability/logger.js';
import type { PipelineSnapshot } from '../../servables/snapshot.js';
import type { BuiltPipeline, PipelineBuilder, Surroundings } from './pipeline-builder.js';
import { PipelineDefinition, type BuildContext } from './pipeline-definition.js';

/**
 * All pipeline definitions that were ever listed. Driven by the passes of the control plane, one at a time: {@link list} when the
 * file was read, then {@link update} in every pass, behind the models.
 */
export class Pipelines {
  readonly #builder: PipelineBuilder;
  readonly #definitions = new Map<string, PipelineDefinition>();
  readonly #discarded: BuiltPipeline[] = [];
  /** Names the file lists. */
  #listed = new Set<string>();
  /** Listed since the last update. */
  #relisted: readonly PipelineDefinition[] = [];

  constructor(builder: PipelineBuilder) {
    this.#builder = builder;
  }

  /** Whether a pipeline has, or ever had, this name (as OVMS 2026.2.1). */
  has(name: string): boolean {
    return this.#definitions.has(name);
  }

  snapshots(): PipelineSnapshot[] {
    return [...this.#definitions.values()].map((definition) => definition.snapshot());
  }

  /**
   * Takes the pipelines of a file that was read. Each of them will be validated, changed or not (as OVMS 2026.2.1).
   *
   * @param isModelName whether a model has, or ever had, a name.
   * @returns a fault for each whose name is taken: those are not registered.
   */
  list(pipelines: LoadedConfig['pipelines'], isModelName: (name: string) => boolean): ServingError[] {
    const free = pipelines.filter(({ name }) => !isModelName(name));
    this.#listed = new Set(free.map(({ name }) => name));
    this.#relisted = free.map((settings) => this.#relist(settings));
    return pipelines.filter((pipeline) => !free.includes(pipeline)).map(({ name }) => nameOccupied(name));
  }

  /**
   * Validates what the file lists anew, what uses a model that changed, and what was made of files that changed; retires what the file
   * lists no longer.
   *
   * @returns the faults of this pass.
   */
  async update(surroundings: Surroundings): Promise<ServingError[]> {
    const context = this.#context(surroundings);
    const faults: Faults = new Map();
    for (const definition of this.#relisted) faults.set(definition, await definition.validate(context));
    this.#relisted = [];
    for (const definition of this.#live()) if (!this.#listed.has(definition.name)) definition.retire();
    await this.#revalidate(context, faults);
    await this.#rebuildChanged(context, faults);
    await this.#revalidate(context, faults);
    return [...faults.values()].filter((fault) => fault !== null);
  }

  /** Releases what was replaced or retired: every owner worker has applied a snapshot without it. */
  releaseDiscarded(): void {
    for (const built of this.#discarded.splice(0)) built.release();
  }

  /** The end of the server: no owner worker is left. */
  close(): void {
    this.releaseDiscarded();
    for (const definition of this.#definitions.values()) definition.close();
  }

  #relist(settings: PipelineSettings): PipelineDefinition {
    const { name } = settings;
    log.modelmanager.info(`Reading pipeline: ${name} configuration`);
    const known = this.#definitions.get(name);
    if (known !== undefined) {
      known.relist(settings);
      return known;
    }
    const discard = (built: BuiltPipeline): void => void this.#discarded.push(built);
    const definition = new PipelineDefinition(settings, this.#builder, discard);
    this.#definitions.set(name, definition);
    return definition;
  }

  async #rebuildChanged(context: BuildContext, faults: Faults): Promise<void> {
    for (const definition of this.#live()) {
      if (await definition.filesHaveChanged()) faults.set(definition, await definition.rebuild(context));
    }
  }

  /** Goes round until nothing changes: a pipeline may use one that stands behind it. No chain is longer than there are pipelines. */
  async #revalidate(context: BuildContext, faults: Faults): Promise<void> {
    for (let round = 0; round <= this.#definitions.size; round += 1) {
      for (const definition of this.#live()) definition.noticeChanges(context.lookup);
      const pending = this.#live().filter((definition) => definition.needsRevalidation);
      if (pending.length === 0) return;
      for (const definition of pending) faults.set(definition, await definition.validate(context, 'Revalidation'));
    }
  }

  #live(): PipelineDefinition[] {
    return [...this.#definitions.values()].filter((definition) => !definition.isRetired);
  }

  #context(surroundings: Surroundings): BuildContext {
    return {
      surroundings,
      lookup: ({ name, version }) =>
        surroundings.models.signature(name, version) ?? this.#definitions.get(name)?.built?.graph,
    };
  }
}

/** The last outcome of each definition of a pass. */
type Faults = Map<PipelineDefinition, ServingError | null>;

function nameOccupied(name: string): ServingError {
  const fault = new ServingError('PIPELINE_NAME_OCCUPIED');
  log.modelmanager.error(`Loading pipeline: ${name} failed: ${fault.message}`);
  return fault;
}
