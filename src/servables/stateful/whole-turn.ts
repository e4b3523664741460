import { setImmediate as turn } from 'node:timers/promises';

/** Resolves when the event loop has taken whatever its sockets had to read, or to accept, at the time of the call. */
export async function wholeTurn(): Promise<void> {
  // The first comes from within a turn that may have passed them by.
  await turn();
  await turn();
}
