import { Client, credentials, Metadata, status, type ClientUnaryCall } from '@grpc/grpc-js';
import { METHOD } from '#src/frontends/tfs/method.js';
import { decodePredictResponse, encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import type { WireTensor } from '#src/frontends/tfs/tensor-map.js';
import type { RequestTensor } from '#src/servables/predict-request.js';

/** How a call ended. */
export interface RpcOutcome {
  /** Name of the status code, for example `INVALID_ARGUMENT`. */
  readonly code: string;
  readonly details: string;
  /** Empty when the call failed. */
  readonly bytes: Uint8Array;
}

export interface PredictOutcome extends RpcOutcome {
  readonly outputs: ReadonlyMap<string, RequestTensor>;
}

export interface RunningCall {
  readonly outcome: Promise<RpcOutcome>;
  cancel(): void;
}

const NO_BYTES = new Uint8Array(0);
const identity = (bytes: Buffer): Buffer => bytes;

/** Calls on bytes over one connection of its own; errors are values. */
export class GrpcClient {
  readonly #client: Client;

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
    });
  }

  /** Begins a call; with `timeoutMs` it has a deadline. */
  begin(path: string, request: Uint8Array, timeoutMs?: number): RunningCall {
    let call: ClientUnaryCall | undefined;
    const outcome = new Promise<RpcOutcome>((resolve) => {
      const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
      const bytes = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
      call = this.#client.makeUnaryRequest(path, identity, identity, bytes, new Metadata(), options, (error, answer) =>
        resolve({
          code: status[error?.code ?? status.OK],
          details: error?.details ?? '',
          bytes: answer ?? NO_BYTES,
        }),
      );
    });
    return { outcome, cancel: () => call?.cancel() };
  }

  call(path: string, request: Uint8Array): Promise<RpcOutcome> {
    return this.begin(path, request).outcome;
  }

  async predict(
    servable: string,
    inputs: readonly WireTensor[],
    version: bigint | null = null,
  ): Promise<PredictOutcome> {
    const outcome = await this.call(METHOD.PREDICT, encodePredictRequest(servable, version, inputs));
    return { ...outcome, outputs: decodePredictResponse(outcome.bytes) };
  }

  close(): void {
    this.#client.close();
  }
}

/** Runs `use` with a client and closes its connection. */
export async function withGrpcClient<T>(port: number, use: (client: GrpcClient) => Promise<T>): Promise<T> {
  const client = new GrpcClient(port);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}
