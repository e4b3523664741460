import { ServingError } from '../../errors.js';
import type { PredictResult, Serving } from '../../servables/serving.js';
import { answerOf } from '../answer.js';
import type { Contents } from '../protobuf/scattered-message.js';
import { rejecting, type RpcAnswer, type RpcCall, type RpcMethod } from '../rpc.js';
import { METHOD } from './method.js';
import { decodeMetadataRequest, encodeMetadataResponse, SIGNATURE_DEF } from './metadata-message.js';
import { decodePredictRequest, encodePredictResponse } from './predict-message.js';
import { decodeStatusRequest, encodeStatusResponse } from './status-message.js';

/** Where the service tells what an operator may want to know. */
export interface ServiceLog {
  info(text: string): void;
}

/** The TensorFlow Serving RPCs over a `Serving`, with the answers of OVMS 2026.2.1. */
export function tensorflowServingMethods(serving: Serving, log?: ServiceLog): ReadonlyMap<string, RpcMethod> {
  return new Map<string, RpcMethod>([
    [METHOD.PREDICT, (request, call) => predict(serving, request, call)],
    [METHOD.GET_MODEL_METADATA, rejecting((request, call) => getModelMetadata(serving, request, call))],
    [METHOD.GET_MODEL_STATUS, rejecting((request, call) => getModelStatus(serving, request, call))],
    [METHOD.HANDLE_RELOAD_CONFIG_REQUEST, () => handleReloadConfigRequest(log)],
    [METHOD.CLASSIFY, rejecting(unimplemented)],
    [METHOD.REGRESS, rejecting(unimplemented)],
    [METHOD.MULTI_INFERENCE, rejecting(unimplemented)],
  ]);
}

function predict(serving: Serving, bytes: Uint8Array, call: RpcCall): Promise<RpcAnswer> | RpcAnswer {
  const result = serving.predict(decodePredictRequest(bytes), call);
  return result instanceof Promise ? answerLater(result, call) : answerOf(result, call, encodeOutputs);
}

/** Apart, so that an answer that is there allocates nothing for the wait. */
async function answerLater(result: Promise<PredictResult>, call: RpcCall): Promise<RpcAnswer> {
  return answerOf(await result, call, encodeOutputs);
}

function encodeOutputs({ outputs }: PredictResult, leftOut: Contents | undefined): Uint8Array {
  return encodePredictResponse(outputs, leftOut);
}

function getModelMetadata(serving: Serving, bytes: Uint8Array, call: RpcCall): Uint8Array {
  const { modelSpec, metadataFields } = decodeMetadataRequest(bytes);
  if (modelSpec === null) throw new ServingError('MODEL_SPEC_MISSING');
  if (metadataFields.length !== 1 || metadataFields[0] !== SIGNATURE_DEF) throw new ServingError('INVALID_SIGNATURE');
  return encodeMetadataResponse(serving.metadata(modelSpec.name, modelSpec.version, call));
}

function getModelStatus(serving: Serving, bytes: Uint8Array, call: RpcCall): Uint8Array {
  const { name, version } = decodeStatusRequest(bytes);
  return encodeStatusResponse(serving.status(name, version, call));
}

/** Does nothing and says OK, whatever was asked: models come from the config file (as OVMS 2026.2.1). */
function handleReloadConfigRequest(log: ServiceLog | undefined): Uint8Array {
  log?.info('HandleReloadConfigRequest received: nothing to do, the configuration file is watched');
  return new Uint8Array(0);
}

/** OVMS 2026.2.1 leaves these to gRPC's default answer. */
function unimplemented(): never {
  throw new ServingError('METHOD_UNIMPLEMENTED');
}
