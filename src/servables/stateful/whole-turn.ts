import { setImmediate as turn } from 'node:timers/promises';

/** Resolves when the event loop has read what its sockets had at the time of the call. */
export async function wholeTurn(): Promise<void> {
  // The first comes from within a turn that may have passed them by.
  await turn();
  await turn();
}
