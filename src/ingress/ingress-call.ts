import type { ServingError } from '../errors.js';
import type { RpcCall } from '../frontends/rpc.js';
import { TIMELINE_HEADER } from '../frontends/timeline.js';
import type { Lease } from '../tensors/arena.js';
import { NO_REGION } from './message-regions.js';

/** What a method may know of its call, from the native ingress. */
export class IngressCall implements RpcCall {
  readonly interface = 'gRPC';
  readonly takesRegions = true;
  readonly arrived = performance.now();
  /** Names and values in turn. */
  readonly trailers: string[] = [];
  readonly wantsTimeline: boolean;
  /** The region of the request's message. */
  region = NO_REGION;
  message: Lease | null = null;
  #abort: AbortController | null = null;
  #reason: ServingError | null = null;

  /** @param metadata names and values in turn. */
  constructor(
    readonly number: number,
    readonly api: RpcCall['api'],
    metadata: readonly string[],
  ) {
    this.wantsTimeline = valueOf(metadata, TIMELINE_HEADER) === '1';
  }

  /** Made when somebody asks: metadata and status calls never do. */
  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (this.#reason !== null) this.#abort.abort(this.#reason);
    }
    return this.#abort.signal;
  }

  /** The client has left, or its deadline has passed. */
  abort(reason: ServingError): void {
    this.#reason ??= reason;
    this.#abort?.abort(reason);
  }

  setTrailer(name: string, value: string): void {
    this.trailers.push(name, value);
  }
}

function valueOf(metadata: readonly string[], name: string): string | undefined {
  for (let index = 0; index < metadata.length; index += 2) if (metadata[index] === name) return metadata[index + 1];
  return undefined;
}
