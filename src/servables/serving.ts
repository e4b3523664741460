import type { ModelInfo } from '../native/binding.js';
import type { Caller } from '../observability/metrics/caller.js';
import type { Lease } from '../tensors/arena.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import type { Cancellation } from './cancellation.js';
import type { PredictRequest, ResponseTensor } from './predict-request.js';

/**
 * What the frontends may ask of the servables: no wire types in, none out. One implementation lives in each owner worker.
 * Every method throws or rejects with a `ServingError` of the catalogue; anything else is a bug.
 */
export interface Serving {
  /**
   * Runs a model or a pipeline: the name is looked up among the models first, then among the pipelines (as OVMS 2026.2.1).
   * A servable that is loading is waited for. The caller must call `release` exactly once, after the outputs were encoded, and
   * `encoded` before that when they were. The result is there at once when nothing had to be waited for.
   */
  predict(request: PredictRequest, call: CallContext): Promise<PredictResult> | PredictResult;

  /**
   * Metadata of an available servable; never waits.
   * @param version `null` or 0: the default version. Ignored for pipelines, which always answer version 1.
   */
  metadata(name: string, version: bigint | null, caller: Caller): ServableMetadata;

  /**
   * Whether a servable answers now; never waits.
   * @param version `null` or 0: the default version. Ignored for pipelines.
   * @throws ServingError MODEL_NAME_MISSING, MODEL_VERSION_MISSING for a version never seen, and for the default version of a model
   *   none of whose versions is available (as OVMS 2026.2.1).
   */
  ready(name: string, version: bigint | null, caller: Caller): boolean;

  /** All versions ever seen, ascending, END included; with a version, that one. A pipeline is one entry, version 1. */
  status(name: string, version: bigint | null, caller: Caller): readonly VersionStatus[];

  /**
   * Inputs of a servable for decoders that need to know precisions before they can read values (JSON), those that tell a sequence and
   * need not be sent among them.
   * Resolves like `predict`, waiting included.
   */
  inputs(
    name: string,
    version: bigint | null,
    call: CallContext,
  ): Promise<readonly TensorInfo[]> | readonly TensorInfo[];

  /** A request that {@link inputs} was asked for cannot be decoded and will not be run: it counts as failed. */
  refused(name: string, version: bigint | null, caller: Caller): void;
}

/** Who asks, and how long they wait. */
export interface CallContext extends Caller {
  /** `performance.now()` of the request's arrival. */
  readonly arrived: number;
  /** Aborted when the client is gone or its deadline has passed; the reason is then the `ServingError` to answer with. */
  readonly signal: Cancellation;
  /** Whether the client asked for the time line of its request. */
  readonly wantsTimeline: boolean;
  /** The leased region that the request's bytes are in; without one they are in memory of their own. */
  readonly message?: Lease | null;
}

export interface PredictResult {
  /** Sorted by name; what a condition has skipped or an early exit has cut off is missing. */
  readonly outputs: readonly ResponseTensor[];
  /** Outputs the servable has, those that are missing now among them. */
  readonly declaredOutputs: number;
  /** Version that answered; 1 for a pipeline. */
  readonly version: number;
  /** Present when it was asked for. */
  readonly timeline: Timeline | null;
  /**
   * The answer is complete: the request has succeeded. At most once, before `release`; without it the request has failed.
   *
   * @param sentInPlace bytes of the outputs that were not copied; 0 when not given.
   */
  encoded(sentInPlace?: number): void;
  /** Gives the output regions back to the arena. Exactly once, when nothing reads them any more. */
  release(): void;
}

/** When each step of one request began and ended: microseconds since the request's arrival. */
export interface Timeline {
  readonly totalMicros: number;
  readonly nodes: readonly (SessionName & {
    /** Inputs ready; from here the node waits for an infer request. */
    readonly readyMicros: number;
    readonly startMicros: number;
    readonly endMicros: number;
    /** How long it waited for an infer request. */
    readonly queueMicros: number;
    /** Measured by the backend around the inference alone. */
    readonly inferMicros: number;
    /** Bytes of tensors that were copied for it: shards gathered, outputs whose shape was not known before. */
    readonly copiedBytes: number;
  })[];
  /** Nodes that a header had no room for, the fastest ones; not there when `nodes` has all. */
  readonly leftOutNodes?: number;
}

/** How the time line calls a session; both together are unique in a request. */
export interface SessionName {
  /** Names of the pipeline nodes around and of the node itself, with slashes between. */
  readonly node: string;
  /** In which shard each of those runs that runs in one, with slashes between; empty outside of demultiplexers. */
  readonly session: string;
}

/** Inputs and outputs of one version; sorted by name. */
export interface ServableSignature {
  readonly name: string;
  readonly version: number;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

export interface ServableMetadata extends ServableSignature {
  /** All versions that are available now, ascending. */
  readonly versions: readonly number[];
  /** What the model file says of itself under `rt_info/model_info`; `null` when nothing, and for pipelines. */
  readonly modelInfo: ModelInfo | null;
}

/** Life of a version, by TensorFlow Serving's numbers. */
export const SERVABLE_STATE = { START: 10, LOADING: 20, AVAILABLE: 30, UNLOADING: 40, END: 50 } as const;
export type ServableState = keyof typeof SERVABLE_STATE;

/** Status code beside the state; its name is also the error message, never empty (as OVMS 2026.2.1). */
export const STATE_ERROR_CODE = { OK: 0, UNKNOWN: 2, FAILED_PRECONDITION: 9 } as const;
export type StateErrorCode = keyof typeof STATE_ERROR_CODE;

export interface VersionStatus {
  readonly version: number;
  readonly state: ServableState;
  readonly errorCode: StateErrorCode;
}
