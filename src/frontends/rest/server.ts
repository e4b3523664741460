import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Socket } from 'node:net';
import type { CorsSettings } from '../../config/settings.js';
import { ServingError } from '../../errors.js';
import type { CallContext } from '../../servables/serving.js';
import { type AcceptWaiting, closeListening } from '../close-listening.js';
import { corsHeaders, errorAnswer, sendAnswer, sendRawAnswer } from './answer.js';
import { Connections, type Exchange } from './connections.js';
import type { Endpoint, RestAnswer } from './endpoint.js';
import { announcesTooMuch, BODY_LIMIT, readBody } from './request-body.js';
import { matchRoute, type RouteMatch } from './router.js';
import { STOPPING, type StoppingLimits } from '../stopping.js';
import { TIMELINE_HEADER } from '../timeline.js';
import { logWithheldDetail } from '../withheld-detail.js';
import { type DecodeOffLoop, type RestBackend, tfsEndpoints } from './tfs-endpoints.js';

export interface RestServerOptions {
  readonly cors: CorsSettings;
  /** For the end, when the socket is closed on which Node.js accepts. */
  readonly acceptWaiting: AcceptWaiting;
  /** Called with whatever is no `ServingError`; the client gets INTERNAL_ERROR. Must not throw. */
  readonly onBug: (error: unknown) => void;
  /** Hears of connections that were cut off for what their clients did. */
  readonly onNotice?: (text: string) => void;
  /** Decodes bodies of more than `DECODE_OFF_LOOP_BYTES`; without it all are decoded on the event loop. */
  readonly decodeOffLoop?: DecodeOffLoop;
  /** Further APIs on the same port; earlier lines of the table win, and those of TensorFlow Serving come first. */
  readonly endpoints?: readonly Endpoint[];
  /** Bytes of a body, inflated or not; 1 GiB by default. */
  readonly bodyLimit?: number;
  /** `STOPPING` by default. */
  readonly stopping?: StoppingLimits;
}

export interface RestServer {
  /** Not listening yet: the caller chooses where. */
  readonly server: Server;
  /**
   * Stops accepting, and resolves once every request that came whole was answered and every connection has ended. Connections without a
   * request stay for a moment, and end by the limits of `STOPPING` where their clients do not move.
   */
  close(): Promise<void>;
}

/**
 * The REST API over HTTP/1.1 (HTTP/1.0 clients included), without Server and Date headers and without time limits: a slow client
 * is served as long as it stays (as OVMS 2026.2.1). Offers to upgrade the protocol are ignored.
 */
export function createRestServer(backend: RestBackend, options: RestServerOptions): RestServer {
  const transport = new RestTransport([...tfsEndpoints(backend, options), ...(options.endpoints ?? [])], options);
  return { server: transport.server, close: () => transport.close() };
}

/** Milliseconds. */
const KEEP_ALIVE_DELAY = 60_000;

/** No time limit ends a connection; peers that vanished are found by TCP's own probes. */
const SERVER_OPTIONS: ServerOptions = {
  requestTimeout: 0,
  headersTimeout: 0,
  keepAliveTimeout: 0,
  requireHostHeader: false,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: KEEP_ALIVE_DELAY,
};

/** As `SERVER_OPTIONS` say, and Node.js has it for HTTP. */
const SOCKETS = { allowHalfOpen: true, keepAliveDelay: KEEP_ALIVE_DELAY };

class RestTransport {
  readonly server: Server;
  readonly #endpoints: readonly Endpoint[];
  readonly #options: RestServerOptions;
  readonly #bodyLimit: number;
  readonly #cors: Readonly<Record<string, string>>;
  readonly #connections: Connections;

