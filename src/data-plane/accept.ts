import { createServer, type Server, type Socket } from 'node:net';

/**
 * Accepts from a listening socket that the control plane has bound. Several workers may accept from the same one; the kernel hands
 * each connection to one of them. The descriptor belongs to the server from now on; closing the server leaves connections alone.
 */
export function acceptFrom(descriptor: number, accepted: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ noDelay: true }, accepted);
  return listenOn(server, descriptor).then(() => server);
}

/** Starts a server on a socket that is bound already. */
export function listenOn(server: Server, descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ fd: descriptor }, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}
