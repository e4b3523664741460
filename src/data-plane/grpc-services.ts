import { healthService } from '../frontends/grpc/health.js';
import { kserveMethods } from '../frontends/kserve/service.js';
import type { RpcService } from '../frontends/rpc.js';
import type { ServerState } from '../frontends/server-state.js';
import { type ServiceLog, tensorflowServingMethods } from '../frontends/tfs/service.js';
import type { Serving } from '../servables/serving.js';

/** Everything that answers on the gRPC port. */
export function grpcServices(serving: Serving, server: ServerState, log: ServiceLog): RpcService {
  const apis = new Map([...tensorflowServingMethods(serving, log), ...kserveMethods(serving, server)]);
  return new Map([...apis, ...healthService(serviceNames(apis), server)]);
}

/** `package.Service` of each path `/package.Service/Method`. */
function serviceNames(service: RpcService): ReadonlySet<string> {
  return new Set([...service.keys()].map((path) => path.slice(1, path.lastIndexOf('/'))));
}
