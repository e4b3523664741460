import { KEEPALIVE } from '../frontends/grpc/keepalive.js';
import { MESSAGE_LIMIT_BYTES } from '../frontends/grpc/message-limit.js';
import { STOPPING } from '../frontends/stopping.js';
import type { IngressLimits } from '../native/ingress-binding.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** A time of gRPC that never comes. */
const NEVER_MS = 2 ** 31 - 1;

/** What `--grpc_channel_arguments` may say here, and the least that each may be; the defaults are those of gRPC's C++ server. */
const LEAST = {
  'grpc.max_concurrent_streams': 1,
  'grpc.max_metadata_size': KIB,
  'grpc.http2.max_frame_size': 16 * KIB,
  'grpc.http2.lookahead_bytes': 64 * KIB,
  'grpc.server_handshake_timeout_ms': 1,
  'grpc.keepalive_time_ms': 1,
  'grpc.keepalive_timeout_ms': 1,
  'grpc.max_connection_idle_ms': 1,
  'grpc.max_connection_age_ms': 1,
  'grpc.max_connection_age_grace_ms': 1,
} as const;
type ArgumentName = keyof typeof LEAST;
type ChannelArguments = Readonly<Record<string, string | number>>;

function valueOf(channelArguments: ChannelArguments, name: ArgumentName): number | null {
  const value = channelArguments[name];
  return typeof value === 'number' && value >= LEAST[name] ? Math.min(value, NEVER_MS) : null;
}

/** Channel arguments that change nothing here, each with the reason. */
export function ignoredArguments(channelArguments: ChannelArguments): string[] {
  return Object.entries(channelArguments).flatMap(([name, value]) => {
    if (!Object.hasOwn(LEAST, name)) return [`${name} has no effect with the native gRPC transport`];
    const known = name as ArgumentName;
    if (valueOf(channelArguments, known) !== null) return [];
    return [`${name} is ignored - Expected: a whole number from ${LEAST[known]} on; Actual: ${value}`];
  });
}

/**
 * What the native ingress holds its clients to.
 *
 * @param channelArguments gRPC's own channel options, as `--grpc_channel_arguments` gives them; see {@link ignoredArguments}.
 * @param memoryBytes of requests that are received or worked on at a time.
 */
export function ingressLimits(channelArguments: ChannelArguments, memoryBytes: number): IngressLimits {
  const number = (name: ArgumentName, byDefault: number): number => valueOf(channelArguments, name) ?? byDefault;
  const time = (name: ArgumentName): number => {
    const milliseconds = number(name, NEVER_MS);
    return milliseconds === NEVER_MS ? 0 : milliseconds;
  };
  const maxConcurrentStreams = number('grpc.max_concurrent_streams', 1024);
  // A whole picture fits, so that a client need not wait for its message to be taken piece by piece.
  const streamWindow = number('grpc.http2.lookahead_bytes', MIB);
  return {
    maxConcurrentStreams,
    streamWindow,
    connectionWindow: Math.max(8 * MIB, streamWindow),
    maxFrameSize: Math.min(number('grpc.http2.max_frame_size', MIB), 2 ** 24 - 1),
    headerBytes: number('grpc.max_metadata_size', 16 * KIB),
    messageBytes: MESSAGE_LIMIT_BYTES,
    unsentBytes: 32 * MIB,
    // Those of clients that have left count until their methods have ended, so resetting calls does not make room for more.
    handedCalls: maxConcurrentStreams,
    keptBytes: Math.min(256 * MIB, Math.floor(memoryBytes / 4)),
    stockBytes: Math.min(64 * MIB, Math.floor(memoryBytes / 4)),
    handshakeTimeoutMs: number('grpc.server_handshake_timeout_ms', 120_000),
    keepaliveTimeMs: number('grpc.keepalive_time_ms', KEEPALIVE['grpc.keepalive_time_ms']),
    keepaliveTimeoutMs: number('grpc.keepalive_timeout_ms', KEEPALIVE['grpc.keepalive_timeout_ms']),
    maxIdleMs: time('grpc.max_connection_idle_ms'),
    maxAgeMs: time('grpc.max_connection_age_ms'),
    maxAgeGraceMs: time('grpc.max_connection_age_grace_ms'),
    ...STOPPING,
    stallPatienceMs: 10_000,
  };
}
