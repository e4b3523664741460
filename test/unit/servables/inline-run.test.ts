import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GraphNode, PipelineGraph } from '#src/dag/graph.js';
import { ServingError } from '#src/errors.js';
import type { Inference, InlineInference } from '#src/inference/inference.js';
import type { Caller } from '#src/observability/metrics/caller.js';
import { MetricsBook } from '#src/observability/metrics/metrics-book.js';
import { WorkerMetrics } from '#src/observability/metrics/worker-metrics.js';
import type { InlineRun } from '#src/servables/inline-run.js';
import { ModelRuntime } from '#src/servables/model-runtime.js';
import { planGraph } from '#src/servables/plan.js';
import type { ServingModel } from '#src/servables/snapshot.js';
import { Arena } from '#src/tensors/arena.js';
import { Tensor } from '#src/tensors/tensor.js';
import type { TensorInfo } from '#src/tensors/tensor-info.js';
import { linesWith } from '../observability/metrics/metrics-text.js';
import { FakeRegistrar } from '../tensors/fake-registrar.js';

const CALLER: Caller = { api: 'TensorFlowServing', interface: 'gRPC' };

function port(name: string, size = 1): TensorInfo {
  return { name, precision: 'U8', shape: [{ min: size, max: size }], layout: 'N...' };
}

/** Adds up the first elements of its inputs and one more. */
class Adding implements InlineInference {
  isFast = true;
  left = Infinity;
  fault: ServingError | null = null;
  runs = 0;
  readonly deferred: (() => void)[] = [];

  isOpen(): boolean {
    return this.isFast;
  }

  hasTime(): boolean {
    return this.left > 0;
  }

  defer(work: () => void): void {
    this.deferred.push(work);
  }

  inferNow(inputs: readonly Tensor[], outputs: Parameters<InlineInference['inferNow']>[1]): number {
    this.runs += 1;
    if (this.fault !== null) throw this.fault;
    const sum = inputs.reduce((total, input) => total + input.bytes[0]!, 1);
    for (const output of outputs) if (output instanceof Tensor) output.bytes.set([sum]);
    return 5;
  }
}

interface NodeOptions {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly size?: number;
  readonly override?: Partial<GraphNode>;
}

/** A pipeline of nodes that read and give values by number; value 0 is the request's. */
function pipeline(nodes: readonly NodeOptions[], outputs: readonly number[]): PipelineGraph {
  const readers = (value: number): number[] =>
    nodes.flatMap(({ inputs }, index) => (inputs.includes(value) ? [index] : []));
  const values = [0, ...nodes.flatMap((node) => node.outputs)];
  return {
    name: 'p',
    kind: 'pipeline',
    inputs: [{ info: port('in'), value: 0 }],
    outputs: outputs.map((value, index) => ({ info: port(`out${index}`), value })),
    levels: [{ demultiplexer: '', parent: -1, count: 0, allowsEmpty: false }],
    values: values.map((value) => ({
      info: port('v'),
      level: 0,
      uses: readers(value).length + outputs.filter((each) => each === value).length,
    })),
    nodes: nodes.map((node, index) => ({
      index,
      name: `n${index}`,
      program: { kind: 'model', modelName: `n${index}`, version: 1 },
      level: 0,
      opens: null,
      inputs: node.inputs.map((value, place) => ({ name: `i${place}`, value, isInPlace: true })),
      outputs: node.outputs.map((value, place) => ({ name: `o${place}`, value })),
      condition: null,
      exits: [],
      dependencyCount: nodes.filter((other) => other.outputs.some((value) => node.inputs.includes(value))).length,
      dependants: [...new Set(node.outputs.flatMap(readers))],
      ...node.override,
    })),
  };
}

/** A pipeline over models that infer inline. */
class Served {
  readonly arena = new Arena(new FakeRegistrar());
  readonly metrics = new WorkerMetrics();
  readonly book = new MetricsBook();
  readonly models: Adding[] = [];
  run: InlineRun | null = null;

  static async of(nodes: readonly NodeOptions[], outputs: readonly number[]): Promise<Served> {
    const served = new Served();
    const graph = pipeline(nodes, outputs);
    const runtimes: ModelRuntime[] = [];
    served.book.learn(
      nodes.flatMap((_, index) => [
        { kind: 'node', pipeline: 'p', version: 1, node: `n${index}` } as const,
        { kind: 'model', name: `n${index}`, version: 1 } as const,
      ]),
      [],
    );
    served.metrics.adopt(served.book.open().grow());
    for (const [index, node] of nodes.entries()) {
      const model = new Adding();
      served.models.push(model);
      const inference = { openModel: () => Promise.resolve(opened(model)) } as unknown as Inference;
      const serving = {
        inputs: node.inputs.map((_, place) => port(`i${place}`, node.size)),
        outputs: node.outputs.map((_, place) => port(`o${place}`)),
        batching: null,
      } as unknown as ServingModel;
      runtimes.push(
        await ModelRuntime.open(inference, `n${index}`, 1, serving, 1, served.metrics.model(`n${index}`, 1)),
      );
    }
    served.run = planGraph(graph, 1, ({ index }) => runtimes[index]!).inlineRun;
    return served;
  }

  /** The first elements of the outputs. */
  infer(first: number): number[] {
    const input = new Tensor('U8', [1], this.arena.lease(1));
    input.bytes.set([first]);
    const outputs = this.run!.run([input], this.arena, this.metrics, CALLER);
    const elements = outputs.map(({ bytes }) => bytes[0]!);
    for (const output of outputs) output.release();
    return elements;
  }
}

