import { healthService } from '../frontends/grpc/health.js';
import { REFLECTION_METHODS, reflectionService } from '../frontends/grpc/reflection.js';
import type { KserveExtensions } from '../frontends/kserve/extensions.js';
import { INFER_CONTENT } from '../frontends/kserve/infer-request.js';
import { METHOD as KSERVE } from '../frontends/kserve/method.js';
import { kserveMethods } from '../frontends/kserve/service.js';
import type { RpcService } from '../frontends/rpc.js';
import type { ServerState } from '../frontends/server-state.js';
import { METHOD as TENSORFLOW_SERVING } from '../frontends/tfs/method.js';
import { PREDICT_CONTENT } from '../frontends/tfs/predict-message.js';
import { type ServiceLog, tensorflowServingMethods } from '../frontends/tfs/service.js';
import type { Serving } from '../servables/serving.js';

/** Everything that answers on the gRPC port. */
export function grpcServices(
  serving: Serving,
  server: ServerState,
  log: ServiceLog,
  extensions: KserveExtensions,
): RpcService {
  const apis = new Map([...tensorflowServingMethods(serving, log), ...kserveMethods(serving, server, extensions)]);
  const health = healthService(serviceNames([...apis.keys()]), server);
  const described = [...apis.keys(), ...health.keys(), ...REFLECTION_METHODS];
  return new Map([...apis, ...health, ...reflectionService([...serviceNames(described)])]);
}

/** Where requests have the bytes of their tensors, by path of the RPC: field numbers from the message down. */
export const TENSOR_CONTENTS: ReadonlyMap<string, readonly number[]> = new Map([
  [TENSORFLOW_SERVING.PREDICT, PREDICT_CONTENT],
  [KSERVE.MODEL_INFER, INFER_CONTENT],
]);

/** `package.Service` of each path `/package.Service/Method`. */
function serviceNames(paths: readonly string[]): ReadonlySet<string> {
  return new Set(paths.map((path) => path.slice(1, path.lastIndexOf('/'))));
}
