import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelGraph, type PipelineGraph } from '#src/dag/graph.js';
import { ServingError } from '#src/errors.js';
import { MetricsBook } from '#src/observability/metrics/metrics-book.js';
import { WorkerMetrics } from '#src/observability/metrics/worker-metrics.js';
import type { NodeInstance } from '#src/nodes/node-instance.js';
import type { UserNodeReference } from '#src/nodes/user-node-reference.js';
import { failed, runtimePort, type NodeUnit, type UnitSession } from '#src/servables/node-unit.js';
import { PipelineUnit } from '#src/servables/pipeline-unit.js';
import { planGraph } from '#src/servables/plan.js';
import { RunningExecutions } from '#src/servables/running-executions.js';
import { runPlan } from '#src/servables/run-plan.js';
import { UserUnit } from '#src/servables/user-unit.js';
import { Arena } from '#src/tensors/arena.js';
import { Tensor } from '#src/tensors/tensor.js';
import type { TensorInfo } from '#src/tensors/tensor-info.js';
import { linesWith } from '../observability/metrics/metrics-text.js';
import { FakeRegistrar } from '../tensors/fake-registrar.js';

const INPUT: TensorInfo = { name: 'b', precision: 'U8', shape: [{ min: 1, max: 1 }], layout: 'N...' };
const OUTPUT: TensorInfo = { ...INPUT, name: 'a' };

/** A pipeline of one node, `work`, that asks a unit. */
function pipelineOf(name: string): PipelineGraph {
  const graph = modelGraph('work', 1, [INPUT], [OUTPUT]);
  return { ...graph, name, kind: 'pipeline' };
}

/** A unit that does as the test says. */
function unit(start: (session: UnitSession) => void): NodeUnit {
  return {
    inputs: [runtimePort(INPUT)],
    outputs: [runtimePort(OUTPUT)],
    hold: () => undefined,
    letGo: () => undefined,
    start: (session) => {
      start(session);
      return (error) => session.ended(failed(error));
    },
  };
}

/** Gives its input on, as if so many bytes had been copied for it. */
function passOn(session: UnitSession, copiedBytes: number): void {
  const [input] = session.inputs;
  input!.retain(1);
  session.ended({ error: null, outputs: [input!], micros: 5, copiedBytes });
}

/** One owner worker that runs pipelines over one unit. */
class Worker {
  readonly book = new MetricsBook();
  readonly arena = new Arena(new FakeRegistrar());
  readonly #metrics = new WorkerMetrics();

  constructor() {
    for (const name of ['outer', 'inner']) {
      const node = { kind: 'node', pipeline: name, version: 1, node: 'work' } as const;
      this.book.learn([{ kind: 'pipeline', name, version: 1 }, node], []);
    }
    this.#metrics.adopt(this.book.open().grow());
  }

  /** @returns the execution, to abort it, and its error or `null`. */
  run(work: NodeUnit): { readonly abort: (error: ServingError) => void; readonly ended: Promise<ServingError | null> } {
    const context = {
      arena: this.arena,
      metrics: this.#metrics,
      caller: { api: 'KServe', interface: 'gRPC' },
      timeline: null,
      executions: new RunningExecutions(),
      around: null,
      targets: null,
      turn: null,
    } as const;
    let abort: (error: ServingError) => void = () => undefined;
    const ended = new Promise<ServingError | null>((resolve) => {
      const plan = planGraph(pipelineOf('outer'), 1, () => work);
      const input = new Tensor('U8', [1], this.arena.lease(1));
      const execution = runPlan(plan, [input], context, (error, outputs) => {
        for (const output of outputs ?? []) output?.release();
        resolve(error);
      });
      abort = (error) => execution.abort(error);
    });
    return { abort, ended };
  }

  /** The last figure of the first line with the text. */
  async figure(text: string): Promise<string> {
    const [line] = await linesWith(this.book, text);
    return line!.slice(line!.lastIndexOf(' ') + 1);
  }
}

test('counting: a node that starts at once has not queued', async () => {
  const worker = new Worker();
  const at = unit((session) => {
    session.started();
    assert.equal(session.queueMicros, 0);
    passOn(session, 0);
  });
  assert.equal(await worker.run(at).ended, null);
  assert.equal(await worker.figure('vinery_node_queue_time_us_bucket{node="work",pipeline="outer"'), '1');
  assert.equal(await worker.figure('vinery_node_time_us_count{node="work",pipeline="outer"'), '1');
  assert.equal(worker.arena.leasedRegions, 0);
});

test('counting: a node that is told of afterwards counts once, and what was copied for it', async () => {
  const worker = new Worker();
  const later = unit((session) =>
    setImmediate(() => {
      session.started(1);
      passOn(session, 64);
    }),
  );
  assert.equal(await worker.run(later).ended, null);
  assert.equal(await worker.figure('vinery_node_queue_time_us_count{node="work",pipeline="outer"'), '1');
  assert.equal(await worker.figure('vinery_node_copied_bytes_total{node="work",pipeline="outer"'), '64');
});

for (const [kind, reason] of [
  ['custom', 'custom_node_output'],
  ['js', 'js_node_output'],
] as const) {
  test(`counting: bytes that a ${kind} node had to copy are ${reason}`, async () => {
    const worker = new Worker();
    const instance: NodeInstance = {
      execute: ([input], _wanted, done) => {
        input!.retain(1);
        done(null, [input!], 5, 64);
        return () => undefined;
      },
      close: () => undefined,
    };
    const reference = { kind, signature: { inputs: [INPUT], outputs: [OUTPUT] } } as unknown as UserNodeReference;
    assert.equal(await worker.run(new UserUnit(reference, instance)).ended, null);
    assert.equal(worker.arena.copies.bytes(reason), 64);
    assert.equal(await worker.figure('vinery_node_copied_bytes_total{node="work",pipeline="outer"'), '64');
  });
}

test('counting: a node that leaves its queue has not run; one that failed has', async () => {
  const worker = new Worker();
  const { abort, ended } = worker.run(unit(() => undefined));
  abort(new ServingError('REQUEST_CANCELLED'));
  assert.equal((await ended)?.code, 'REQUEST_CANCELLED');
  assert.equal(await worker.figure('vinery_node_time_us_count{node="work",pipeline="outer"'), '0');
  const failing = unit((session) => {
    session.started();
    session.ended(failed(new ServingError('INFERENCE_FAILED')));
  });
  assert.equal((await worker.run(failing).ended)?.code, 'INFERENCE_FAILED');
  assert.equal(await worker.figure('vinery_node_time_us_count{node="work",pipeline="outer"'), '1');
});

test('counting: a pipeline inside a pipeline counts a request of the caller for each run that succeeds', async () => {
  const worker = new Worker();
  const success = 'ovms_requests_success{api="KServe",interface="gRPC",method="ModelInfer",name=';
  const inner = new PipelineUnit(
    planGraph(pipelineOf('inner'), 1, () =>
      unit((session) => {
        session.started();
        passOn(session, 0);
      }),
    ),
  );
  assert.equal(await worker.run(inner).ended, null);
  // The outer request itself is counted where its answer is given.
  assert.deepEqual([await worker.figure(`${success}"inner"`), await worker.figure(`${success}"outer"`)], ['1', '0']);
  for (const name of ['inner', 'outer']) {
    assert.equal(await worker.figure(`vinery_node_time_us_count{node="work",pipeline="${name}"`), '1');
  }
  assert.equal(worker.arena.leasedRegions, 0);
});
