import { METHOD } from '#src/frontends/tfs/method.js';
import { encodeMetadataRequest } from '#src/frontends/tfs/metadata-message.js';
import { encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { encodeStatusRequest } from '#src/frontends/tfs/status-message.js';
import { DUMMY_BODY, DUMMY_INPUT } from './dummy-servables.js';
import { GrpcClient } from './grpc-client.js';
import { restPredict } from './rest-client.js';

/** How often each way to end was seen, as `call: code text`. */
export type Endings = ReadonlyMap<string, number>;

/**
 * Calls a servable with the ports of the dummy over and over, in every way at once, while `use` runs and until each way has been taken
 * once more behind it.
 */
export async function underLoad(
  { grpcPort, restPort }: { readonly grpcPort: number; readonly restPort: number },
  servable: string,
  use: () => Promise<void>,
): Promise<Endings> {
  const endings = new Map<string, number>();
  const client = new GrpcClient(grpcPort);
  const named = { name: servable, version: null };
  const grpc = async (method: string, request: Uint8Array): Promise<string> => {
    const { code, details } = await client.call(method, request);
    return `${code} ${details}`.trim();
  };
  const calls: Readonly<Record<string, () => Promise<string>>> = {
    predict: () => grpc(METHOD.PREDICT, encodePredictRequest(servable, null, [DUMMY_INPUT])),
    metadata: () => grpc(METHOD.GET_MODEL_METADATA, encodeMetadataRequest(servable, null)),
    status: () => grpc(METHOD.GET_MODEL_STATUS, encodeStatusRequest(named)),
    rest: async () => {
      const { status, text } = await restPredict(restPort, servable, DUMMY_BODY);
      return status === 200 ? '200' : `${status} ${text}`;
    },
  };
  let isOver = false;
  const loops = Object.entries(calls).map(async ([name, call]) => {
    for (let isLast = false; !isLast;) {
      isLast = isOver;
      const ending = `${name}: ${await call()}`;
      endings.set(ending, (endings.get(ending) ?? 0) + 1);
    }
  });
  try {
    await use();
  } finally {
    isOver = true;
    await Promise.all(loops);
    client.close();
  }
  return endings;
}

/** The endings of calls that were all answered. */
export const ALL_ANSWERED = ['metadata: OK', 'predict: OK', 'rest: 200', 'status: OK'];
