import { ServingError } from '../../errors.js';
import type { RpcStream } from '../rpc.js';
import { decodeInferRequest } from './infer-request.js';

/**
 * ModelStreamInfer: OVMS 2026.2.1 streams with graphs only, and neither models nor pipelines are any; so whatever name the first
 * message has, there is no such graph.
 */
export const modelStreamInfer: RpcStream = {
  // eslint-disable-next-line require-yield -- every call ends with an error
  stream: async function* (requests) {
    for await (const request of requests) {
      decodeInferRequest(request);
      break;
    }
    throw new ServingError('GRAPH_NAME_MISSING');
  },
};
