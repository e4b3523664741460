import type { SequenceTurn } from '../inference/inference.js';
import type { Caller } from '../observability/metrics/caller.js';
import type { WorkerMetrics } from '../observability/metrics/worker-metrics.js';
import type { Arena, Lease } from '../tensors/arena.js';
import type { RunningExecutions } from './running-executions.js';
import type { SessionName } from './serving.js';
import type { TimelineRecorder } from './timeline-recorder.js';

/** What all nodes of one request share, those of nested pipelines included. */
export interface RunContext {
  readonly arena: Arena;
  readonly metrics: WorkerMetrics;
  readonly executions: RunningExecutions;
  /** Who asked; what runs inside counts under its name. */
  readonly caller: Caller;
  /** `null` unless the client asked for it. */
  readonly timeline: TimelineRecorder | null;
  /** The session of the pipeline node around; `null` at the top. */
  readonly around: SessionName | null;
  /** Where outputs of the outermost plan's models go; `null` inside of pipeline nodes, and when no client asks. */
  readonly targets: OutputTargets | null;
  /** That of a request to a stateful model, which is never part of a pipeline; `null` for all others. */
  readonly turn: SequenceTurn | null;
  /** What runs counts for no metric. */
  readonly isWarmUp?: boolean;
}

/** Where outputs of models go, by index of the node, then by output port of what it runs. */
export type OutputTargets = ReadonlyMap<number, ReadonlyMap<number, Lease>>;
