import type { Lease } from './arena.js';

/** A part of POSIX shared memory that a client has registered under a name. */
export interface SharedMemoryRegion {
  readonly name: string;
  /** Name of the POSIX shared memory. */
  readonly key: string;
  /** Of the region in the shared memory, in bytes. */
  readonly offset: number;
  readonly byteSize: number;
}

/** Where in a registered region a tensor is or shall be. */
export interface SharedMemoryPlace {
  readonly region: string;
  /** From the beginning of the region, in bytes. */
  readonly offset: number;
  readonly byteSize: number;
}

/**
 * The shared memory of clients on this machine. Registrations belong to the process, whichever thread they come to.
 * Every method throws a `ServingError` SHARED_MEMORY_*.
 */
export interface SharedMemory {
  register(region: SharedMemoryRegion): void;
  /** Frees the name at once, the memory when no request uses it any more. An unknown name is no error. */
  unregister(name: string): void;
  unregisterAll(): void;
  /** All regions, sorted by name. */
  list(): readonly SharedMemoryRegion[];
  /** Leases a place for a request that reads it. */
  read(place: SharedMemoryPlace): SharedMemoryUse;
  /** Leases a place for a request that writes it. */
  write(place: SharedMemoryPlace): SharedMemoryUse;
}

/** A place that a request uses. */
export interface SharedMemoryUse {
  /** One use, its holder's. The bytes are the client's, who may change them or take them away at any moment. */
  readonly lease: Lease;
  /**
   * To be asked when everything was read and written: where the client has taken memory away, zeros were read.
   * @throws ServingError SHARED_MEMORY_BROKEN
   */
  checkWhole(): void;
  /** Copies to the beginning of the place; no more than fit. */
  fill(bytes: Uint8Array): void;
}
