import type { ServerDuplexStream } from '@grpc/grpc-js';
import { once } from 'node:events';

import type { ServingError } from '../../errors.js';
import { abortSignalOf, type Cancellation } from '../../servables/cancellation.js';
import type { RpcStream } from '../rpc.js';
import { asBuffer, type GrpcCall, statusOf } from './grpc-call.js';

/** A call with streams: it ends once, by itself, by its client or by the server. */
export class StreamCall {
  readonly #call: ServerDuplexStream<Buffer, Buffer>;
  readonly #context: GrpcCall;
  readonly #onBug: (error: unknown) => void;
  #isOver = false;

  constructor(call: ServerDuplexStream<Buffer, Buffer>, context: GrpcCall, onBug: (error: unknown) => void) {
    this.#call = call;
    this.#context = context;
    this.#onBug = onBug;
  }

  /** Never rejects. */
  async run(method: RpcStream): Promise<void> {
    const { signal } = this.#context;
    await Promise.race([this.#answer(method), aborted(signal)]);
    if (!this.#isOver) this.#end(signal.reason);
  }

  abort(reason: ServingError): void {
    this.#context.abort(reason);
  }

  async #answer(method: RpcStream): Promise<void> {
    const signal = abortSignalOf(this.#context.signal);
    try {
      const requests = this.#call.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
      for await (const answer of method.stream(requests, this.#context)) {
        if (this.#isOver) return;
        if (!this.#call.write(asBuffer(answer))) await once(this.#call, 'drain', { signal });
      }
      this.#end(null);
    } catch (error) {
      this.#end(error);
    }
  }

  #end(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#context.settle();
    if (error === null) this.#call.end(this.#context.trailer);
    else this.#call.emit('error', statusOf(error, this.#context, this.#onBug));
  }
}

/** Resolves when the signal is aborted. */
export function aborted(signal: Cancellation): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });
}
