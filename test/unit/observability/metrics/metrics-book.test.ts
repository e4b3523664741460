import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../../contract/covers.js';
import { APIS, INTERFACES, METHODS, QUESTIONS, requestKind, type Caller } from '#src/observability/metrics/caller.js';
import { exposition } from '#src/observability/metrics/exposition.js';
import { MetricsBook, type WorkerLedger } from '#src/observability/metrics/metrics-book.js';
import { WorkerMetrics } from '#src/observability/metrics/worker-metrics.js';
import { linesWith } from './metrics-text.js';

const GRPC: Caller = { api: 'TensorFlowServing', interface: 'gRPC' };
const MODEL = { kind: 'model', name: 'm', version: 1 } as const;
const PIPELINE = { kind: 'pipeline', name: 'p', version: 1 } as const;
const NODE = { kind: 'node', pipeline: 'p', version: 1, node: 'n' } as const;

function worker(book: MetricsBook): { ledger: WorkerLedger; metrics: WorkerMetrics } {
  const ledger = book.open();
  const metrics = new WorkerMetrics();
  metrics.adopt(ledger.grow());
  return { ledger, metrics };
}

test('metrics: every series of a model version is there at 0 from the moment it is learnt, before any worker counts', async () => {
  covers('metrics.zeros');
  const book = new MetricsBook();
  book.learn([MODEL], []);
  const requests = (kind: string): string[] =>
    APIS.flatMap((api) =>
      QUESTIONS.flatMap((question) =>
        INTERFACES.map((name) => {
          const version = question === 'status' ? '' : ',version="1"';
          const method = METHODS[api][question];
          return `ovms_requests_${kind}{api="${api}",interface="${name}",method="${method}",name="m"${version}} 0`;
        }),
      ),
    );
  assert.equal(requests('success').length, 12);
  assert.deepEqual(await linesWith(book, 'ovms_requests_success'), requests('success'));
  assert.deepEqual(await linesWith(book, 'ovms_requests_fail'), requests('fail'));
  assert.deepEqual(await linesWith(book, 'ovms_request_time_us_count'), [
    'ovms_request_time_us_count{interface="gRPC",name="m",version="1"} 0',
    'ovms_request_time_us_count{interface="REST",name="m",version="1"} 0',
  ]);
  for (const family of ['ovms_inference_time_us_count', 'ovms_wait_for_infer_req_time_us_count']) {
    assert.deepEqual(await linesWith(book, family), [`${family}{name="m",version="1"} 0`]);
  }
  for (const family of ['ovms_current_requests', 'ovms_infer_req_active']) {
    assert.deepEqual(await linesWith(book, family), [`${family}{name="m",version="1"} 0`]);
  }
});

test('metrics: a pipeline has requests and their time, as version 1, and nothing of models', async () => {
  const book = new MetricsBook();
  book.learn([PIPELINE], []);
  const lines = await linesWith(book, 'name="p"');
  const families = new Set(lines.map((line) => line.slice(0, line.indexOf('{')).replace(/_(bucket|sum|count)$/, '')));
  assert.deepEqual([...families], ['ovms_requests_success', 'ovms_requests_fail', 'ovms_request_time_us']);
  assert.equal(lines.length, 24 + 2 * 36);
  assert.equal(lines.filter((line) => line.includes('version="1"')).length, lines.length - 8);
});

test('metrics: names are told in HELP and TYPE, also before there is a series', async () => {
  const page = await exposition(new MetricsBook(), ['ovms_streams', 'ovms_request_time_us']);
  assert.equal(
    Buffer.from(page).toString(),
    '# HELP ovms_request_time_us Processing time of requests to a model or a DAG.\n# TYPE ovms_request_time_us histogram\n\n' +
      '# HELP ovms_streams Number of OpenVINO execution streams.\n# TYPE ovms_streams gauge\n',
  );
});

