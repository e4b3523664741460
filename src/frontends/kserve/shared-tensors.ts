import { outputTooLarge } from '../../servables/output-targets.js';
import type { PredictRequest, ResponseTensor, TensorContent } from '../../servables/predict-request.js';
import type { Lease } from '../../tensors/arena.js';
import type { SharedMemory, SharedMemoryPlace, SharedMemoryUse } from '../../tensors/shared-memory.js';
import type { Precision } from '../../tensors/precision.js';
import { readBytesElements } from './bytes-elements.js';
import { offered } from './shared-memory-status.js';

/** An output that a client wants in its shared memory. */
export interface SharedOutput {
  readonly name: string;
  readonly place: SharedMemoryPlace;
}

/**
 * The tensors of one request that are in shared memory. Whoever makes it calls `release` when the answer is written or the request has
 * failed.
 */
export class SharedTensors {
  readonly #memory: SharedMemory | null;
  readonly #uses: SharedMemoryUse[] = [];
  readonly #outputs = new Map<string, { readonly use: SharedMemoryUse; readonly place: SharedMemoryPlace }>();
  readonly #targets = new Map<string, Lease>();
  #bytesInPlace = 0;

  /** @param memory `null`: the server does not offer it. */
  constructor(memory: SharedMemory | null) {
    this.#memory = memory;
  }

  /**
   * What an input has there. Elements stay in the client's memory; BYTES are copied, because their lengths are read more than once.
   * @throws ServingError SHARED_MEMORY_*, INVALID_CONTENT_SIZE
   */
  input(name: string, place: SharedMemoryPlace, precision: Precision | null): TensorContent {
    const use = offered(this.#memory).read(place);
    this.#uses.push(use);
    const { lease } = use;
    if (precision !== 'STRING') return { kind: 'bytes', bytes: lease.bytes, lease };
    return { kind: 'strings', strings: readBytesElements(Uint8Array.from(lease.bytes), name) };
  }

  /** @throws ServingError SHARED_MEMORY_* */
  wantOutputs(outputs: readonly SharedOutput[]): void {
    for (const { name, place } of outputs) {
      const use = offered(this.#memory).write(place);
      this.#uses.push(use);
      this.#outputs.set(name, { use, place });
      this.#targets.set(name, use.lease);
    }
  }

  /** What a request says of its outputs: where the servable may put them at once. */
  get wanted(): Pick<PredictRequest, 'outputs'> {
    return this.#targets.size === 0 ? {} : { outputs: this.#targets };
  }

  /** Bytes of outputs that were written where they belong. */
  get bytesInPlace(): number {
    return this.#bytesInPlace;
  }

  /**
   * Brings an output to where its client wants it, unless the servable has put it there.
   * @param content as the client shall have it.
   * @returns the place, of the size of the content; `null` when the client wants it in the answer.
   * @throws ServingError SHARED_MEMORY_TOO_SMALL
   */
  place({ name, bytes }: ResponseTensor, content: Uint8Array): SharedMemoryPlace | null {
    const wanted = this.#outputs.get(name);
    if (wanted === undefined) return null;
    const { use, place } = wanted;
    const { lease } = use;
    if (content.byteLength > lease.byteLength) throw outputTooLarge(name, content.byteLength, lease.byteLength);
    const isThere = content === bytes && bytes.buffer === lease.buffer && bytes.byteOffset === lease.byteOffset;
    if (isThere) this.#bytesInPlace += content.byteLength;
    else use.fill(content);
    return { ...place, byteSize: content.byteLength };
  }

  /** To be called when everything was read and written. @throws ServingError SHARED_MEMORY_BROKEN */
  checkWhole(): void {
    for (const use of this.#uses) use.checkWhole();
  }

  release(): void {
    for (const { lease } of this.#uses) lease.release();
    this.#uses.length = 0;
  }
}
