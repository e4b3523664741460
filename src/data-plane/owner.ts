import type { MessagePort } from 'node:worker_threads';

import { BlockingPool } from '../blocking/blocking-pool.js';
import { createJsTransport } from '../frontends/grpc/js-transport.js';
import { ServingError } from '../errors.js';
import { reloadEndpoint } from '../frontends/rest/config-endpoints.js';
import { createRestServer } from '../frontends/rest/server.js';
import { tensorflowServingMethods } from '../frontends/tfs/service.js';
import { createInference } from '../inference/create-inference.js';
import { configureLogging, log } from '../observability/logger.js';
import type { ReloadOutcome } from '../servables/reload-outcome.js';
import { WorkerServing } from '../servables/worker-serving.js';
import { Arena } from '../tensors/arena.js';
import { UserNodes } from '../nodes/user-nodes.js';
import { acceptFrom, listenOn } from './accept.js';
import type { OwnerCommand, OwnerReport, OwnerTask } from './messages.js';
import { Questions } from './questions.js';

/**
 * An owner worker: one long task of the data plane's piscina pool. It owns the connections it accepted, the scheduler and its share
 * of the infer requests, and it alone touches them. Ends when the control plane says so and everything accepted was answered.
 */
export default async function runOwner(task: OwnerTask): Promise<void> {
  configureLogging(task.log);
  const inference = await createInference(task.backend, task.nodeExecutor);
  const arena = new Arena(inference.memory);
  inference.useArena(arena);
  const share = (nireq: number): number => Math.max(1, Math.floor(nireq / task.workers));
  const userNodes = new UserNodes(arena, task.backend === 'native', task.log);
  const serving = new WorkerServing(inference, arena, share, (reference) => userNodes.open(reference));
  const reloads = new Questions<ReloadOutcome>();
  const stop = followControlPlane(task.control, serving, reloads);
  await serving.apply(task.snapshot);
  const blocking = new BlockingPool();
  const closeFrontends = await openFrontends(task, serving, blocking, () =>
    reloads.ask((id) => report(task.control, { kind: 'reload', id })),
  );
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

/** Applies snapshots as they come; the promise resolves at the command to stop. */
function followControlPlane(
  control: MessagePort,
  serving: WorkerServing,
  reloads: Questions<ReloadOutcome>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    control.on('message', (command: OwnerCommand) => {
      if (command.kind === 'stop') return resolve();
      if (command.kind === 'answer') return reloads.answered(command.id, command.answer);
      const { snapshot } = command;
      serving.apply(snapshot).then(() => report(control, { kind: 'applied', epoch: snapshot.epoch }), reject);
    });
    // The control plane is gone: nobody could ever stop this worker.
    control.on('close', () => {
      reloads.abandon(new ServingError('SERVER_STOPPING'));
      resolve();
    });
  });
}

async function openFrontends(
  task: OwnerTask,
  serving: WorkerServing,
  blocking: BlockingPool,
  reload: () => Promise<ReloadOutcome>,
): Promise<() => Promise<void>> {
  const onBug = (error: unknown): void =>
    log.serving.error(`Request failed by a fault of the server: ${stackOf(error)}`);
  const grpc = createJsTransport(tensorflowServingMethods(serving, log.serving), task.channelArguments, onBug);
  const acceptors = await Promise.all(
    task.grpcDescriptors.map((descriptor) => acceptFrom(descriptor, (socket) => grpc.accept(socket))),
  );
  const rest = task.restDescriptors.map(() =>
    createRestServer(serving, {
      cors: task.cors,
      onBug,
      decodeOffLoop: (body, inputs) => blocking.decodePredictBody(body, inputs),
      endpoints: [reloadEndpoint(serving, onBug, reload)],
    }),
  );
  await Promise.all(rest.map(({ server }, index) => listenOn(server, task.restDescriptors[index]!)));
  return async () => {
    for (const acceptor of acceptors) acceptor.close();
    await Promise.all([grpc.close(), ...rest.map((server) => server.close())]);
  };
}

function report(control: MessagePort, message: OwnerReport): void {
  control.postMessage(message);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
