import { countExpected } from '../../servables/expected-inputs.js';
import type { PredictResult, Serving } from '../../servables/serving.js';
import type { SharedMemory } from '../../tensors/shared-memory.js';
import { answerOf, whenThere } from '../answer.js';
import type { Contents } from '../protobuf/scattered-message.js';
import { rejecting, type RpcAnswer, type RpcCall, type RpcMethod, type RpcService, type RpcStream } from '../rpc.js';
import type { ServerState } from '../server-state.js';
import { countingRefusals } from '../counting-refusals.js';
import { decodeIndexRequest, encodeIndex, encodeModelConfig, encodeStatistics } from './extension-messages.js';
import { extensionNames, type KserveExtensions, repositoryIndex, servableStatistics } from './extensions.js';
import { decodeInferRequest, type InferMessage, sharesMemory, tensorsOf } from './infer-request.js';
import { encodeInferResponse } from './infer-response.js';
import { METHOD } from './method.js';
import { modelConfig } from './model-config.js';
import { parseModelVersion } from './model-version.js';
import { decodeModelQuestion, encodeFlag, encodeModelMetadata, encodeServerMetadata } from './server-messages.js';
import { sharedMemoryMethods } from './shared-memory-service.js';
import { SharedTensors } from './shared-tensors.js';
import { modelStreamInfer } from './stream.js';
import { inKserveWords } from './words.js';

/**
 * The KServe v2 RPCs over a `Serving`, with the answers of OVMS 2026.2.1, and what clients of Triton ask for beyond.
 */
export function kserveMethods(serving: Serving, server: ServerState, extensions: KserveExtensions): RpcService {
  const { memory } = extensions;
  return new Map<string, RpcMethod | RpcStream>([
    [METHOD.SERVER_LIVE, () => encodeFlag(true)],
    [METHOD.SERVER_READY, () => encodeFlag(server.isReady())],
    [METHOD.SERVER_METADATA, () => encodeServerMetadata(server.version, extensionNames(extensions))],
    [METHOD.MODEL_READY, rejecting((request, call) => modelReady(serving, request, call))],
    [METHOD.MODEL_METADATA, rejecting((request, call) => modelMetadata(serving, request, call))],
    [METHOD.MODEL_INFER, (request, call) => modelInfer(serving, memory, request, call)],
    [METHOD.MODEL_STREAM_INFER, modelStreamInfer],
    [METHOD.MODEL_CONFIG, rejecting((request, call) => config(serving, request, call))],
    [METHOD.MODEL_STATISTICS, (request) => statistics(extensions, request)],
    [
      METHOD.REPOSITORY_INDEX,
      rejecting((request) => encodeIndex(repositoryIndex(extensions, decodeIndexRequest(request)))),
    ],
    ...sharedMemoryMethods(memory),
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

function config(serving: Serving, bytes: Uint8Array, call: RpcCall): Uint8Array {
  const { name, version } = decodeModelQuestion('ModelConfigRequest', bytes);
  return encodeModelConfig(modelConfig(serving.metadata(name, parseModelVersion(version), call)));
}

async function statistics(extensions: KserveExtensions, bytes: Uint8Array): Promise<Uint8Array> {
  const { name, version } = decodeModelQuestion('ModelStatisticsRequest', bytes);
  return encodeStatistics(await servableStatistics(extensions, name, parseModelVersion(version)));
}

function modelInfer(
  serving: Serving,
  memory: SharedMemory | null,
  bytes: Uint8Array,
  call: RpcCall,
): Promise<RpcAnswer> | RpcAnswer {
  const message = decodeInferRequest(bytes);
  const shared = sharesMemory(message) ? new SharedTensors(memory) : null;
  try {
    const answer = infer(serving, message, shared, call);
    if (answer instanceof Promise) return settled(answer, shared);
    shared?.release();
    return answer;
  } catch (error) {
    shared?.release();
    return refuseInKserveWords(error);
  }
}

function settled(answer: Promise<RpcAnswer>, shared: SharedTensors | null): Promise<RpcAnswer> {
  const said = answer.catch(refuseInKserveWords);
  return shared === null ? said : said.finally(() => shared.release());
}

function refuseInKserveWords(error: unknown): never {
  throw inKserveWords(error);
}

function infer(
  serving: Serving,
  message: InferMessage,
  shared: SharedTensors | null,
  call: RpcCall,
): Promise<RpcAnswer> | RpcAnswer {
  const { modelName, modelVersion, id } = message;
  const version = parseModelVersion(modelVersion);
  const result = whenThere(serving.inputs(modelName, version, call), (infos) => {
    const expected = countExpected(infos, (name) => message.inputs.some((input) => input.name === name));
    const inputs = countingRefusals(serving, modelName, version, call, () => {
      shared?.wantOutputs(message.sharedOutputs);
      return tensorsOf(message, expected, shared);
    });
    return serving.predict({ servable: modelName, version, inputs, ...shared?.wanted }, call);
  });
  const encode = ({ version: answered, outputs }: PredictResult, leftOut: Contents | undefined): Uint8Array => {
    const answer = encodeInferResponse({ modelName, version: answered, id }, outputs, leftOut, shared);
    shared?.checkWhole();
    return answer;
  };
  const inPlace = shared === null ? undefined : () => shared.bytesInPlace;
  return whenThere(result, (there) => answerOf(there, call, encode, inPlace));
}
