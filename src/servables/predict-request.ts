import type { Lease } from '../tensors/arena.js';
import type { Precision } from '../tensors/precision.js';
import type { Shape } from '../tensors/shape.js';
import type { StringList } from '../tensors/strings.js';

/** What a client asks a servable to compute, decoded from any protocol. Tensor bytes are still views of the client's message. */
export interface PredictRequest {
  readonly servable: string;
  /** `null`: the default version. */
  readonly version: bigint | null;
  readonly inputs: ReadonlyMap<string, RequestTensor>;
  /**
   * Leased memory in which the client wants outputs, by name. They may be put there or not: the answer tells by where they are. Names
   * of no output are ignored.
   */
  readonly outputs?: ReadonlyMap<string, Lease>;
}

export interface RequestTensor {
  /** `null` for types no servable has (for example DT_COMPLEX64). */
  readonly precision: Precision | null;
  /** The type as errors print it: `FP32`, or the protocol's own word. */
  readonly precisionText: string;
  /** As sent: sizes may be negative or larger than what the content holds. */
  readonly shape: Shape;
  readonly content: TensorContent;
}

export type TensorContent =
  /**
   * Little-endian row-major bytes: a view of the message, or of the lease where there is one. Valid until the request is answered.
   */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly lease?: Lease }
  /** Values in typed fields (`float_val`, `half_val`, ...): how many, and how to write them as little-endian elements. */
  | { readonly kind: 'values'; readonly count: number; writeTo(target: Uint8Array): void }
  /** Strings or encoded pictures. */
  | { readonly kind: 'strings'; readonly strings: StringList };

/**
 * One output on its way to a client: `bytes` is a view of an arena region and valid until the response is encoded. Of STRING they are
 * packed; see `tensors/strings.ts` and `outputStrings`.
 */
export interface ResponseTensor {
  readonly name: string;
  readonly precision: Precision;
  readonly shape: Shape;
  readonly bytes: Uint8Array;
  /** The element, U64, is sent in the typed field of TensorFlow Serving's message, where clients look for it (as OVMS 2026.2.1). */
  readonly inValueField?: true;
  /** Where `bytes` are, when they are in a slab. */
  readonly memory?: SlabMemory;
}

/** A place in the memory that native code knows. */
export interface SlabMemory {
  readonly slabId: number;
  readonly byteOffset: number;
}
