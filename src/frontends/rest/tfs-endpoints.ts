import { ServingError } from '../../errors.js';
import type { CallContext, PredictResult, Serving } from '../../servables/serving.js';
import type { TensorInfo } from '../../tensors/tensor-info.js';
import { TIMELINE_HEADER, timelineText } from '../timeline.js';
import { statusesAnswer, type StatusSource } from './config-endpoints.js';
import type { Endpoint, RestAnswer, RestRequest } from './endpoint.js';
import { type DecodedPredictBody, decodePredictBody } from './predict-json.js';
import { encodePredictResponse } from './predict-response-json.js';
import { parseVersion } from './router.js';
import { encodeStatus } from './status-json.js';
import { encodeMetadata } from './metadata-json.js';

/** What the TensorFlow Serving endpoints ask of the servables. */
export interface RestBackend extends Serving, StatusSource {}

/**
 * `decodePredictBody` on another thread, with the same contract: resolves with plain data or rejects with its `ServingError`.
 * The body may be transferred; nobody reads it afterwards.
 */
export type DecodeOffLoop = (body: Uint8Array, inputs: readonly TensorInfo[]) => Promise<DecodedPredictBody>;

export interface TfsEndpointOptions {
  readonly decodeOffLoop?: DecodeOffLoop;
  /** Where the endpoints tell of faults of the server that their answers do not name. */
  readonly onBug: (error: unknown) => void;
}

/** Bodies longer than this are decoded by `decodeOffLoop`: about 3 ms of JSON, in which the event loop answers nobody else. */
export const DECODE_OFF_LOOP_BYTES = 256 * 1024;

// One character may stand in front (as OVMS 2026.2.1): in practice the second slash of a base URL that ends in one.
const SERVABLE = String.raw`^.?/v1/models/(?<name>[^/:]+)(?:/versions/(?<version>\d+)|/labels/(?<label>\w+))?`;

/** The TensorFlow Serving REST API of OVMS 2026.2.1 and `GET /v1/config`. */
export function tfsEndpoints(backend: RestBackend, options: TfsEndpointOptions): readonly Endpoint[] {
  const api = 'TensorFlowServing';
  return [
    {
      api,
      method: 'POST',
      path: new RegExp(`${SERVABLE}:predict$`),
      handle: (request) => predict(backend, options, request),
    },
    { api, method: 'POST', path: new RegExp(`${SERVABLE}:(?:classify|regress)$`), handle: notFound },
    { api, method: 'GET', path: new RegExp(`${SERVABLE}$`), handle: (request) => status(backend, request) },
    { api, method: 'GET', path: /^.?\/v1\/models$/, handle: noName },
    { api, method: 'GET', path: new RegExp(`${SERVABLE}/metadata$`), handle: (request) => metadata(backend, request) },
    { api, method: 'GET', path: /^.?\/v1\/config$/, handle: () => statusesAnswer(backend, options.onBug) },
  ];
}

async function predict(backend: RestBackend, options: TfsEndpointOptions, request: RestRequest): Promise<RestAnswer> {
  const { name, version } = servableOf(request);
  const { call } = request;
  try {
    // Before the body is parsed, as the reference does: the parser needs to know the precisions.
    const infos = await backend.inputs(name, version, call);
    const { order, inputs } = await decode(options.decodeOffLoop, request.body, infos).catch((error: unknown) => {
      backend.refused(name, version, call);
      throw error;
    });
    const result = await backend.predict({ servable: name, version, inputs }, call);
    try {
      const body = encodePredictResponse(order, result.outputs, result.declaredOutputs);
      result.encoded();
      return { status: 200, body, headers: timelineHeader(result, call) };
    } finally {
      result.release();
    }
  } catch (error) {
    throw inRestWords(error);
  }
}

async function decode(
  decodeOffLoop: DecodeOffLoop | undefined,
  body: Uint8Array,
  infos: readonly TensorInfo[],
): Promise<DecodedPredictBody> {
  if (decodeOffLoop === undefined || body.byteLength <= DECODE_OFF_LOOP_BYTES) return decodePredictBody(body, infos);
  return decodeOffLoop(body, infos);
}

/** Over REST an unknown name is an unknown model, over gRPC an unknown pipeline (as OVMS 2026.2.1). */
function inRestWords(error: unknown): unknown {
  if (!(error instanceof ServingError) || error.code !== 'PIPELINE_NAME_MISSING') return error;
  return new ServingError('MODEL_NAME_MISSING', error.detail, { cause: error });
}

/** The header of the time line, when it was asked for. */
export function timelineHeader({ timeline }: PredictResult, { wantsTimeline }: CallContext): Record<string, string> {
  return timeline === null || !wantsTimeline ? {} : { [TIMELINE_HEADER]: timelineText(timeline) };
}

function status(backend: RestBackend, request: RestRequest): RestAnswer {
  const { name, version } = servableOf(request);
  return { status: 200, body: encodeStatus(backend.status(name, version, request.call)) };
}

function metadata(backend: RestBackend, request: RestRequest): RestAnswer {
  const { name, version } = servableOf(request);
  return { status: 200, body: encodeMetadata(backend.metadata(name, version, request.call)) };
}

function notFound(): never {
  throw new ServingError('REST_NOT_FOUND');
}

function noName(): never {
  throw new ServingError('MODEL_NAME_MISSING');
}

function servableOf({ parameters }: RestRequest): { readonly name: string; readonly version: bigint | null } {
  return { name: parameters['name'] ?? '', version: parseVersion(parameters['version']) };
}
