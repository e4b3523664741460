import type { Socket } from 'node:net';

/**
 * Bytes that a socket has exchanged with the system, in both directions: the number changes while the other side sends, and while it reads
 * what it was sent. Node.js counts bytes as written when they enter the queue of the event loop, so those that wait there are taken off.
 */
export function movedBytes(socket: Socket): number {
  return socket.bytesRead + socket.bytesWritten - socket.writableLength - queuedBytes(socket);
}

/** Whether bytes wait for the other side to read some. */
export function hasUnsent(socket: Socket): boolean {
  return socket.writableLength > 0 || queuedBytes(socket) > 0;
}

/** The size of the queue has no public name; Node.js itself reads it so, to tell slow readers from dead ones. */
function queuedBytes(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { readonly _handle: { readonly writeQueueSize?: number } | null };
  return handle?.writeQueueSize ?? 0;
}
