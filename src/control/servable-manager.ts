import { isInvalid, type LoadedConfig } from '../config/settings.js';
import { ServingError } from '../errors.js';
import { log } from '../observability/logger.js';
import type { ReloadOutcome } from '../servables/reload-outcome.js';
import type { ModelSnapshot, ServablesSnapshot } from '../servables/snapshot.js';
import type { ConfigSource } from './config-source.js';
import { ConfigWatch, type ConfigLook } from './config-watch.js';
import type { ModelCompiler } from './model-compiler.js';
import { LOCAL_REPOSITORY, type ModelRepository } from './model-repository.js';
import { ModelVersions } from './model-versions.js';
import { plainPipelineBuilder, type PipelineBuilder } from './pipelines/pipeline-builder.js';
import { Pipelines, type ModelSurroundings } from './pipelines/pipelines.js';
import { RepeatedFaults } from './repeated-faults.js';
import { SnapshotPublisher } from './snapshot-publisher.js';
import type { WarmUp } from './warm-up.js';

/** What the servables are made of, and who is told of them. */
export interface ServableManagerOptions {
  readonly source: ConfigSource;
  readonly compiler: ModelCompiler;
  /** Where models come from; without it from directories of this machine. */
  readonly repository?: ModelRepository;
  /** Resolves when every owner worker runs on the snapshot. */
  readonly publish: (snapshot: ServablesSnapshot) => Promise<void>;
  /** For nodes of users' own code; without it there are none. */
  readonly pipelineBuilder?: PipelineBuilder;
  /** Asks servables before they serve; without it nobody does. */
  readonly warmUp?: WarmUp | undefined;
}

/**
 * All servables, from the configuration and the version directories to the snapshots that the data plane runs on. Its work comes in
 * passes, one at a time, whoever asks for them: models first, then pipelines, which are checked against the models that came up
 * (as OVMS 2026.2.1), then one change of all that is replaced and retired.
 */
export class ServableManager {
  readonly #options: ServableManagerOptions;
  readonly #config: ConfigWatch;
  readonly #publisher: SnapshotPublisher;
  readonly #pipelines: Pipelines;
  readonly #modelFaults = new RepeatedFaults();
  readonly #models = new Map<string, ModelVersions>();
  readonly #stopping = new AbortController();
  #libraries: LoadedConfig['libraries'] = [];
  /** Whether the configuration left a fault when it was last applied. */
  #hasFaults = false;
  #isLoaded = false;
  #last: Promise<unknown> = Promise.resolve();
  #begin!: () => void;
  readonly #begun = new Promise<void>((resolve) => (this.#begin = resolve));

  constructor(options: ServableManagerOptions) {
    this.#options = options;
    this.#config = new ConfigWatch(options.source);
    this.#pipelines = new Pipelines(options.pipelineBuilder ?? plainPipelineBuilder);
    this.#publisher = new SnapshotPublisher((epoch) => this.#snapshot(epoch), options.publish);
  }

