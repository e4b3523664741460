import { accessSync, constants } from 'node:fs';
import { availableParallelism } from 'node:os';

import { BlockingPool } from '../blocking/blocking-pool.js';
import { parseChannelArguments } from '../config/channel-arguments.js';
import type { ServablesSource, ServerSettings } from '../config/settings.js';
import type { NativeBinding } from '../native/binding.js';
import { loadNativeBinding } from '../native/load.js';
import { log } from '../observability/logger.js';
import { makeDirectories } from '../observability/make-directories.js';
import type { ReloadOutcome } from '../servables/reload-outcome.js';
import { EMPTY_SNAPSHOT, type ServablesSnapshot } from '../servables/snapshot.js';
import { DataPlane } from './data-plane.js';
import { chooseGrpcTransport, sharesLoop } from './grpc-transport.js';
import { hostText, Listeners } from './listeners.js';
import { LoadSlots } from './load-slots.js';
import { Metrics } from './metrics.js';
import { ModelCompiler } from './model-compiler.js';
import type { ModelRepository } from './model-repository.js';
import { SequenceCleaner } from './sequence-cleaner.js';
import type { ServableManager } from './servable-manager.js';
import type { AskOwners } from './warm-up.js';
import { Watcher } from './watcher.js';

/**
 * The control plane: it binds the ports, reads the configuration, compiles models on the blocking pool and tells the owner workers
 * by snapshots what they may serve. No request passes through this thread.
 */
export class Server {
  readonly #listeners: readonly Listeners[];
  readonly #dataPlane: DataPlane;
  readonly #blocking: BlockingPool;
  readonly #compiler: ModelCompiler;
  readonly #repository: ModelRepository;
  readonly #manager: ServableManager;
  readonly #watcher: Watcher;
  readonly #cleaner: SequenceCleaner;
  readonly #cleaning: Watcher;
  readonly #metrics: Metrics;
  readonly #binding: NativeBinding;
  /** Port of the gRPC listener, `null` without one. */
  readonly grpcPort: number | null;
  /** Port of the REST listener, `null` without one. */
  readonly restPort: number | null;
  /**
   * The first load pass: resolves when every servable is available or has failed.
   * Rejects with CONFIG_* when the configuration cannot be read, in single-model mode also with the fault of the model.
   */
  readonly loaded: Promise<void>;
  #stopped: Promise<void> | null = null;

  private constructor(parts: ServerParts, settings: ServerSettings) {
    const { servables, pollIntervalSeconds, sequenceCleanerIntervalMinutes } = settings;
    const { ports, dataPlane, blocking, compiler, repository, manager, metrics, binding } = parts;
    this.#listeners = [ports.grpc, ports.rest].filter((listeners) => listeners !== null);
    this.#dataPlane = dataPlane;
    this.#blocking = blocking;
    this.#compiler = compiler;
    this.#repository = repository;
    this.#manager = manager;
    this.#metrics = metrics;
    this.#binding = binding;
    this.#watcher = new Watcher(() => manager.look(), pollIntervalSeconds);
    this.#cleaner = new SequenceCleaner(binding, () => manager.models());
    const clean = (): Promise<void> => {
      this.cleanSequences();
      return Promise.resolve();
    };
    this.#cleaning = new Watcher(clean, sequenceCleanerIntervalMinutes * 60);
    this.grpcPort = ports.grpc?.port ?? null;
    this.restPort = ports.rest?.port ?? null;
    this.loaded = this.#load(servables);
  }

  /**
   * Binds the ports, starts the owner workers and begins to load: the ports answer before the first model is read
   * (as OVMS 2026.2.1). Faults of single servables do not end the server. The log of the calling thread is the caller's to configure;
   * `settings.log` is that of the owner workers.
   *
   * @throws ListenError for a port that cannot be had
   * @throws ServingError NATIVE_BINDING_MISSING, BACKEND_MISSING, CONFIG_VALUE_INVALID
   */
  static async start(settings: ServerSettings): Promise<Server> {
    const binding = loadNativeBinding();
    const grpcTransport = chooseGrpcTransport(binding, settings);
    const channelArguments = parseChannelArguments(settings.grpcChannelArguments);
    const cacheDir = prepareCacheDir(settings.cacheDir);
    if (settings.cpuExtension !== null) binding.addExtension(settings.cpuExtension);
    const ports = await openPorts(binding, settings);
    const blocking = new BlockingPool();
    const compiler = new ModelCompiler(binding, blocking, { ...settings, cacheDir });
    const slots = new LoadSlots();
    const metrics = new Metrics();
    try {
      const { grpcWorkers: workers, sharesMemory, cors, log: logSettings, backend, nodeExecutor } = settings;
      // Threads start while this one imports what loads servables.
      const starting = DataPlane.start(
        {
          ...ports,
          workers,
          grpcTransport,
          grpcSharesLoop: sharesLoop(workers, availableParallelism()),
          grpcMemoryBytes: Math.floor(settings.grpcMemoryQuotaBytes / workers),
          channelArguments,
          sharesMemory,
          cors,
          log: logSettings,
          backend,
          nodeExecutor,
          metrics,
          compileForThroughput: (modelId) => slots.run(() => compiler.compileForThroughput(modelId)),
        },
        EMPTY_SNAPSHOT,
        async () => (await opening).manager.reload(),
      );
      blocking.prepare();
      const opening = import('./open-servables.js').then(({ openServables }) => {
        const publish = async (snapshot: ServablesSnapshot): Promise<void> => (await starting).publish(snapshot);
        const askOwners: AskOwners = async (snapshot, task) => (await starting).warmUp(snapshot, task);
        const forgetModel = (modelId: number): void => void starting.then((plane) => plane.forget(modelId));
        return openServables({
          settings,
          binding,
          blocking,
          compiler,
          metrics,
          publish,
          askOwners,
          forgetModel,
          slots,
        });
      });
      const [dataPlane, { manager, repository }] = await Promise.all([starting, opening]);
      logPorts(ports);
      return new Server({ ports, dataPlane, blocking, compiler, repository, manager, metrics, binding }, settings);
    } catch (error) {
      for (const listeners of [ports.grpc, ports.rest]) listeners?.close();
      throw error;
    }
  }

