import type { Inference } from '#src/inference/inference.js';
import { ModelRuntime } from '#src/servables/model-runtime.js';
import { planGraph } from '#src/servables/plan.js';
import { runPlan } from '#src/servables/run-plan.js';
import type { ServingModel } from '#src/servables/snapshot.js';
import { Arena } from '#src/tensors/arena.js';
import { Tensor } from '#src/tensors/tensor.js';
import { runContext } from '../support/run-context.js';
import { MODEL, WIDTH, type BenchmarkGraph } from './graphs.js';
import type { Subject } from './subject.js';

/** A backend with the trivial model opened, as an owner worker has it. */
export class Scheduler {
  readonly #name: string;
  readonly #inference: Inference;
  readonly #arena: Arena;
  readonly #runtime: ModelRuntime;
  readonly #computes: boolean;

  private constructor(name: string, inference: Inference, arena: Arena, runtime: ModelRuntime, computes: boolean) {
    this.#name = name;
    this.#inference = inference;
    this.#arena = arena;
    this.#runtime = runtime;
    this.#computes = computes;
  }

  /** @param computes whether the answers are to be checked */
  static async open(name: string, inference: Inference, model: ServingModel, computes = true): Promise<Scheduler> {
    const arena = new Arena(inference.memory);
    inference.useArena(arena);
    const runtime = await ModelRuntime.open(inference, MODEL, 1, model, model.nireq);
    return new Scheduler(name, inference, arena, runtime, computes);
  }

  /** Whole executions of a pipeline, from leasing the input to releasing the answer. */
  pipeline({ name, graph, expected }: BenchmarkGraph, inFlight: number): Subject {
    const plan = planGraph(graph, 1, () => this.#runtime);
    const context = runContext(this.#arena);
    const run: Subject['run'] = (ended) => {
      runPlan(plan, [this.#zeros()], context, (error, outputs) => {
        const wrong = outputs?.find((output) => this.#computes && firstElement(output!) !== expected);
        outputs?.forEach((output) => output!.release());
        ended(error ?? (wrong === undefined ? null : new Error(`${name}: expected ${expected} in every answer`)));
      });
    };
    return { name: `scheduler, ${this.#name}`, graph: name, nodes: graph.nodes.length, inFlight, run };
  }

  /** Inferences without a scheduler, over tensors that stay: what the backend takes by itself. */
  alone(inFlight: number): Subject {
    const { pool } = this.#runtime;
    const input = this.#zeros();
    const outputs = Array.from({ length: inFlight }, () => this.#zeros());
    const run: Subject['run'] = (ended) => {
      const output = outputs.pop()!;
      pool.acquire((request) =>
        request.infer([input], [output], (error) => {
          const right = error === null && firstElement(output) === 1;
          pool.giveBack(request);
          outputs.push(output);
          ended(error ?? (right ? null : new Error('expected 1 in every answer')));
        }),
      );
    };
    return { name: `addon alone, ${this.#name}`, graph: '', nodes: 1, inFlight, run };
  }

  async close(): Promise<void> {
    this.#runtime.retire();
    await this.#inference.close();
  }

  #zeros(): Tensor {
    const lease = this.#arena.lease(WIDTH * Float32Array.BYTES_PER_ELEMENT);
    lease.bytes.fill(0);
    return new Tensor('FP32', [1, WIDTH], lease);
  }
}

function firstElement({ lease }: Tensor): number {
  return new Float32Array(lease.buffer, lease.byteOffset, 1)[0]!;
}
