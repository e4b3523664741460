import type { BatchingSettings } from '#src/config/settings.js';
import { modelGraph } from '#src/dag/graph.js';
import type { Inference } from '#src/inference/inference.js';
import type { NativeBinding } from '#src/native/binding.js';
import { BatchMetrics } from '#src/observability/metrics/batch-metrics.js';
import { BATCHING, BLOCK_SLOTS } from '#src/observability/metrics/block.js';
import { BATCH_BOUNDS, readHistogram } from '#src/observability/metrics/histogram.js';
import { ModelMetrics } from '#src/observability/metrics/servable-metrics.js';
import { ModelRuntime } from '#src/servables/model-runtime.js';
import { planGraph, type Plan } from '#src/servables/plan.js';
import type { RunContext } from '#src/servables/run-context.js';
import { runPlan } from '#src/servables/run-plan.js';
import type { Arena } from '#src/tensors/arena.js';
import { Tensor } from '#src/tensors/tensor.js';
import { compileModel } from '../engine/served-model.js';
import type { Subject } from '../engine/subject.js';
import { runContext } from '../support/run-context.js';
import type { BenchmarkModel } from './models.js';

/** How a model is served. */
export interface Variant {
  readonly name: string;
  /** `null`: requests are inferred one by one. */
  readonly batching: BatchingSettings | null;
}

/** Where a model is opened. */
export interface Place {
  readonly binding: NativeBinding;
  readonly inference: Inference;
  readonly arena: Arena;
  readonly properties: Parameters<typeof compileModel>[2];
}

/** A model opened as an owner worker has it, asked for single rows. */
export class ServedModel {
  readonly #model: BenchmarkModel;
  readonly #variant: Variant;
  readonly #runtime: ModelRuntime;
  readonly #numbers: Float64Array;
  readonly #plan: Plan;
  readonly #context: RunContext;

  private constructor(
    model: BenchmarkModel,
    variant: Variant,
    runtime: ModelRuntime,
    numbers: Float64Array,
    plan: Plan,
    arena: Arena,
  ) {
    this.#model = model;
    this.#variant = variant;
    this.#runtime = runtime;
    this.#numbers = numbers;
    this.#plan = plan;
    this.#context = runContext(arena);
  }

  static async open(
    { binding, inference, arena, properties }: Place,
    model: BenchmarkModel,
    file: string,
    variant: Variant,
  ): Promise<ServedModel> {
    const { name, batching } = variant;
    const serving = compileModel(binding, file, properties, 0, batching);
    const numbers = new Float64Array(BLOCK_SLOTS.batching);
    const { optimalInferRequests } = serving.reference.description;
    const runtime = await ModelRuntime.open(
      inference,
      name,
      1,
      serving,
      optimalInferRequests,
      ModelMetrics.detached(),
      new BatchMetrics(numbers),
    );
    const plan = planGraph(modelGraph(name, 1, serving.inputs, serving.outputs), 1, () => runtime);
    return new ServedModel(model, variant, runtime, numbers, plan, arena);
  }

  /**
   * Asks for different rows in turn.
   *
   * @param expected answers by row, filled by whoever runs first; any other answer is an error.
   */
  subject(inFlight: number, rows: readonly Tensor[], expected: (Float32Array | undefined)[]): Subject {
    let next = 0;
    const run: Subject['run'] = (ended) => {
      const row = next++ % rows.length;
      const input = rows[row]!;
      input.retain(1);
      runPlan(this.#plan, [input], this.#context, (error, outputs) => {
        const output = outputs?.[0] ?? null;
        const isRight = output !== null && isSame(floatsOf(output), (expected[row] ??= floatsOf(output).slice()));
        output?.release();
        ended(error ?? (isRight ? null : new Error(`${this.#variant.name}: another answer for row ${row}`)));
      });
    };
    return { name: this.#variant.name, graph: this.#model.name, nodes: 1, inFlight, run };
  }

  /** Rows an inference, since the last call; 1 without batching. */
  takeMeanSize(): number {
    const { cumulative, sum } = readHistogram(this.#numbers, BATCHING.size, BATCH_BOUNDS);
    this.#numbers.fill(0);
    return cumulative.at(-1) === 0 ? 1 : sum / cumulative.at(-1)!;
  }

  close(): void {
    this.#runtime.retire();
  }
}

/** Rows of invented numbers, leased for good. */
export function makeRows(arena: Arena, shape: readonly number[], count: number): Tensor[] {
  const elements = shape.reduce((product, size) => product * size, 1);
  return Array.from({ length: count }, (_, row) => {
    const tensor = new Tensor('FP32', shape, arena.lease(elements * Float32Array.BYTES_PER_ELEMENT));
    floatsOf(tensor).set(Float32Array.from({ length: elements }, (_element, index) => Math.sin(index * 3.1 + row)));
    return tensor;
  });
}

function floatsOf({ lease, byteOffset, byteLength }: Tensor): Float32Array {
  return new Float32Array(lease.buffer, byteOffset, byteLength / Float32Array.BYTES_PER_ELEMENT);
}

function isSame(a: Float32Array, b: Float32Array): boolean {
  // The first elements tell whose answer it is; comparing all would be measured.
  return a.length === b.length && a.subarray(0, 8).every((value, index) => value === b[index]);
}
