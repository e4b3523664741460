import type { SlabMemory } from '../../servables/predict-request.js';

/** Smaller contents are copied: referring to them costs more. */
const WORTH_REFERRING_BYTES = 4096;

const NO_PLACES: readonly ContentPlace[] = [];

/** Contents of tensors that a message is written without, because a transport sends them from leased memory. */
export class Contents {
  /** In their order. */
  get places(): readonly ContentPlace[] {
    return this.#places ?? NO_PLACES;
  }

  #places: ContentPlace[] | null = null;
  /** Bytes of all of them. */
  byteLength = 0;

  /** Whether a content is left out of the message. */
  wants(bytes: Uint8Array, memory: SlabMemory | undefined): memory is SlabMemory {
    return memory !== undefined && bytes.byteLength >= WORTH_REFERRING_BYTES;
  }

  /**
   * Takes a content that is left out.
   *
   * @param before where it belongs: bytes of the written message in front of it.
   * @returns whether it was taken; else it must be written.
   */
  take(before: number, bytes: Uint8Array, memory: SlabMemory | undefined): boolean {
    if (!this.wants(bytes, memory)) return false;
    const { slabId, byteOffset } = memory;
    (this.#places ??= []).push({ before, slabId, byteOffset, byteLength: bytes.byteLength });
    this.byteLength += bytes.byteLength;
    return true;
  }
}

/** A content in leased memory, and its place: so many bytes of the written message stand before it. */
export interface ContentPlace extends SlabMemory {
  readonly before: number;
  readonly byteLength: number;
}

/** A message of which the contents of large tensors are still where the inference has put them. */
export class ScatteredMessage {
  /**
   * @param written the message without those contents.
   * @param release gives the memory back; called exactly once, when all of it is sent.
   */
  constructor(
    readonly written: Uint8Array,
    readonly contents: readonly ContentPlace[],
    readonly release: () => void,
  ) {}
}
