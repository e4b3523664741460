import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { ServingError } from '../../errors.js';
import { hasUnsent, movedBytes } from '../socket-progress.js';
import type { StoppingLimits } from '../stopping.js';

/** One request that has not been answered yet. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly abort: AbortController;
}

/** Looks at a connection that is to end, in the shortest time that it may be silent. */
const LOOKS = 4;

/**
 * The open connections and what runs on them. Aborts the requests of a client that leaves, and ends connections so that everything that
 * was written arrives: the server's side is closed first, and what the client still says is read to its end (RFC 9112, 9.6).
 */
export class Connections {
  readonly #connections = new Map<Socket, Connection>();
  /** Those that are to end. */
  readonly #watched = new Set<Connection>();
  readonly #limits: StoppingLimits;
  readonly #onNotice: (text: string) => void;
  #timer: NodeJS.Timeout | null = null;
  #closingSince: number | null = null;
  #allClosed: (() => void) | null = null;

  /** @param onNotice hears of connections that were cut off. */
  constructor(limits: StoppingLimits, onNotice: (text: string) => void) {
    this.#limits = limits;
    this.#onNotice = onNotice;
  }

  add(socket: Socket): void {
    const connection = new Connection(socket);
    this.#connections.set(socket, connection);
    // Node.js calls this after the last answer; its own would have the system reset a connection with bytes that are unread.
    socket.destroySoon = () => this.leave(socket);
    // A reset is over at once; `close` follows a turn of the loop later.
    socket.once('error', () => connection.abort());
    socket.once('close', () => this.#remove(connection));
    if (this.#closingSince !== null) this.#watch(connection);
  }

  /**
   * An exchange runs until its answer was written to the last byte or the client is gone.
   *
   * @returns `null` for a request that came after the last answer of its connection was announced: it is dropped.
   */
  begin(request: IncomingMessage, response: ServerResponse): Exchange | null {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined || connection.isLast) return null;
    const exchange = { request, response, abort: new AbortController() };
    const { running } = connection;
    running.add(exchange);
    connection.newest = exchange;
    connection.hasAnswers ||= this.#closingSince !== null;
    response.once('close', () => running.delete(exchange));
    return exchange;
  }

  running(socket: Socket): readonly Exchange[] {
    return [...(this.#connections.get(socket)?.running ?? [])];
  }

  /**
   * Whether the connection ends with this answer.
   *
   * @param closes whether it must. While the server stops it is the answer to the last request that has come.
   */
  endsWith(exchange: Exchange, closes: boolean): boolean {
    if (!closes && this.#closingSince === null) return false;
    const connection = this.#connections.get(exchange.request.socket);
    if (connection === undefined) return true;
    const isLast = closes || connection.newest === exchange;
    connection.isLast ||= isLast;
    return isLast;
  }

  /** Ends a connection once everything that was written to it has left. */
  leave(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined || connection.leavesAt !== null) return;
    connection.isLast = true;
    connection.leavesAt = performance.now() + this.#limits.unfinishedMs;
    socket.end();
    socket.resume();
    this.#watch(connection);
  }

  /** Whether the server has said its last word there. */
  isLeaving(socket: Socket): boolean {
    return this.#connections.get(socket)?.leavesAt != null;
  }

  /** From now on a connection ends with its last answer, and one without a request after a moment. */
  close(): void {
    this.#closingSince ??= performance.now();
    for (const connection of this.#connections.values()) {
      connection.hasAnswers ||= connection.running.size > 0 || hasUnsent(connection.socket);
      this.#watch(connection);
    }
  }

  /** Resolves when no connection is open. */
  async ended(): Promise<void> {
    while (this.#connections.size > 0) await new Promise<void>((resolve) => (this.#allClosed = resolve));
  }

  #watch(connection: Connection): void {
    if (this.#watched.has(connection)) return;
    connection.note(performance.now(), this.#limits);
    this.#watched.add(connection);
    this.#timer ??= setInterval(() => void this.#look(), this.#limits.quietMs / LOOKS);
  }

  /** What a busy event loop has not read yet counts, too: therefore the second look. */
  async #look(): Promise<void> {
    const due = [...this.#watched].filter((connection) => this.#isDue(connection));
    if (due.length === 0) return;
    await turn();
    for (const connection of due) if (this.#isDue(connection)) this.#end(connection);
  }

  #isDue(connection: Connection): boolean {
    const now = performance.now();
    const awaited = connection.awaited();
    if (awaited === 'server') connection.movedAt = now;
    else connection.note(now, this.#limits);
    const still = now - connection.movedAt;
    const hasLeft = connection.leavesAt !== null && now >= connection.leavesAt;
    const isOverdue = now - (this.#closingSince ?? now) >= this.#limits.unfinishedMs;
    switch (awaited) {
      case 'server':
        return false;
      case 'reading':
        // Slow readers have all the time that there is, as long as the server runs.
        return this.#closingSince !== null && (still >= this.#limits.stalledMs || hasLeft);
      case 'request':
        return this.#closingSince !== null && (still >= this.#limits.quietMs || isOverdue);
      case 'nothing':
        return still >= this.#limits.quietMs || isOverdue || hasLeft;
    }
  }

  #end(connection: Connection): void {
    const { socket } = connection;
    if (connection.leavesAt === null && connection.running.size === 0) return this.leave(socket);
    if (connection.awaited() === 'reading' && hasUnsent(socket)) {
      const client = `${socket.remoteAddress ?? 'a client that is gone'}:${socket.remotePort ?? ''}`;
      this.#onNotice(`${client} has not read its answer for too long`);
    }
    socket.destroy();
  }

  #remove(connection: Connection): void {
    this.#connections.delete(connection.socket);
    if (this.#connections.size === 0) this.#allClosed?.();
    this.#watched.delete(connection);
    if (this.#watched.size === 0 && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
    connection.abort();
  }
}

/** What a connection that is to end waits for: the server, a client that reads or sends, or nothing in particular. */
type Awaited = 'server' | 'reading' | 'request' | 'nothing';

class Connection {
  readonly running = new Set<Exchange>();
  newest: Exchange | null = null;
  /** Its last answer is known: further requests are dropped. */
  isLast = false;
  /** Answers were on their way when the server began to stop, or came afterwards. */
  hasAnswers = false;
  /** When a client that goes on talking is cut off; `null` until the server has said its last word. */
  leavesAt: number | null = null;
  movedAt = 0;
  #moved = 0;

  constructor(readonly socket: Socket) {}

  /** Notes whether bytes have moved since the last call. */
  note(now: number, { unfinishedMs }: StoppingLimits): void {
    const moved = movedBytes(this.socket);
    if (moved === this.#moved && this.movedAt > 0) return;
    if (this.leavesAt !== null && hasUnsent(this.socket)) this.leavesAt = now + unfinishedMs;
    this.#moved = moved;
    this.movedAt = now;
  }

  /** Nobody reads the answers any more. */
  abort(): void {
    for (const { abort } of this.running) abort.abort(new ServingError('REQUEST_CANCELLED'));
  }

  awaited(): Awaited {
    if (this.leavesAt !== null) return this.hasAnswers || hasUnsent(this.socket) ? 'reading' : 'nothing';
    if (this.running.size === 0) return 'nothing';
    const exchanges = [...this.running];
    if (exchanges.some(({ request, response }) => request.complete && !response.writableEnded)) return 'server';
    return exchanges.some(({ response }) => response.writableEnded) ? 'reading' : 'request';
  }
}