test('metrics: buckets stand behind the other labels, and end with infinity', async () => {
  const book = new MetricsBook();
  book.learn([MODEL], []);
  worker(book).metrics.model('m', 1).took(GRPC, 11);
  const lines = await linesWith(book, 'ovms_request_time_us');
  assert.deepEqual(lines.slice(0, 2), [
    'ovms_request_time_us_bucket{interface="gRPC",name="m",version="1",le="10"} 0',
    'ovms_request_time_us_bucket{interface="gRPC",name="m",version="1",le="18"} 1',
  ]);
  assert.deepEqual(lines.slice(33, 36), [
    'ovms_request_time_us_bucket{interface="gRPC",name="m",version="1",le="+Inf"} 1',
    'ovms_request_time_us_sum{interface="gRPC",name="m",version="1"} 11',
    'ovms_request_time_us_count{interface="gRPC",name="m",version="1"} 1',
  ]);
});

test('metrics: counters and gauges are summed over the workers', async () => {
  covers('metrics.workers');
  const book = new MetricsBook();
  book.learn([MODEL], []);
  for (const { metrics } of [worker(book), worker(book)]) {
    metrics.model('m', 1).succeeded(GRPC, 'predict');
    metrics.model('m', 1).begun();
    metrics.model('m', 1).inferred(20);
  }
  assert.match((await linesWith(book, 'ovms_requests_success'))[0]!, /method="Predict",name="m",version="1"} 2$/);
  assert.deepEqual(await linesWith(book, 'ovms_current_requests'), ['ovms_current_requests{name="m",version="1"} 2']);
  assert.deepEqual(await linesWith(book, 'ovms_inference_time_us_sum'), [
    'ovms_inference_time_us_sum{name="m",version="1"} 40',
  ]);
});

test('metrics: a worker that ends leaves what it counted and takes along what it had in hand', async () => {
  const book = new MetricsBook();
  book.learn([MODEL], []);
  const { ledger, metrics } = worker(book);
  const model = metrics.model('m', 1);
  model.begun();
  model.taken();
  model.waited(5);
  model.succeeded(GRPC, 'predict');
  book.close(ledger);
  book.close(ledger);
  worker(book).metrics.model('m', 1).succeeded(GRPC, 'predict');
  assert.match((await linesWith(book, 'ovms_requests_success'))[0]!, / 2$/);
  assert.match((await linesWith(book, 'ovms_wait_for_infer_req_time_us_count'))[0]!, / 1$/);
  assert.match((await linesWith(book, 'ovms_current_requests'))[0]!, / 0$/);
  assert.match((await linesWith(book, 'ovms_infer_req_active'))[0]!, / 0$/);
});

test('metrics: streams and the queue size are those of the whole server, 0 once the version is unloaded', async () => {
  covers('metrics.unload');
  const book = new MetricsBook();
  const told = async (): Promise<string[]> => [
    ...(await linesWith(book, 'ovms_streams')),
    ...(await linesWith(book, 'ovms_infer_req_queue_size')),
  ];
  const capacity = { name: 'm', version: 1, streams: 2, queueSize: 8 };
  book.learn([MODEL], [capacity]);
  worker(book);
  worker(book);
  assert.deepEqual(await told(), [
    'ovms_streams{name="m",version="1"} 2',
    'ovms_infer_req_queue_size{name="m",version="1"} 8',
  ]);
  book.learn([], [{ ...capacity, streams: 0, queueSize: 0 }]);
  assert.deepEqual(await told(), [
    'ovms_streams{name="m",version="1"} 0',
    'ovms_infer_req_queue_size{name="m",version="1"} 0',
  ]);
});

test('metrics: questions about the state of two versions are one series', async () => {
  const book = new MetricsBook();
  book.learn([MODEL, { ...MODEL, version: 2 }], []);
  const { metrics } = worker(book);
  metrics.model('m', 1).succeeded(GRPC, 'status');
  metrics.model('m', 2).succeeded(GRPC, 'status');
  const lines = await linesWith(book, 'method="GetModelStatus"');
  assert.equal(lines.length, 4);
  assert.equal(
    lines[0],
    'ovms_requests_success{api="TensorFlowServing",interface="gRPC",method="GetModelStatus",name="m"} 2',
  );
});

