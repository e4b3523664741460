import type { IncomingHttpHeaders } from 'node:http';
import type { CallContext } from '../../servables/serving.js';
import type { Route, RouteParameters } from './router.js';

/** A route and what answers there: the transport serves a table of these and knows nothing of what they mean. */
export interface Endpoint extends Route {
  /** Which of the APIs a call of this route counts for. */
  readonly api: CallContext['api'];
  /** Rejects with a `ServingError`; anything else is a bug. */
  readonly handle: (request: RestRequest) => Promise<RestAnswer> | RestAnswer;
}

export interface RestRequest {
  readonly parameters: RouteParameters;
  readonly headers: IncomingHttpHeaders;
  /** Received whole and inflated; empty for GET. Belongs to the handler. */
  readonly body: Uint8Array;
  readonly call: CallContext;
}

export interface RestAnswer {
  readonly status: number;
  readonly body: string | Uint8Array;
  /** `application/json` unless said otherwise. */
  readonly contentType?: string;
  /** Further headers; values are printable ASCII. */
  readonly headers?: Readonly<Record<string, string>>;
}
