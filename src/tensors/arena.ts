import { CopyCounter, type CopyReason } from './copy-counter.js';
import type { SlabRegistrar } from './slab-registrar.js';

/** Regions start at this alignment: a cache line, and what OpenVINO's own allocator gives. */
export const REGION_ALIGNMENT = 64;
const SMALLEST_SLAB = 64 * 1024;
const LARGEST_SHARED_SLAB = 4 * 1024 * 1024;
const REGIONS_PER_SLAB = 16;
const IDLE_BYTES = 256 * 1024 * 1024;

/**
 * Memory for tensors: regions of SharedArrayBuffers, 64-byte aligned, reused from request to request.
 *
 * Each slab is cut into regions of one size class and each class keeps its free regions in a stack, so that a hot graph meets the
 * same addresses again and OpenVINO need not bind them anew. Belongs to one thread; other threads may read and write the bytes
 * while a lease is held. A slab none of whose regions is leased is given back once more than `idleBytes` are free.
 */
export class Arena {
  /** For whoever copies tensor bytes other than by {@link copyIn}. */
  readonly copies: CopyCounter;
  readonly #registrar: SlabRegistrar;
  readonly #idleLimit: number;
  readonly #free = new Map<number, Region[]>();
  readonly #slabs = new Set<Slab>();
  #leased = 0;
  #idleBytes = 0;

  constructor(
    registrar: SlabRegistrar,
    {
      idleBytes = IDLE_BYTES,
      copies = new CopyCounter(),
    }: { readonly idleBytes?: number; readonly copies?: CopyCounter } = {},
  ) {
    this.#registrar = registrar;
    this.#idleLimit = idleBytes;
    this.copies = copies;
  }

  /** A region of at least `byteLength` bytes with one use. Its content is what the last user left. */
  lease(byteLength: number): Lease {
    const size = sizeClass(byteLength);
    const region = this.#free.get(size)?.pop() ?? this.#grow(size);
    region.slab.leased += 1;
    this.#leased += 1;
    this.#idleBytes -= size;
    return new Lease(this, region, byteLength);
  }

  /**
   * A lease with one use of memory that another thread made, without a copy. The whole buffer is registered as a slab of its own
   * until the last use is released; after that nobody may write it, and the garbage collector has it.
   *
   * @throws RangeError when the region does not lie within the buffer
   */
  adopt(buffer: SharedArrayBuffer, byteOffset: number, byteLength: number): Lease {
    if (byteOffset < 0 || byteLength < 0 || byteOffset + byteLength > buffer.byteLength) {
      throw new RangeError(
        `region of ${byteLength} bytes from byte ${byteOffset} of a buffer of ${buffer.byteLength} bytes`,
      );
    }
    const id = this.#registrar.registerSlab(new Uint8Array(buffer));
    const slab: Slab = { id, buffer, regionBytes: byteLength, byteLength: buffer.byteLength, adopted: true, leased: 1 };
    this.#slabs.add(slab);
    this.#leased += 1;
    return new Lease(this, { slab, byteOffset }, byteLength);
  }

  /** Regions in use now; 0 when the server is idle, whatever happened before. */
  get leasedRegions(): number {
    return this.#leased;
  }

  /** Bytes of all slabs. */
  get reservedBytes(): number {
    let bytes = 0;
    for (const slab of this.#slabs) bytes += slab.byteLength;
    return bytes;
  }

  /** Copies into a lease natively, and counts it; V8's own copy into shared memory costs three times as much (measured on 602 KB). */
  copyIn(lease: Lease, source: Uint8Array, reason: CopyReason, start = 0): void {
    if (start + source.byteLength > lease.byteLength) {
      throw new RangeError(`copy of ${source.byteLength} bytes to byte ${start} of a region of ${lease.byteLength}`);
    }
    if (source.byteLength === 0) return;
    this.#registrar.copyIn(lease.slabId, lease.byteOffset + start, source);
    this.copies.count(reason, source.byteLength);
  }

  /** @internal Called by a lease when its last use ends. */
  giveBack(region: Region): void {
    const { slab } = region;
    slab.leased -= 1;
    this.#leased -= 1;
    if (slab.adopted) return this.#forget(slab);
    this.#idleBytes += slab.regionBytes;
    this.#freeRegions(slab.regionBytes).push(region);
    if (slab.leased === 0 && this.#idleBytes > this.#idleLimit) this.#drop(slab);
  }

  #freeRegions(size: number): Region[] {
    let regions = this.#free.get(size);
    if (regions === undefined) this.#free.set(size, (regions = []));
    return regions;
  }

  #grow(size: number): Region {
    const count = Math.max(1, Math.floor(slabBytes(size) / size));
    // SharedArrayBuffers are only 16-byte aligned, so the first region may start a little later.
    const buffer = new SharedArrayBuffer(count * size + REGION_ALIGNMENT);
    const id = this.#registrar.registerSlab(new Uint8Array(buffer));
    const misalignment = Number(this.#registrar.slabAddress(id, 0) % BigInt(REGION_ALIGNMENT));
    const start = (REGION_ALIGNMENT - misalignment) % REGION_ALIGNMENT;
    const slab: Slab = { id, buffer, regionBytes: size, byteLength: buffer.byteLength, adopted: false, leased: 0 };
    this.#slabs.add(slab);
    this.#idleBytes += count * size;
    const regions = this.#freeRegions(size);
    for (let index = count - 1; index > 0; index -= 1) regions.push({ slab, byteOffset: start + index * size });
    return { slab, byteOffset: start };
  }

  #drop(slab: Slab): void {
    const regions = this.#freeRegions(slab.regionBytes);
    const kept = regions.filter((region) => region.slab !== slab);
    this.#idleBytes -= (regions.length - kept.length) * slab.regionBytes;
    this.#free.set(slab.regionBytes, kept);
    this.#forget(slab);
  }