function opened(inline: InlineInference): Awaited<ReturnType<Inference['openModel']>> {
  const request = { infer: () => assert.fail('not inline'), close: () => undefined };
  return { inline, createInferRequest: () => request, close: () => undefined };
}

/** One reads the request, two read the first, the last reads both. */
const DIAMOND: readonly NodeOptions[] = [
  { inputs: [2, 3], outputs: [1] },
  { inputs: [4], outputs: [2] },
  { inputs: [4, 0], outputs: [3] },
  { inputs: [0], outputs: [4] },
];
// Values stand in the order of the nodes that give them; the last node of the list runs first.
const [LAST, LEFT, RIGHT, FIRST] = DIAMOND as [NodeOptions, NodeOptions, NodeOptions, NodeOptions];

test('inline run: every node runs behind those it reads, and every lease is given back', async () => {
  const served = await Served.of(DIAMOND, [1]);
  assert.ok(served.run!.isReady());
  // first = in + 1, left = first + 1, right = first + in + 1, last = left + right + 1
  assert.deepEqual(served.infer(3), [4 + 1 + (4 + 3 + 1) + 1]);
  assert.deepEqual(served.infer(0), [1 + 1 + (1 + 1) + 1]);
  assert.equal(served.arena.leasedRegions, 0);
});

test('inline run: a value that is an output twice, and read besides, and the request itself as an output', async () => {
  const served = await Served.of([LAST, LEFT, RIGHT, FIRST], [4, 4, 0, 1]);
  assert.deepEqual(served.infer(3), [4, 4, 3, 14]);
  assert.equal(served.arena.leasedRegions, 0);
});

test('inline run: an output that nobody reads is discarded', async () => {
  const served = await Served.of([{ inputs: [0], outputs: [1, 2] }], [2]);
  assert.deepEqual(served.infer(3), [4]);
  assert.equal(served.arena.leasedRegions, 0);
});

test('inline run: the fault of a node ends it, and every lease is given back', async () => {
  const served = await Served.of(DIAMOND, [1]);
  served.models[2]!.fault = new ServingError('INFERENCE_FAILED', 'broken');
  assert.throws(() => served.infer(3), { code: 'INFERENCE_FAILED' });
  assert.equal(served.models[0]!.runs, 0);
  assert.equal(served.arena.leasedRegions, 0);
  served.models[2]!.fault = null;
  assert.deepEqual(served.infer(3), [14]);
});

test('inline run: not ready while one model is slow, or has no infer request left; no time when the turn is over', async () => {
  const served = await Served.of(DIAMOND, [1]);
  served.models[1]!.isFast = false;
  assert.equal(served.run!.isReady(), false);
  served.models[1]!.isFast = true;
  for (const model of served.models) model.left = 0;
  assert.deepEqual([served.run!.isReady(), served.run!.hasTime()], [true, false]);
  for (const model of served.models) model.left = 1;
  assert.deepEqual([served.run!.isReady(), served.run!.hasTime()], [true, true]);
});

test('inline run: while it waits for a turn, the nodes that only read the request are in hand', async () => {
  const served = await Served.of(DIAMOND, [1]);
  const inHand = async (): Promise<string[]> =>
    (await linesWith(served.book, 'ovms_current_requests{')).map((line) => line.slice(line.lastIndexOf(' ') + 1));
  let outputs: number[] = [];
  served.run!.defer(() => (outputs = served.infer(3)), served.metrics, CALLER);
  assert.deepEqual(await inHand(), ['0', '0', '0', '1']);
  assert.deepEqual(outputs, []);
  for (const { deferred } of served.models) for (const work of deferred) work();
  assert.deepEqual(await inHand(), ['0', '0', '0', '0']);
  assert.deepEqual(outputs, [14]);
});

test('inline run: counts what the engine counts', async () => {
  const served = await Served.of(DIAMOND, [1]);
  served.infer(1);
  for (const line of [
    'ovms_requests_success{api="TensorFlowServing",interface="gRPC",method="Predict",name="n3",version="1"} 1',
    'ovms_inference_time_us_count{name="n3",version="1"} 1',
    'ovms_wait_for_infer_req_time_us_count{name="n3",version="1"} 1',
    'ovms_infer_req_active{name="n3",version="1"} 0',
    'ovms_current_requests{name="n3",version="1"} 0',
  ])
    assert.deepEqual(await linesWith(served.book, line), [line]);
});

test('inline run: conditions, exits, long graphs and tensors that do not fit are for the engine', async () => {
  const exits = [{ value: 1, element: null, tests: [] }];
  const condition = { value: 0, element: null, tests: [] };
  assert.equal((await Served.of([{ inputs: [0], outputs: [1], override: { exits } }], [1])).run, null);
  assert.equal((await Served.of([{ inputs: [0], outputs: [1], override: { condition } }], [1])).run, null);
  const wide = [
    { inputs: [0], outputs: [1] },
    { inputs: [1], outputs: [2], size: 2 },
  ];
  assert.equal((await Served.of(wide, [2])).run, null);
  const chain = Array.from({ length: 17 }, (_, index) => ({ inputs: [index], outputs: [index + 1] }));
  assert.equal((await Served.of(chain, [17])).run, null);
  assert.notEqual(
    (
      await Served.of(
        chain.slice(1).map((_, index) => chain[index]!),
        [16],
      )
    ).run,
    null,
  );
});
