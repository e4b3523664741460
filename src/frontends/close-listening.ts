import { type Server, Socket } from 'node:net';

/** Accepts all clients that the system has connected to a listening socket already, and returns their descriptors. */
export type AcceptWaiting = (fd: number) => readonly number[];

/** How a server treats the sockets it accepts. */
export interface SocketTreatment {
  readonly allowHalfOpen: boolean;
  /** Milliseconds until TCP asks a silent client whether it is there; `null`: it does not. */
  readonly keepAliveDelay: number | null;
}

/**
 * Stops a server from listening; its connections stay. Clients that the system has connected already get in before, since closing a
 * listening socket resets them, and Node.js accepts one a turn of its event loop while others come.
 *
 * @param closed called by the server as by its `close`; it does not wait for those that got in here.
 */
export function closeListening(
  server: Server,
  acceptWaiting: AcceptWaiting,
  treatment: SocketTreatment,
  closed?: () => void,
): void {
  const waiting = acceptWaiting(descriptorOf(server));
  // At once: whoever comes in between is reset.
  server.close(closed);
  for (const fd of waiting) {
    const socket = new Socket({ fd, readable: true, writable: true, allowHalfOpen: treatment.allowHalfOpen });
    socket.setNoDelay(true);
    if (treatment.keepAliveDelay !== null) socket.setKeepAlive(true, treatment.keepAliveDelay);
    server.emit('connection', socket);
  }
}

/** The descriptor of a server has no public name. */
function descriptorOf(server: Server): number {
  return (server as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;
}
