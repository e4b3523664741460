import { healthService } from '../frontends/grpc/health.js';
import { REFLECTION_METHODS, reflectionService } from '../frontends/grpc/reflection.js';
import { kserveMethods } from '../frontends/kserve/service.js';
import type { RpcService } from '../frontends/rpc.js';
import type { ServerState } from '../frontends/server-state.js';
import { type ServiceLog, tensorflowServingMethods } from '../frontends/tfs/service.js';
import type { Serving } from '../servables/serving.js';

/** Everything that answers on the gRPC port. */
export function grpcServices(serving: Serving, server: ServerState, log: ServiceLog): RpcService {
  const apis = new Map([...tensorflowServingMethods(serving, log), ...kserveMethods(serving, server)]);
  const health = healthService(serviceNames([...apis.keys()]), server);
  const described = [...apis.keys(), ...health.keys(), ...REFLECTION_METHODS];
  return new Map([...apis, ...health, ...reflectionService([...serviceNames(described)])]);
}

/** `package.Service` of each path `/package.Service/Method`. */
function serviceNames(paths: readonly string[]): ReadonlySet<string> {
  return new Set(paths.map((path) => path.slice(1, path.lastIndexOf('/'))));
}
