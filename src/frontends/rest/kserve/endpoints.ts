import { ServingError } from '../../../errors.js';
import { countExpected } from '../../../servables/expected-inputs.js';
import type { CallContext, PredictResult, Serving } from '../../../servables/serving.js';
import { countingRefusals } from '../../counting-refusals.js';
import { extensionNames, type KserveExtensions, repositoryIndex, servableStatistics } from '../../kserve/extensions.js';
import { modelConfig } from '../../kserve/model-config.js';
import { statisticsOf } from '../../kserve/statistics-json.js';
import { SharedTensors } from '../../kserve/shared-tensors.js';
import { inKserveWords } from '../../kserve/words.js';
import type { ServerState } from '../../server-state.js';
import type { Endpoint, RestAnswer, RestRequest } from '../endpoint.js';
import { isJsonObject, parseSmallBody } from '../json-body.js';
import { parseVersion } from '../router.js';
import { DECODE_OFF_LOOP_BYTES, timelineHeader } from '../tfs-endpoints.js';
import { encodeInferAnswer } from './infer-answer.js';
import { placeInputs, requestTensors, splitBody } from './infer-body.js';
import { decodeInferJson, type InferDocument } from './infer-json.js';
import { modelMetadataJson, serverMetadataJson } from './metadata-json.js';
import { sharedMemoryEndpoints } from './shared-memory-endpoints.js';

/** `decodeInferJson` on another thread, with the same contract. */
export type DecodeInferOffLoop = (json: Uint8Array) => Promise<InferDocument>;

/** Says, in a request, where its JSON ends, and in an answer the same. */
const JSON_LENGTH_HEADER = 'inference-header-content-length';

// One character may stand in front (as OVMS 2026.2.1): in practice the second slash of a base URL that ends in one.
const SERVABLE = String.raw`^.?/v2/models/(?<name>[^/:]+)(?:/versions/(?<version>\d+))?`;

/**
 * The KServe v2 REST API of OVMS 2026.2.1, and what clients of Triton ask for beyond.
 * @param decodeOffLoop decodes JSON of more than `DECODE_OFF_LOOP_BYTES`; without it all is decoded on the event loop.
 */
export function kserveEndpoints(
  serving: Serving,
  server: ServerState,
  extensions: KserveExtensions,
  decodeOffLoop?: DecodeInferOffLoop,
): readonly Endpoint[] {
  const { memory } = extensions;
  const get = (path: RegExp, handle: Endpoint['handle']): Endpoint => ({ api: 'KServe', method: 'GET', path, handle });
  return [
    get(/^.?\/v2$/, () => ({ status: 200, body: serverMetadataJson(server.version, extensionNames(extensions)) })),
    get(/^.?\/v2\/health\/live$/, () => LIVE),
    get(/^.?\/v2\/health\/ready$/, () => requireReady(server.isReady(), 'SERVER_NOT_READY', READY)),
    get(new RegExp(`${SERVABLE}/ready$`), (request) => modelReady(serving, request)),
    get(/^.?\/v2\/models\/stats$/, (request) => statisticsOfAll(serving, extensions, request)),
    get(new RegExp(`${SERVABLE}/?$`), (request) => modelMetadata(serving, request)),
    {
      api: 'KServe',
      method: 'POST',
      path: new RegExp(`${SERVABLE}/infer$`),
      handle: (request) => inferShared(serving, decodeOffLoop, new SharedTensors(memory), request),
    },
    get(new RegExp(`${SERVABLE}/config$`), (request) => config(serving, request)),
    get(new RegExp(`${SERVABLE}/stats$`), (request) => statistics(extensions, request)),
    {
      api: 'KServe',
      method: 'POST',
      path: /^.?\/v2\/repository\/index$/,
      handle: ({ body }) => ({ status: 200, body: JSON.stringify(repositoryIndex(extensions, asksForReady(body))) }),
    },
    ...sharedMemoryEndpoints(memory),
  ];
}

