import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';

import type { Backend, CorsSettings, LogSettings, NodeExecutor } from '../config/settings.js';
import type { OwnerCommand, OwnerReport, OwnerTask } from '../data-plane/messages.js';
import { answerOf } from '../data-plane/questions.js';
import type { CompileForThroughput } from '../inference/inference.js';
import { log } from '../observability/logger.js';
import type { ReloadOutcome } from '../servables/reload-outcome.js';
import type { WorkerLedger } from '../observability/metrics/metrics-book.js';
import type { ServablesSnapshot } from '../servables/snapshot.js';
import type { WarmUpOutcome, WarmUpTask } from '../servables/warm-up.js';
import type { Listeners } from './listeners.js';
import type { Metrics } from './metrics.js';

export interface DataPlaneSettings {
  readonly workers: number;
  readonly grpc: Listeners | null;
  readonly rest: Listeners | null;
  readonly grpcTransport: OwnerTask['grpcTransport'];
  readonly grpcSharesLoop: boolean;
  /** Of one worker. */
  readonly grpcMemoryBytes: number;
  readonly channelArguments: Readonly<Record<string, string | number>>;
  readonly sharesMemory: boolean;
  readonly cors: CorsSettings;
  readonly log: LogSettings;
  readonly backend: Backend;
  readonly nodeExecutor: NodeExecutor;
  readonly metrics: Metrics;
  readonly compileForThroughput: CompileForThroughput;
}

/**
 * The pool of owner workers, seen from the control plane: it starts them, hands them snapshots and stops them. A worker that dies
 * takes only its own connections with it: another one starts on the same listening sockets with the current snapshot.
 */
export class DataPlane {
  readonly #settings: DataPlaneSettings;
  readonly #pool: Piscina;
  readonly #owners = new Set<Owner>();
  readonly #reload: Reload;
  #snapshot: ServablesSnapshot;
  #stopping = false;

