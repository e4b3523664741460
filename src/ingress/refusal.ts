import { ServingError } from '../errors.js';
import { INGRESS_REFUSAL } from '../native/ingress-binding.js';
import { shortened } from '../texts.js';

/** What the I/O thread says of a request that comes to no method. */
export interface RefusedRequest {
  readonly reason: number;
  /** What it is about: a length, where there is one. */
  readonly size: number;
  readonly encoding: string;
  readonly limits: { readonly messageBytes: number; readonly headerBytes: number };
}

/** The error that its client gets. */
export function refusalError({ reason, size, encoding, limits }: RefusedRequest): ServingError {
  switch (reason) {
    case INGRESS_REFUSAL.DEADLINE:
      return new ServingError('DEADLINE_EXCEEDED');
    case INGRESS_REFUSAL.MESSAGE_TOO_LARGE:
      return new ServingError(
        'MESSAGE_TOO_LARGE',
        `Expected: ${limits.messageBytes} bytes at most; Actual: ${size} bytes`,
      );
    case INGRESS_REFUSAL.HEADERS_TOO_LARGE:
      return new ServingError(
        'HEADERS_TOO_LARGE',
        `Expected: ${limits.headerBytes} bytes at most; Actual: ${size} bytes`,
      );
    case INGRESS_REFUSAL.UNKNOWN_METHOD:
      return new ServingError('METHOD_UNIMPLEMENTED');
    case INGRESS_REFUSAL.UNKNOWN_ENCODING:
      return new ServingError(
        'ENCODING_UNKNOWN',
        `Expected: identity, gzip or deflate; Actual: ${shortened(encoding)}`,
      );
    case INGRESS_REFUSAL.STALLED:
      return new ServingError(
        'OUT_OF_MEMORY',
        `Expected: the rest of a message whose memory others wait for; Actual: ${size} bytes of it, and no more`,
      );
    case INGRESS_REFUSAL.NO_MESSAGE:
      return new ServingError('STREAM_BROKEN', 'Expected: one message; Actual: none');
    case INGRESS_REFUSAL.TOO_MANY_MESSAGES:
      return new ServingError('STREAM_BROKEN', 'Expected: one message; Actual: more');
    case INGRESS_REFUSAL.INVALID_TIMEOUT:
      return new ServingError('STREAM_BROKEN', 'grpc-timeout: expected up to eight digits and a unit of HMSmun');
    default:
      return new ServingError('STREAM_BROKEN', 'a message does not fit its length or its encoding');
  }
}
