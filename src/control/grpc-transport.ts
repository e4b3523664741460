import type { GrpcTransport, ServerSettings } from '../config/settings.js';
import { ServingError } from '../errors.js';
import type { NativeBinding } from '../native/binding.js';

/**
 * The server that the gRPC port gets: the one that was asked for, by `auto` the native one where it can be had. It receives tensors
 * into the memory that the native backend infers on, so it goes with no other backend.
 *
 * @throws ServingError CONFIG_VALUE_INVALID when the native one was asked for and cannot be had
 */
export function chooseGrpcTransport(
  binding: NativeBinding,
  { grpcTransport, backend }: Pick<ServerSettings, 'grpcTransport' | 'backend'>,
): Exclude<GrpcTransport, 'auto'> {
  if (grpcTransport === 'js') return 'js';
  const fault = backend === 'native' ? nghttp2Fault(binding) : `it needs --backend native, received ${backend}`;
  if (fault === '') return 'native';
  if (grpcTransport === 'auto') return 'js';
  throw new ServingError('CONFIG_VALUE_INVALID', `--grpc_transport: native cannot be had here: ${fault}`);
}

/**
 * Whether each owner worker's event loop drives its gRPC sockets itself. A thread of its own for them lets a worker receive while it infers,
 * and wakes the worker for every request, and the worker it; with two cores to a worker, that costs more than it wins (1.4 times fewer
 * tiny requests a second, measured on 2 cores). With four it finds a core that idles.
 */
export function sharesLoop(workers: number, cores: number): boolean {
  return cores < CORES_WITH_IO_THREAD * workers;
}

const CORES_WITH_IO_THREAD = 4;

/** Why the nghttp2 that this Node.js carries cannot be used; empty when it can. */
function nghttp2Fault(binding: NativeBinding): string {
  const version = process.versions['nghttp2'] ?? 'none';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major !== 1 || minor < LEAST_MINOR) return `it needs nghttp2 1.${LEAST_MINOR} or newer, received ${version}`;
  return binding.ingressFault();
}

/** Of nghttp2 1: what Node.js 20 was first built with has all that is used. */
const LEAST_MINOR = 52;
