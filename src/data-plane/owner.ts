import type { MessagePort } from 'node:worker_threads';

import { BlockingPool, LOADING_THREADS, SERVING_IDLE_MS } from '../blocking/blocking-pool.js';
import { ServingError } from '../errors.js';
import { reloadEndpoint } from '../frontends/rest/config-endpoints.js';
import { kserveEndpoints } from '../frontends/rest/kserve/endpoints.js';
import { metricsEndpoint } from '../frontends/rest/metrics-endpoint.js';
import { openAiModelEndpoints } from '../frontends/rest/openai-models.js';
import type { KserveExtensions } from '../frontends/kserve/extensions.js';
import { createRestServer } from '../frontends/rest/server.js';
import { createInference } from '../inference/create-inference.js';
import type { Inference, ThroughputVariant } from '../inference/inference.js';
import { SharedMemoryRegions } from '../inference/shared-memory-regions.js';
import { loadNativeBinding } from '../native/load.js';
import { configureLogging, log } from '../observability/logger.js';
import type { MetricsBlock } from '../observability/metrics/block.js';
import type { ServableStatistics } from '../observability/metrics/statistics.js';
import { WorkerMetrics } from '../observability/metrics/worker-metrics.js';
import type { ReloadOutcome } from '../servables/reload-outcome.js';
import { WorkerServing, type UserNodeOpener } from '../servables/worker-serving.js';
import { Arena } from '../tensors/arena.js';
import { CopyCounter } from '../tensors/copy-counter.js';
import { UserNodes } from '../nodes/user-nodes.js';
import { productVersion } from '../version.js';
import { listenOn } from './accept.js';
import { openGrpcServer } from './grpc-server.js';
import { grpcServices } from './grpc-services.js';
import type { OwnerCommand, OwnerReport, OwnerTask } from './messages.js';
import { Questions } from './questions.js';
import { Readiness } from './readiness.js';
import { warmUp } from './warm-up.js';

/**
 * An owner worker: one long task of the data plane's piscina pool. It owns the connections it accepted, the scheduler and its share
 * of the infer requests, and it alone touches them. Ends when the control plane says so and everything accepted was answered.
 */
export default async function runOwner(task: OwnerTask): Promise<void> {
  configureLogging(task.log);
  const asked: Asked = {
    reloads: new Questions(),
    pages: new Questions(),
    statistics: new Questions(),
    throughputVariants: new Questions(),
  };
  const inference = await createInference(task.backend, task.nodeExecutor, (modelId) =>
    asked.throughputVariants.ask((id) => report(task.control, { kind: 'crowded', id, modelId })),
  );
  const metrics = new WorkerMetrics();
  metrics.adopt(task.metrics);
  const arena = new Arena(inference.memory, { copies: copyCounter(task.metrics) });
  inference.useArena(arena);
  const share = (nireq: number): number => Math.max(1, Math.floor(nireq / task.workers));
  const userNodes = new UserNodes(arena, task.backend === 'native', task.log);
  const blocking = new BlockingPool(SERVING_IDLE_MS, LOADING_THREADS);
  const openUserNode: UserNodeOpener = (reference) => userNodes.open(reference);
  const serving = new WorkerServing(inference, arena, share, openUserNode, metrics, blocking);
  const readiness = new Readiness(productVersion());
  const stop = followControlPlane(task.control, { serving, metrics, readiness }, asked);
  await serving.apply(task.snapshot);
  readiness.observe(task.snapshot);
  const closeFrontends = await openFrontends(task, serving, readiness, { inference, arena, blocking }, asked);
  report(task.control, { kind: 'ready' });

  await stop;
  await closeFrontends();
  await blocking.close();
  await serving.idle();
  serving.close();
  await userNodes.close();
  await inference.close();
  if (arena.leasedRegions > 0) log.serving.error(`${arena.leasedRegions} tensor regions were never given back`);
  task.control.close();
}

/** What this worker asks the control plane. */
interface Asked {
  readonly reloads: Questions<ReloadOutcome>;
  /** Of metrics; `null`: they are off. */
  readonly pages: Questions<Uint8Array | null>;
  readonly statistics: Questions<readonly ServableStatistics[]>;
  /** `null`: there is none. */
  readonly throughputVariants: Questions<ThroughputVariant | null>;
}

