import { WorkerMetrics } from '#src/observability/metrics/worker-metrics.js';
import type { RunContext } from '#src/servables/run-context.js';
import { RunningExecutions } from '#src/servables/running-executions.js';
import type { Arena } from '#src/tensors/arena.js';

/** What a request over gRPC runs in that wants nothing special; it counts for nobody. */
export function runContext(arena: Arena): RunContext {
  return {
    arena,
    metrics: new WorkerMetrics(),
    caller: { api: 'TensorFlowServing', interface: 'gRPC' },
    timeline: null,
    executions: new RunningExecutions(),
    around: null,
    targets: null,
    turn: null,
  };
}
