import type { Caller } from './caller.js';
import type { NodeMetrics } from './node-metrics.js';
import type { ModelMetrics } from './servable-metrics.js';

/**
 * The counting rules of one request's execution (as OVMS 2026.2.1): a model inside a pipeline counts a request of the caller's for
 * each session that succeeds, and has it in hand from the moment it queues; a model that is called by itself from the moment it has
 * its infer request, and its request is counted where the answer is given.
 */
export class ExecutionMetrics {
  readonly #caller: Caller;
  readonly #nodes: readonly NodeMetrics[] | null;

  /** @param nodes of the pipeline, by index; `null`: a model is called by itself. */
  constructor(caller: Caller, nodes: readonly NodeMetrics[] | null) {
    this.#caller = caller;
    this.#nodes = nodes;
  }

  /** A node asks for an infer request of its model. */
  queued(model: ModelMetrics): void {
    if (this.#nodes !== null) model.begun();
  }

  /** It gave up before it had one. */
  withdrawn(model: ModelMetrics): void {
    if (this.#nodes !== null) model.ended();
  }

  /** It has an infer request, perhaps together with others: {@link ModelMetrics.taken} is for whoever took that. */
  granted(model: ModelMetrics, waitMicros: number): void {
    if (this.#nodes === null) model.begun();
    model.waited(waitMicros);
  }

  /** The inference has ended, whatever came of it. */
  ended(model: ModelMetrics): void {
    model.ended();
  }

  /** The inference succeeded. */
  succeeded(model: ModelMetrics): void {
    if (this.#nodes !== null) model.succeeded(this.#caller, 'predict');
  }

  /** A node's session ended; see {@link NodeMetrics.ran}. */
  ran(node: number, queueMicros: number, micros: number): void {
    this.#nodes?.[node]?.ran(queueMicros, micros);
  }

  /** Bytes were copied to bring a node's inputs or outputs together. */
  copied(node: number, bytes: number): void {
    this.#nodes?.[node]?.copied(bytes);
  }

  /** A session of a node did not run, because of a condition of its own or of one before it. */
  skipped(node: number): void {
    this.#nodes?.[node]?.skipped();
  }
}
