import { isInvalid, type LoadedConfig } from '../config/settings.js';
import { ServingError } from '../errors.js';
import { log } from '../observability/logger.js';
import type { ReloadOutcome } from '../servables/reload-outcome.js';
import type { ModelSnapshot, ServablesSnapshot } from '../servables/snapshot.js';
import type { ConfigSource } from './config-source.js';
import { ConfigWatch, type ConfigLook } from './config-watch.js';
import { LoadSlots } from './load-slots.js';
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
  /** Turns of loads; without it as many as suit the machine. */
  readonly slots?: LoadSlots;
  /** Resolves when every owner worker runs on the snapshot. */
  readonly publish: (snapshot: ServablesSnapshot) => Promise<void>;
  /** For nodes of users' own code; without it there are none. */
  readonly pipelineBuilder?: PipelineBuilder;
  /** Asks servables before they serve; without it nobody does. */
  readonly warmUp?: WarmUp | undefined;
  /** How long a look waits for what it has begun before it commits what is there. */
  readonly patienceMs?: number;
}

/** Most loads take less: then all that a configuration changes is committed together. */
const PATIENCE_MS = 1_000;

/** What a look has begun. */
interface Begun {
  /** Resolves with the faults when all of it serves or has failed, and the owner workers run on it. */
  readonly ended: Promise<readonly ServingError[]>;
}

const NOTHING_BEGUN: Begun = { ended: Promise.resolve([]) };

/** What came of the question whether there is a configuration to take over. */
type Taken =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly look: Extract<ConfigLook, { kind: 'refused' }> }
  | {
      readonly kind: 'begun';
      /** Whether there was one. */
      readonly isChange: boolean;
      /** Of the snapshots, before. */
      readonly epoch: number;
      readonly begun: Begun;
    };

/** A configuration that was taken over. */
interface Application {
  /** That it has left so far. */
  faults: readonly ServingError[];
  /** Resolves when they are all told. Never rejects. */
  ended: Promise<unknown>;
  hasEnded: boolean;
}

/**
 * All servables, from the configuration and the version directories to the snapshots that the data plane runs on.
 *
 * A look at the configuration begins a round for each model that has none under way, and rounds take as long as they take. Passes are
 * short and come one at a time: a pass checks pipelines against the models as they will be (as OVMS 2026.2.1) and commits in one
 * snapshot what is replaced and retired. It leaves out models whose round is under way, pipelines that wait for them, and what those
 * pipelines serve on meanwhile. The end of a round brings another pass.
 */
export class ServableManager {
  readonly #options: ServableManagerOptions;
  readonly #config: ConfigWatch;
  readonly #publisher: SnapshotPublisher;
  readonly #pipelines: Pipelines;
  readonly #modelFaults = new RepeatedFaults();
  readonly #models = new Map<string, ModelVersions>();
  readonly #stopping = new AbortController();
  readonly #slots: LoadSlots;
  readonly #patienceMs: number;
  #libraries: LoadedConfig['libraries'] = [];
  #application: Application = { faults: [], ended: Promise.resolve(), hasEnded: true };
  /** As snapshots have them: a pass that plans shows nothing before its commit. */
  #shownPipelines: readonly Pipeline[] = [];
  /** Each of them gets the faults of pipelines that passes meet. */
  readonly #listeners = new Set<ServingError[]>();
  #isLoaded = false;
  #last: Promise<unknown> = Promise.resolve();
  /** A pass that has its place and has not begun. */
  #queued: Promise<void> | null = null;
  #configure!: () => void;
  /** Resolves when the first configuration was taken over; never when it cannot be used. */
  readonly configured = new Promise<void>((resolve) => (this.#configure = resolve));
  #begin!: () => void;
  readonly #begun = new Promise<void>((resolve) => (this.#begin = resolve));

  constructor(options: ServableManagerOptions) {
    this.#options = options;
    this.#config = new ConfigWatch(options.source);
    this.#pipelines = new Pipelines(options.pipelineBuilder ?? plainPipelineBuilder);
    this.#slots = options.slots ?? new LoadSlots();
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
    this.#publisher = new SnapshotPublisher((epoch) => this.#snapshot(epoch), options.publish);
  }

  /**
   * The first configuration; when all of it serves or has failed, every owner worker knows that the server is ready. Faults of single
   * servables are logged, seen in their states, and returned.
   *
   * @throws ServingError when the configuration cannot be used
   */
  async load(): Promise<readonly ServingError[]> {
    const begun = this.#exclusively(async () => {
      const look = await this.#config.look();
      if (look.kind === 'refused') throw look.error;
      const first = look.kind === 'changed' ? await this.#apply(look.config) : NOTHING_BEGUN;
      this.#configure();
      return first;
    });
    this.#begin();
    const faults = await (await begun).ended;
    this.#isLoaded = true;
    this.#publisher.changed();
    await this.#publisher.applied();
    return faults;
  }