  private constructor(settings: DataPlaneSettings, snapshot: ServablesSnapshot, reload: Reload) {
    this.#settings = settings;
    this.#reload = reload;
    this.#snapshot = snapshot;
    this.#pool = new Piscina({
      filename: new URL('../data-plane/owner.js', import.meta.url).href,
      minThreads: settings.workers,
      maxThreads: settings.workers,
      concurrentTasksPerWorker: 1,
      // With its default a waiting worker sits in Atomics.wait and its event loop stands still.
      atomics: 'disabled',
    });
  }

  /**
   * Starts the workers; resolves when all of them accept connections.
   *
   * @param reload does what a client asks a worker for; resolves when the workers run on what it brought.
   */
  static async start(settings: DataPlaneSettings, snapshot: ServablesSnapshot, reload: Reload): Promise<DataPlane> {
    const plane = new DataPlane(settings, snapshot, reload);
    try {
      await Promise.all(Array.from({ length: settings.workers }, () => plane.#startOwner().ready));
    } catch (error) {
      await plane.#pool.destroy();
      throw error;
    }
    return plane;
  }

  /** Sends a snapshot to every worker; the promise resolves when all of them run on it. */
  async publish(snapshot: ServablesSnapshot): Promise<void> {
    this.#snapshot = snapshot;
    this.#settings.metrics.learn(snapshot);
    await Promise.all([...this.#owners].map((owner) => owner.publish(snapshot)));
  }

  /** Has every worker ask a servable of a snapshot to come. What a worker that ends meanwhile would have said is left out. */
  async warmUp(snapshot: ServablesSnapshot, task: WarmUpTask): Promise<readonly WarmUpOutcome[]> {
    this.#settings.metrics.learnAhead(snapshot);
    const outcomes = await Promise.all([...this.#owners].map((owner) => owner.warmUp(snapshot, task)));
    return outcomes.filter((outcome) => outcome !== null);
  }

  /** Has every worker close a model that it opened for a warm-up and that no snapshot will show. */
  forget(modelId: number): void {
    for (const owner of this.#owners) owner.forget(modelId);
  }

  /** Lets every worker finish what it accepted, then ends the pool. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const ends = [...this.#owners].map((owner) => owner.stop());
    await Promise.all(ends);
    await this.#pool.close({ force: true });
  }

  /** The worker threads, for tests that end one. */
  get threads(): Piscina['threads'] {
    return this.#pool.threads;
  }

  #startOwner(): Owner {
    const { grpc, rest, metrics, compileForThroughput, ...settings } = this.#settings;
    const { port1, port2 } = new MessageChannel();
    const ledger = metrics.book.open();
    const task: OwnerTask = {
      ...settings,
      control: port2,
      grpcDescriptors: grpc?.duplicate() ?? [],
      restDescriptors: rest?.duplicate() ?? [],
      snapshot: this.#snapshot,
      metrics: ledger.grow(),
    };
    const run = this.#pool.run(task, { transferList: [port2] }) as Promise<void>;
    const owner = new Owner(port1, run, ledger, { reload: this.#reload, metrics, compileForThroughput });
    this.#owners.add(owner);
    run.then(
      () => this.#ownerEnded(owner),
      (error: unknown) => this.#ownerLost(owner, error),
    );
    return owner;
  }

  #ownerEnded(owner: Owner): void {
    this.#owners.delete(owner);
    this.#settings.metrics.book.close(owner.ledger);
  }

  #ownerLost(owner: Owner, error: unknown): void {
    this.#ownerEnded(owner);
    if (this.#stopping) return;
    log.serving.error(
      `An owner worker ended before it was told to: ${error instanceof Error ? error.message : String(error)}`,
    );
    // One that never accepted anything would not fare better the next time.
    if (owner.wasReady)
      this.#startOwner().ready.catch((reason: unknown) =>
        log.serving.critical(`No owner worker could be started: ${String(reason)}`),
      );
  }
}

type Reload = () => Promise<ReloadOutcome>;

function logBug(what: string, error: unknown): void {
  log.serving.error(`${what} failed by a fault of the server: ${String((error as Error).stack ?? error)}`);
}

/** What an owner worker may ask the control plane for. */
interface Asked {
  readonly reload: Reload;
  readonly metrics: Metrics;
  readonly compileForThroughput: CompileForThroughput;
}

/** The control plane's line to one owner worker. */
class Owner {
  readonly ready: Promise<void>;
  wasReady = false;
  /** Where the worker counts. */
  readonly ledger: WorkerLedger;
  readonly #port: MessagePort;
  readonly #run: Promise<void>;
  readonly #waiting = new Map<number, () => void>();
  readonly #warming = new Map<number, (outcome: WarmUpOutcome | null) => void>();
  #nextWarmUp = 0;

  constructor(
    port: MessagePort,
    run: Promise<void>,
    ledger: WorkerLedger,
    { reload, metrics, compileForThroughput }: Asked,
  ) {
    this.#port = port;
    this.#run = run;
    this.ledger = ledger;
    this.ready = new Promise((resolve, reject) => {
      port.on('message', (report: OwnerReport) => {
        switch (report.kind) {
          case 'ready':
            this.wasReady = true;
            return resolve();
          case 'applied':
            return this.#applied(report.epoch);
          case 'warmed-up':
            return this.#warmedUp(report.id, report.outcome);
          case 'reload':
            return void this.#answerReload(report.id, reload);
          case 'crowded':
            return void this.#answerCrowded(report.id, () => compileForThroughput(report.modelId));
          case 'metrics':
            return void this.#answerMetrics(report.id, metrics);
          case 'statistics':
            return this.#send({ kind: 'statistics', id: report.id, answer: { value: metrics.statistics() } });
        }
      });
      run.catch(reject);
    });
    const ended = (): void => {
      for (const resolve of this.#waiting.values()) resolve();
      this.#waiting.clear();
      for (const id of [...this.#warming.keys()]) this.#warmedUp(id, null);
      port.close();
    };
    run.then(ended, ended);
  }

  publish(snapshot: ServablesSnapshot): Promise<void> {
    const applied = new Promise<void>((resolve) => this.#waiting.set(snapshot.epoch, resolve));
    this.#send({ kind: 'snapshot', snapshot, metrics: this.ledger.grow() });
    return applied;
  }

  /** Resolves with `null` when the worker ends before it says how it went. */
  warmUp(snapshot: ServablesSnapshot, task: WarmUpTask): Promise<WarmUpOutcome | null> {
    const id = this.#nextWarmUp;
    this.#nextWarmUp += 1;
    const outcome = new Promise<WarmUpOutcome | null>((resolve) => this.#warming.set(id, resolve));
    this.#send({ kind: 'warm-up', id, snapshot, metrics: this.ledger.grow(), task });
    return outcome;
  }

  forget(modelId: number): void {
    this.#send({ kind: 'forget', modelId });
  }

  /** Resolves when the worker has ended, in whichever way. */
  stop(): Promise<void> {
    this.#send({ kind: 'stop' });
    return this.#run.catch(() => undefined);
  }

  async #answerReload(id: number, reload: Reload): Promise<void> {
    this.#send({ kind: 'answer', id, answer: await answerOf(reload, (error) => logBug('Reload', error)) });
  }

  async #answerMetrics(id: number, metrics: Metrics): Promise<void> {
    const answer = await answerOf(
      () => metrics.page(),
      (error) => logBug('Writing metrics', error),
    );
    const moved = 'value' in answer && answer.value !== null ? [answer.value.buffer] : [];
    this.#send({ kind: 'page', id, answer }, moved);
  }

  async #answerCrowded(id: number, compile: () => ReturnType<CompileForThroughput>): Promise<void> {
    const answer = await answerOf(compile, (error) => logBug('Compiling for throughput', error));
    this.#send({ kind: 'throughput-variant', id, answer });
  }

  #warmedUp(id: number, outcome: WarmUpOutcome | null): void {
    this.#warming.get(id)?.(outcome);
    this.#warming.delete(id);
  }

  #applied(epoch: number): void {
    for (const [waiting, resolve] of this.#waiting) {
      if (waiting > epoch) continue;
      this.#waiting.delete(waiting);
      resolve();
    }
  }

  #send(command: OwnerCommand, moved: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(command, moved);
  }
}
