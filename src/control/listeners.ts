import { lookup } from 'node:dns/promises';

import type { ListenSettings } from '../config/settings.js';
import type { NativeBinding } from '../native/binding.js';

/** Connections the kernel queues while the owner workers are busy. */
const BACKLOG = 511;

/** Listening sockets of one protocol, one an address. Bound by the control plane, accepted from by the owner workers. */
export class Listeners {
  readonly #binding: NativeBinding;
  readonly #sockets: readonly BoundSocket[];
  #closed = false;

  private constructor(binding: NativeBinding, sockets: readonly BoundSocket[]) {
    this.#binding = binding;
    this.#sockets = sockets;
  }

  /**
   * Binds and listens on every address. When one fails the others are closed again.
   *
   * @throws ListenError with the address and the system's reason
   */
  static async open(binding: NativeBinding, { addresses, port }: ListenSettings): Promise<Listeners> {
    const sockets: BoundSocket[] = [];
    try {
      for (const address of addresses) sockets.push(await bind(binding, address, sockets[0]?.port ?? port));
    } catch (error) {
      for (const { fd } of sockets) binding.closeDescriptor(fd);
      throw error;
    }
    return new Listeners(binding, sockets);
  }

  /** The port all addresses share: the one asked for, or the one the system chose. */
  get port(): number {
    return this.#sockets[0]!.port;
  }

  get addresses(): readonly string[] {
    return this.#sockets.map((socket) => socket.address);
  }

  /** Descriptors of the same sockets for another event loop, which closes them. */
  duplicate(): number[] {
    return this.#sockets.map((socket) => this.#binding.duplicate(socket.fd));
  }

  /** Closes this thread's descriptors once, however often it is called: a number may belong to somebody else by then. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { fd } of this.#sockets) this.#binding.closeDescriptor(fd);
  }
}

interface BoundSocket {
  readonly address: string;
  readonly fd: number;
  readonly port: number;
}

/** A port that cannot be had: ends the start with exit code 1 (as OVMS 2026.2.1). */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** An address before a port: IPv6 stands in brackets. */
export function hostText(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

async function bind(binding: NativeBinding, address: string, port: number): Promise<BoundSocket> {
  try {
    const numeric = await lookup(address);
    const bound = binding.listen(numeric.address, port, BACKLOG);
    return { address, fd: bound.fd, port: bound.port };
  } catch (error) {
    const { code = 'UNKNOWN', message } = error as NodeJS.ErrnoException;
    const reason = code === 'EADDRINUSE' ? 'expected a free port, another process listens on it' : message;
    throw new ListenError(`Failed to listen on ${hostText(address)}:${port}: ${reason} (${code})`, { cause: error });
  }
}
