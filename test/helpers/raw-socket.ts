import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** What the other side of a connection sent until it ended. */
export interface RawOutcome {
  readonly text: string;
  /** It ended with a reset. */
  readonly reset: boolean;
}

export interface RawConnection {
  readonly socket: Socket;
  /** Resolves when the connection is gone, in whichever way. */
  readonly ended: Promise<RawOutcome>;
}

/** A plain TCP connection whose end does not end our side of it. */
export async function connectRaw(port: number): Promise<RawConnection> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: false });
  const chunks: Buffer[] = [];
  let reset = false;
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => (reset = true));
  const ended = new Promise<RawOutcome>((resolve) => {
    socket.once('close', () => resolve({ text: Buffer.concat(chunks).toString('latin1'), reset }));
  });
  await once(socket, 'connect');
  return { socket, ended };
}

/** Sends bytes and waits until the server ends the connection. */
export async function sendRaw(port: number, ...parts: readonly (string | Uint8Array)[]): Promise<RawOutcome> {
  const { socket, ended } = await connectRaw(port);
  for (const part of parts) socket.write(part);
  return ended;
}

/** Sends bytes, closes our side, and waits until the server has closed its own. */
export async function sendRawAndHalfClose(
  port: number,
  ...parts: readonly (string | Uint8Array)[]
): Promise<RawOutcome> {
  const { socket, ended } = await connectRaw(port);
  for (const part of parts) socket.write(part);
  socket.end();
  return ended;
}

/** Sends bytes and resets the connection once they are on their way. */
export async function sendRawAndReset(port: number, ...parts: readonly (string | Uint8Array)[]): Promise<void> {
  const { socket, ended } = await connectRaw(port);
  await Promise.all(parts.map((part) => new Promise<void>((resolve) => void socket.write(part, () => resolve()))));
  socket.resetAndDestroy();
  await ended;
}
