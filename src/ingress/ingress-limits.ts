import { KEEPALIVE } from '../frontends/grpc/keepalive.js';
import { MESSAGE_LIMIT_BYTES } from '../frontends/grpc/message-limit.js';
import type { IngressLimits } from '../native/ingress-binding.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * What the native ingress holds its clients to.
 *
 * @param channelArguments gRPC's own channel options, as `--grpc_channel_arguments` gives them; those that say nothing here are ignored.
 * @param memoryBytes of requests that are received or worked on at a time.
 */
export function ingressLimits(
  channelArguments: Readonly<Record<string, string | number>>,
  memoryBytes: number,
): IngressLimits {
  const number = (name: string, byDefault: number, least: number): number => {
    const value = channelArguments[name];
    return typeof value === 'number' && value >= least ? Math.min(value, 2 ** 31 - 1) : byDefault;
  };
  const maxConcurrentStreams = number('grpc.max_concurrent_streams', 1024, 1);
  return {
    maxConcurrentStreams,
    // A whole picture fits, so that a client need not wait for its message to be taken piece by piece.
    streamWindow: MIB,
    connectionWindow: 8 * MIB,
    maxFrameSize: MIB,
    headerBytes: number('grpc.max_metadata_size', 16 * KIB, KIB),
    messageBytes: MESSAGE_LIMIT_BYTES,
    unsentBytes: 32 * MIB,
    // Those of clients that have left count until their methods have ended, so resetting calls does not make room for more.
    handedCalls: maxConcurrentStreams,
    keptBytes: Math.min(256 * MIB, Math.floor(memoryBytes / 4)),
    stockBytes: Math.min(64 * MIB, Math.floor(memoryBytes / 4)),
    keepaliveTimeMs: number('grpc.keepalive_time_ms', KEEPALIVE['grpc.keepalive_time_ms'], 1),
    keepaliveTimeoutMs: number('grpc.keepalive_timeout_ms', KEEPALIVE['grpc.keepalive_timeout_ms'], 1),
  };
}
