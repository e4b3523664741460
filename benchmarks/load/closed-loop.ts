import { Client, credentials } from '@grpc/grpc-js';
import { METHOD } from '#src/frontends/tfs/method.js';
import type { MeasuringWindow } from './measuring-window.js';
import type { RequestSet } from './request-set.js';

const CALL_LIMIT_MS = 60_000;
const asIs = (bytes: Buffer): Buffer => bytes;

/** Keeps a fixed number of calls in flight over a few connections, the requests in turn. */
export class ClosedLoop {
  readonly #clients: readonly Client[];
  readonly #requests: RequestSet;
  readonly #window: MeasuringWindow;
  #next = 0;

  /** Opens the connections with the first calls. */
  constructor(port: number, connections: number, requests: RequestSet, window: MeasuringWindow) {
    this.#requests = requests;
    this.#window = window;
    this.#clients = Array.from(
      { length: connections },
      () =>
        new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
          // Otherwise all clients of one address share one connection.
          'grpc.use_local_subchannel_pool': 1,
          'grpc.enable_channelz': 0,
        }),
    );
  }

  /** Until the window has closed and the last call was answered. Rejects at the first call that fails or is answered wrongly. */
  async run(calls: number): Promise<void> {
    try {
      await Promise.all(Array.from({ length: calls }, (_, call) => this.#keepCalling(call)));
    } finally {
      for (const client of this.#clients) client.close();
    }
  }

  async #keepCalling(call: number): Promise<void> {
    const client = this.#clients[call % this.#clients.length]!;
    while (!this.#window.closed) {
      const number = this.#next;
      this.#next = (number + 1) % this.#requests.count;
      const started = performance.now();
      const response = await predict(client, this.#requests.request(number));
      this.#window.add(performance.now() - started);
      this.#requests.check(number, response);
    }
  }
}

function predict(client: Client, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + CALL_LIMIT_MS };
    client.makeUnaryRequest(METHOD.PREDICT, asIs, asIs, request, options, (error, response) => {
      if (error !== null) reject(error);
      else if (response === undefined) reject(new Error('expected an answer, received none'));
      else resolve(response);
    });
  });
}
