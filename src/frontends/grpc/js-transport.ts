import {
  Metadata,
  Server,
  ServerCredentials,
  type status,
  type sendUnaryData,
  type ServerOptions,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import type { Socket } from 'node:net';

import { ServingError } from '../../errors.js';
import { TIMELINE_HEADER } from '../timeline.js';
import type { RpcCall, RpcMethod, RpcService } from '../rpc.js';

/** Largest message in both directions (as OVMS 2026.2.1). */
export const MESSAGE_LIMIT_BYTES = 1024 ** 3;

/**
 * Pings find peers that vanished and end connections that broke the HTTP/2 framing, which Node 20 leaves open and deaf. grpc-js by
 * itself never pings, gRPC's C++ server every two hours: too late for a descriptor that nobody uses.
 */
const KEEPALIVE = { 'grpc.keepalive_time_ms': 300_000, 'grpc.keepalive_timeout_ms': 20_000 } as const;

const identity = (bytes: Buffer): Buffer => bytes;

/** gRPC by @grpc/grpc-js: takes accepted sockets and serves methods on bytes. */
export interface GrpcTransport {
  accept(socket: Socket): void;
  /** Refuses new calls, lets those in flight finish, then closes every connection. */
  close(): Promise<void>;
}

/**
 * @param channelArguments gRPC's own channel options, as `--grpc_channel_arguments` gives them; unknown ones are ignored by grpc-js.
 * @param onBug hears of faults that are not of the catalogue; the client gets INTERNAL.
 */
export function createJsTransport(
  service: RpcService,
  channelArguments: Readonly<Record<string, string | number>>,
  onBug: (error: unknown) => void,
): GrpcTransport {
  const options: ServerOptions = {
    ...KEEPALIVE,
    ...channelArguments,
    'grpc.max_receive_message_length': MESSAGE_LIMIT_BYTES,
    'grpc.max_send_message_length': MESSAGE_LIMIT_BYTES,
    // Bookkeeping per call and per connection for a debugging protocol that nothing here offers.
    'grpc.enable_channelz': 0,
  };
  const server = new Server(options);
  for (const [path, method] of service) {
    server.register(path, unaryHandler(method, onBug), identity, identity, 'unary');
  }
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const closed = new Map<Socket, Promise<unknown>>();
  return {
    accept: (socket) => {
      socket.setNoDelay(true);
      closed.set(socket, new Promise((resolve) => socket.once('close', () => resolve(closed.delete(socket)))));
      injector.injectConnection(socket);
    },
    close: async () => {
      await shutDown(server);
      // On Node 24 grpc-js takes connections that are about to close for closed ones and does not wait for their calls.
      await Promise.all(closed.values());
    },
  };
}

function shutDown(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.tryShutdown((error) => (error === undefined ? resolve() : reject(error)));
  });
}

function unaryHandler(method: RpcMethod, onBug: (error: unknown) => void) {
  return (call: ServerUnaryCall<Buffer, Buffer>, respond: sendUnaryData<Buffer>): void => {
    const context = new UnaryCall(call);
    Promise.resolve()
      .then(() => method(call.request, context))
      .finally(() => context.settle())
      .then(
        (bytes) => respond(null, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), context.trailer),
        (error: unknown) => {
          if (!(error instanceof ServingError)) onBug(error);
          const known = error instanceof ServingError ? error : new ServingError('INTERNAL_ERROR');
          const { code, details } = known.grpcStatus();
          // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the catalogue's numbers are gRPC's own
          respond({ code: code as status, details, metadata: context.trailer }, null);
        },
      );
  };
}

class UnaryCall implements RpcCall {
  readonly api = 'TensorFlowServing';
  readonly interface = 'gRPC';
  readonly arrived = performance.now();
  readonly trailer = new Metadata();
  readonly wantsTimeline: boolean;
  readonly #call: ServerUnaryCall<Buffer, Buffer>;
  #abort: AbortController | null = null;
  readonly #cancel = (): void => this.#abort?.abort(cancellation(this.#call.getDeadline()));

  constructor(call: ServerUnaryCall<Buffer, Buffer>) {
    this.#call = call;
    this.wantsTimeline = call.metadata.get(TIMELINE_HEADER)[0] === '1';
  }

  /** Made when somebody asks: metadata and status calls never do. */
  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (this.#call.cancelled) this.#cancel();
      else this.#call.once('cancelled', this.#cancel);
    }
    return this.#abort.signal;
  }

  /** The method has ended. grpc-js reports every call as cancelled once it is over, which would abort for nothing (3-4 % of CPU). */
  settle(): void {
    this.#call.removeListener('cancelled', this.#cancel);
  }

  setTrailer(name: string, value: string): void {
    this.trailer.set(name, value);
  }
}

/** grpc-js reports both as cancelled: past the deadline it was the deadline. */
function cancellation(deadline: Date | number): ServingError {
  const passed = Number(deadline) <= Date.now();
  return new ServingError(passed ? 'DEADLINE_EXCEEDED' : 'REQUEST_CANCELLED');
}