test('metrics: a subject that is learnt while a worker counts reaches it with the next growth, and only once', async () => {
  const book = new MetricsBook();
  const { ledger, metrics } = worker(book);
  assert.equal(metrics.servable('p', 1), undefined);
  book.learn([PIPELINE, NODE], []);
  metrics.adopt(ledger.grow());
  metrics.servable('p', 1)!.failed(GRPC, 'predict');
  book.learn([PIPELINE, NODE], []);
  assert.deepEqual(ledger.grow(), []);
  assert.match((await linesWith(book, 'ovms_requests_fail'))[0]!, / 1$/);
});

test('metrics: versions of a pipeline and of its nodes are counted apart', async () => {
  const book = new MetricsBook();
  book.learn([PIPELINE, NODE, { ...PIPELINE, version: 2 }, { ...NODE, version: 2 }], []);
  const { metrics } = worker(book);
  metrics.servable('p', 2)!.succeeded(GRPC, 'predict');
  metrics.nodes({ name: 'p', nodes: [{ name: 'n' }] }, 2)[0]!.skipped();
  const predicts = (await linesWith(book, 'ovms_requests_success')).filter((line) => / [^0]/.test(line));
  assert.equal(predicts.length, 1);
  assert.match(predicts[0]!, /name="p",version="2"} 1$/);
  assert.deepEqual(await linesWith(book, 'vinery_node_skipped_total'), [
    'vinery_node_skipped_total{node="n",pipeline="p",version="1"} 0',
    'vinery_node_skipped_total{node="n",pipeline="p",version="2"} 1',
  ]);
});

test('metrics: nodes of a pipeline', async () => {
  const book = new MetricsBook();
  book.learn([PIPELINE, NODE], []);
  const [node] = worker(book).metrics.nodes({ name: 'p', nodes: [{ name: 'n' }] }, 1);
  node!.ran(15, 100);
  node!.copied(64);
  node!.skipped();
  const labels = '{node="n",pipeline="p",version="1"}';
  for (const line of [
    `vinery_node_queue_time_us_sum${labels} 15`,
    `vinery_node_time_us_sum${labels} 100`,
    `vinery_node_copied_bytes_total${labels} 64`,
    `vinery_node_skipped_total${labels} 1`,
  ]) {
    assert.deepEqual(await linesWith(book, line.slice(0, line.indexOf('{'))), [line]);
  }
});

test('metrics: names with quotes and line ends are escaped', async () => {
  const book = new MetricsBook();
  book.learn([{ ...PIPELINE, name: 'a"b\\c\nd' }], []);
  assert.match((await linesWith(book, 'ovms_requests_fail'))[0]!, /name="a\\"b\\\\c\\nd"/);
});

test('metrics: each combination of API, question and interface has a place of its own', () => {
  const kinds = APIS.flatMap((api) =>
    QUESTIONS.flatMap((question) => INTERFACES.map((name) => requestKind({ api, interface: name }, question))),
  );
  assert.deepEqual(
    kinds,
    Array.from({ length: 12 }, (_, index) => index),
  );
});

test('metrics: a page of many models is written in parts, with turns of the event loop between them, of one moment', async () => {
  const book = new MetricsBook();
  book.learn(
    Array.from({ length: 2_000 }, (_, index) => ({ ...MODEL, name: `m-${index}` })),
    [],
  );
  const { ledger } = worker(book);
  const count = (value: number): void => {
    for (const { numbers } of ledger.blocks) numbers.fill(value);
  };
  count(1);
  let turns = 0;
  let isWritten = false;
  const turn = (): void => {
    turns += 1;
    count(2);
    if (!isWritten) setImmediate(turn);
  };
  setImmediate(turn);
  const page = Buffer.from(await exposition(book, null)).toString();
  isWritten = true;
  assert.ok(turns > 1, 'other work went on');
  const values = page.match(/^ovms_(?:requests_success|current_requests)\{.* \d+$/gm)!;
  assert.equal(values.length, 2_000 * 13);
  assert.ok(values.every((line) => line.endsWith(' 1')));
});

test('metrics: names are written so that a line stays a line', async () => {
  const book = new MetricsBook();
  book.learn([{ ...PIPELINE, name: 'a"b\\c\nd' }], []);
  const [line] = await linesWith(book, 'ovms_request_time_us_sum');
  assert.equal(line, 'ovms_request_time_us_sum{interface="gRPC",name="a\\"b\\\\c\\nd",version="1"} 0');
});
