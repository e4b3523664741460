import type { ServingError } from '../errors.js';
import { log } from '../observability/logger.js';

/** Logs the detail of an error at debug where the client receives the catalogue's text alone. */
export function logWithheldDetail(error: ServingError): void {
  if (error.clientText !== error.message) log.serving.debug(error.message);
}
