import type { ServingError } from '../errors.js';
import type { CompileSpecification, ModelDescription } from '../native/binding.js';
import type { Arena } from '../tensors/arena.js';
import type { SlabRegistrar } from '../tensors/slab-registrar.js';
import type { Tensor } from '../tensors/tensor.js';
import type { LoadGate } from './load-gate.js';

/**
 * The seam between the scheduler and whatever computes. One instance per owner worker, used on its thread only.
 * Implementations: the native addon (asynchronous, or one piscina task per node), openvino-node, and a simulation in tests.
 */
export interface Inference {
  /** What the arena makes its slabs known to. */
  readonly memory: SlabRegistrar;
  /** Where outputs of unknown shape are leased. Called once, before the first model is opened. */
  useArena(arena: Arena): void;
  /** Opens a model that the control plane has compiled. Rejects with a `ServingError`. */
  openModel(model: CompiledModelReference): Promise<InferenceModel>;
  /** Frees what the backend holds; nothing may be running. */
  close(): Promise<void>;
}

/** How a compiled model is named across threads: its place in the process-wide registry, and how it was made. */
export interface CompiledModelReference {
  readonly modelId: number;
  readonly specification: CompileSpecification;
  readonly description: ModelDescription;
  /** The same model for the event loop's own thread, where it is fast enough for that. */
  readonly inline: InlineVariant | null;
  /** Whether it may be compiled once more, for throughput, when several requests want it at a time. */
  readonly followsLoad: boolean;
}

/** A model compiled once more, for one stream of one thread. */
export interface InlineVariant {
  readonly modelId: number;
  /** What an inference on one thread took when it was measured. */
  readonly micros: number;
}

/** A model compiled once more, for several inferences at a time. */
export interface ThroughputVariant {
  readonly modelId: number;
  /** Infer requests that are best for it, of all owner workers together. */
  readonly nireq: number;
}

/** Has the control plane compile a model for throughput; `null` where that is not to be had, or brings nothing. */
export type CompileForThroughput = (modelId: number) => Promise<ThroughputVariant | null>;

/** A model that infers on the event loop's own thread where that costs less than the way to another one. */
export interface InlineInference {
  /** Whether the times of late speak for it. */
  isOpen(): boolean;
  /** Whether this turn of the event loop has time left; shared by all models of the thread. */
  hasTime(): boolean;
  /** For when it has none. @param work runs in a later turn, behind what was deferred before; it infers, and does not throw. */
  defer(work: () => void): void;
  /**
   * Infers before it returns. The caller keeps all leases.
   *
   * @returns microseconds.
   * @throws ServingError
   */
  inferNow(inputs: readonly Tensor[], outputs: readonly OutputTarget[]): number;
}

export interface InferenceModel {
  /** Absent unless it may infer inline. */
  readonly inline?: InlineInference;
  /** Absent unless the model was compiled as a stateful one. */
  readonly sequences?: Sequences;
  /** Absent unless it follows the load. */
  readonly following?: FollowsLoad;
  createInferRequest(): InferRequest;
  /** Infer requests made before stay usable until they are closed. */
  close(): void;
}

/** What a model that follows the load goes by. */
export interface FollowsLoad {
  /** Of all such models of the worker. */
  readonly load: LoadGate;
  /** The same model for several inferences at a time, `null` where there is none; to be closed, too. Rejects with a `ServingError`. */
  openForThroughput(): Promise<ThroughputModel | null>;
}

/** A {@link ThroughputVariant}, opened. */
export interface ThroughputModel extends Pick<InferenceModel, 'createInferRequest' | 'close'> {
  /** As of the variant. */
  readonly nireq: number;
}

/** One execution slot of a compiled model: one inference at a time. */
export interface InferRequest {
  /**
   * Runs one inference over leased memory, inputs and outputs in the model's port order. The caller keeps all leases until `done`,
   * which is called exactly once, on this thread, perhaps before `infer` returns. Nothing is thrown.
   *
   * @param turn the inference begins with the state of the turn's sequence, and what it leaves behind is kept for the turn's end. For
   * stateful models, which need it.
   */
  infer(
    inputs: readonly Tensor[],
    outputs: readonly OutputTarget[],
    done: InferenceDone,
    turn?: SequenceTurn | null,
  ): void;
  close(): void;
}

/**
 * The sequences of a stateful model: one set for all owner workers, because the requests of a sequence may come on any connection. It
 * belongs to the compiled model and ends with it.
 */
export interface Sequences {
  /**
   * Queues a request behind the others of its sequence and resolves when its turn has come. Rejects with a `ServingError` SEQUENCE_*, or
   * with the reason of the signal when that is aborted before; then nothing has changed.
   */
  enter(request: SequenceRequest, signal: AbortSignal): Promise<SequenceTurn>;
}

/** What a request asks of its sequence. */
export interface SequenceRequest {
  /** 64 bits without sign; 0: a new one is to be made, for `SEQUENCE_START` only. */
  readonly sequenceId: bigint;
  readonly control: SequenceControl;
}

export const SEQUENCE_CONTROL = { NONE: 0, START: 1, END: 2 } as const;
export type SequenceControl = (typeof SEQUENCE_CONTROL)[keyof typeof SEQUENCE_CONTROL];

/** From when a request has its turn until it gives way to the next. */
export interface SequenceTurn {
  /** The id asked for, or the one that was made. */
  readonly sequenceId: bigint;
  /** The client has left while its inference runs: `end` will commit nothing, and the same request may enter by now. */
  abandon(): void;
  /**
   * Exactly once, when no inference of the turn runs. With `commit` the sequence goes on with the state that the inference left, or ends;
   * without, it is as before the request: one that only began is gone, one that was to end goes on.
   */
  end(commit: boolean): void;
}

/**
 * Where an output goes: into a leased tensor; into a new one, because only the inference tells its shape; or nowhere, because
 * nobody reads it.
 */
export type OutputTarget = Tensor | 'allocate' | 'discard';

/**
 * @param outputs per output the tensor given or allocated, `null` for a discarded one; `null` as a whole when the inference
 * failed, and then nothing was allocated.
 * @param inferMicros time of the inference alone.
 */
export type InferenceDone = (
  error: ServingError | null,
  outputs: readonly (Tensor | null)[] | null,
  inferMicros: number,
) => void;
