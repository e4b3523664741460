import { closeListening } from '../frontends/close-listening.js';
import type { RpcService } from '../frontends/rpc.js';
import { ignoredArguments, ingressLimits } from '../ingress/ingress-limits.js';
import { loadNativeBinding } from '../native/load.js';
import { log } from '../observability/logger.js';
import type { Arena } from '../tensors/arena.js';
import { acceptFrom } from './accept.js';
import { TENSOR_CONTENTS } from './grpc-services.js';
import type { OwnerTask } from './messages.js';

/** Serves the gRPC port until it is closed: what was accepted is finished then. */
export interface GrpcServer {
  close(): Promise<void>;
}

/** As `acceptFrom` has them. */
const SOCKETS = { allowHalfOpen: false, keepAliveDelay: null };

/**
 * Accepts from the sockets of the task, by the transport that the task names; only that is imported.
 *
 * @param onBug hears of faults that are not of the catalogue.
 */
export async function openGrpcServer(
  task: OwnerTask,
  service: RpcService,
  arena: Arena,
  onBug: (error: unknown) => void,
): Promise<GrpcServer> {
  const { grpcDescriptors: descriptors, channelArguments, grpcMemoryBytes, grpcSharesLoop: sharesLoop } = task;
  if (task.grpcTransport === 'native') {
    const { NativeTransport } = await import('../ingress/native-transport.js');
    for (const ignored of ignoredArguments(channelArguments))
      log.serving.warning(`--grpc_channel_arguments: ${ignored}`);
    return new NativeTransport({
      binding: loadNativeBinding(),
      arena,
      service,
      contents: TENSOR_CONTENTS,
      limits: ingressLimits(channelArguments, grpcMemoryBytes),
      memoryBytes: grpcMemoryBytes,
      sharesLoop,
      descriptors,
      onBug,
      onNotice: (text) => log.serving.warning(text),
    });
  }
  const { createJsTransport } = await import('../frontends/grpc/js-transport.js');
  const flowControl = ingressLimits(channelArguments, grpcMemoryBytes);
  const grpc = createJsTransport(service, channelArguments, flowControl, onBug, (text) =>
    log.serving.warning(`gRPC connection of ${text}`),
  );
  const acceptWaiting = (fd: number): readonly number[] => loadNativeBinding().acceptWaiting(fd);
  const acceptors = await Promise.all(
    descriptors.map((descriptor) => acceptFrom(descriptor, (socket) => grpc.accept(socket))),
  );
  return {
    close: async () => {
      for (const acceptor of acceptors) closeListening(acceptor, acceptWaiting, SOCKETS);
      await grpc.close();
    },
  };
}
