import { setImmediate as turn } from 'node:timers/promises';

/**
 * Resolves when this event loop has accepted the clients that the system has connected already, which is in one whole turn of it: closing
 * the listening socket would reset them.
 */
export async function acceptWaiting(): Promise<void> {
  await turn();
  await turn();
}

/**
 * What has a limit while the server stops, on every transport, in milliseconds. A request that was received whole is answered however long
 * that takes; what only its client can bring to an end must move.
 */
export const STOPPING = {
  /** A client of HTTP/2 that does not say that it has heard of the end has so long for calls on their way. */
  FAREWELL_MS: 1000,
  /** A client without an answer to come, or with an unfinished request, may be silent for so long. */
  QUIET_MS: 500,
  /** A client may read nothing of its answer for so long. */
  STALLED_MS: 10_000,
  /** A request may take so long to be received. */
  UNFINISHED_MS: 30_000,
} as const;
