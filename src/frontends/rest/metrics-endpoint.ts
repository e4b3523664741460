import { ServingError } from '../../errors.js';
import type { Endpoint } from './endpoint.js';

/** Text format of Prometheus. */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * `GET /metrics`. While metrics are off there is no such address (as OVMS 2026.2.1).
 * @param readPage resolves with the metrics of the whole server as text, `null` when they are off.
 */
export function metricsEndpoint(readPage: () => Promise<Uint8Array | null>): Endpoint {
  return {
    api: 'TensorFlowServing',
    method: 'GET',
    path: /^.?\/metrics$/,
    handle: async () => {
      const body = await readPage();
      if (body === null) throw new ServingError('REST_INVALID_URL');
      return { status: 200, body, contentType: CONTENT_TYPE };
    },
  };
}
