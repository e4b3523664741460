import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { ConfigFile } from '#src/config/schema.js';
import { Server } from '#src/control/server.js';
import { METHOD as KSERVE } from '#src/frontends/kserve/method.js';
import { METHOD } from '#src/frontends/tfs/method.js';
import { encodeMetadataRequest } from '#src/frontends/tfs/metadata-message.js';
import { encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { encodeStatusRequest } from '#src/frontends/tfs/status-message.js';
import { METRIC_NAMES } from '#src/observability/metrics/families.js';
import type { Timeline } from '#src/servables/serving.js';
import { covers } from '../contract/covers.js';
import type { RowId } from '../contract/rows/index.js';
import { writeDummyModel, writeNonZeroModel } from '../fixtures/ir.js';
import {
  addDummy,
  addHeavy,
  addPair,
  DUMMY_BODY,
  DUMMY_INPUT,
  HEAVY_INPUT,
  pipelineOf,
  ZEROS,
} from '../helpers/dummy-servables.js';
import { embeddedSettings, withEmbeddedServer, type EmbeddedServer } from '../helpers/embedded-server.js';
import { GrpcClient, withGrpcClient } from '../helpers/grpc-client.js';
import { assertAllAnswered, underLoad } from '../helpers/constant-load.js';
import { encodeKserve, rawInferRequest } from '../helpers/kserve-messages.js';
import { LogFile } from '../helpers/log-file.js';
import { scrape, type MetricsPage } from '../helpers/metrics-page.js';
import { modelNode, node, pipeline, source, TestRepository, type Model } from '../helpers/repository.js';
import { errorOf, restCall, restPredict } from '../helpers/rest-client.js';
import { freePort } from '#src/demo/free-port.js';
import { withServerProcess } from '../helpers/server.js';
import { floatTensor } from '../helpers/tensors.js';
import { runVinery, startInVain } from '../helpers/vinery.js';

const repository = new TestRepository();
const config = writeServables();
const ON = ['--metrics_enable'];
const ALL = [...ON, '--metrics_list', METRIC_NAMES.join()];

/** Two networks side by side and argmax of their sum, as the demo; shards that are joined again; an output of unknown shape. */
function writeServables(): string {
  writeDummyModel(repository.path('row', '1'), { shape: [1, 2] });
  writeDummyModel(repository.path('shards', '1'), { shape: [3, 1, 2] });
  writeNonZeroModel(repository.path('nonzero', '1'));
  writeDummyModel(repository.path('whole', '1'), { precision: 'i64' });
  repository.write(
    'own.mjs',
    `const port = (name) => ({ name, precision: 'FP32', shape: [1, 10] });
export const inputs = () => [port('x')];
export const outputs = () => [port('same'), port('own')];
export const execute = ({ x }) => ({ same: x, own: { shape: x.shape, data: Float32Array.from(x.data) } });`,
  );
  const demo = [
    modelNode('left', 'one', { b: 'request.image' }, ['a']),
    modelNode('right', 'two', { b: 'request.image' }, ['a']),
    modelNode('argmax', 'pair', { in1: 'left.a', in2: 'right.a' }, ['argmax']),
  ];
  const gathered = [
    modelNode('split', 'shards', { b: 'request.b' }, ['a'], { demultiply_count: 3 }),
    modelNode('each', 'row', { b: 'split.a' }, ['a']),
    modelNode('all', 'shards', { b: 'each.a' }, ['a'], { gather_from_node: 'split' }),
  ];
  const conditional = [
    modelNode('classify', 'pair', { in1: 'request.b', in2: 'request.b' }, ['argmax']),
    modelNode('third', 'one', { b: 'request.b' }, ['a'], { when: { ...source('classify.argmax'), is: { equals: 3 } } }),
    modelNode('behind', 'two', { b: 'third.a' }, ['a']),
  ];
  const converted = [
    modelNode('real', 'one', { b: 'request.b' }, ['a']),
    modelNode('whole', 'whole', { b: { ...source('real.a'), precision: 'FP32:I64' } }, ['a']),
  ];
  return repository.writeConfig(
    [
      addDummy(repository, 'one'),
      addDummy(repository, 'two'),
      { ...addPair(repository), nireq: 4 },
      addHeavy(repository),
      { name: 'row' },
      { name: 'shards' },
      { name: 'nonzero' },
      { name: 'whole' },
      { name: 'missing' },
    ],
    [
      pipeline('demo', ['image'], demo, { label: 'argmax.argmax' }),
      pipeline('gathered', ['b'], gathered, { a: 'all.a' }),
      pipeline('conditional', ['b'], conditional, { label: 'classify.argmax', a: 'behind.a' }),
      pipeline('converted', ['b'], converted, { a: 'whole.a' }),
      pipeline(
        'scripted',
        ['b'],
        [node('module', { x: 'request.b' }, ['same', 'own'], { type: 'js', module: 'own.mjs' })],
        { same: 'module.same', own: 'module.own' },
      ),
      pipeline(
        'outer',
        ['image'],
        [node('inner', { image: 'request.image' }, ['label'], { type: 'pipeline', pipeline_name: 'demo' })],
        { label: 'inner.label' },
      ),
      pipelineOf('dynamic', 'nonzero'),
      pipelineOf('heavy_pipeline', 'heavy'),
      pipelineOf('invalid', 'absent'),
    ],
  );
}

/** The same servables, with metrics in the file. */
function withMonitoring(metrics: { readonly enable: boolean; readonly metrics_list?: string[] }): string {
  const file = JSON.parse(readFileSync(config, 'utf8')) as ConfigFile;
  return repository.write('monitoring.json', JSON.stringify({ ...file, monitoring: { metrics } }));
}

function withMetrics(flags: readonly string[], use: (server: EmbeddedServer) => Promise<void>): Promise<void> {
  return withEmbeddedServer(embeddedSettings(config, '--log_path', repository.path('log'), ...flags), use);
}

/** The transport that copies every tensor once on its way in. */
const COPYING = ['--grpc_transport', 'js'];

const IMAGE = { ...DUMMY_INPUT, name: 'image' };
const DEMO_BODY = { inputs: { image: [ZEROS] } };

async function askDemo({ grpcPort, restPort }: EmbeddedServer): Promise<void> {
  await withGrpcClient(grpcPort, async (client) => assert.equal((await client.predict('demo', [IMAGE])).code, 'OK'));
  assert.equal((await restPredict(restPort, 'demo', DEMO_BODY)).status, 200);
}

type Outcome = 'success' | 'fail';

/** How many requests of TensorFlow Serving were counted: Predict over gRPC, Predict over REST. */
function predicts(page: MetricsPage, outcome: Outcome, name: string): number[] {
  return ['gRPC', 'REST'].map((way) =>
    page.figure(`ovms_requests_${outcome}`, {
      api: 'TensorFlowServing',
      interface: way,
      method: 'Predict',
      name,
      version: '1',
    }),
  );
}

/** All requests that were counted about a servable, whatever the API and method. */
function requests(page: MetricsPage, outcome: Outcome, name: string): number {
  return page
    .series(`ovms_requests_${outcome}`, `name="${name}"`)
    .reduce((total, [, requestsOfSeries]) => total + requestsOfSeries, 0);
}

function copied(page: MetricsPage): Record<string, number> {
  const series = page.series('vinery_tensor_bytes_copied_total').filter(([, bytes]) => bytes > 0);
  return Object.fromEntries(series.map(([key, bytes]) => [/reason="(\w+)"/.exec(key)![1]!, bytes]));
}

interface OvmsFamily {
  readonly covers: RowId;
  readonly title: string;
  readonly name: string;
  readonly type: string;
  readonly help: string;
  /** Labels of lines that are there at 0, as they are printed. */
  readonly series: readonly string[];
}

const REQUEST_SERIES: readonly string[] = [
  '{api="TensorFlowServing",interface="gRPC",method="Predict",name="one",version="1"}',
  '{api="TensorFlowServing",interface="REST",method="GetModelMetadata",name="one",version="1"}',
  '{api="TensorFlowServing",interface="REST",method="GetModelStatus",name="one"}',
  '{api="KServe",interface="gRPC",method="ModelInfer",name="demo",version="1"}',
  '{api="KServe",interface="gRPC",method="ModelMetadata",name="demo",version="1"}',
  '{api="KServe",interface="REST",method="ModelReady",name="demo"}',
];

const OVMS_FAMILIES: readonly OvmsFamily[] = [
  {
    covers: 'metrics.requests-success',
    title: 'successes',
    name: 'ovms_requests_success',
    type: 'counter',
    help: 'Number of successful requests to a model or a DAG.',
    series: REQUEST_SERIES,
  },
  {
    covers: 'metrics.requests-fail',
    title: 'failures',
    name: 'ovms_requests_fail',
    type: 'counter',
    help: 'Number of failed requests to a model or a DAG.',
    series: REQUEST_SERIES,
  },
  {
    covers: 'metrics.request-time',
    title: 'time of requests',
    name: 'ovms_request_time_us',
    type: 'histogram',
    help: 'Processing time of requests to a model or a DAG.',
    series: [],
  },
  {
    covers: 'metrics.inference-time',
    title: 'time of inferences',
    name: 'ovms_inference_time_us',
    type: 'histogram',
    help: 'Inference execution time in the OpenVINO backend.',
    series: [],
  },
  {
    covers: 'metrics.wait-time',
    title: 'time in the queue',
    name: 'ovms_wait_for_infer_req_time_us',
    type: 'histogram',
    help: 'Request waiting time in the scheduling queue.',
    series: [],
  },
  {
    covers: 'metrics.streams',
    title: 'streams',
    name: 'ovms_streams',
    type: 'gauge',
    help: 'Number of OpenVINO execution streams.',
    series: [],
  },
  {
    covers: 'metrics.current-requests',
    title: 'requests in hand',
    name: 'ovms_current_requests',
    type: 'gauge',
    help: 'Number of inference requests currently in process.',
    series: ['{name="one",version="1"}'],
  },
  {
    covers: 'metrics.queue-size',
    title: 'infer requests',
    name: 'ovms_infer_req_queue_size',
    type: 'gauge',
    help: 'Inference request queue size (nireq).',
    series: [],
  },
  {
    covers: 'metrics.active',
    title: 'infer requests in use',
    name: 'ovms_infer_req_active',
    type: 'gauge',
    help: 'Number of currently consumed inference request from the processing queue.',
    series: ['{name="one",version="1"}'],
  },
];

describe('what is on the page', () => {
  test('every family, and every series at 0 before the first request', () =>
    withMetrics(ALL, async ({ restPort }) => {
      covers('metrics.zeros', 'metrics.of-pipelines', 'metrics.graph-names');
      const page = await scrape(restPort);
      assert.deepEqual(
        page.families,
        METRIC_NAMES.filter((name) => !name.match(/graph|responses|accepted|rejected/)),
      );
      for (const name of ['one', 'heavy']) {
        assert.equal(page.series('ovms_requests_success', `name="${name}"`).length, 12);
        assert.equal(page.series('ovms_requests_fail', `name="${name}"`).length, 12);
        assert.equal(page.figure('ovms_inference_time_us_count', { name, version: '1' }), 0);
        assert.equal(page.figure('ovms_wait_for_infer_req_time_us_bucket', { name, version: '1', le: '+Inf' }), 0);
        assert.equal(page.figure('ovms_current_requests', { name, version: '1' }), 0);
        assert.equal(page.figure('ovms_infer_req_active', { name, version: '1' }), 0);
        assert.equal(page.figure('ovms_streams', { name, version: '1' }), 1);
      }
      for (const name of ['demo', 'invalid']) {
        assert.equal(page.series('ovms_requests_success', `name="${name}"`).length, 12);
        assert.equal(page.figure('ovms_request_time_us_count', { interface: 'REST', name, version: '1' }), 0);
        assert.equal(page.series('ovms_inference_time_us_count', `name="${name}"`).length, 0);
        assert.equal(page.series('ovms_streams', `name="${name}"`).length, 0);
      }
      assert.equal(page.figure('ovms_infer_req_queue_size', { name: 'pair', version: '1' }), 4);
      assert.equal(page.figure('vinery_node_skipped_total', { node: 'left', pipeline: 'demo', version: '1' }), 0);
      assert.equal(page.figure('vinery_tensor_bytes_copied_total', { reason: 'conversion' }), 0);
      // A model without a version on disk has no version that could be counted.
      assert.doesNotMatch(page.text, /name="missing"/);
      assert.deepEqual(
        page.series('ovms_requests').filter(([, figure]) => figure !== 0),
        [],
      );
    }));

  test('each family has its type and its help, each line its labels in the order of their names', () =>
    withMetrics(ALL, async ({ restPort }) => {
      covers('metrics.label-order', 'metrics.no-version', 'metrics.buckets', 'metrics.zeros', 'metrics.label-values');
      const { text } = await scrape(restPort);
      const lines = new Set(text.split('\n'));
      for (const { name, type, help, series } of OVMS_FAMILIES) {
        const expected = [
          `# HELP ${name} ${help}`,
          `# TYPE ${name} ${type}`,
          ...series.map((labels) => `${name}${labels} 0`),
        ];
        for (const line of expected) assert.ok(lines.has(line), `no line ${line} in\n${text}`);
      }
      assert.doesNotMatch(text, /method="(GetModelStatus|ModelReady)"[^\n]*version=/);
      const bounds = text.matchAll(/^ovms_inference_time_us_bucket\{name="one",version="1",le="(.*)"\} 0$/gm);
      assert.deepEqual(
        Array.from(bounds, ([, bound]) => bound),
        [...Array.from({ length: 33 }, (_, index) => String(Math.floor(10 * 1.8 ** index))), '+Inf'],
      );
    }));

  test('it comes as text of Prometheus, whatever the query', () =>
    withMetrics(ON, async ({ restPort }) => {
      covers('metrics.page', 'metrics.by-flag');
      const answer = await fetch(`http://127.0.0.1:${restPort}/metrics?name[]=ovms_streams`);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
      assert.match(
        await answer.text(),
        /^# HELP ovms_requests_success Number of successful requests to a model or a DAG\.$/m,
      );
    }));

  test('infer request gauges are shown only when they are listed, and a list replaces the default set', async () => {
    covers('metrics.list-replaces', 'metrics.queue-size', 'metrics.active', 'metrics.by-flag', 'metrics.own-families');
    await withMetrics(ON, async ({ restPort }) => {
      const { families } = await scrape(restPort);
      assert.ok(!families.includes('ovms_infer_req_active') && !families.includes('ovms_infer_req_queue_size'));
      assert.ok(families.includes('vinery_node_time_us'));
    });
    await withMetrics([...ON, '--metrics_list', 'ovms_infer_req_active, vinery_node_time_us'], async ({ restPort }) => {
      assert.deepEqual((await scrape(restPort)).families, ['ovms_infer_req_active', 'vinery_node_time_us']);
    });
  });

  test('config.json may ask for them; whoever comes before it was read waits for that', async () => {
    covers('metrics.by-file', 'metrics.list-replaces');
    const path = withMonitoring({ enable: true, metrics_list: ['ovms_streams'] });
    const server = await Server.start(embeddedSettings(path, '--log_path', repository.path('log')));
    try {
      assert.deepEqual((await scrape(server.restPort!)).families, ['ovms_streams']);
      await server.loaded;
      const labels = { name: 'pair', version: '1' };
      assert.equal((await scrape(server.restPort!)).figure('ovms_streams', labels), 1);
    } finally {
      await server.stop();
    }
  });
});

describe('where metrics are off there is no such address', () => {
  const refused = async (restPort: number): Promise<void> => {
    const answer = await restCall(restPort, 'GET', '/metrics');
    assert.deepEqual([answer.status, errorOf(answer)], [400, 'Invalid request URL']);
  };

  test('by default', () => {
    covers('metrics.off');
    return withMetrics([], ({ restPort }) => refused(restPort));
  });

  test('said so in config.json', async () => {
    const path = withMonitoring({ enable: false, metrics_list: ['nonsense'] });
    const settings = embeddedSettings(path, '--log_path', repository.path('log'));
    await withEmbeddedServer(settings, ({ restPort }) => refused(restPort));
  });
});

describe('a configuration of metrics that cannot be used ends the start with exit code 1', () => {
  interface Unusable {
    readonly title: string;
    readonly flags: () => readonly string[];
    readonly text: string;
    readonly covers: RowId;
  }
  const cases: readonly Unusable[] = [
    {
      title: 'an unknown name',
      flags: () => [config, ...ON, '--metrics_list', 'nonsense'],
      text: 'Invalid name in metrics_list: nonsense',
      covers: 'metrics.bad-name',
    },
    {
      title: 'a name listed twice',
      flags: () => [config, ...ON, '--metrics_list', 'ovms_streams,ovms_streams'],
      text: 'Invalid name in metrics_list: ovms_streams',
      covers: 'metrics.bad-name',
    },
    {
      title: 'an unknown name in the file',
      flags: () => [withMonitoring({ enable: true, metrics_list: ['nonsense'] })],
      text: 'Invalid name in metrics_list: nonsense',
      covers: 'metrics.bad-name',
    },
    {
      title: 'both in the file and in the flags',
      flags: () => [withMonitoring({ enable: true }), ...ON],
      text: 'metrics are enabled both by --metrics_enable and by /monitoring/metrics',
      covers: 'metrics.both',
    },
  ];
  for (const { title, flags, text } of cases) {
    test(`${title}: one line says why`, async () => {
      const { exitCode, stdout } = await startInVain(['--config_path', ...flags()]);
      assert.equal(exitCode, 1);
      assert.ok(stdout.includes(text), stdout);
    });
  }

  test('enabled in the file without a REST port', async () => {
    covers('metrics.no-rest-port');
    const port = ['--port', String(await freePort()), '--grpc_bind_address', '127.0.0.1'];
    const { exitCode, stdout } = await runVinery(['--config_path', withMonitoring({ enable: true }), ...port]);
    assert.equal(exitCode, 1);
    assert.ok(stdout.includes('Missing rest_port parameter in server CLI'), stdout);
  });
});

/** The pages until something has ended. */
async function scrapeUntil(end: Promise<unknown>, restPort: number): Promise<MetricsPage[]> {
  const pages: MetricsPage[] = [];
  const ended = end.then(() => null);
  for (;;) {
    const page = await Promise.race([ended, scrape(restPort)]);
    if (page === null) return pages;
    pages.push(page);
  }
}

/** So many that most wait while one runs. */
const HEAVY_CALLS = 6;

describe('counting rules', () => {
  test('a pipeline counts its requests, its models one request a node, under the API and interface of the caller', () =>
    withMetrics(ALL, async (server) => {
      covers('metrics.of-pipelines', 'metrics.inner-models');
      await askDemo(server);
      await askDemo(server);
      assert.equal((await restPredict(server.restPort, 'demo', DEMO_BODY)).status, 200);
      const page = await scrape(server.restPort);
      for (const name of ['demo', 'one', 'two', 'pair']) {
        assert.deepEqual(predicts(page, 'success', name), [2, 3], name);
        assert.equal(requests(page, 'success', name), 5, name);
        assert.equal(requests(page, 'fail', name), 0, name);
      }
      for (const name of ['one', 'two', 'pair']) {
        assert.equal(page.figure('ovms_inference_time_us_count', { name, version: '1' }), 5);
        assert.equal(page.figure('ovms_wait_for_infer_req_time_us_count', { name, version: '1' }), 5);
        assert.equal(page.figure('ovms_request_time_us_count', { interface: 'gRPC', name, version: '1' }), 0);
        assert.equal(page.figure('ovms_current_requests', { name, version: '1' }), 0);
        assert.equal(page.figure('ovms_infer_req_active', { name, version: '1' }), 0);
      }
      const ways = ['gRPC', 'REST'].map((way) =>
        page.figure('ovms_request_time_us_count', { interface: way, name: 'demo', version: '1' }),
      );
      assert.deepEqual(ways, [2, 3]);
      assert.ok(page.figure('ovms_request_time_us_sum', { interface: 'REST', name: 'demo', version: '1' }) > 0);
    }));

  test('a model that is called by itself counts its request once, with its time', () =>
    withMetrics(ON, async ({ grpcPort, restPort }) => {
      await withGrpcClient(grpcPort, async (client) => {
        assert.equal((await client.predict('one', [DUMMY_INPUT])).code, 'OK');
        assert.equal((await client.predict('one', [DUMMY_INPUT], 1n)).code, 'OK');
      });
      assert.equal((await restPredict(restPort, 'one', DUMMY_BODY)).status, 200);
      const page = await scrape(restPort);
      assert.deepEqual(predicts(page, 'success', 'one'), [2, 1]);
      assert.equal(page.figure('ovms_request_time_us_count', { interface: 'gRPC', name: 'one', version: '1' }), 2);
      assert.equal(page.figure('ovms_request_time_us_count', { interface: 'REST', name: 'one', version: '1' }), 1);
      assert.equal(page.figure('ovms_inference_time_us_count', { name: 'one', version: '1' }), 3);
    }));

  test('a failure counts once its servable was found, without a time; its models do not fail with a pipeline', () =>
    withMetrics(ON, async ({ grpcPort, restPort }) => {
      covers('metrics.unfound', 'metrics.time-of-success');
      const wrong = floatTensor('image', [1, 3], [0, 0, 0]);
      await withGrpcClient(grpcPort, async (client) => {
        assert.equal((await client.predict('demo', [wrong])).code, 'INVALID_ARGUMENT');
        assert.equal((await client.predict('one', [])).code, 'INVALID_ARGUMENT');
        assert.equal((await client.predict('one', [DUMMY_INPUT], 7n)).code, 'NOT_FOUND');
        assert.equal((await client.predict('unknown', [DUMMY_INPUT])).code, 'NOT_FOUND');
        assert.equal((await client.call(METHOD.PREDICT, Uint8Array.of(0xff))).code, 'INVALID_ARGUMENT');
      });
      assert.equal((await restPredict(restPort, 'demo', '{')).status, 412);
      assert.equal((await restPredict(restPort, 'unknown', '{')).status, 404);
      const page = await scrape(restPort);
      assert.deepEqual(predicts(page, 'fail', 'demo'), [1, 1]);
      assert.deepEqual(predicts(page, 'fail', 'one'), [1, 0]);
      assert.equal(requests(page, 'success', 'demo') + requests(page, 'success', 'one'), 0);
      assert.equal(requests(page, 'fail', 'pair'), 0);
      assert.doesNotMatch(page.text, /name="unknown"|version="7"/);
      assert.equal(page.figure('ovms_request_time_us_count', { interface: 'gRPC', name: 'demo', version: '1' }), 0);
    }));

  test('questions about metadata and state count by method, those about the state without a version', () =>
    withMetrics(ON, async ({ grpcPort, restPort }) => {
      covers('metrics.label-values', 'metrics.no-version');
      await withGrpcClient(grpcPort, async (client) => {
        for (const name of ['one', 'demo']) {
          await client.call(METHOD.GET_MODEL_METADATA, encodeMetadataRequest(name, null));
          await client.call(METHOD.GET_MODEL_STATUS, encodeStatusRequest({ name, version: null }));
        }
        await client.call(METHOD.GET_MODEL_METADATA, encodeMetadataRequest('invalid', null));
      });
      await restCall(restPort, 'GET', '/v1/models/one/metadata');
      await restCall(restPort, 'GET', '/v1/models/one');
      await restCall(restPort, 'GET', '/v1/config');
      const page = await scrape(restPort);
      const of = (outcome: Outcome, way: string, method: string, name: string): number => {
        const version: Record<string, string> = method === 'GetModelStatus' ? {} : { version: '1' };
        const labels = { api: 'TensorFlowServing', interface: way, method, name, ...version };
        return page.figure(`ovms_requests_${outcome}`, labels);
      };
      for (const method of ['GetModelMetadata', 'GetModelStatus']) {
        assert.deepEqual(
          [of('success', 'gRPC', method, 'one'), of('success', 'REST', method, 'one')],
          [1, 1],
          `${method} of a model`,
        );
        assert.equal(of('success', 'gRPC', method, 'demo'), 1, `${method} of a pipeline`);
      }
      assert.equal(of('fail', 'gRPC', 'GetModelMetadata', 'invalid'), 1);
      assert.equal(requests(page, 'success', 'one'), 4);
    }));

  test('KServe counts under its own names, models inside a pipeline, too', () =>
    withMetrics(ON, async ({ grpcPort, restPort }) => {
      covers('metrics.label-values', 'metrics.inner-models', 'metrics.no-version', 'metrics.of-pipelines');
      const named = { name: 'demo' };
      await withGrpcClient(grpcPort, async (client) => {
        await client.call(KSERVE.MODEL_INFER, rawInferRequest('demo', [IMAGE]));
        await client.call(KSERVE.MODEL_METADATA, encodeKserve('ModelMetadataRequest', named));
        await client.call(KSERVE.MODEL_READY, encodeKserve('ModelReadyRequest', named));
      });
      const data = { name: 'image', shape: [1, 10], datatype: 'FP32', data: ZEROS };
      for (let call = 0; call < 2; call += 1)
        await restCall(restPort, 'POST', '/v2/models/demo/infer', { inputs: [data] });
      await restCall(restPort, 'POST', '/v2/models/demo/infer', { inputs: [{ ...data, name: 'picture' }] });
      await restCall(restPort, 'GET', '/v2/models/demo');
      await restCall(restPort, 'GET', '/v2/models/demo/ready');
      const page = await scrape(restPort);
      const of = (outcome: Outcome, method: string, name: string): number[] =>
        ['gRPC', 'REST'].map((way) => {
          const version: Record<string, string> = method === 'ModelReady' ? {} : { version: '1' };
          const labels = { api: 'KServe', interface: way, method, name, ...version };
          return page.figure(`ovms_requests_${outcome}`, labels);
        });
      for (const name of ['demo', 'one', 'two', 'pair'])
        assert.deepEqual(of('success', 'ModelInfer', name), [1, 2], name);
      assert.deepEqual(of('fail', 'ModelInfer', 'demo'), [0, 1]);
      assert.deepEqual(of('fail', 'ModelInfer', 'one'), [0, 0]);
      assert.deepEqual(of('success', 'ModelMetadata', 'demo'), [1, 1]);
      assert.deepEqual(of('success', 'ModelReady', 'demo'), [1, 1]);
      assert.deepEqual([requests(page, 'success', 'demo'), requests(page, 'fail', 'demo')], [7, 1]);
    }));

  test('a pipeline inside a pipeline counts a request of the caller, as its models do', () =>
    withMetrics([...ON, ...COPYING], async ({ grpcPort, restPort }) => {
      await withGrpcClient(grpcPort, async (client) => {
        assert.equal((await client.predict('outer', [IMAGE])).code, 'OK');
      });
      const page = await scrape(restPort);
      for (const name of ['outer', 'demo', 'one', 'two', 'pair']) {
        assert.deepEqual(predicts(page, 'success', name), [1, 0], name);
      }
      assert.equal(page.figure('ovms_request_time_us_count', { interface: 'gRPC', name: 'demo', version: '1' }), 0);
      assert.deepEqual(copied(page), { request: 40, response: 8 });
    }));

  test('a node that a condition skips, and one behind it, count as skipped and not as run', () =>
    withMetrics(ON, async ({ restPort }) => {
      const asked = async (largest: number): Promise<void> => {
        const b = ZEROS.map((_, index) => (index === largest ? 1 : 0));
        assert.equal((await restPredict(restPort, 'conditional', { inputs: { b: [b] } })).status, 200);
      };
      for (const largest of [3, 0, 1]) await asked(largest);
      const page = await scrape(restPort);
      const of = (family: string): number[] =>
        ['classify', 'third', 'behind'].map((name) =>
          page.figure(family, { node: name, pipeline: 'conditional', version: '1' }),
        );
      assert.deepEqual(of('vinery_node_skipped_total'), [0, 2, 2]);
      assert.deepEqual(of('vinery_node_time_us_count'), [3, 1, 1]);
      assert.deepEqual(predicts(page, 'success', 'conditional'), [0, 3]);
      assert.deepEqual(predicts(page, 'success', 'one'), [0, 1]);
    }));

  test('nodes that queue are in hand, requests that queue are not', () =>
    withMetrics(ALL, async ({ grpcPort, restPort }) => {
      covers('metrics.in-hand', 'metrics.current-requests');
      const labels = { name: 'heavy', version: '1' };
      for (const [servable, mostInHand] of [
        ['heavy', 1],
        ['heavy_pipeline', HEAVY_CALLS],
      ] as const) {
        const request = encodePredictRequest(servable, null, [HEAVY_INPUT]);
        await withGrpcClient(grpcPort, async (client) => {
          const calls = Array.from({ length: HEAVY_CALLS }, () => client.call(METHOD.PREDICT, request));
          const pages = await scrapeUntil(Promise.all(calls), restPort);
          const inHand = Math.max(...pages.map((page) => page.figure('ovms_current_requests', labels)));
          assert.ok(inHand >= Math.min(2, mostInHand) && inHand <= mostInHand, `${servable}: ${inHand}`);
          assert.equal(Math.max(...pages.map((page) => page.figure('ovms_infer_req_active', labels))), 1);
        });
        assert.equal((await scrape(restPort)).figure('ovms_current_requests', labels), 0);
      }
    }));
});

describe('copies', () => {
  // One request by gRPC and one by REST at a time; the native transport receives the tensors of its own where they stay.
  for (const [transport, requests] of [['js', 2] as const, ['native', 1] as const]) {
    test(`${transport}: the demo copies the bytes of ${requests} of 2 requests in and those of its answers out, and nothing between`, () =>
      withMetrics([...ON, '--grpc_transport', transport], async (server) => {
        await askDemo(server);
        assert.deepEqual(copied(await scrape(server.restPort)), { request: requests * 40, response: 2 * 8 });
        await askDemo(server);
        const page = await scrape(server.restPort);
        assert.deepEqual(copied(page), { request: 2 * requests * 40, response: 4 * 8 });
        for (const name of ['left', 'right', 'argmax']) {
          const labels = { node: name, pipeline: 'demo', version: '1' };
          assert.equal(page.figure('vinery_node_copied_bytes_total', labels), 0);
          assert.equal(page.figure('vinery_node_time_us_count', labels), 4);
          assert.equal(page.figure('vinery_node_queue_time_us_count', labels), 4);
        }
      }));
  }

  test('the piscina executor copies no more', () =>
    withMetrics([...ON, ...COPYING, '--node_executor', 'piscina'], async (server) => {
      await askDemo(server);
      assert.deepEqual(copied(await scrape(server.restPort)), { request: 2 * 40, response: 2 * 8 });
    }));

  test('shards that are joined and outputs of unknown shape are copied once more, for the node that needs it', () =>
    withMetrics(ON, async ({ restPort }) => {
      const shards = [[[0, 1]], [[2, 3]], [[4, 5]]];
      assert.equal((await restPredict(restPort, 'gathered', { inputs: { b: shards } })).status, 200);
      assert.equal(
        (await restPredict(restPort, 'dynamic', { inputs: { b: [0, 1, 1, 0, 0, 0, 0, 0, 0, 0] } })).status,
        200,
      );
      const page = await scrape(restPort);
      const [gathered, positions] = [3 * 2 * 4, 2 * 8];
      assert.deepEqual(copied(page), {
        request: gathered + 40,
        response: gathered + positions,
        gather: gathered,
        dynamic_output: positions,
      });
      const ofNode = (pipelineName: string, name: string): number =>
        page.figure('vinery_node_copied_bytes_total', { node: name, pipeline: pipelineName, version: '1' });
      assert.deepEqual(
        [ofNode('gathered', 'split'), ofNode('gathered', 'each'), ofNode('gathered', 'all'), ofNode('dynamic', 'node')],
        [0, 0, gathered, positions],
      );
      assert.equal(page.figure('vinery_node_time_us_count', { node: 'each', pipeline: 'gathered', version: '1' }), 3);
    }));

  test('a conversion between nodes is a copy of the node that makes it', () =>
    withMetrics(ON, async ({ restPort }) => {
      assert.equal((await restPredict(restPort, 'converted', DUMMY_BODY)).status, 200);
      const page = await scrape(restPort);
      assert.deepEqual(copied(page), { request: 40, response: 80, conversion: 80 });
      const ofNodes = page.series('vinery_node_copied_bytes_total', 'pipeline="converted"').map(([, bytes]) => bytes);
      assert.deepEqual([...ofNodes].sort(), [0, 0, 80]);
    }));

  test('what a module returns of its own is copied, what it hands on is not', () =>
    withMetrics(ON, async ({ restPort }) => {
      assert.equal((await restPredict(restPort, 'scripted', DUMMY_BODY)).status, 200);
      const page = await scrape(restPort);
      assert.deepEqual(copied(page), { request: 40, response: 80, js_node_output: 40 });
      const labels = { node: 'module', pipeline: 'scripted', version: '1' };
      assert.equal(page.figure('vinery_node_copied_bytes_total', labels), 40);
      assert.equal(page.figure('vinery_node_time_us_count', labels), 1);
    }));

  test('a time line tells of each node how long it queued and what was copied for it', () =>
    withMetrics([], async ({ restPort }) => {
      const answer = await fetch(`http://127.0.0.1:${restPort}/v1/models/gathered:predict`, {
        method: 'POST',
        headers: { 'vinery-timeline': '1' },
        body: JSON.stringify({ inputs: { b: [[[0, 1]], [[2, 3]], [[4, 5]]] } }),
      });
      const { nodes } = JSON.parse(answer.headers.get('vinery-timeline')!) as Timeline;
      assert.deepEqual(
        nodes.map(({ node: name, session, copiedBytes }) => [name, session, copiedBytes]),
        [['split', '', 0], ...[0, 1, 2].map((shard) => ['each', `split_${shard}`, 0]), ['all', '', 24]],
      );
      for (const { node: name, queueMicros, readyMicros, startMicros } of nodes) {
        assert.ok(queueMicros >= 0 && queueMicros <= startMicros - readyMicros + 1, name);
      }
    }));
});

test('a model that is unloaded has no streams and no queue any more; what it counted stays, and a new one begins at 0', async () => {
  covers('metrics.unload');
  const write = (...models: string[]): string =>
    repository.writeConfig(
      models.map((name) => ({ name })),
      [],
      'changing.json',
    );
  const path = write('one');
  const onlyWhenAsked = ['--file_system_poll_wait_seconds', '0'];
  const settings = embeddedSettings(path, ...ALL, '--log_path', repository.path('log'), ...onlyWhenAsked);
  await withEmbeddedServer(settings, async ({ restPort }) => {
    const gauges = async (name: string): Promise<boolean[]> => {
      const page = await scrape(restPort);
      const labels = { name, version: '1' };
      return ['ovms_streams', 'ovms_infer_req_queue_size'].map((family) => page.figure(family, labels) > 0);
    };
    assert.equal((await restPredict(restPort, 'one', DUMMY_BODY)).status, 200);
    assert.deepEqual(await gauges('one'), [true, true]);
    write('two');
    assert.equal((await restCall(restPort, 'POST', '/v1/config/reload')).status, 201);
    assert.deepEqual([await gauges('one'), await gauges('two')].flat(), [false, false, true, true]);
    const page = await scrape(restPort);
    assert.deepEqual(
      [predicts(page, 'success', 'one'), predicts(page, 'success', 'two')],
      [
        [0, 1],
        [0, 0],
      ],
    );
  });
});

test('the page is whole while versions and models come, change and go under load', async () => {
  covers('metrics.under-reload', 'metrics.unload', 'metrics.by-file');
  const write = (models: readonly Model[], monitoring: object = {}): string =>
    repository.write(
      'scraped.json',
      JSON.stringify({
        model_config_list: models.map((config) => ({ config: { base_path: config.name, ...config } })),
        ...monitoring,
      }),
    );
  const path = write([{ name: 'one' }]);
  const settings = embeddedSettings(path, ...ALL, '--log_path', repository.path('log'));
  await withEmbeddedServer(settings, async (server) => {
    const reload = async (): Promise<void> => {
      for (const nireq of [2, 3]) {
        write([{ name: 'one', nireq }, { name: 'two' }]);
        await server.server.poll();
        const labels = { name: 'one', version: '1' };
        assert.equal((await scrape(server.restPort)).figure('ovms_infer_req_queue_size', labels), nireq);
        // What it says of metrics is not asked again.
        write([{ name: 'one', nireq }], { monitoring: { metrics: { enable: false, metrics_list: ['nonsense'] } } });
        await server.server.poll();
      }
    };
    let pages: MetricsPage[] = [];
    const endings = await underLoad(server, 'one', async () => {
      pages = await scrapeUntil(reload(), server.restPort);
    });
    assertAllAnswered(endings);
    let before = 0;
    for (const page of pages) {
      for (const name of ['one', ...(page.text.includes('name="two"') ? ['two'] : [])])
        assert.equal(page.series('ovms_requests_success', `name="${name}"`).length, 12);
      assert.ok(requests(page, 'success', 'one') >= before);
      before = requests(page, 'success', 'one');
      assert.equal(requests(page, 'fail', 'one'), 0);
    }
    const last = await scrape(server.restPort);
    assert.equal(last.figure('ovms_infer_req_queue_size', { name: 'two', version: '1' }), 0);
    assert.equal(last.figure('ovms_streams', { name: 'two', version: '1' }), 0);
  });
});

describe('two owner workers', () => {
  const CALLS = 12;
  const LOST = 'An owner worker ended before it was told to';

  /** One call over a connection of its own each: both workers get some. */
  async function callEach(grpcPort: number): Promise<void> {
    const clients = Array.from({ length: CALLS }, () => new GrpcClient(grpcPort));
    const answers = await Promise.all(clients.map((client) => client.predict('demo', [IMAGE])));
    for (const { code, details } of answers) assert.equal(code, 'OK', details);
    for (const client of clients) client.close();
  }

  test('any of them answers with the sums over both; what one counted stays when it ends', async () => {
    covers('metrics.workers');
    const log = new LogFile(repository.path('two.log'));
    await withMetrics(
      [...ALL, ...COPYING, '--grpc_workers', '2', '--log_path', log.path],
      async ({ server, grpcPort, restPort }) => {
        assert.equal(server.ownerThreads.length, 2);
        const assertCounted = async (calls: number): Promise<void> => {
          for (let connection = 0; connection < 8; connection += 1) {
            const page = await scrape(restPort);
            for (const name of ['demo', 'one', 'pair']) assert.deepEqual(predicts(page, 'success', name), [calls, 0]);
            assert.deepEqual(copied(page), { request: calls * 40, response: calls * 8 });
            assert.equal(page.figure('ovms_infer_req_queue_size', { name: 'pair', version: '1' }), 4);
            assert.equal(page.figure('ovms_streams', { name: 'pair', version: '1' }), 1);
            assert.equal(page.figure('ovms_current_requests', { name: 'pair', version: '1' }), 0);
          }
        };
        await callEach(grpcPort);
        await assertCounted(CALLS);
        for (const lost of [1, 2]) {
          // One that has begun: the pool loses what it gave to a thread that has not.
          await server.ownerThreads
            .reduce((oldest, thread) => (thread.threadId < oldest.threadId ? thread : oldest))
            .terminate();
          await log.has(LOST, lost);
          await assertCounted(lost * CALLS);
          await callEach(grpcPort);
          await assertCounted((lost + 1) * CALLS);
        }
      },
    );
  });
});

test('as a command: the page is there with --metrics_enable', () =>
  withServerProcess(['--config_path', config, ...ON], async ({ restPort }) => {
    assert.ok((await scrape(restPort)).families.includes('ovms_requests_success'));
  }));
