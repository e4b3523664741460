import type { LoggingOptions } from '../../observability/logger.js';
import type { TensorInfo } from '../../tensors/tensor-info.js';
import type { Shape } from '../../tensors/shape.js';
import type { NodeSignature } from '../node-instance.js';
import type { Precision } from './api.js';
import type { JsNodeFile } from './reference.js';

/** What a thread of a pool is told at its start. */
export interface ThreadData {
  readonly module: string;
  readonly files: readonly JsNodeFile[];
  readonly board: SharedArrayBuffer;
  readonly deinitializeLimitMs: number;
  /** `null`: standard output only. */
  readonly logging: LoggingOptions | null;
}

export type ThreadTask = ExecuteTask | DeinitializeTask;

/** One execution of a node. Crosses by structured clone; the buffers are the same memory on both sides. */
export interface ExecuteTask {
  readonly kind: 'execute';
  /** Number of the node instance within the pool. */
  readonly node: number;
  /** What the node is; `null` when the thread has heard it before. */
  description: NodeDescription | null;
  /** Place on the {@link Board}. */
  readonly slot: number;
  readonly inputs: readonly TaskInput[];
  /** For each output of the signature. */
  readonly outputs: readonly OutputTarget[];
}

export interface NodeDescription {
  readonly name: string;
  readonly params: unknown;
  readonly signature: NodeSignature;
}

export interface TaskInput {
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly precision: Precision;
  readonly shape: Shape;
}

/** The region leased for an output of fixed shape; `allocate`: only the execution tells the shape; `discard`: nobody reads it. */
export type OutputTarget = { readonly buffer: SharedArrayBuffer; readonly byteOffset: number } | 'allocate' | 'discard';

/** Ends the states of some nodes, or of all: then the thread is not used again. */
export interface DeinitializeTask {
  readonly kind: 'deinitialize';
  readonly nodes: readonly number[] | 'all';
}

export type ExecuteResult =
  | ExecutedResult
  | { readonly kind: 'failed'; readonly fault: NodeFault }
  /** Nobody waited any more when the thread came to it; nothing was touched. */
  | { readonly kind: 'withdrawn' };

export interface ExecutedResult {
  readonly kind: 'executed';
  /** For each output where it lies; `null` for what nobody reads. */
  readonly outputs: readonly (OutputPlace | null)[];
  /** New memory that the places refer to. */
  readonly fresh: readonly SharedArrayBuffer[];
  readonly micros: number;
  readonly copiedBytes: number;
}

export interface NodeFault {
  readonly code: 'JS_NODE_FAILED' | 'JS_NODE_OUTPUT_INVALID';
  readonly text: string;
  readonly stack: string;
  readonly micros: number;
  /** The module itself could not be loaded, so the thread is of no use. */
  readonly isThreadUseless: boolean;
}

export interface OutputPlace {
  readonly from: 'input' | 'target' | 'fresh' | 'nothing';
  /** Of the input, the output target or the fresh buffer. */
  readonly index: number;
  /** Bytes behind the beginning of that tensor or buffer. */
  readonly start: number;
  readonly shape: Shape;
}

export interface DeinitializeResult {
  /** What went wrong, for the log. */
  readonly faults: readonly string[];
}

/** Elements of a static shape; `null` where a dimension is a range. */
export function staticShape({ shape }: TensorInfo): Shape | null {
  return shape.every(({ min, max }) => min === max) ? shape.map(({ min }) => min) : null;
}
