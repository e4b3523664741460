/** In milliseconds. */
export interface StoppingLimits {
  /** A client of HTTP/2 that does not say that it has heard of the end has so long for calls on their way. */
  readonly farewellMs: number;
  /** A client without an answer to come, or with an unfinished request, may be silent for so long. */
  readonly quietMs: number;
  /** A client may read nothing of its answer for so long. */
  readonly stalledMs: number;
  /** A request may take so long to be received. */
  readonly unfinishedMs: number;
}

/**
 * What has a limit while the server stops, on every transport. A request that was received whole is answered however long that takes; what
 * only its client can bring to an end must move.
 */
export const STOPPING: StoppingLimits = {
  farewellMs: 1000,
  quietMs: 500,
  stalledMs: 10_000,
  unfinishedMs: 30_000,
};
