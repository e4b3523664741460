import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ServingError } from '../../errors.js';

/** One request that has not been answered yet. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly abort: AbortController;
}

/**
 * The open connections and what runs on them: aborts the requests of a client that leaves, and tells idle connections from busy
 * ones, which Node's own list does not do for those that never sent a request.
 */
export class Connections {
  readonly #exchanges = new Map<Socket, Set<Exchange>>();
  #closing = false;

  add(socket: Socket): void {
    this.#exchanges.set(socket, new Set());
    socket.once('close', () => this.#remove(socket));
  }

  /** An exchange runs until its answer was written to the last byte or the client is gone. */
  begin(request: IncomingMessage, response: ServerResponse): Exchange {
    const { socket } = request;
    const exchange = { request, response, abort: new AbortController() };
    const running = this.#exchanges.get(socket);
    if (running === undefined) {
      exchange.abort.abort(new ServingError('REQUEST_CANCELLED'));
      return exchange;
    }
    running.add(exchange);
    response.once('close', () => {
      running.delete(exchange);
      // The answer may have promised to keep the connection before it was known that it must end.
      if (this.#closing && running.size === 0) socket.destroySoon();
    });
    return exchange;
  }

  running(socket: Socket): readonly Exchange[] {
    return [...(this.#exchanges.get(socket) ?? [])];
  }

  /** From now on a connection ends with its last answer. */
  get closing(): boolean {
    return this.#closing;
  }

  /** Ends idle connections at once. */
  close(): void {
    this.#closing = true;
    for (const [socket, running] of this.#exchanges) if (running.size === 0) socket.destroy();
  }

  #remove(socket: Socket): void {
    const running = this.#exchanges.get(socket) ?? [];
    this.#exchanges.delete(socket);
    for (const { abort } of running) abort.abort(new ServingError('REQUEST_CANCELLED'));
  }
}
