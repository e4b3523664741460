import { Execution, type NodeRunner } from '#src/dag/execution.js';
import { ServingError } from '#src/errors.js';
import { ScopeLayout } from '#src/dag/scope.js';
import type { CountedValue } from '#src/dag/value.js';
import type { BenchmarkGraph } from './graphs.js';
import type { Subject } from './subject.js';

/** Counts the uses of all values together: 0 again when a run has ended. */
class UseCount implements CountedValue {
  uses = 0;

  retain(uses: number): void {
    this.uses += uses;
  }

  release(): void {
    this.uses -= 1;
  }
}

/** The engine alone: nodes end when they are started and compute nothing. */
export function pureEngine({ name, graph }: BenchmarkGraph): Subject {
  const value = new UseCount();
  const layout = new ScopeLayout(graph);
  const outputs = graph.nodes.map((node) => node.outputs.map(() => value));
  const runner: NodeRunner<UseCount> = {
    start: (node, _scope, _inputs, done) => {
      const made = outputs[node.index]!;
      value.uses += made.length;
      done(null, made);
    },
    ready: () => undefined,
    skipped: () => undefined,
    withdraw: () => undefined,
    split: () => [],
    gather: () => value,
    shardsSkipped: () => new ServingError('GATHER_SHARDS_DIFFER'),
    holds: () => true,
  };
  const run: Subject['run'] = (ended) => {
    value.uses += graph.inputs.length;
    let failure: Error | null = null;
    const execution = new Execution(graph, layout, runner, {
      ended: (error, answered) => {
        failure = error;
        answered?.forEach((one) => one?.release());
      },
      drained: () => ended(failure ?? (value.uses === 0 ? null : new Error(`${value.uses} uses were never released`))),
    });
    execution.begin(graph.inputs.map(() => value));
  };
  return { name: 'engine alone', graph: name, nodes: graph.nodes.length, inFlight: 1, run };
}
