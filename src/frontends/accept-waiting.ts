import type { Server } from 'node:net';
import { loadNativeBinding } from '../native/load.js';
import { wholeTurn } from '../whole-turn.js';

/** Connections that the kernel queues on a listening socket while the owner workers are busy. */
export const BACKLOG = 511;

/**
 * Accepts the clients that the system has connected already: closing a listening socket resets them. Node.js accepts one a turn of the
 * event loop, so this goes on until none waits; the caller closes the servers at once. Where clients come without end, those that waited
 * at the time of the call are accepted.
 */
export async function acceptWaiting(servers: readonly Server[]): Promise<void> {
  const binding = loadNativeBinding();
  for (let turn = 0; turn <= BACKLOG; turn += 1) {
    await wholeTurn();
    if (servers.every((server) => binding.waitingClients(descriptorOf(server)) === 0)) return;
  }
}

/** The descriptor of a server has no public name. */
function descriptorOf(server: Server): number {
  return (server as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;
}