  constructor(endpoints: readonly Endpoint[], options: RestServerOptions) {
    this.#endpoints = endpoints;
    this.#options = options;
    this.#bodyLimit = options.bodyLimit ?? BODY_LIMIT;
    this.#cors = corsHeaders(options.cors);
    this.#connections = new Connections(options.stopping ?? STOPPING, (text) => options.onNotice?.(text));
    this.server = createServer(SERVER_OPTIONS);
    // Those that Node.js takes for idle may have answers that are not sent yet.
    this.server.closeIdleConnections = () => undefined;
    this.#listen();
  }

  async close(): Promise<void> {
    this.#connections.close();
    if (!this.server.listening) return;
    await new Promise<void>((resolve) => closeListening(this.server, this.#options.acceptWaiting, SOCKETS, resolve));
    await this.#connections.ended();
  }

  #listen(): void {
    this.server.on('connection', (socket: Socket) => this.#connections.add(socket));
    this.server.on('request', (request, response) => void this.#serve(request, response));
    this.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      if (!announcesTooMuch(request, this.#bodyLimit)) response.writeContinue();
      void this.#serve(request, response);
    });
    // An expectation nobody has heard of may be ignored, and the reference does.
    this.server.on('checkExpectation', (request, response) => void this.#serve(request, response));
    this.server.on('connect', (_request, socket: Duplex) =>
      this.#refuse(socket, new ServingError('REST_UNSUPPORTED_METHOD')),
    );
    this.server.on('clientError', (error: Error, socket: Duplex) => this.#refuseGarbage(error, socket));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange = this.#connections.begin(request, response);
    if (exchange === null) return void request.resume();
    const { answer, closes } = await this.#answer(exchange);
    try {
      sendAnswer(response, answer, this.#cors, this.#connections.endsWith(exchange, closes));
    } catch (error) {
      this.#options.onBug(error);
      request.socket.destroy();
    }
  }

  async #answer(exchange: Exchange): Promise<{ answer: RestAnswer; closes: boolean }> {
    try {
      return { answer: await this.#handle(exchange), closes: false };
    } catch (error) {
      const known = this.#knownError(error);
      logWithheldDetail(known);
      return { answer: errorAnswer(known), closes: known.code === 'REST_BODY_TOO_LARGE' };
    }
  }

  async #handle({ request, abort }: Exchange): Promise<RestAnswer> {
    const { method = '', url = '', headers } = request;
    if (method === 'OPTIONS') return { status: 200, body: '' };
    if (announcesTooMuch(request, this.#bodyLimit)) throw new ServingError('REST_BODY_TOO_LARGE');
    const { route, parameters }: RouteMatch<Endpoint> = matchRoute(this.#endpoints, method, url);
    const body = await readBody(request, this.#bodyLimit);
    const call: CallContext = {
      arrived: performance.now(),
      api: route.api,
      interface: 'REST',
      signal: abort.signal,
      wantsTimeline: headers[TIMELINE_HEADER] === '1',
    };
    return route.handle({ parameters, headers, body, call });
  }

  #knownError(error: unknown): ServingError {
    if (error instanceof ServingError) return error;
    this.#options.onBug(error);
    return new ServingError('INTERNAL_ERROR', '', { cause: error });
  }

  /** Bytes that are no HTTP. What was asked well before them on the same connection is answered first. */
  #refuseGarbage(error: Error, socket: Duplex): void {
    if (!(socket instanceof Socket)) return void socket.destroy();
    // What comes after the last word is read, and means nothing.
    if (this.#connections.isLeaving(socket)) return;
    if (!socket.writable) return void socket.destroy();
    const running = this.#connections.running(socket);
    const wellAsked = running.filter(({ request }) => request.complete);
    for (const { response } of wellAsked) response.shouldKeepAlive = false;
    if (wellAsked.length === 0) this.#refuse(socket, new ServingError('MESSAGE_MALFORMED', error.message));
  }

  #refuse(socket: Duplex, error: ServingError): void {
    if (!(socket instanceof Socket)) return void socket.destroy();
    sendRawAnswer(socket, errorAnswer(error), this.#cors);
    this.#connections.leave(socket);
  }
}
