import type { ServingError } from '../errors.js';
import type { RpcCall } from '../frontends/rpc.js';
import { TIMELINE_HEADER } from '../frontends/timeline.js';
import { CallCancellation } from '../servables/cancellation.js';
import type { Lease } from '../tensors/arena.js';
import { NO_REGION } from './message-regions.js';

const NO_TEXTS: readonly string[] = [];

/** What a method may know of its call, from the native ingress. */
export class IngressCall implements RpcCall {
  readonly interface = 'gRPC';
  readonly takesRegions = true;
  readonly arrived = performance.now();
  readonly signal = new CallCancellation();
  readonly wantsTimeline: boolean;
  /** The region of the request's message. */
  region = NO_REGION;
  message: Lease | null = null;
  #trailers: readonly string[] = NO_TEXTS;

  /** @param metadata names and values in turn. */
  constructor(
    readonly number: number,
    readonly api: RpcCall['api'],
    metadata: readonly string[],
  ) {
    this.wantsTimeline = valueOf(metadata, TIMELINE_HEADER) === '1';
  }

  /** Names and values in turn. */
  get trailers(): readonly string[] {
    return this.#trailers;
  }

  /** The client has left, or its deadline has passed. */
  abort(reason: ServingError): void {
    this.signal.abort(reason);
  }

  setTrailer(name: string, value: string): void {
    this.#trailers = [...this.#trailers, name, value];
  }
}

function valueOf(metadata: readonly string[], name: string): string | undefined {
  for (let index = 0; index < metadata.length; index += 2) if (metadata[index] === name) return metadata[index + 1];
  return undefined;
}
