import type { PipelineGraph } from '../dag/graph.js';
import type { Timeline } from './serving.js';

interface NodeTimes {
  ready: number;
  start: number;
  end: number;
  infer: number;
}

/** Notes when the nodes of one request became ready, started and ended. Made only for requests whose client asked. */
export class TimelineRecorder {
  readonly #graph: PipelineGraph;
  readonly #accepted: number;
  readonly #nodes: NodeTimes[];

  /** @param accepted `performance.now()` of the request's arrival. */
  constructor(graph: PipelineGraph, accepted: number) {
    this.#graph = graph;
    this.#accepted = accepted;
    this.#nodes = graph.nodes.map(() => ({ ready: 0, start: 0, end: 0, infer: 0 }));
  }

  ready(node: number): void {
    this.#nodes[node]!.ready = this.#micros();
  }

  started(node: number): void {
    this.#nodes[node]!.start = this.#micros();
  }

  ended(node: number, inferMicros: number): void {
    this.#nodes[node]!.end = this.#micros();
    this.#nodes[node]!.infer = inferMicros;
  }

  finish(): Timeline {
    return {
      totalMicros: this.#micros(),
      nodes: this.#graph.nodes.map((node, index) => {
        const times = this.#nodes[index]!;
        return {
          node: node.name,
          readyMicros: times.ready,
          startMicros: times.start,
          endMicros: times.end,
          inferMicros: times.infer,
        };
      }),
    };
  }

  #micros(): number {
    return Math.round((performance.now() - this.#accepted) * 1000);
  }
}
