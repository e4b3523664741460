import type { ServingError } from '../errors.js';
import type { Tensor } from '../tensors/tensor.js';
import type { TensorInfo } from '../tensors/tensor-info.js';

/** What a node that is no model says of itself when its pipeline is validated. Plain data: it crosses threads by structured clone. */
export interface NodeSignature {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

/**
 * A node that runs a user's own code, opened in one owner worker and used on its thread only. Any number of executions may be under
 * way; the implementation queues them if it must.
 */
export interface NodeInstance {
  /**
   * Runs the node once over leased memory. The caller keeps the inputs until `done`, which is called exactly once, on this thread,
   * perhaps before `execute` returns. Nothing is thrown.
   *
   * @param inputs in the order of the signature's inputs; their precisions and shapes have been checked. Must not be written.
   * @param wanted for each output of the signature, whether somebody reads it.
   * @returns what withdraws this execution: see {@link Withdraw}.
   */
  execute(inputs: readonly Tensor[], wanted: readonly boolean[], done: NodeExecuted): Withdraw;

  /** Nothing runs and nothing will be run. */
  close(): void;
}

/**
 * @param outputs in the order of the signature's outputs, one use each for the receiver to release, `null` for what is not wanted;
 * `null` as a whole when the execution failed, and then nothing is leased.
 * @param micros time of the execution alone.
 * @param copiedBytes what had to be copied to bring the outputs into leased memory.
 */
export type NodeExecuted = (
  error: ServingError | null,
  outputs: readonly (Tensor | null)[] | null,
  micros: number,
  copiedBytes: number,
) => void;

/**
 * Tells that nobody waits for the execution any more: one that has not begun never begins and ends at once with `error`; one that
 * runs ends as soon as it safely can, with whatever result. `done` is called in any case, once.
 */
export type Withdraw = (error: ServingError) => void;
