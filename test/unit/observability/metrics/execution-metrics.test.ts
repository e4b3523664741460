import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../../contract/covers.js';
import { ExecutionMetrics } from '#src/observability/metrics/execution-metrics.js';
import { MetricsBook } from '#src/observability/metrics/metrics-book.js';
import { WorkerMetrics } from '#src/observability/metrics/worker-metrics.js';
import { linesWith } from './metrics-text.js';

const CALLER = { api: 'KServe', interface: 'REST' } as const;
const GRAPH = { name: 'p', nodes: [{ name: 'n' }] };

/** What a worker with one model and one pipeline over it has counted, as last figures of lines. */
class Counted {
  readonly #book = new MetricsBook();
  readonly metrics = new WorkerMetrics();

  constructor() {
    this.#book.learn(
      [
        { kind: 'model', name: 'm', version: 1 },
        { kind: 'pipeline', name: 'p', version: 1 },
        { kind: 'node', pipeline: 'p', version: 1, node: 'n' },
      ],
      [],
    );
    this.metrics.adopt(this.#book.open().grow());
  }

  get direct(): ExecutionMetrics {
    return new ExecutionMetrics(CALLER, null);
  }

  get inPipeline(): ExecutionMetrics {
    return new ExecutionMetrics(CALLER, this.metrics.nodes(GRAPH, 1));
  }

  async of(...texts: readonly string[]): Promise<string[]> {
    const lines = await Promise.all(texts.map((text) => linesWith(this.#book, text)));
    return lines.map(([line]) => line!.slice(line!.lastIndexOf(' ') + 1));
  }
}

const CURRENT = 'ovms_current_requests{name="m"';
const ACTIVE = 'ovms_infer_req_active{name="m"';
const WAITS = 'ovms_wait_for_infer_req_time_us_sum{name="m"';
const INFERENCES = 'ovms_inference_time_us_sum{name="m"';
const SUCCESSES = 'ovms_requests_success{api="KServe",interface="REST",method="ModelInfer",name="m"';
const FAILURES = 'ovms_requests_fail{api="KServe",interface="REST",method="ModelInfer",name="m"';

test('counting: a direct request is in hand from its infer request on, and not counted by its model', async () => {
  covers('metrics.in-hand');
  const counted = new Counted();
  const model = counted.metrics.model('m', 1);
  const { direct } = counted;
  direct.queued(model);
  assert.deepEqual(await counted.of(CURRENT, ACTIVE), ['0', '0']);
  model.taken();
  direct.granted(model, 7);
  assert.deepEqual(await counted.of(CURRENT, ACTIVE, WAITS), ['1', '1', '7']);
  model.inferred(40);
  direct.succeeded(model);
  direct.ran(0, 7, 50);
  direct.copied(0, 16);
  direct.ended(model);
  model.givenBack();
  assert.deepEqual(await counted.of(CURRENT, ACTIVE, INFERENCES, SUCCESSES, FAILURES), ['0', '0', '40', '0', '0']);
  assert.deepEqual(await counted.of('vinery_node_time_us_count'), ['0']);
});

test('counting: a node is in hand from its queue on, and each session that succeeds is a request to its model', async () => {
  covers('metrics.in-hand', 'metrics.inner-models');
  const counted = new Counted();
  const model = counted.metrics.model('m', 1);
  const { inPipeline } = counted;
  inPipeline.queued(model);
  assert.deepEqual(await counted.of(CURRENT, ACTIVE), ['1', '0']);
  model.taken();
  inPipeline.granted(model, 7);
  assert.deepEqual(await counted.of(CURRENT, ACTIVE), ['1', '1']);
  model.inferred(40);
  inPipeline.succeeded(model);
  inPipeline.ran(0, 7, 50);
  inPipeline.copied(0, 16);
  inPipeline.ended(model);
  model.givenBack();
  assert.deepEqual(await counted.of(CURRENT, ACTIVE, INFERENCES, SUCCESSES, FAILURES), ['0', '0', '40', '1', '0']);
  assert.deepEqual(await counted.of('vinery_node_time_us_sum', 'vinery_node_copied_bytes_total'), ['50', '16']);
});

test('counting: a node that leaves the queue was in hand until then', async () => {
  const counted = new Counted();
  const model = counted.metrics.model('m', 1);
  counted.inPipeline.queued(model);
  counted.inPipeline.withdrawn(model);
  counted.direct.queued(model);
  counted.direct.withdrawn(model);
  assert.deepEqual(await counted.of(CURRENT, SUCCESSES, FAILURES), ['0', '0', '0']);
});

test('counting: a node that a condition skips', async () => {
  const counted = new Counted();
  counted.inPipeline.skipped(0);
  assert.deepEqual(await counted.of('vinery_node_skipped_total'), ['1']);
});

test('counting: without a control plane everything is counted for nobody', () => {
  const metrics = new WorkerMetrics();
  const execution = new ExecutionMetrics(CALLER, metrics.nodes(GRAPH, 1));
  execution.granted(metrics.model('m', 1), 1);
  execution.ran(0, 1, 2);
  execution.copied(0, 3);
  assert.equal(metrics.servable('p', 1), undefined);
});