/** What of this worker goes with the snapshots. */
interface Followers {
  readonly serving: WorkerServing;
  readonly metrics: WorkerMetrics;
  readonly readiness: Readiness;
}

/** Applies snapshots as they come; the promise resolves at the command to stop. */
function followControlPlane(
  control: MessagePort,
  { serving, metrics, readiness }: Followers,
  { reloads, pages, statistics, throughputVariants }: Asked,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const stopping = new AbortController();
    control.on('message', (command: OwnerCommand) => {
      if (command.kind === 'stop') {
        stopping.abort(new ServingError('SERVER_STOPPING'));
        return resolve();
      }
      if (command.kind === 'warm-up') {
        const { id } = command;
        metrics.adopt(command.metrics);
        void warmUp(serving, command.snapshot, command.task, stopping.signal).then((outcome) =>
          report(control, { kind: 'warmed-up', id, outcome }),
        );
        return;
      }
      if (command.kind === 'forget') return serving.forget(command.modelId);
      if (command.kind === 'answer') return reloads.answered(command.id, command.answer);
      if (command.kind === 'page') return pages.answered(command.id, command.answer);
      if (command.kind === 'statistics') return statistics.answered(command.id, command.answer);
      if (command.kind === 'throughput-variant') return throughputVariants.answered(command.id, command.answer);
      const { snapshot } = command;
      metrics.adopt(command.metrics);
      serving.apply(snapshot).then(() => {
        readiness.observe(snapshot);
        report(control, { kind: 'applied', epoch: snapshot.epoch });
      }, reject);
    });
    // The control plane is gone: nobody could ever stop this worker.
    control.on('close', () => {
      for (const questions of [reloads, pages, statistics, throughputVariants]) {
        questions.abandon(new ServingError('SERVER_STOPPING'));
      }
      resolve();
    });
  });
}

/** What frontends use of this worker beside its servables. */
interface OwnerParts {
  readonly inference: Inference;
  readonly arena: Arena;
  readonly blocking: BlockingPool;
}

async function openFrontends(
  task: OwnerTask,
  serving: WorkerServing,
  readiness: Readiness,
  { inference, arena, blocking }: OwnerParts,
  { reloads, pages, statistics }: Asked,
): Promise<() => Promise<void>> {
  const onBug = (error: unknown): void =>
    log.serving.error(`Request failed by a fault of the server: ${stackOf(error)}`);
  const extensions: KserveExtensions = {
    memory: task.sharesMemory ? new SharedMemoryRegions(loadNativeBinding(), inference.memory) : null,
    statistics: () => statistics.ask((id) => report(task.control, { kind: 'statistics', id })),
    allStatuses: () => serving.allStatuses(),
  };
  const grpc = await openGrpcServer(task, grpcServices(serving, readiness, log.serving, extensions), arena, onBug);
  const rest = task.restDescriptors.map(() =>
    createRestServer(serving, {
      cors: task.cors,
      acceptWaiting: (fd) => loadNativeBinding().acceptWaiting(fd),
      onBug,
      onNotice: (text) => log.serving.warning(`REST connection of ${text}`),
      decodeOffLoop: (body, inputs) => blocking.decodePredictBody(body, inputs),
      endpoints: [
        reloadEndpoint(serving, onBug, () => reloads.ask((id) => report(task.control, { kind: 'reload', id }))),
        metricsEndpoint(() => pages.ask((id) => report(task.control, { kind: 'metrics', id }))),
        ...openAiModelEndpoints(serving),
        ...kserveEndpoints(serving, readiness, extensions, (json) => blocking.decodeInferJson(json)),
      ],
    }),
  );
  await Promise.all(rest.map(({ server }, index) => listenOn(server, task.restDescriptors[index]!)));
  return async () => {
    await Promise.all([grpc.close(), ...rest.map((server) => server.close())]);
  };
}

function copyCounter(blocks: readonly MetricsBlock[]): CopyCounter {
  return new CopyCounter(blocks.find(({ subject }) => subject.kind === 'worker')?.numbers);
}

function report(control: MessagePort, message: OwnerReport): void {
  control.postMessage(message);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