  /**
   * Looks at the configuration and the version directories now, as the watcher does at each interval; resolves when all that this has
   * begun serves or has failed. Never rejects.
   */
  poll(): Promise<void> {
    return this.#manager.poll();
  }

  /** Removes idle sequences now, as the cleaner does at each interval. */
  cleanSequences(): void {
    this.#cleaner.scan();
  }

  /**
   * What `POST /v1/config/reload` does.
   *
   * @throws ServingError SERVER_STOPPING
   */
  reload(): Promise<ReloadOutcome> {
    return this.#manager.reload();
  }

  /**
   * Accepts nothing more, finishes every accepted request, frees everything. Every call returns the same promise.
   *
   * @param endsProcess leaves the memory of models to the end of the process, which is to follow.
   */
  stop(endsProcess = false): Promise<void> {
    return (this.#stopped ??= this.#stop(endsProcess));
  }

  /** The owner workers' threads, for tests that end one. */
  get ownerThreads(): DataPlane['threads'] {
    return this.#dataPlane.threads;
  }

  async #load(source: ServablesSource): Promise<void> {
    // Models that take long to load keep no later configuration waiting.
    const watching = this.#manager.configured.then(() => this.#watcher.start());
    // Whoever waits for the metrics must not wait for a configuration that never comes.
    const [fault] = await this.#manager.load().finally(() => this.#metrics.giveUp());
    if (source.kind === 'single-model' && fault !== undefined) throw fault;
    log.serving.info('ServableManagerModule started');
    // Scripts wait for this line of OVMS 2026.2.1; here the manager is the main thread itself.
    if (await watching) log.modelmanager.info('Started model manager thread');
    if (this.#cleaning.start()) log.modelmanager.info('Started sequence cleaner');
  }

  async #stop(endsProcess: boolean): Promise<void> {
    this.#watcher.stop();
    this.#cleaning.stop();
    this.#manager.stop();
    for (const listeners of this.#listeners) listeners.close();
    if (endsProcess) this.#binding.leaveModelsToProcess();
    await this.#dataPlane.stop();
    this.#compiler.close();
    await this.#repository.close();
    await this.#blocking.close();
    await this.#manager.close();
    log.serving.info('Server stopped');
  }
}

interface ServerParts {
  readonly ports: Ports;
  readonly dataPlane: DataPlane;
  readonly blocking: BlockingPool;
  readonly compiler: ModelCompiler;
  readonly repository: ModelRepository;
  readonly manager: ServableManager;
  readonly metrics: Metrics;
  readonly binding: NativeBinding;
}

/** The directory when compiled models can be cached there; one that cannot be written only warns (as OVMS 2026.2.1). */
function prepareCacheDir(directory: string | null): string | null {
  if (directory === null) return null;
  try {
    makeDirectories(directory);
    accessSync(directory, constants.W_OK);
    log.serving.info(`Model cache is enabled: ${directory}`);
    return directory;
  } catch (error) {
    log.serving.warning(
      `Model cache is off: expected a directory that can be written at ${directory}: ${String(error)}`,
    );
    return null;
  }
}

interface Ports {
  readonly grpc: Listeners | null;
  readonly rest: Listeners | null;
}

async function openPorts(binding: NativeBinding, settings: ServerSettings): Promise<Ports> {
  const grpc = settings.grpc === null ? null : await Listeners.open(binding, settings.grpc);
  for (const address of grpc?.addresses ?? [])
    log.serving.info(`Binding gRPC server to address: ${hostText(address)}:${grpc!.port}`);
  try {
    const rest = settings.rest === null ? null : await Listeners.open(binding, settings.rest);
    return { grpc, rest };
  } catch (error) {
    grpc?.close();
    throw error;
  }
}

function logPorts({ grpc, rest }: Ports): void {
  if (grpc !== null) log.serving.info(`Started gRPC server on port ${grpc.port}`);
  for (const address of rest?.addresses ?? [])
    log.serving.info(`Started REST server at ${hostText(address)}:${rest!.port}`);
}
