import type { Server } from 'node:net';
import { wholeTurn } from '../whole-turn.js';

/** Connections that the kernel queues on a listening socket while the owner workers are busy. */
export const BACKLOG = 511;

/**
 * Accepts the clients that the system has connected already: closing a listening socket resets them. Node.js accepts one a turn of the
 * event loop, so this goes on until a turn brings none. Clients that come without end are left behind after a whole queue of them.
 */
export async function acceptWaiting(servers: readonly Server[]): Promise<void> {
  let accepted = 0;
  const count = (): void => void (accepted += 1);
  for (const server of servers) server.on('connection', count);
  try {
    for (let before = -1; accepted > before && accepted <= BACKLOG * servers.length;) {
      before = accepted;
      await wholeTurn();
    }
  } finally {
    for (const server of servers) server.off('connection', count);
  }
}
