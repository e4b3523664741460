import type { ServingError } from '../errors.js';
import { wholeMessage, type RpcCall, type RpcStream } from '../frontends/rpc.js';
import type { IngressCall } from './ingress-call.js';

/** What a call with streams needs of its transport. */
export interface StreamEnds {
  /** The next message may be told of. */
  next(call: IngressCall): void;
  /** Sends one message; resolves when it is sent or dropped. */
  send(call: IngressCall, message: Uint8Array): Promise<void>;
  /** @param error `null` when the call ended well. */
  finish(call: IngressCall, error: unknown): void;
}

/** A call with streams: it ends once, by itself, by its client or by the server. Never more than one message of it waits here. */
export class IngressStream {
  readonly #call: IngressCall;
  readonly #ends: StreamEnds;
  readonly #messages: Uint8Array[] = [];
  #isHalfClosed = false;
  #isOver = false;
  #wake: (() => void) | null = null;

  constructor(call: IngressCall, ends: StreamEnds) {
    this.#call = call;
    this.#ends = ends;
  }

  received(message: Uint8Array): void {
    this.#messages.push(message);
    this.#wake?.();
  }

  halfClosed(): void {
    this.#isHalfClosed = true;
    this.#wake?.();
  }

  /** Ends the call with this error, whatever its method does. */
  abort(reason: ServingError): void {
    this.#call.abort(reason);
    this.#end(reason);
    this.#wake?.();
  }

  /** Never rejects. */
  async run(method: RpcStream): Promise<void> {
    // A stream sends small messages that are copied anyway.
    const call: RpcCall = this.#call;
    try {
      for await (const answer of method.stream(this.#requests(), call)) {
        if (this.#isOver) return;
        await this.#ends.send(this.#call, wholeMessage(answer));
      }
      this.#end(null);
    } catch (error) {
      this.#end(error);
    }
  }

  async *#requests(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) {
        yield message;
        if (!this.#isOver) this.#ends.next(this.#call);
      } else if (this.#isHalfClosed || this.#isOver) {
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        this.#wake = null;
      }
    }
  }

  #end(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ends.finish(this.#call, error);
  }
}
