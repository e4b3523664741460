import { CATALOGUE, ServingError } from '../../errors.js';
import type { ReloadOutcome } from '../../servables/reload-outcome.js';
import type { Endpoint, RestAnswer } from './endpoint.js';
import { encodeAllStatuses, encodeConfigError, type ServableStatus } from './status-json.js';

/** Who knows what is served. */
export interface StatusSource {
  /** All models and pipelines of the configuration, in any order. */
  allStatuses(): readonly ServableStatus[];
}

/**
 * The statuses of everything.
 *
 * @param onBug told of faults of the server, which the answer does not name.
 */
export function statusesAnswer(source: StatusSource, onBug: (error: unknown) => void, status = 200): RestAnswer {
  try {
    return { status, body: encodeAllStatuses(source.allStatuses()) };
  } catch (error) {
    onBug(error);
    const { http, text } = CATALOGUE.STATUSES_FAILED;
    return { status: error instanceof ServingError ? error.httpStatus() : http, body: encodeConfigError(text) };
  }
}

/**
 * `POST /v1/config/reload`: 201 when something was reloaded, 200 when not, as the documents of OVMS 2026.2.1 say; the release itself
 * answers 200 to both.
 *
 * @param reload resolves when `source` knows what the reload brought.
 */
export function reloadEndpoint(
  source: StatusSource,
  onBug: (error: unknown) => void,
  reload: () => Promise<ReloadOutcome>,
): Endpoint {
  return {
    api: 'TensorFlowServing',
    method: 'POST',
    path: /^.?\/v1\/config\/reload$/,
    handle: async () => {
      try {
        const outcome = await reload();
        if (outcome.kind === 'done') return statusesAnswer(source, onBug, outcome.reloaded ? 201 : 200);
        const { code, cause } = outcome;
        return { status: CATALOGUE[cause].http, body: encodeConfigError(CATALOGUE[code].text) };
      } catch (error) {
        if (!(error instanceof ServingError)) throw error;
        return { status: error.httpStatus(), body: encodeConfigError(error.clientText) };
      }
    },
  };
}
