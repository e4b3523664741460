import { countExpected } from '../../servables/expected-inputs.js';
import type { Serving } from '../../servables/serving.js';
import { answerOf, whenThere } from '../answer.js';
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

function modelInfer(serving: Serving, bytes: Uint8Array, call: RpcCall): Promise<RpcAnswer> | RpcAnswer {
  const message = decodeInferRequest(bytes);
  try {
    const answer = infer(serving, message, call);
    return answer instanceof Promise ? answer.catch(refuseInKserveWords) : answer;
  } catch (error) {
    return refuseInKserveWords(error);
  }
}

function refuseInKserveWords(error: unknown): never {
  throw inKserveWords(error);
}

function infer(serving: Serving, message: InferMessage, call: RpcCall): Promise<RpcAnswer> | RpcAnswer {
  const { modelName, modelVersion, id } = message;
  const version = parseModelVersion(modelVersion);
  const result = whenThere(serving.inputs(modelName, version, call), (infos) => {
    const expected = countExpected(infos, (name) => message.inputs.some((input) => input.name === name));
    const inputs = countingRefusals(serving, modelName, version, call, () => tensorsOf(message, expected));
    return serving.predict({ servable: modelName, version, inputs }, call);
  });
  return whenThere(result, (there) => {
    const head = { modelName, version: there.version, id };
    return answerOf(there, call, (leftOut) => encodeInferResponse(head, there.outputs, leftOut));
  });
}
