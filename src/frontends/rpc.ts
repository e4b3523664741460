import type { CallContext } from '../servables/serving.js';

/**
 * One unary RPC on bytes: no transport type crosses this line, so every transport serves the same methods and the same tests.
 * Rejects with a `ServingError`.
 */
export type RpcMethod = (request: Uint8Array, call: RpcCall) => Promise<Uint8Array> | Uint8Array;

export interface RpcCall extends CallContext {
  /** Adds a trailing metadata entry to the answer. */
  setTrailer(name: string, value: string): void;
}

/** Methods by full path, for example `/tensorflow.serving.PredictionService/Predict`. */
export type RpcService = ReadonlyMap<string, RpcMethod>;
