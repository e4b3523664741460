import { ServingError } from '../../../errors.js';
import { countExpected } from '../../../servables/expected-inputs.js';
import type { CallContext, PredictResult, Serving } from '../../../servables/serving.js';
import { countingRefusals } from '../../counting-refusals.js';
import { inKserveWords } from '../../kserve/words.js';
import type { ServerState } from '../../server-state.js';
import type { Endpoint, RestAnswer, RestRequest } from '../endpoint.js';
import { parseVersion } from '../router.js';
import { DECODE_OFF_LOOP_BYTES, timelineHeader } from '../tfs-endpoints.js';
import { encodeInferAnswer } from './infer-answer.js';
import { placeInputs, requestTensors, splitBody } from './infer-body.js';
import { decodeInferJson, type InferDocument } from './infer-json.js';
import { modelMetadataJson, serverMetadataJson } from './metadata-json.js';

/** `decodeInferJson` on another thread, with the same contract. */
export type DecodeInferOffLoop = (json: Uint8Array) => Promise<InferDocument>;

/** Says, in a request, where its JSON ends, and in an answer the same. */
const JSON_LENGTH_HEADER = 'inference-header-content-length';

// One character may stand in front (as OVMS 2026.2.1): in practice the second slash of a base URL that ends in one.
const SERVABLE = String.raw`^.?/v2/models/(?<name>[^/:]+)(?:/versions/(?<version>\d+))?`;

/**
 * The KServe v2 REST API of OVMS 2026.2.1.
 * @param decodeOffLoop decodes JSON of more than `DECODE_OFF_LOOP_BYTES`; without it all is decoded on the event loop.
 */
export function kserveEndpoints(
  serving: Serving,
  server: ServerState,
  decodeOffLoop?: DecodeInferOffLoop,
): readonly Endpoint[] {
  const get = (path: RegExp, handle: Endpoint['handle']): Endpoint => ({ api: 'KServe', method: 'GET', path, handle });
  return [
    get(/^.?\/v2$/, () => ({ status: 200, body: serverMetadataJson(server.version) })),
    get(/^.?\/v2\/health\/live$/, () => OK),
    get(/^.?\/v2\/health\/ready$/, () => requireReady(server.isReady(), 'SERVER_NOT_READY')),
    get(new RegExp(`${SERVABLE}/ready$`), (request) => modelReady(serving, request)),
    get(new RegExp(`${SERVABLE}/?$`), (request) => modelMetadata(serving, request)),
    {
      api: 'KServe',
      method: 'POST',
      path: new RegExp(`${SERVABLE}/infer$`),
      handle: (request) => infer(serving, decodeOffLoop, request),
    },
  ];
}

const OK: RestAnswer = { status: 200, body: '' };

function requireReady(isReady: boolean, code: 'SERVER_NOT_READY' | 'MODEL_VERSION_NOT_LOADED'): RestAnswer {
  if (!isReady) throw new ServingError(code);
  return OK;
}

function modelReady(serving: Serving, request: RestRequest): RestAnswer {
  const { name, version } = servableOf(request);
  return requireReady(serving.ready(name, version, request.call), 'MODEL_VERSION_NOT_LOADED');
}

function modelMetadata(serving: Serving, request: RestRequest): RestAnswer {
  const { name, version } = servableOf(request);
  return { status: 200, body: modelMetadataJson(serving.metadata(name, version, request.call)) };
}

async function infer(
  serving: Serving,
  decodeOffLoop: DecodeInferOffLoop | undefined,
  request: RestRequest,
): Promise<RestAnswer> {
  const { name, version } = servableOf(request);
  const { body, headers, call } = request;
  try {
    const { json, binary } = splitBody(body, headers[JSON_LENGTH_HEADER] as string | undefined);
    const document = await decode(decodeOffLoop, json);
    const placed = placeInputs(document, binary);
    const infos = await serving.inputs(name, version, call);
    const expected = countExpected(infos, (sent) => placed.some(({ input }) => input.name === sent));
    const inputs = countingRefusals(serving, name, version, call, () => requestTensors(placed, expected));
    return answer(name, document, await serving.predict({ servable: name, version, inputs }, call), call);
  } catch (error) {
    throw inKserveWords(error);
  }
}

function answer(
  modelName: string,
  { id, binaryOutputs }: InferDocument,
  result: PredictResult,
  call: CallContext,
): RestAnswer {
  try {
    const head = { modelName, version: result.version, id };
    const { body, jsonBytes } = encodeInferAnswer(head, result.outputs, binaryOutputs);
    result.encoded();
    const lengths = jsonBytes === null ? {} : { [JSON_LENGTH_HEADER]: String(jsonBytes) };
    return { status: 200, body, headers: { ...lengths, ...timelineHeader(result, call) } };
  } finally {
    result.release();
  }
}

function decode(
  decodeOffLoop: DecodeInferOffLoop | undefined,
  json: Uint8Array,
): Promise<InferDocument> | InferDocument {
  if (decodeOffLoop === undefined || json.byteLength <= DECODE_OFF_LOOP_BYTES) return decodeInferJson(json);
  return decodeOffLoop(json);
}

function servableOf({ parameters }: RestRequest): { readonly name: string; readonly version: bigint | null } {
  return { name: parameters['name'] ?? '', version: parseVersion(parameters['version']) };
}
