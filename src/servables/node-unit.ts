import type { ServingError } from '../errors.js';
import type { Withdraw } from '../nodes/node-instance.js';
import type { ExecutionMetrics } from '../observability/metrics/execution-metrics.js';
import type { Lease } from '../tensors/arena.js';
import type { Tensor } from '../tensors/tensor.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import { ELEMENT_BYTES } from '../tensors/precision.js';
import { elementCount, isStatic } from '../tensors/shape.js';
import type { RunContext } from './run-context.js';
import type { SessionName } from './serving.js';

/** What a node of a plan runs, opened in one owner worker: a model version, a user's node, another pipeline, a conversion. */
export interface NodeUnit {
  /** In the order in which a session gives them. */
  readonly inputs: readonly RuntimePort[];
  readonly outputs: readonly RuntimePort[];
  /** Kept open from before the first node of an execution until after its last. */
  hold(): void;
  letGo(): void;
  /**
   * Runs a session now or in its turn.
   *
   * @returns what withdraws it: a session that waits then ends at once with the error; one that runs goes on, or ends early.
   */
  start(session: UnitSession): Withdraw;
}

/** One run of one node. The unit calls `started` at most once, when the session stops waiting, and `ended` once after it. */
export interface UnitSession {
  readonly name: SessionName;
  /** In the order of the unit's inputs; leased until `ended`. */
  readonly inputs: readonly Tensor[];
  /** For each output of the unit, whether somebody reads it. */
  readonly wanted: readonly boolean[];
  readonly context: RunContext;
  readonly metrics: ExecutionMetrics;
  /** Memory for outputs of a model, by port; `null`: all of it is to be leased. */
  readonly targets: ReadonlyMap<number, Lease> | null;
  /** How long it waited; known once it has started. */
  readonly queueMicros: number;
  /** @param microsAgo when the unit learns of it later, how much later. */
  started(microsAgo?: number): void;
  ended(end: SessionEnd): void;
}

export interface SessionEnd {
  /** `null` when the session gave outputs. */
  readonly error: ServingError | null;
  /** In the order of the unit's outputs, one use each; `null` for what nobody reads or what was skipped inside. */
  readonly outputs: readonly (Tensor | null)[];
  /** Time of the work alone; 0 for a session that never started. */
  readonly micros: number;
  /** Bytes copied to bring the outputs into leased memory. */
  readonly copiedBytes: number;
}

/** The end of a session that gave nothing. */
export function failed(error: ServingError, micros = 0): SessionEnd {
  return { error, outputs: [], micros, copiedBytes: 0 };
}

/** A port with what binding it needs. */
export interface RuntimePort {
  readonly info: TensorInfo;
  /**
   * The only shape it can have, or `null` when only the request or the inference tells, or how much memory it needs: that is so for
   * strings.
   */
  readonly staticShape: readonly number[] | null;
  /** Bytes of the static shape; 0 when there is none. */
  readonly staticBytes: number;
}

export function runtimePort(info: TensorInfo): RuntimePort {
  if (!isStatic(info.shape) || info.precision === 'STRING') return { info, staticShape: null, staticBytes: 0 };
  const staticShape = info.shape.map((dimension) => dimension.min);
  return { info, staticShape, staticBytes: (elementCount(staticShape) ?? 0) * ELEMENT_BYTES[info.precision] };
}
