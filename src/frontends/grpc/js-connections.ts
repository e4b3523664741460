import { constants, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { hasUnsent, movedBytes } from '../socket-progress.js';
import type { StoppingLimits } from '../stopping.js';

/**
 * A GOAWAY that only announces the last one (RFC 9113, 6.8): eight bytes on stream 0, the largest last stream, no error. After one that
 * Node.js sends it ignores all new streams, whichever last stream it names.
 */
const ANNOUNCEMENT = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
/** Looks at a connection that is to end, in the shortest time that it may be silent. */
const LOOKS = 4;

/**
 * The connections of grpc-js, which by itself ends them so that calls on their way are lost, and waits for ever for clients that do
 * nothing. Kept for the end of the server only.
 */
export class JsConnections {
  readonly #connections = new Map<Socket, JsConnection>();
  readonly #limits: StoppingLimits;
  readonly #isServing: () => boolean;
  readonly #onNotice: (text: string) => void;
  #closingSince = 0;
  #allClosed: (() => void) | null = null;

  /**
   * @param isServing whether some method runs: its client cannot help that nothing moves.
   * @param onNotice hears of connections that were cut off.
   */
  constructor(limits: StoppingLimits, isServing: () => boolean, onNotice: (text: string) => void) {
    this.#limits = limits;
    this.#isServing = isServing;
    this.#onNotice = onNotice;
  }

  add(socket: Socket): void {
    const connection = new JsConnection(socket);
    this.#connections.set(socket, connection);
    socket.once('close', () => {
      this.#connections.delete(socket);
      if (this.#connections.size === 0) this.#allClosed?.();
    });
  }

  /** The session that was made for a socket. */
  open(socket: Socket, session: ServerHttp2Session): void {
    this.#connections.get(socket)?.open(session);
  }

  /** Asks every client to open no more calls, and resolves when each has heard of it, or had time to. */
  async announce(): Promise<void> {
    this.#closingSince = performance.now();
    const heard = [...this.#connections.values()].map((connection) => connection.announce());
    let timer;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, this.#limits.farewellMs)));
    await Promise.race([Promise.all(heard), patience]);
    clearTimeout(timer);
  }

  /** Resolves when every connection has ended; those that do not move are cut off. */
  async ended(): Promise<void> {
    const now = performance.now();
    for (const connection of this.#connections.values()) connection.note(now);
    const looking = setInterval(() => void this.#look(), this.#limits.quietMs / LOOKS);
    while (this.#connections.size > 0) await new Promise<void>((resolve) => (this.#allClosed = resolve));
    clearInterval(looking);
  }

  /** What a busy event loop has not read yet counts, too: therefore the second look. */
  async #look(): Promise<void> {
    const due = [...this.#connections.values()].filter((connection) => this.#isDue(connection));
    if (due.length === 0) return;
    await turn();
    for (const connection of due) if (this.#isDue(connection)) this.#end(connection);
  }

  #isDue(connection: JsConnection): boolean {
    const now = performance.now();
    if (this.#isServing()) connection.movedAt = now;
    else connection.note(now);
    const still = now - connection.movedAt;
    if (connection.isReading()) {
      return still >= this.#limits.stalledMs || connection.idleMs(now) >= this.#limits.unfinishedMs;
    }
    return still >= this.#limits.quietMs || now - this.#closingSince >= this.#limits.unfinishedMs;
  }

  #end(connection: JsConnection): void {
    if (connection.dropUnfinished()) return;
    const { socket } = connection;
    if (connection.isReading() && hasUnsent(socket)) {
      const client = `${socket.remoteAddress ?? 'a client that is gone'}:${socket.remotePort ?? ''}`;
      this.#onNotice(`${client} has not read its answers for too long while the server stops`);
    }
    connection.destroy();
  }
}

class JsConnection {
  movedAt = 0;
  #moved = 0;
  #session: ServerHttp2Session | null = null;
  readonly #streams = new Set<ServerHttp2Stream>();
  /** Calls were there when the server began to stop, or came afterwards. */
  #hasAnswers = false;
  #isClosing = false;
  #idleSince: number | null = null;

  constructor(readonly socket: Socket) {}

  open(session: ServerHttp2Session): void {
    this.#session = session;
    const streams = this.#streams;
    function forget(this: ServerHttp2Stream): void {
      streams.delete(this);
    }
    session.prependListener('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      correctTimeout(headers);
      streams.add(stream);
      this.#hasAnswers = this.#isClosing;
      stream.once('close', forget);
    });
  }

  /**
   * Resolves when the client has read the announcement. Node.js writes whole frames, so that one more fits between them; the first ping
   * makes sure that it has said hello.
   */
  async announce(): Promise<void> {
    this.#isClosing = true;
    this.#hasAnswers = this.#streams.size > 0 || hasUnsent(this.socket);
    const session = this.#session;
    if (session === null || session.destroyed) return;
    await answerToPing(session);
    if (this.socket.writable) this.socket.write(ANNOUNCEMENT);
    await answerToPing(session);
  }

  note(now: number): void {
    const moved = movedBytes(this.socket);
    if (moved === this.#moved && this.movedAt > 0) return;
    this.#moved = moved;
    this.movedAt = now;
  }

  /** For how long there has been nothing to answer and nothing to send, whatever the client says. */
  idleMs(now: number): number {
    const isAnswered = this.#calls.every(({ writableFinished }) => writableFinished);
    if (!isAnswered || hasUnsent(this.socket)) this.#idleSince = null;
    else this.#idleSince ??= now;
    return now - (this.#idleSince ?? now);
  }

  /** Whether the client has answers to read. */
  isReading(): boolean {
    if (hasUnsent(this.socket)) return true;
    const calls = this.#calls;
    return calls.length === 0 ? this.#hasAnswers : calls.some(({ headersSent }) => headersSent);
  }

  /** Resets calls that never came whole, so that their clients may try elsewhere. @returns whether there were any. */
  dropUnfinished(): boolean {
    const unfinished = this.#calls.filter(({ headersSent }) => !headersSent);
    for (const stream of unfinished) stream.close(constants.NGHTTP2_REFUSED_STREAM);
    return unfinished.length > 0;
  }

  /** One that was reset stays among the streams for as long as its client goes on sending. */
  get #calls(): readonly ServerHttp2Stream[] {
    return [...this.#streams].filter(({ closed }) => !closed);
  }

  destroy(): void {
    if (this.#session !== null && !this.#session.destroyed) this.#session.destroy();
    this.socket.destroy();
  }
}

/** Resolves with the answer, or when there will be none. */
function answerToPing(session: ServerHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    if (session.destroyed || !session.ping(() => resolve())) resolve();
  });
}

const TIMEOUT = /^\d{1,8}([HMSmun])$/;
const INVALID_TIMEOUT = 'expected up to eight digits and a unit of HMSmun';
/** The most hours that grpc-js can count: its milliseconds have 31 bits, and more of them become a deadline of the past. */
const MOST_HOURS = 596;
const UNITS_AN_HOUR: Readonly<Record<string, number>> = { H: 1, M: 60, S: 3600, m: 3_600_000 };

/** grpc-js takes for a timeout whatever contains one, and one of more than 31 bits of milliseconds for any other. */
function correctTimeout(headers: IncomingHttpHeaders): void {
  const value = headers['grpc-timeout'];
  if (value === undefined) return;
  const unit = TIMEOUT.exec(String(value))?.[1];
  if (unit === undefined) headers['grpc-timeout'] = INVALID_TIMEOUT;
  else if (parseInt(String(value), 10) / (UNITS_AN_HOUR[unit] ?? Infinity) > MOST_HOURS)
    headers['grpc-timeout'] = `${MOST_HOURS}H`;
}
