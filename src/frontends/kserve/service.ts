import { countExpected } from '../../servables/expected-inputs.js';
import type { Serving } from '../../servables/serving.js';
import { answerOf } from '../answer.js';
import { rejecting, type RpcAnswer, type RpcCall, type RpcMethod, type RpcService, type RpcStream } from '../rpc.js';
import type { ServerState } from '../server-state.js';
import { countingRefusals } from '../counting-refusals.js';
import { decodeInferRequest, type InferMessage, tensorsOf } from './infer-request.js';
import { encodeInferResponse } from './infer-response.js';
import { METHOD } from './method.js';
import { parseModelVersion } from './model-version.js';
import { decodeModelQuestion, encodeFlag, encodeModelMetadata, encodeServerMetadata } from './server-messages.js';
import { modelStreamInfer } from './stream.js';
import { inKserveWords } from './words.js';

/** The KServe v2 RPCs over a `Serving`, with the answers of OVMS 2026.2.1. */
export function kserveMethods(serving: Serving, server: ServerState): RpcService {
  return new Map<string, RpcMethod | RpcStream>([
    [METHOD.SERVER_LIVE, () => encodeFlag(true)],
    [METHOD.SERVER_READY, () => encodeFlag(server.isReady())],
    [METHOD.SERVER_METADATA, () => encodeServerMetadata(server.version)],
    [METHOD.MODEL_READY, rejecting((request, call) => modelReady(serving, request, call))],
    [METHOD.MODEL_METADATA, rejecting((request, call) => modelMetadata(serving, request, call))],
    [METHOD.MODEL_INFER, (request, call) => modelInfer(serving, request, call)],
    [METHOD.MODEL_STREAM_INFER, modelStreamInfer],
  ]);
}

function modelReady(serving: Serving, bytes: Uint8Array, call: RpcCall): Uint8Array {
  const { name, version } = decodeModelQuestion('ModelReadyRequest', bytes);
  return encodeFlag(serving.ready(name, parseModelVersion(version), call));
}

function modelMetadata(serving: Serving, bytes: Uint8Array, call: RpcCall): Uint8Array {
  const { name, version } = decodeModelQuestion('ModelMetadataRequest', bytes);
  return encodeModelMetadata(serving.metadata(name, parseModelVersion(version), call));
}

async function modelInfer(serving: Serving, bytes: Uint8Array, call: RpcCall): Promise<RpcAnswer> {
  const message = decodeInferRequest(bytes);
  try {
    return await infer(serving, message, call);
  } catch (error) {
    throw inKserveWords(error);
  }
}

async function infer(serving: Serving, message: InferMessage, call: RpcCall): Promise<RpcAnswer> {
  const { modelName, modelVersion, id } = message;
  const version = parseModelVersion(modelVersion);
  const infos = await serving.inputs(modelName, version, call);
  const expected = countExpected(infos, (name) => message.inputs.some((input) => input.name === name));
  const inputs = countingRefusals(serving, modelName, version, call, () => tensorsOf(message, expected));
  const result = await serving.predict({ servable: modelName, version, inputs }, call);
  const head = { modelName, version: result.version, id };
  return answerOf(result, call, (leftOut) => encodeInferResponse(head, result.outputs, leftOut));
}
