import type { GraphNode } from '../dag/graph.js';
import type { Scope } from '../dag/scope.js';
import type { SessionName, Timeline } from './serving.js';

type NodeTimes = { -readonly [Key in keyof Timeline['nodes'][number]]: Timeline['nodes'][number][Key] };

const NOT_STARTED = { startMicros: 0, endMicros: 0, queueMicros: 0, inferMicros: 0, copiedBytes: 0 } as const;

/** Notes when the node sessions of one request became ready, started and ended. Made only for requests whose client asked. */
export class TimelineRecorder {
  readonly #arrived: number;
  readonly #sessions = new Map<Scope<unknown>, Map<number, NodeTimes>>();
  /** In the order in which they became ready. */
  readonly #times: NodeTimes[] = [];

  /** @param arrived `performance.now()` of the request's arrival. */
  constructor(arrived: number) {
    this.#arrived = arrived;
  }

  ready(node: GraphNode, scope: Scope<unknown>, name: SessionName): void {
    const times = { ...NOT_STARTED, ...name, readyMicros: this.#micros() };
    this.#times.push(times);
    let nodes = this.#sessions.get(scope);
    if (nodes === undefined) this.#sessions.set(scope, (nodes = new Map<number, NodeTimes>()));
    nodes.set(node.index, times);
  }

  started(node: GraphNode, scope: Scope<unknown>, microsAgo: number): void {
    const times = this.#of(node, scope);
    times.startMicros = Math.max(times.readyMicros, this.#micros() - microsAgo);
  }

  /** Bytes were copied for a node, which may be one that the engine runs itself and that is not told of. */
  copied(node: GraphNode, scope: Scope<unknown>, bytes: number): void {
    const times = this.#sessions.get(scope)?.get(node.index);
    if (times !== undefined) times.copiedBytes += bytes;
  }

  ended(node: GraphNode, scope: Scope<unknown>, queueMicros: number, inferMicros: number): void {
    const times = this.#of(node, scope);
    times.endMicros = this.#micros();
    times.queueMicros = queueMicros;
    times.inferMicros = inferMicros;
  }

  finish(): Timeline {
    return { totalMicros: this.#micros(), nodes: this.#times };
  }

  #of(node: GraphNode, scope: Scope<unknown>): NodeTimes {
    return this.#sessions.get(scope)!.get(node.index)!;
  }

  #micros(): number {
    return Math.round((performance.now() - this.#arrived) * 1000);
  }
}
