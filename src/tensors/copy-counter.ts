/** Why bytes of tensors were copied. Tensors that go from node to node are not: what is not listed here does not happen. */
export const COPY_REASONS = [
  /** Out of the client's message into leased memory. */
  'request',
  /** Out of leased memory into the answer. */
  'response',
  /** Shards joined behind a demultiplexer. */
  'gather',
  /** Inputs of several requests joined to a batch. */
  'batch',
  /** An output whose shape only the inference told, out of OpenVINO's memory. */
  'dynamic_output',
  /** What a custom node's library returned, out of its memory. */
  'custom_node_output',
  /** What a JavaScript node returned, out of its own memory; and inputs of it that did not stand where it could read them. */
  'js_node_output',
  /** Elements that were written anew in another precision or layout. */
  'conversion',
  /** In and out of a backend that knows no shared memory. */
  'backend',
] as const;
export type CopyReason = (typeof COPY_REASONS)[number];

const INDEX = Object.fromEntries(COPY_REASONS.map((reason, index) => [reason, index])) as Record<CopyReason, number>;

/**
 * Counts the bytes of tensors that one owner worker copies, by reason. Whoever copies tensor bytes counts them here, once a copy:
 * `Arena.copyIn` does it for its callers. Used on one thread; the numbers may be shared memory that another thread reads.
 */
export class CopyCounter {
  readonly #bytes: Float64Array;

  /** @param bytes one number a reason, in the order of {@link COPY_REASONS}. */
  constructor(bytes: Float64Array = new Float64Array(COPY_REASONS.length)) {
    this.#bytes = bytes;
  }

  count(reason: CopyReason, byteLength: number): void {
    this.#bytes[INDEX[reason]]! += byteLength;
  }

  bytes(reason: CopyReason): number {
    return this.#bytes[INDEX[reason]]!;
  }
}
