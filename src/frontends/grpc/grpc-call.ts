import { Metadata, type ServerDuplexStream, type ServerUnaryCall } from '@grpc/grpc-js';

import { ServingError } from '../../errors.js';
import { CallCancellation } from '../../servables/cancellation.js';
import { failureOf, type RpcCall, type RpcFailure } from '../rpc.js';
import { TIMELINE_HEADER } from '../timeline.js';

type AnyCall = ServerUnaryCall<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/** What a method may know of its call, from grpc-js. */
export class GrpcCall implements RpcCall {
  readonly api: RpcCall['api'];
  readonly interface = 'gRPC';
  readonly arrived = performance.now();
  readonly trailer = new Metadata();
  readonly wantsTimeline: boolean;
  readonly #call: AnyCall;
  #cancellation: CallCancellation | null = null;
  readonly #cancel = (): void => this.abort(cancellation(this.#call));

  constructor(call: AnyCall, api: RpcCall['api']) {
    this.#call = call;
    this.api = api;
    this.wantsTimeline = call.metadata.get(TIMELINE_HEADER)[0] === '1';
  }

  /** Made when somebody asks: metadata and status calls never do. */
  get signal(): CallCancellation {
    if (this.#cancellation === null) {
      this.#cancellation = new CallCancellation();
      if (this.#call.cancelled) this.#cancel();
      else this.#call.once('cancelled', this.#cancel);
    }
    return this.#cancellation;
  }

  abort(reason: ServingError): void {
    this.#cancellation?.abort(reason);
  }

  /** The method has ended. grpc-js reports every call as cancelled once it is over, which would abort for nothing (3-4 % of CPU). */
  settle(): void {
    this.#call.removeListener('cancelled', this.#cancel);
  }

  setTrailer(name: string, value: string): void {
    this.trailer.set(name, value);
  }
}

/** Why a call need not begin; `null` when it must. */
export function endOf(call: AnyCall): ServingError | null {
  return call.cancelled || isPast(call) ? cancellation(call) : null;
}

/** grpc-js reports both as cancelled: past the deadline it was the deadline. */
function cancellation(call: AnyCall): ServingError {
  return new ServingError(isPast(call) ? 'DEADLINE_EXCEEDED' : 'REQUEST_CANCELLED');
}

function isPast(call: AnyCall): boolean {
  return Number(call.getDeadline()) <= Date.now();
}

/** The same memory. */
export function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** The status of a call that failed, as grpc-js takes it. */
export function statusOf(error: unknown, { trailer }: GrpcCall, onBug: (error: unknown) => void): RpcStatus {
  return { ...failureOf(error, onBug), metadata: trailer };
}

export interface RpcStatus extends RpcFailure {
  readonly metadata: Metadata;
}
