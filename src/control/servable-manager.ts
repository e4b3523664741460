import type { LoadedConfig, PipelineSettings } from '../config/settings.js';
import { buildPipelineGraph } from '../dag/build-graph.js';
import type { ServableCatalogue } from '../dag/definition.js';
import { ServingError } from '../errors.js';
import { log } from '../observability/logger.js';
import { EMPTY_SNAPSHOT, type PipelineSnapshot, type ServablesSnapshot } from '../servables/snapshot.js';
import type { ModelCompiler } from './model-compiler.js';
import { ModelVersions } from './model-versions.js';

/**
 * All servables of the configuration. After every change it publishes a new frozen snapshot of all of them; nothing else leaves it.
 * Models are loaded before pipelines, which are checked against the models that came up (as OVMS 2026.2.1).
 */
export class ServableManager {
  readonly #compiler: ModelCompiler;
  readonly #publish: (snapshot: ServablesSnapshot) => void;
  readonly #models = new Map<string, ModelVersions>();
  #pipelines: readonly PipelineSnapshot[] = [];
  #epoch = EMPTY_SNAPSHOT.epoch;

  constructor(compiler: ModelCompiler, publish: (snapshot: ServablesSnapshot) => void) {
    this.#compiler = compiler;
    this.#publish = publish;
  }

  /** Loads a configuration. Faults of single servables are logged, seen in their states, and returned. */
  async load(config: LoadedConfig): Promise<readonly ServingError[]> {
    for (const warning of config.warnings) log.modelmanager.warning(warning);
    for (const settings of config.models) {
      this.#models.set(settings.name, new ModelVersions(settings, this.#compiler, () => this.#changed()));
    }
    const pipelines = config.pipelines.filter((pipeline) => this.#isNameFree(pipeline));
    this.#pipelines = pipelines.map(({ name, version }) => ({
      name,
      version,
      state: 'LOADING',
      errorCode: 'OK',
      graph: null,
    }));
    this.#changed();
    const faults = await Promise.all([...this.#models.values()].map((model) => model.load()));
    this.#pipelines = pipelines.map((pipeline) => this.#buildPipeline(pipeline));
    this.#changed();
    return faults.flat();
  }

  #isNameFree({ name }: PipelineSettings): boolean {
    if (!this.#models.has(name)) return true;
    log.modelmanager.error(`Loading pipeline: ${name} failed: ${new ServingError('PIPELINE_NAME_OCCUPIED').message}`);
    return false;
  }

  #buildPipeline(pipeline: PipelineSettings): PipelineSnapshot {
    const { name, version } = pipeline;
    try {
      const graph = buildPipelineGraph(pipeline, this.#catalogue());
      log.modelmanager.info(`Pipeline: ${name} state changed to: AVAILABLE after handling: ValidationPassedEvent`);
      return { name, version, state: 'AVAILABLE', errorCode: 'OK', graph };
    } catch (error) {
      if (!(error instanceof ServingError)) throw error;
      log.modelmanager.error(`Validation of pipeline definition: ${name} failed: ${error.message}`);
      return { name, version, state: 'LOADING', errorCode: 'FAILED_PRECONDITION', graph: null };
    }
  }

  #catalogue(): ServableCatalogue {
    return {
      isModelName: (name) => this.#models.has(name),
      signature: (name, version) => this.#models.get(name)?.signature(version),
      pipeline: () => undefined,
      userNodes: new Map(),
    };
  }

  #changed(): void {
    this.#epoch += 1;
    this.#publish({
      epoch: this.#epoch,
      models: [...this.#models.values()].map((model) => model.snapshot()),
      pipelines: this.#pipelines,
    });
  }
}