  #forget(slab: Slab): void {
    this.#slabs.delete(slab);
    this.#registrar.unregisterSlab(slab.id);
  }
}

interface Slab {
  readonly id: number;
  readonly buffer: SharedArrayBuffer;
  readonly regionBytes: number;
  readonly byteLength: number;
  /** Memory of another thread: one region, never leased again. */
  readonly adopted: boolean;
  leased: number;
}

interface Region extends LeasedRegion {
  readonly slab: Slab;
}

/** A piece of a slab that a lease is about. */
export interface LeasedRegion {
  readonly slab: {
    readonly id: number;
    readonly buffer: SharedArrayBuffer;
    /** The memory is a client's, who may change it or take it away at any moment. */
    readonly isForeign?: true;
  };
  readonly byteOffset: number;
}

/** Who gets a region back. */
export interface LeaseOwner {
  giveBack(region: LeasedRegion): void;
}

/**
 * A counted right to use one region. It starts with one use; whoever hands it to k consumers calls `retain(k - 1)`, and each
 * consumer calls `release` once. The region goes back to its owner with the last use; a release too many throws, because it would
 * hand memory that is in use to another request.
 */
export class Lease {
  readonly byteLength: number;
  readonly #owner: LeaseOwner;
  readonly #region: LeasedRegion;
  #uses = 1;

  constructor(owner: LeaseOwner, region: LeasedRegion, byteLength: number) {
    this.#owner = owner;
    this.#region = region;
    this.byteLength = byteLength;
  }

  get slabId(): number {
    return this.#region.slab.id;
  }

  get byteOffset(): number {
    return this.#region.byteOffset;
  }

  get buffer(): SharedArrayBuffer {
    return this.#region.slab.buffer;
  }

  /** See {@link LeasedRegion}: nothing may be read twice that a decision hangs on. */
  get isForeign(): boolean {
    return this.#region.slab.isForeign === true;
  }

  get uses(): number {
    return this.#uses;
  }

  /** The leased bytes, valid until the last use is released. */
  get bytes(): Uint8Array {
    return new Uint8Array(this.#region.slab.buffer, this.#region.byteOffset, this.byteLength);
  }

  retain(uses: number): void {
    if (this.#uses === 0) throw new Error('lease retained after its last use was released');
    this.#uses += uses;
  }

  release(): void {
    if (this.#uses === 0) throw new Error('lease released more often than it was retained');
    this.#uses -= 1;
    if (this.#uses === 0) this.#owner.giveBack(this.#region);
  }
}

/**
 * Bytes of the class that serves a request of `byteLength`: multiples of a quarter of the power of two below, so that at most a
 * fifth of a region is unused, and never less than one aligned line.
 */
export function sizeClass(byteLength: number): number {
  if (byteLength <= REGION_ALIGNMENT * 4) {
    return Math.max(1, Math.ceil(byteLength / REGION_ALIGNMENT)) * REGION_ALIGNMENT;
  }
  const step = 2 ** (Math.floor(Math.log2(byteLength - 1)) - 2);
  return Math.ceil(byteLength / step) * step;
}

function slabBytes(size: number): number {
  return Math.max(size, Math.min(LARGEST_SHARED_SLAB, Math.max(SMALLEST_SLAB, size * REGIONS_PER_SLAB)));
}