/** The bodies of KServe's own server, which its SDK reads; OVMS 2026.2.1 answers with empty ones. */
const LIVE: RestAnswer = { status: 200, body: '{"live":true}' };
const READY: RestAnswer = { status: 200, body: '{"ready":true}' };
/** Of a servable the protocol and every client read the status only. */
const MODEL_READY: RestAnswer = { status: 200, body: '' };

function requireReady(
  isReady: boolean,
  code: 'SERVER_NOT_READY' | 'MODEL_VERSION_NOT_LOADED',
  answer: RestAnswer,
): RestAnswer {
  if (!isReady) throw new ServingError(code);
  return answer;
}

function modelReady(serving: Serving, request: RestRequest): RestAnswer {
  const { name, version } = servableOf(request);
  return requireReady(serving.ready(name, version, request.call), 'MODEL_VERSION_NOT_LOADED', MODEL_READY);
}

function modelMetadata(serving: Serving, request: RestRequest): RestAnswer {
  const { name, version } = servableOf(request);
  return { status: 200, body: modelMetadataJson(serving.metadata(name, version, request.call)) };
}

function config(serving: Serving, request: RestRequest): RestAnswer {
  const { name, version } = servableOf(request);
  return { status: 200, body: JSON.stringify(modelConfig(serving.metadata(name, version, request.call))) };
}

async function statistics(extensions: KserveExtensions, request: RestRequest): Promise<RestAnswer> {
  const { name, version } = servableOf(request);
  const found = await servableStatistics(extensions, name, version);
  return { status: 200, body: JSON.stringify({ model_stats: found.map(statisticsOf) }) };
}

/** The address is also that of the metadata of a servable called `stats`, which goes first where there is one. */
function statisticsOfAll(
  serving: Serving,
  extensions: KserveExtensions,
  request: RestRequest,
): RestAnswer | Promise<RestAnswer> {
  const name = 'stats';
  if (extensions.allStatuses().every((servable) => servable.name !== name)) return statistics(extensions, request);
  return modelMetadata(serving, { ...request, parameters: { name } });
}

/** The body of a request for the index, which may be empty. */
function asksForReady(body: Uint8Array): boolean {
  if (body.byteLength === 0) return false;
  const document = parseSmallBody(body);
  return isJsonObject(document) && document['ready'] === true;
}

async function inferShared(
  serving: Serving,
  decodeOffLoop: DecodeInferOffLoop | undefined,
  shared: SharedTensors,
  request: RestRequest,
): Promise<RestAnswer> {
  try {
    return await infer(serving, decodeOffLoop, shared, request);
  } catch (error) {
    throw inKserveWords(error);
  } finally {
    shared.release();
  }
}

async function infer(
  serving: Serving,
  decodeOffLoop: DecodeInferOffLoop | undefined,
  shared: SharedTensors,
  request: RestRequest,
): Promise<RestAnswer> {
  const { name, version } = servableOf(request);
  const { body, headers, call } = request;
  const { json, binary } = splitBody(body, headers[JSON_LENGTH_HEADER] as string | undefined);
  const document = await decode(decodeOffLoop, json);
  const placed = placeInputs(document, binary);
  const infos = await serving.inputs(name, version, call);
  const expected = countExpected(infos, (sent) => placed.some(({ input }) => input.name === sent));
  const inputs = countingRefusals(serving, name, version, call, () => {
    shared.wantOutputs(document.sharedOutputs);
    return requestTensors(placed, expected, shared);
  });
  const result = await serving.predict({ servable: name, version, inputs, ...shared.wanted }, call);
  return answer(name, document, shared, result, call);
}

function answer(
  modelName: string,
  { id, binaryOutputs }: InferDocument,
  shared: SharedTensors,
  result: PredictResult,
  call: CallContext,
): RestAnswer {
  try {
    const head = { modelName, version: result.version, id };
    const { body, jsonBytes } = encodeInferAnswer(head, result.outputs, binaryOutputs, shared);
    shared.checkWhole();
    result.encoded(shared.bytesInPlace);
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