  /**
   * The first pass; when it ends, every owner worker knows that the server is ready. Faults of single servables are logged, seen in
   * their states, and returned.
   *
   * @throws ServingError when the configuration cannot be used
   */
  load(): Promise<readonly ServingError[]> {
    const loaded = this.#exclusively(async () => {
      const look = await this.#config.look();
      if (look.kind === 'refused') throw look.error;
      const faults = look.kind === 'changed' ? await this.#apply(look.config) : [];
      this.#isLoaded = true;
      this.#publisher.changed();
      await this.#publisher.applied();
      return faults;
    });
    this.#begin();
    return loaded;
  }

  /** One cycle of the watcher: the configuration if it changed, the version directories, the pipelines. Never rejects. */
  poll(): Promise<void> {
    return this.#exclusively(async () => {
      const look = await this.#config.look();
      if (look.kind === 'refused' && look.isNews) logRefused(look.error);
      if (look.kind === 'changed') await this.#apply(look.config);
      else await this.#pass();
    }).catch((error: unknown) => {
      log.modelmanager.error(`Watching met a fault of the server: ${String((error as Error).stack ?? error)}`);
    });
  }

  /**
   * What a client asked for: as {@link poll}, and the whole configuration again when the last time left a fault (as OVMS 2026.2.1).
   *
   * @throws ServingError SERVER_STOPPING
   */
  async reload(): Promise<ReloadOutcome> {
    const { signal } = this.#stopping;
    const refuse = new ServingError('SERVER_STOPPING');
    if (signal.aborted) throw refuse;
    let stopped: (() => void) | undefined;
    const stop = new Promise<never>((_, reject) => {
      stopped = () => reject(refuse);
      signal.addEventListener('abort', stopped);
    });
    try {
      // A client may ask before the first pass has begun.
      return await Promise.race([stop, this.#begun.then(() => this.#exclusively(() => this.#reload()))]);
    } finally {
      signal.removeEventListener('abort', stopped!);
    }
  }

  /** The models of this moment, as the next snapshot shows them; what they refer to is held. */
  models(): ModelSnapshot[] {
    return [...this.#models.values()].map((model) => model.snapshot());
  }

  /** Who waits for a reload is refused from here on; the pass that runs goes on. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Ends behind the pass that runs: the compiler must have been closed, and the owner workers must have ended. */
  async close(): Promise<void> {
    this.stop();
    await this.#last;
    this.#pipelines.close();
  }

  async #reload(): Promise<ReloadOutcome> {
    const { epoch } = this.#publisher;
    const look = await this.#config.look(this.#hasFaults);
    if (look.kind === 'refused') return refusedOutcome(look);
    const changed = look.kind === 'changed';
    const [fault] = changed ? await this.#apply(look.config) : await this.#pass();
    if (fault === undefined) return { kind: 'done', reloaded: changed || epoch !== this.#publisher.epoch };
    return { kind: 'failed', code: changed ? 'CONFIG_RELOAD_FAILED' : 'VERSIONS_RELOAD_FAILED', cause: fault.code };
  }

  /** Takes over a configuration and loads what it asks for. */
  async #apply(config: LoadedConfig): Promise<readonly ServingError[]> {
    for (const warning of config.warnings) log.modelmanager.warning(warning);
    const refusedLoaders = config.loaders.map(({ name, error }) => logRefusedLoader(name, error));
    const refusedModels = this.#listModels(config.models);
    const refusedLibraries = this.#listLibraries(config.libraries);
    const refusedPipelines = this.#pipelines.list(config.pipelines, (name) => this.#models.has(name));
    this.#publisher.changed();
    const faults = await this.#pass();
    const all = [...refusedLoaders, ...refusedModels, ...refusedLibraries, ...refusedPipelines, ...faults];
    this.#hasFaults = all.length > 0;
    return all;
  }

  /** A name that a pipeline ever had is not given to a model (as OVMS 2026.2.1). */
  #listModels(models: LoadedConfig['models']): ServingError[] {
    const faults: ServingError[] = [];
    for (const model of this.#models.values()) model.configure(null);
    for (const settings of models) {
      if (this.#pipelines.has(settings.name)) faults.push(nameOccupied(settings.name));
      else this.#model(settings.name).configure(settings);
    }
    return faults;
  }

  #model(name: string): ModelVersions {
    const known = this.#models.get(name);
    if (known !== undefined) return known;
    const { compiler, repository = LOCAL_REPOSITORY, warmUp } = this.#options;
    const changed = (): void => this.#publisher.changed();
    const model = new ModelVersions(name, { compiler, repository, warmUp }, this.#modelFaults, changed);
    this.#models.set(name, model);
    return model;
  }

  #listLibraries(libraries: LoadedConfig['libraries']): ServingError[] {
    this.#libraries = libraries;
    const invalid = libraries.filter((library) => isInvalid(library));
    for (const { name, error } of invalid) {
      log.modelmanager.error(`Loading custom node library: ${name} failed: ${error.message}`);
    }
    return invalid.map(({ error }) => error);
  }

  /** Brings everything to what the configuration and the file system say now; ends when the owner workers run on it. */
  async #pass(): Promise<readonly ServingError[]> {
    const models = [...this.#models.values()];
    const modelFaults = (await Promise.all(models.map((model) => model.update()))).flat();
    // Nothing loads any more, so that what pipelines need would seem to be missing.
    if (this.#stopping.signal.aborted) return modelFaults;
    const before = this.#pipelines.snapshots();
    const pipelineFaults = await this.#pipelines.update(this.#surroundings());
    await this.#warmUpPipelines(before, models);
    const replaced = models.flatMap((model) => model.commit());
    if (differ(before, this.#pipelines.snapshots())) this.#publisher.changed();
    await this.#publisher.applied();
    await Promise.all(replaced.map((version) => version.release()));
    this.#pipelines.releaseDiscarded();
    for (const model of models) model.end();
    await this.#publisher.applied();
    return [...modelFaults, ...pipelineFaults];
  }

  /** Those that were built in this pass, over the models as they are when it is committed. */
  async #warmUpPipelines(before: readonly Pipeline[], models: readonly ModelVersions[]): Promise<void> {
    const { warmUp } = this.#options;
    if (warmUp === undefined) return;
    const pipelines = this.#pipelines.snapshots();
    const known = new Set(before.map(({ graph }) => graph));
    const fresh = pipelines.filter(({ graph }) => graph !== null && !known.has(graph));
    const upcoming = { epoch: 1, isLoaded: true, models: models.map((model) => model.upcoming()), pipelines };
    await warmUp.pipelines(
      upcoming,
      fresh.map(({ name, version }) => ({ name, version, recorded: this.#pipelines.recordedRequests(name, version) })),
    );
  }

  #surroundings(): ModelSurroundings {
    return {
      models: {
        isModelName: (name) => this.#models.has(name),
        signature: (name, version) => this.#models.get(name)?.signature(version),
      },
      libraries: this.#libraries,
    };
  }

  #snapshot(epoch: number): ServablesSnapshot {
    return {
      epoch,
      isLoaded: this.#isLoaded,
      models: this.models(),
      pipelines: this.#pipelines.snapshots(),
    };
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

type Pipeline = ServablesSnapshot['pipelines'][number];

/** Whether a data plane that knows `before` must be told `after`. Definitions keep their places, and a graph is made anew when built. */
function differ(before: readonly Pipeline[], after: readonly Pipeline[]): boolean {
  return (
    before.length !== after.length ||
    after.some(({ state, errorCode, graph }, index) => {
      const old = before[index]!;
      return old.state !== state || old.errorCode !== errorCode || old.graph !== graph;
    })
  );
}

function nameOccupied(name: string): ServingError {
  const fault = new ServingError('MODEL_NAME_OCCUPIED', `a pipeline is, or was, called ${name}`);
  log.modelmanager.error(`Error occurred while loading model: ${name}; error: ${fault.message}`);
  return fault;
}

function logRefusedLoader(name: string, error: ServingError): ServingError {
  log.modelmanager.error(`Loading custom loader: ${name} failed: ${error.message}`);
  return error;
}

function logRefused(error: ServingError): void {
  log.modelmanager.error(`The configuration stays as it was: ${error.message}`);
}

function refusedOutcome({ error }: Extract<ConfigLook, { kind: 'refused' }>): ReloadOutcome {
  logRefused(error);
  const code = error.code === 'CONFIG_FILE_UNREADABLE' ? error.code : 'CONFIG_RELOAD_FAILED';
  return { kind: 'failed', code, cause: error.code };
}