  /**
   * One cycle of the watcher: the configuration if it changed, the version directories, the pipelines. What takes its time goes on
   * behind it. Never rejects.
   */
  async look(): Promise<void> {
    await this.#look();
  }

  /** As {@link look}; resolves when all that this look has begun serves or has failed. Never rejects. */
  async poll(): Promise<void> {
    const begun = await this.#look();
    await begun.ended.catch(() => undefined);
  }

  /**
   * What a client asked for: as {@link poll}, and the whole configuration again when the last time left a fault (as OVMS 2026.2.1).
   * Where the configuration has not changed, an earlier look may have begun what the client means: that is waited for, too.
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
      // A client may ask before the first look has begun.
      return await Promise.race([stop, this.#begun.then(() => this.#reload())]);
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
    await Promise.all([...this.#models.values()].map((model) => model.idle()));
    await this.#last;
    this.#pipelines.close();
  }

  async #look(): Promise<Begun> {
    try {
      const begun = await this.#exclusively(async () => {
        const look = await this.#config.look();
        if (look.kind === 'refused' && look.isNews) logRefused(look.error);
        return look.kind === 'changed' ? this.#apply(look.config) : this.#start();
      });
      begun.ended.catch(logWatchingFault);
      return begun;
    } catch (error) {
      logWatchingFault(error);
      return NOTHING_BEGUN;
    }
  }

  async #reload(): Promise<ReloadOutcome> {
    const first = await this.#exclusively(() => this.#take(false));
    const taken = first.kind === 'unchanged' ? await this.#takeAgain() : first;
    if (taken.kind === 'refused') return refusedOutcome(taken.look);
    const [fault] = await taken.begun.ended;
    if (fault === undefined) return { kind: 'done', reloaded: taken.isChange || taken.epoch !== this.#publisher.epoch };
    const code = taken.isChange ? 'CONFIG_RELOAD_FAILED' : 'VERSIONS_RELOAD_FAILED';
    return { kind: 'failed', code, cause: fault.code };
  }

  /** @param evenUnchanged takes a configuration that was taken before once more. */
  async #take(evenUnchanged: boolean): Promise<Taken> {
    const look = await this.#config.look(evenUnchanged);
    const { epoch } = this.#publisher;
    if (look.kind === 'changed') return { kind: 'begun', isChange: true, epoch, begun: await this.#apply(look.config) };
    return look.kind === 'refused' ? { kind: 'refused', look } : { kind: 'unchanged' };
  }

