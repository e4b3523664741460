import assert from 'node:assert/strict';
import { METHOD as KSERVE } from '#src/frontends/kserve/method.js';
import { METHOD as TFS } from '#src/frontends/tfs/method.js';
import { encodeMetadataRequest } from '#src/frontends/tfs/metadata-message.js';
import { encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { encodeStatusRequest } from '#src/frontends/tfs/status-message.js';
import { DUMMY_BODY, DUMMY_INPUT, ZEROS } from './dummy-servables.js';
import { GrpcClient } from './grpc-client.js';
import { decodeKserve, encodeKserve, rawInferRequest } from './kserve-messages.js';
import { errorOf, restCall } from './rest-client.js';

/** How often each way to end was seen: `OK` or what the error said, under the name of the call. */
export type Endings = ReadonlyMap<string, ReadonlyMap<string, number>>;

/**
 * Calls a servable with the ports of the dummy over and over, by every method of every API at once, while `use` runs and until each
 * has been called once more behind it.
 */
export async function underLoad(
  server: { readonly grpcPort: number; readonly restPort: number },
  servable: string,
  use: () => Promise<void>,
): Promise<Endings> {
  const endings = new Map<string, Map<string, number>>();
  const client = new GrpcClient(server.grpcPort);
  let isOver = false;
  const loops = Object.entries(callsOf(client, server.restPort, servable)).map(async ([name, call]) => {
    const seen = new Map<string, number>();
    endings.set(name, seen);
    for (let isLast = false; !isLast;) {
      isLast = isOver;
      const ending = await call();
      seen.set(ending, (seen.get(ending) ?? 0) + 1);
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

type Calls = Readonly<Record<string, () => Promise<string>>>;

/** Every method of every API, about one servable. */
function callsOf(client: GrpcClient, restPort: number, servable: string): Calls {
  const grpc = (method: string, request: Uint8Array) => async (): Promise<string> => {
    const { code, details } = await client.call(method, request);
    return `${code} ${details}`.trim();
  };
  const rest = (method: string, path: string, body?: unknown) => async (): Promise<string> => {
    const answer = await restCall(restPort, method, path, body);
    return answer.status === 200 ? 'OK' : `${answer.status} ${errorOf(answer)}`;
  };
  const named = { name: servable };
  const kserveInput = { name: 'b', shape: [1, 10], datatype: 'FP32', data: ZEROS };
  return {
    Predict: grpc(TFS.PREDICT, encodePredictRequest(servable, null, [DUMMY_INPUT])),
    GetModelMetadata: grpc(TFS.GET_MODEL_METADATA, encodeMetadataRequest(servable, null)),
    GetModelStatus: grpc(TFS.GET_MODEL_STATUS, encodeStatusRequest({ ...named, version: null })),
    ModelInfer: grpc(KSERVE.MODEL_INFER, rawInferRequest(servable, [DUMMY_INPUT])),
    ModelMetadata: grpc(KSERVE.MODEL_METADATA, encodeKserve('ModelMetadataRequest', named)),
    ModelReady: async () => {
      const { code, details, bytes } = await client.call(KSERVE.MODEL_READY, encodeKserve('ModelReadyRequest', named));
      if (code !== 'OK') return `${code} ${details}`;
      return decodeKserve('ModelReadyResponse', bytes)['ready'] === true ? 'OK' : NOT_READY;
    },
    'v1 predict': rest('POST', `/v1/models/${servable}:predict`, DUMMY_BODY),
    'v1 metadata': rest('GET', `/v1/models/${servable}/metadata`),
    'v1 status': rest('GET', `/v1/models/${servable}`),
    'v1 config': rest('GET', '/v1/config'),
    'v2 infer': rest('POST', `/v2/models/${servable}/infer`, { inputs: [kserveInput] }),
    'v2 metadata': rest('GET', `/v2/models/${servable}`),
    'v2 ready': rest('GET', `/v2/models/${servable}/ready`),
  };
}

/** What the questions whether it is ready say where others fail. */
const NOT_READY = 'ready: false';
const REST_NOT_READY = '404 Model with requested version is not loaded yet';

/** An error of the documentation: gRPC code, HTTP status, text. */
export type Documented = readonly [grpc: string, http: number, text: string];

export const VERSION_NOT_FOUND: Documented = ['NOT_FOUND', 404, 'Model with requested version is not found'];
export const VERSION_NOT_LOADED: Documented = ['UNAVAILABLE', 404, 'Model with requested version is not loaded yet'];
export const PIPELINE_RETIRED: Documented = ['NOT_FOUND', 404, 'Pipeline is retired'];
export const PIPELINE_NOT_LOADED: Documented = ['UNAVAILABLE', 404, 'Pipeline is not loaded yet'];

/** Every call was answered, or ended in one of these ways. */
export function assertDocumented(endings: Endings, ...errors: readonly Documented[]): void {
  const texts = errors.flatMap(([grpc, http, text]) => [`${grpc} ${text}`, `${http} ${text}`]);
  const expected = new Set(['OK', ...texts, ...(errors.length > 0 ? [NOT_READY, REST_NOT_READY] : [])]);
  for (const [call, seen] of endings) {
    for (const [ending, times] of seen) assert.ok(expected.has(ending), `${call}, ${times} times: ${ending}`);
  }
}

/** Every call of every method was answered. */
export function assertAllAnswered(endings: Endings): void {
  assertDocumented(endings);
}
