import {
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerOptions,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import type { Http2Server, ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';

import { ServingError } from '../../errors.js';
import { shortened } from '../../texts.js';
import { apiOfPath, type RpcMethod, type RpcService, type RpcStream, wholeMessage } from '../rpc.js';
import { asBuffer, endOf, GrpcCall, statusOf } from './grpc-call.js';
import { JsConnections } from './js-connections.js';
import { KEEPALIVE } from './keepalive.js';
import { MESSAGE_LIMIT_BYTES } from './message-limit.js';
import { StreamCall } from './stream-call.js';
import { STOPPING, type StoppingLimits } from '../stopping.js';

const identity = (bytes: Buffer): Buffer => bytes;

/** gRPC by @grpc/grpc-js: takes accepted sockets and serves methods on bytes. */
export interface GrpcTransport {
  accept(socket: Socket): void;
  /**
   * Asks clients to open no more calls, answers every request that comes whole, and resolves when all connections have ended, by the limits
   * of `STOPPING` at the latest where a client does not move.
   */
  close(): Promise<void>;
}

/** How many bytes a client may send ahead of what was taken, and in one frame of HTTP/2. */
export interface FlowControl {
  readonly streamWindow: number;
  readonly connectionWindow: number;
  readonly maxFrameSize: number;
}

/**
 * @param channelArguments gRPC's own channel options, as `--grpc_channel_arguments` gives them; unknown ones are ignored by grpc-js.
 * @param onBug hears of faults that are not of the catalogue; the client gets INTERNAL.
 * @param onNotice hears of connections that were cut off for what their clients did.
 */
export function createJsTransport(
  service: RpcService,
  channelArguments: Readonly<Record<string, string | number>>,
  flowControl: FlowControl,
  onBug: (error: unknown) => void,
  onNotice: (text: string) => void,
  limits: StoppingLimits = STOPPING,
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
  const calls: Calls = { unary: 0, streams: new Set(), isClosing: false };
  for (const [path, method] of service) {
    if (typeof method === 'function')
      server.register(path, unaryHandler(path, method, calls, onBug), identity, identity, 'unary');
    else server.register(path, streamHandler(path, method, calls, onBug), identity, identity, 'bidi');
  }
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const connections = new JsConnections(limits, () => calls.unary > 0 || calls.streams.size > 0, onNotice);
  // The session of a socket is made while it is injected.
  let injected: Socket | null = null;
  for (const http2Server of http2ServersOf(server)) {
    shortenHeaders(http2Server);
    http2Server.on('session', (session) => {
      widenWindows(session, flowControl);
      if (injected !== null) connections.open(injected, session);
    });
  }
  return {
    accept: (socket) => {
      socket.setNoDelay(true);
      connections.add(socket);
      injected = socket;
      injector.injectConnection(socket);
      injected = null;
    },
    close: async () => {
      calls.isClosing = true;
      // A stream may last as long as its client wants.
      for (const call of calls.streams) call.abort(new ServingError('SERVER_STOPPING'));
      await connections.announce();
      // On Node 24 grpc-js takes connections that are about to close for closed ones and does not wait for their calls.
      await Promise.all([shutDown(server), connections.ended()]);
    },
  };
}

/** What runs. */
interface Calls {
  unary: number;
  readonly streams: Set<StreamCall>;
  isClosing: boolean;
}

/**
 * grpc-js leaves a session the windows of 64 KB that are Node.js's default and has no option for others: a picture of 602 KB then takes
 * ten round trips, each of which waits for a core that infers (3 % of the rate of two large networks, measured).
 */
function widenWindows(
  session: ServerHttp2Session,
  { streamWindow, connectionWindow, maxFrameSize }: FlowControl,
): void {
  session.settings({ initialWindowSize: streamWindow, maxFrameSize });
  session.setLocalWindowSize(connectionWindow);
}

/** Headers that grpc-js repeats in a status of its own, which may be longer than what the client takes. None of them is ever long. */
const REPEATED_HEADERS = [':path', 'grpc-timeout', 'grpc-encoding'] as const;

/** Shortens headers before grpc-js reads them. */
function shortenHeaders(http2Server: Http2Server): void {
  http2Server.prependListener('stream', (_stream, headers) => {
    for (const name of REPEATED_HEADERS) {
      const value = headers[name];
      if (typeof value === 'string') headers[name] = shortened(value);
    }
  });
}

/** The HTTP/2 servers of a server, which can be had from this private map only. */
function http2ServersOf(server: Server): Iterable<Http2Server> {
  return (server as unknown as { readonly http2Servers: ReadonlyMap<Http2Server, unknown> }).http2Servers.keys();
}

function shutDown(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.tryShutdown((error) => (error === undefined ? resolve() : reject(error)));
  });
}

/** A method begins once all that came with its request was read: the client may have cancelled it in the same breath. */
function unaryHandler(path: string, method: RpcMethod, calls: Calls, onBug: (error: unknown) => void) {
  const api = apiOfPath(path);
  return (call: ServerUnaryCall<Buffer, Buffer>, respond: sendUnaryData<Buffer>): void => {
    const context = new GrpcCall(call, api);
    calls.unary += 1;
    setImmediate(() => void run(call, respond, context));
  };

  async function run(
    call: ServerUnaryCall<Buffer, Buffer>,
    respond: sendUnaryData<Buffer>,
    context: GrpcCall,
  ): Promise<void> {
    try {
      const end = endOf(call);
      if (end !== null) throw end;
      const answer = await method(call.request, context);
      context.settle();
      respond(null, asBuffer(wholeMessage(answer)), context.trailer);
    } catch (error) {
      context.settle();
      respond(statusOf(error, context, onBug), null);
    } finally {
      calls.unary -= 1;
    }
  }
}

function streamHandler(path: string, method: RpcStream, calls: Calls, onBug: (error: unknown) => void) {
  const api = apiOfPath(path);
  return (call: ServerDuplexStream<Buffer, Buffer>): void => {
    const stream = new StreamCall(call, new GrpcCall(call, api), onBug);
    calls.streams.add(stream);
    void stream.run(method).then(() => calls.streams.delete(stream));
    if (calls.isClosing) stream.abort(new ServingError('SERVER_STOPPING'));
  };
}
