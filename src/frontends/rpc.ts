import { ServingError } from '../errors.js';
import type { CallContext } from '../servables/serving.js';
import { ScatteredMessage } from './protobuf/scattered-message.js';
import { logWithheldDetail } from './withheld-detail.js';

/**
 * One unary RPC on bytes: no transport type crosses this line, so every transport serves the same methods and the same tests.
 * Rejects with a `ServingError`.
 */
export type RpcMethod = (request: Uint8Array, call: RpcCall) => Promise<RpcAnswer> | RpcAnswer;

/** A message, or one whose tensors still lie in leased memory; that only where {@link RpcCall.takesRegions}. */
export type RpcAnswer = Uint8Array | ScatteredMessage;

export interface RpcCall extends CallContext {
  /** Adds a trailing metadata entry to the answer. */
  setTrailer(name: string, value: string): void;
  /** Whether the transport sends tensors from where they lie. */
  readonly takesRegions?: boolean;
}

/** The answer to a call that takes no regions. */
export function wholeMessage(answer: RpcAnswer): Uint8Array {
  if (answer instanceof ScatteredMessage) throw new Error('a scattered message for a transport that takes none');
  return answer;
}

/** How a call ended that failed. */
export interface RpcFailure {
  /** Of the catalogue, whose numbers are gRPC's own. */
  readonly code: number;
  readonly details: string;
}

/** The status of a call that failed; faults that are not of the catalogue are told to `onBug`. */
export function failureOf(error: unknown, onBug: (error: unknown) => void): RpcFailure {
  if (error instanceof ServingError) {
    logWithheldDetail(error);
    return error.grpcStatus();
  }
  onBug(error);
  return new ServingError('INTERNAL_ERROR').grpcStatus();
}

/** A method without anything to wait for: what it throws must still reach the transport as a rejection. */
export function rejecting(method: (request: Uint8Array, call: RpcCall) => Uint8Array): RpcMethod {
  return (request, call) => new Promise((resolve) => resolve(method(request, call)));
}

/**
 * One RPC with streams on both sides, on bytes; a client that sends or takes only one message is served the same. Ends when the
 * messages it returns end; what it throws is the status. `call.signal` is aborted when the client is gone or the server stops, and
 * nothing that it returns afterwards is sent.
 */
export interface RpcStream {
  readonly stream: (requests: AsyncIterable<Uint8Array>, call: RpcCall) => AsyncIterable<Uint8Array>;
}

/** Methods by full path, for example `/tensorflow.serving.PredictionService/Predict`. */
export type RpcService = ReadonlyMap<string, RpcMethod | RpcStream>;

/** Which of the APIs a call of a path counts for. */
export function apiOfPath(path: string): CallContext['api'] {
  return path.startsWith('/inference.') ? 'KServe' : 'TensorFlowServing';
}