  /** When nothing is under way any more: the configuration again if it has left faults, else what the file system has by now. */
  async #takeAgain(): Promise<Exclude<Taken, { kind: 'unchanged' }>> {
    for (;;) {
      await this.#settled();
      const taken = await this.#exclusively(async () => {
        const { faults, hasEnded } = this.#application;
        // Another call took the configuration while this one waited for its turn.
        if (!hasEnded) return null;
        const { epoch } = this.#publisher;
        const again = await this.#take(faults.length > 0);
        if (again.kind !== 'unchanged') return again;
        return { kind: 'begun', isChange: false, epoch, begun: await this.#start() } as const;
      });
      if (taken !== null) return taken;
    }
  }

  /** Takes over a configuration and begins to load what it asks for. */
  async #apply(config: LoadedConfig): Promise<Begun> {
    for (const warning of config.warnings) log.modelmanager.warning(warning);
    const refusedLoaders = config.loaders.map(({ name, error }) => logRefusedLoader(name, error));
    const refusedModels = this.#listModels(config.models);
    const refusedLibraries = this.#listLibraries(config.libraries);
    const refusedPipelines = this.#pipelines.list(config.pipelines, (name) => this.#models.has(name));
    this.#shownPipelines = this.#pipelines.snapshots();
    this.#publisher.changed();
    const refused = [...refusedLoaders, ...refusedModels, ...refusedLibraries, ...refusedPipelines];
    const application: Application = { faults: refused, ended: Promise.resolve(), hasEnded: false };
    this.#application = application;
    const { ended } = await this.#start();
    const told = async (): Promise<readonly ServingError[]> => {
      application.faults = [...refused, ...(await ended)];
      return application.faults;
    };
    const begun = { ended: told() };
    const hasEnded = (): void => void (application.hasEnded = true);
    application.ended = begun.ended.then(hasEnded, hasEnded);
    return begun;
  }

  /**
   * Begins a round for each model that has none under way. What comes up soon is committed together; what does not, behind this, as it
   * comes.
   */
  async #start(): Promise<Begun> {
    const rounds = [...this.#models.values()].filter((model) => !model.isBusy).map((model) => model.update());
    const heard: ServingError[] = [];
    this.#listeners.add(heard);
    const all = Promise.all(rounds);
    const isLate = !(await endsWithin(all, this.#patienceMs));
    await this.#pass();
    if (isLate) for (const round of rounds) void round.then(() => this.#passSoon()).catch(logWatchingFault);
    const ended = async (): Promise<readonly ServingError[]> => {
      const faults = (await all).flat();
      if (isLate) await this.#passSoon();
      this.#listeners.delete(heard);
      return [...faults, ...heard];
    };
    return { ended: ended() };
  }

  /** Resolves when no round is under way, and what they brought is committed or about to be. */
  async #settled(): Promise<void> {
    await Promise.all([...this.#models.values()].map((model) => model.settled()));
    await this.#application.ended;
  }

  /** A pass that begins after this call; calls that come before it begins share it. */
  #passSoon(): Promise<void> {
    return (this.#queued ??= this.#exclusively(() => {
      this.#queued = null;
      return this.#pass();
    }));
  }

  /** A name that a pipeline ever had is not given to a model (as OVMS 2026.2.1). */
  #listModels(models: LoadedConfig['models']): ServingError[] {
    const faults: ServingError[] = [];
    const listed = new Map<string, LoadedConfig['models'][number]>();
    for (const settings of models) {
      if (this.#pipelines.has(settings.name)) faults.push(nameOccupied(settings.name));
      else listed.set(settings.name, settings);
    }
    for (const name of listed.keys()) this.#learn(name);
    for (const model of this.#models.values()) model.configure(listed.get(model.name) ?? null);
    return faults;
  }

  #learn(name: string): void {
    if (this.#models.has(name)) return;
    const { compiler, repository = LOCAL_REPOSITORY, warmUp, slots = this.#slots } = this.#options;
    const changed = (): void => this.#publisher.changed();
    const model = new ModelVersions(name, { compiler, repository, warmUp, slots }, this.#modelFaults, changed);
    this.#models.set(name, model);
  }

  #listLibraries(libraries: LoadedConfig['libraries']): ServingError[] {
    this.#libraries = libraries;
    const invalid = libraries.filter((library) => isInvalid(library));
    for (const { name, error } of invalid) {
      log.modelmanager.error(`Loading custom node library: ${name} failed: ${error.message}`);
    }
    return invalid.map(({ error }) => error);
  }

  /** Commits what is ready; ends when the owner workers run on it. Only rounds that have ended by now have a part in it. */
  async #pass(): Promise<void> {
    // Nothing loads any more, so that what pipelines need would seem to be missing.
    if (this.#stopping.signal.aborted) return;
    const application = this.#application;
    const settled = new Set([...this.#models.values()].filter((model) => !model.isBusy));
    const isOfApplication = !this.#pipelines.isComplete;
    const faults = await this.#pipelines.update(this.#surroundings(settled));
    if (isOfApplication) application.faults = [...application.faults, ...faults];
    for (const heard of this.#listeners) heard.push(...faults);
    const ready = new Set([...settled].filter(({ name }) => !this.#pipelines.held.has(name)));
    const pipelines = this.#pipelines.snapshots();
    await this.#warmUpPipelines(pipelines, ready);
    const replaced = [...ready].flatMap((model) => model.commit());
    if (differ(this.#shownPipelines, pipelines)) {
      this.#shownPipelines = pipelines;
      this.#publisher.changed();
    }
    await this.#publisher.applied();
    await Promise.all(replaced.map((version) => version.release()));
    this.#pipelines.releaseDiscarded();
    for (const model of ready) model.end();
    await this.#publisher.applied();
  }

  /** Those that were built in this pass, over the models as they are when it is committed. */
  async #warmUpPipelines(pipelines: readonly Pipeline[], ready: ReadonlySet<ModelVersions>): Promise<void> {
    const { warmUp } = this.#options;
    if (warmUp === undefined) return;
    const known = new Set(this.#shownPipelines.map(({ graph }) => graph));
    const fresh = pipelines.filter(({ graph }) => graph !== null && !known.has(graph));
    const models = [...this.#models.values()].map((model) => model.upcoming(ready.has(model)));
    const upcoming = { epoch: 1, isLoaded: true, models, pipelines };
    await warmUp.pipelines(
      upcoming,
      fresh.map(({ name, version }) => ({ name, version, recorded: this.#pipelines.recordedRequests(name, version) })),
    );
  }

  /** @param settled models whose plans are complete. */
  #surroundings(settled: ReadonlySet<ModelVersions>): ModelSurroundings {
    const isSettled = (model: ModelVersions): boolean => settled.has(model);
    return {
      models: {
        isModelName: (name) => this.#models.has(name),
        signature: (name, version) => {
          const model = this.#models.get(name);
          return model?.signature(version, isSettled(model));
        },
      },
      libraries: this.#libraries,
      pending: {
        isAwaited: (name, version) => {
          const model = this.#models.get(name);
          return model !== undefined && !isSettled(model) && model.isAwaited(version);
        },
        isChanging: (name) => {
          const model = this.#models.get(name);
          return model !== undefined && isSettled(model) && model.hasPlans;
        },
      },
    };
  }

  #snapshot(epoch: number): ServablesSnapshot {
    return {
      epoch,
      isLoaded: this.#isLoaded,
      models: this.models(),
      pipelines: this.#shownPipelines,
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

function logWatchingFault(error: unknown): void {
  log.modelmanager.error(`Watching met a fault of the server: ${String((error as Error).stack ?? error)}`);
}

/** Whether something has ended by the time this resolves, which it does at the latest after so long. */
async function endsWithin(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, milliseconds, false)));
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

function logRefused(error: ServingError): void {
  log.modelmanager.error(`The configuration stays as it was: ${error.message}`);
}

function refusedOutcome({ error }: Extract<ConfigLook, { kind: 'refused' }>): ReloadOutcome {
  logRefused(error);
  const code = error.code === 'CONFIG_FILE_UNREADABLE' ? error.code : 'CONFIG_RELOAD_FAILED';
  return { kind: 'failed', code, cause: error.code };
}
