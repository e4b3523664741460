import { ServingError } from '../errors.js';
import type { NativeBinding, SharedMemoryUse as NativeUse } from '../native/binding.js';
import { fromNativeError } from '../native/errors.js';
import { Lease, type LeasedRegion, type LeaseOwner } from '../tensors/arena.js';
import type { SharedMemory, SharedMemoryPlace, SharedMemoryRegion, SharedMemoryUse } from '../tensors/shared-memory.js';
import type { SlabRegistrar } from '../tensors/slab-registrar.js';
import { shortened } from '../texts.js';

type SharedMemoryBinding = Pick<
  NativeBinding,
  | 'registerSharedMemory'
  | 'unregisterSharedMemory'
  | 'unregisterAllSharedMemory'
  | 'listSharedMemory'
  | 'beginSharedMemory'
  | 'mapSharedMemory'
  | 'isSharedMemoryBroken'
  | 'endSharedMemory'
  | 'isSharedMemoryKnown'
  | 'unmapSharedMemory'
>;

/** Largest offset and size that are numbers without loss. */
const LARGEST = Number.MAX_SAFE_INTEGER;

/**
 * Clients' shared memory in one owner worker. A region is mapped when its first request comes, over a SharedArrayBuffer of this thread's
 * own, so that it is a slab like any other: infer requests bind it, and threads of nodes see it.
 */
export class SharedMemoryRegions implements SharedMemory, LeaseOwner {
  readonly #binding: SharedMemoryBinding;
  readonly #registrar: SlabRegistrar;
  /** By the number of the registration. */
  readonly #mapped = new Map<number, Mapped>();

  /** @param registrar of the backend, which binds tensors by it. */
  constructor(binding: SharedMemoryBinding, registrar: SlabRegistrar) {
    this.#binding = binding;
    this.#registrar = registrar;
  }

  register({ name, key, offset, byteSize }: SharedMemoryRegion): void {
    if (name === '' || offset > LARGEST || byteSize > LARGEST) {
      const why = name === '' ? 'expected a name' : 'offset and byte size are larger than any memory';
      throw new ServingError(
        'SHARED_MEMORY_INVALID',
        `failed to register shared memory region '${shortened(name)}': invalid args: ${why}`,
      );
    }
    guard(() => this.#binding.registerSharedMemory(name, key, offset, byteSize));
  }

  unregister(name: string): void {
    this.#binding.unregisterSharedMemory(name);
    this.#dropUnknown();
  }

  unregisterAll(): void {
    this.#binding.unregisterAllSharedMemory();
    this.#dropUnknown();
  }

  list(): readonly SharedMemoryRegion[] {
    return this.#binding.listSharedMemory();
  }

  read(place: SharedMemoryPlace): SharedMemoryUse {
    return this.#use(place, false);
  }

  write(place: SharedMemoryPlace): SharedMemoryUse {
    return this.#use(place, true);
  }

  /** @internal Called by a lease when its last use ends. */
  giveBack({ slab }: MappedRegion): void {
    this.#binding.endSharedMemory(slab.region);
  }

  #use(place: SharedMemoryPlace, writes: boolean): SharedMemoryUse {
    const begun = guard(() => this.#binding.beginSharedMemory(place.region));
    try {
      checkPlace(place, begun, writes);
      const { slab, begin } = this.#mapped.get(begun.region) ?? this.#map(begun);
      const lease = new Lease(this, { slab, byteOffset: begin + place.offset }, place.byteSize);
      return new PlaceInUse(this.#binding, this.#registrar, place, slab.region, lease);
    } catch (error) {
      this.#binding.endSharedMemory(begun.region);
      throw error;
    }
  }

  #map({ region, room }: NativeUse): Mapped {
    this.#dropUnknown();
    const buffer = sharedBuffer(room);
    const memory = new Uint8Array(buffer);
    const begin = guard(() => this.#binding.mapSharedMemory(region, memory));
    const slab = { id: this.#registrar.registerSlab(memory), buffer, isForeign: true, region } as const;
    const mapped = { slab, begin };
    this.#mapped.set(region, mapped);
    return mapped;
  }

  /** Lets go of the memory of registrations that have ended, on whichever thread. */
  #dropUnknown(): void {
    for (const [region, { slab }] of this.#mapped) {
      if (this.#binding.isSharedMemoryKnown(region)) continue;
      this.#mapped.delete(region);
      this.#registrar.unregisterSlab(slab.id);
      this.#binding.unmapSharedMemory(region);
    }
  }
}

interface MappedRegion extends LeasedRegion {
  readonly slab: LeasedRegion['slab'] & {
    /** Number of the registration. */
    readonly region: number;
  };
}

interface Mapped {
  readonly slab: MappedRegion['slab'];
  /** Byte of the buffer at which the region begins. */
  readonly begin: number;
}

class PlaceInUse implements SharedMemoryUse {
  readonly lease: Lease;
  readonly #binding: SharedMemoryBinding;
  readonly #registrar: SlabRegistrar;
  readonly #place: SharedMemoryPlace;
  readonly #region: number;

  constructor(
    binding: SharedMemoryBinding,
    registrar: SlabRegistrar,
    place: SharedMemoryPlace,
    region: number,
    lease: Lease,
  ) {
    this.#binding = binding;
    this.#registrar = registrar;
    this.#place = place;
    this.#region = region;
    this.lease = lease;
  }

  checkWhole(): void {
    if (!this.#binding.isSharedMemoryBroken(this.#region)) return;
    throw new ServingError('SHARED_MEMORY_BROKEN', `'${shortened(this.#place.region)}'`);
  }

  fill(bytes: Uint8Array): void {
    const { lease } = this;
    if (bytes.byteLength > lease.byteLength) {
      throw new RangeError(`copy of ${bytes.byteLength} bytes to a place of ${lease.byteLength}`);
    }
    if (bytes.byteLength > 0) this.#registrar.copyIn(lease.slabId, lease.byteOffset, bytes);
  }
}

function checkPlace({ region, offset, byteSize }: SharedMemoryPlace, use: NativeUse, writes: boolean): void {
  const within = `${use.byteSize} bytes`;
  if (offset >= use.byteSize) {
    const detail = `Invalid offset for shared memory region: '${shortened(region)}': expected less than ${within}, received ${offset}`;
    throw new ServingError('SHARED_MEMORY_INVALID', detail);
  }
  if (byteSize > use.byteSize - offset) {
    const detail = `Invalid offset + byte size for shared memory region: '${shortened(region)}': expected at most ${within}, received ${offset} + ${byteSize}`;
    throw new ServingError('SHARED_MEMORY_INVALID', detail);
  }
  if (writes && !use.isWritable) {
    throw new ServingError(
      'SHARED_MEMORY_INVALID',
      `Shared memory region '${shortened(region)}' may be read by the server, but not written: expected one that may for an output`,
    );
  }
}

function sharedBuffer(byteLength: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(byteLength);
  } catch (error) {
    throw new ServingError('OUT_OF_MEMORY', String(error), { cause: error });
  }
}

function guard<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fromNativeError(error);
  }
}
