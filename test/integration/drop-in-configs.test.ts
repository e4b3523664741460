import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { ConfigFile } from '#src/config/schema.js';
import { covers } from '../contract/covers.js';
import { compileCustomNode, Ledger } from '../fixtures/custom-node-library.js';
import { writeArgmaxModel, writeDummyModel, writeFullyConnectedModel } from '../fixtures/ir.js';
import { scrape } from '../helpers/metrics-page.js';
import { modelNode, node, pipeline, TestRepository, type Model, type Pipeline } from '../helpers/repository.js';
import { restCall, restPredict } from '../helpers/rest-client.js';
import { startServerProcess, type ServerProcess } from '../helpers/server.js';
import { startInVain } from '../helpers/vinery.js';

/**
 * One server with configs of the kinds that demos, guides and tests of OVMS have: every key of a model, version policies, shapes and
 * layouts as one text and as maps, old plugin keys, devices, pipelines with demultiplexers and custom nodes, metrics in the file, and
 * in between models and pipelines that cannot be used.
 */
const repository = new TestRepository();
for (const version of [1, 2, 3]) writeDummyModel(repository.path('dummy', String(version)), { addend: version });
writeDummyModel(repository.path('picture', '1'), { shape: [1, 3, 2, 2], layout: 'NCHW' });
writeDummyModel(repository.path('rows', '1'), { shape: [-1, 10] });
writeFullyConnectedModel(repository.path('connected', '1'));
for (const name of ['pair', 'mapped']) writeArgmaxModel(repository.path(name, '1'), { classes: 10 });
writeFileSync(repository.path('mapped', '1', 'mapping_config.json'), '{"inputs": {"in1": "left"}}');
writeDummyModel(repository.path('nameless', '1'), { input: '', output: '' });
const ledger = new Ledger(repository.directory, 'drop-in');

const ROW = Array<number>(10).fill(0);

interface Servable {
  readonly title: string;
  readonly model: Model;
  readonly input: unknown;
  readonly output: unknown;
  readonly covers: string | readonly string[];
}

function dummyWith(config: Partial<Model>, expected = 3): Pick<Servable, 'input' | 'output'> & { model: Model } {
  const model = { name: String(config.name), base_path: 'dummy', ...config };
  return { model, input: { b: [ROW] }, output: [ROW.map(() => expected)] };
}

const GOOD: readonly Servable[] = [
  {
    title: 'the latest of its versions by default',
    ...dummyWith({ name: 'dummy' }),
    covers: ['config.version-policy', 'config.base-path'],
  },
  {
    title: 'the specific versions that are there',
    ...dummyWith({ name: 'specific', model_version_policy: { specific: { versions: [1, 7] } } }, 1),
    covers: 'config.version-policy-missing',
  },
  {
    title: 'all versions',
    ...dummyWith({ name: 'all', model_version_policy: { all: {} } }),
    covers: 'config.version-policy',
  },
  {
    title: 'the latest two',
    ...dummyWith({ name: 'two', model_version_policy: { latest: { num_versions: 2 } } }),
    covers: 'config.version-policy',
  },
  {
    title: 'old and new plugin keys, infer requests, keys that are not used',
    ...dummyWith({
      name: 'tuned',
      nireq: 3,
      target_device: 'CPU',
      allow_cache: true,
      graph_path: 'x',
      subconfig: 'y',
      plugin_config: { CPU_THROUGHPUT_STREAMS: '1', CPU_THREADS_NUM: '1', PERF_COUNT: 'NO', ENABLE_CPU_PINNING: false },
    }),
    covers: ['config.plugin-old-keys', 'config.plugin-config', 'config.graph-keys', 'scheduling.nireq', 'config.nireq'],
  },
  {
    title: 'a shape as one text with spaces',
    model: { name: 'reshaped', base_path: 'dummy', shape: '(2, 3)' },
    input: {
      b: [
        [0, 0, 0],
        [1, 1, 1],
      ],
    },
    output: [
      [3, 3, 3],
      [4, 4, 4],
    ],
    covers: 'config.shape',
  },
  {
    title: 'a shape by name with a range',
    model: { name: 'ranged', base_path: 'dummy', shape: { b: '(1,2:4)' } },
    input: { b: [[0, 0]] },
    output: [[3, 3]],
    covers: 'config.shape',
  },
  {
    title: 'a layout that transposes, with a shape in the layout of clients',
    model: { name: 'transposed', base_path: 'picture', layout: 'NHWC:NCHW', shape: '(1,1,2,3)' },
    input: {
      b: [
        [
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
        ],
      ],
    },
    output: [[[[2, 5]], [[3, 6]], [[4, 7]]]],
    covers: 'config.layout-transpose',
  },
  {
    title: 'a layout by name that only declares',
    model: { name: 'declared', base_path: 'picture', layout: { b: 'NCHW' } },
    input: {
      b: [
        [
          [
            [0, 0],
            [0, 0],
          ],
          [
            [0, 0],
            [0, 0],
          ],
          [
            [0, 0],
            [0, 0],
          ],
        ],
      ],
    },
    output: [
      [
        [
          [1, 1],
          [1, 1],
        ],
        [
          [1, 1],
          [1, 1],
        ],
        [
          [1, 1],
          [1, 1],
        ],
      ],
    ],
    covers: ['config.layout', 'config.layout-transpose'],
  },
  {
    title: 'a shape that cannot be read is left out',
    ...dummyWith({ name: 'bad_shape', shape: '(x)' }),
    covers: 'config.shape-bad',
  },
  {
    title: 'a shape by the mapped name',
    model: { name: 'mapped', base_path: 'mapped', shape: { left: '(1,10)' } },
    input: { left: [ROW], in2: [[0, 0, 9, 0, 0, 0, 0, 0, 0, 0]] },
    output: [2],
    covers: 'config.names',
  },
  {
    title: 'a shape and a layout by the name that clients see of an input without one',
    model: { name: 'nameless', base_path: 'nameless', shape: { in_0: '(1,3)' }, layout: { in_0: 'NC' } },
    input: { in_0: [[1, 2, 3]] },
    output: [[2, 3, 4]],
    covers: ['config.names', 'repository.nameless-outputs'],
  },
  ...['AUTO', 'AUTO:CPU', 'HETERO:CPU', 'MULTI:CPU', 'BATCH:CPU(4)'].map((device) => ({
    title: `device ${device}`,
    ...dummyWith({ name: `on_${device.replace(/\W/g, '_')}`, target_device: device }),
    covers: 'scheduling.device-virtual',
  })),
  {
    title: 'behind models that cannot be used',
    ...dummyWith({ name: 'behind' }),
    covers: ['config.model-bad', 'config.plugin-unknown', 'scheduling.device-missing', 'config.custom-loaders'],
  },
];

interface Refused {
  readonly title: string;
  readonly model: Model;
  readonly log: string;
  readonly covers: string | readonly string[];
}

const BAD: readonly Refused[] = [
  ...['GPU', 'GPU.1', 'NPU', 'ABACUS', 'HETERO:GPU,CPU'].map((device) => ({
    title: `device ${device} is not there`,
    model: { name: `no_${device.replace(/\W/g, '_')}`, base_path: 'dummy', target_device: device },
    log: `Cannot compile model into target device - device ${device} (here are: CPU): `,
    covers: 'scheduling.device-missing',
  })),
  {
    title: 'a plugin key that nobody knows',
    model: { name: 'unknown_key', base_path: 'dummy', plugin_config: { NO_SUCH_KEY: '1' } },
    log: 'NO_SUCH_KEY',
    covers: 'config.plugin-unknown',
  },
  {
    title: 'one shape for several inputs',
    model: { name: 'anonymous_shape', base_path: 'pair', shape: '(1,10)' },
    log: 'Anonymous fixed shape is invalid for models with multiple inputs',
    covers: 'config.anonymous',
  },
  {
    title: 'one layout for several inputs',
    model: { name: 'anonymous_layout', base_path: 'pair', layout: 'NC' },
    log: 'Anonymous fixed layout is invalid for models with multiple inputs',
    covers: 'config.anonymous',
  },
  {
    title: 'a shape of an input that is not there',
    model: { name: 'nobodys_shape', base_path: 'pair', shape: { nobody: '(1,10)' } },
    log: 'expected one of the inputs in1, in2, received nobody',
    covers: 'config.names',
  },
  {
    title: 'a shape by the name of a tensor that is mapped',
    model: { name: 'tensors_shape', base_path: 'mapped', shape: { in1: '(1,10)' } },
    log: 'expected one of the inputs in2, left, received in1',
    covers: 'config.names',
  },
  {
    title: 'a layout by the name of a tensor that is mapped',
    model: { name: 'tensors_layout', base_path: 'mapped', layout: { in1: 'NC' } },
    log: 'expected one of the inputs in2, left or of the outputs argmax, received in1',
    covers: 'config.names',
  },
  {
    title: 'a layout of an input that is not there',
    model: { name: 'nobodys_layout', base_path: 'pair', layout: { nobody: 'NC' } },
    log: 'nobody',
    covers: 'config.names',
  },
  {
    title: 'a layout that is none',
    model: { name: 'no_layout', base_path: 'dummy', layout: 'XYZ' },
    log: 'Layout configuration is invalid',
    covers: 'config.layout-bad',
  },
  {
    title: 'too many infer requests',
    model: { name: 'greedy', base_path: 'dummy', nireq: 100001 },
    log: 'expected at most 100000, received 100001',
    covers: 'scheduling.nireq-limit',
  },
  {
    title: 'a path that climbs',
    model: { name: 'climbing', base_path: '../dummy' },
    log: "The provided base path is invalid or doesn't exists",
    covers: 'config.base-path-climbs',
  },
  {
    title: 'flags of stateful models',
    model: { name: 'not_stateful', base_path: 'dummy', max_sequence_number: 3 },
    log: 'max_sequence_number',
    covers: 'config.stateful-flags-alone',
  },
  {
    title: 'a custom loader',
    model: { name: 'loaded', base_path: 'dummy', custom_loader_options: { loader_name: 'loader' } },
    log: 'custom_loader_options',
    covers: 'config.custom-loader-options',
  },
];

/** Rows are split at the request and come back together; a custom node works on them in between; two branches meet in one model. */
const PIPELINES: readonly Pipeline[] = [
  pipeline(
    'split',
    ['rows'],
    [
      node('custom', { number: 'request.rows' }, ['sum'], {
        type: 'custom',
        library_name: 'add',
        params: { ledger: ledger.path, addend: '10' },
      }),
      modelNode('model', 'rows', { b: 'custom.sum' }, ['a']),
    ],
    { rows: 'model.a' },
    { demultiply_count: -1 },
  ),
  pipeline(
    'split_old',
    ['rows'],
    [modelNode('model', 'rows', { b: 'request.rows' }, ['a'])],
    { rows: 'model.a' },
    { demultiply_count: 0 },
  ),
  pipeline(
    'branches',
    ['b'],
    [
      modelNode('first', 'dummy', { b: 'request.b' }, ['a']),
      modelNode('second', 'all', { b: 'request.b' }, ['a'], { version: 1 }),
      modelNode('sum', 'pair', { in1: 'first.a', in2: 'second.a' }, ['argmax']),
    ],
    { best: 'sum.argmax', first: 'first.a' },
  ),
  pipeline('no_library', ['b'], [node('n', { number: 'request.b' }, ['sum'], { type: 'custom', library_name: 'no' })], {
    x: 'n.sum',
  }),
  pipeline('bad_model', ['b'], [modelNode('n', 'no_GPU', { b: 'request.b' }, ['a'])], { x: 'n.a' }),
];

function writeConfig(): string {
  const config: ConfigFile = {
    // The order of keys is free.
    monitoring: { metrics: { enable: true, metrics_list: ['ovms_requests_success', 'ovms_streams'] } },
    pipeline_config_list: [...PIPELINES],
    custom_node_library_config_list: [
      { name: 'add', base_path: compileCustomNode(repository.directory, 'add.c') },
      { name: 'no', base_path: 'no.so' },
    ],
    custom_loader_config_list: [{ config: { loader_name: 'loader', library_path: '/loader.so' } }],
    model_config_list: [...BAD, ...GOOD, dummyTwice()]
      .map(({ model }) => ({ config: model }))
      .concat([{ config: { name: 'pair', base_path: 'pair' } }, { config: { name: 'rows', base_path: 'rows' } }]),
  };
  return repository.write('drop-in.json', JSON.stringify(config, null, 2));
}

/** A second entry under a name that is taken. */
function dummyTwice(): { readonly model: Model } {
  return { model: { name: 'dummy', base_path: 'picture' } };
}

describe('a config file of many kinds', () => {
  let server: ServerProcess;
  before(async () => {
    server = await startServerProcess(['--config_path', writeConfig(), '--grpc_workers', '1']);
    await server.line('ServableManagerModule started');
  });
  after(async () => assert.equal(await server.stop(), 0));

  for (const { title, model, input, output } of GOOD) {
    test(`${model.name}: ${title}`, async () => {
      covers('config.reference-configs', 'cli.mode-config');
      const { status, text } = await restPredict(server.restPort, model.name, { inputs: input });
      assert.equal(status, 200, text);
      assert.deepEqual((JSON.parse(text) as { outputs: unknown }).outputs, output);
    });
  }

  for (const { title, model, log } of BAD) {
    test(`${model.name}: ${title}`, async () => {
      const line = await server.line(`Error occurred while loading model: ${model.name}; `);
      assert.ok(line.includes(log), line);
      const { status } = await restPredict(server.restPort, model.name, { inputs: { b: [ROW] } });
      assert.equal(status, 404);
    });
  }

  test('each version policy has its versions', async () => {
    covers('config.version-policy');
    const versions = async (name: string): Promise<readonly string[]> => {
      const { text } = await restCall(server.restPort, 'GET', `/v1/models/${name}`);
      const { model_version_status: list } = JSON.parse(text) as { model_version_status: { version: string }[] };
      return list.map(({ version }) => version).sort();
    };
    assert.deepEqual(await versions('dummy'), ['3']);
    assert.deepEqual(await versions('specific'), ['1']);
    assert.deepEqual(await versions('all'), ['1', '2', '3']);
    assert.deepEqual(await versions('two'), ['2', '3']);
  });

  test('what is only warned of', async () => {
    covers('config.duplicates', 'config.plugin-old-keys', 'config.shape-bad');
    await server.line('name "dummy" is taken by');
    await server.line('Plugin config key CPU_THROUGHPUT_STREAMS is deprecated. Use NUM_STREAMS instead.');
    await server.line('Plugin config key CPU_THREADS_NUM is deprecated. Use INFERENCE_NUM_THREADS instead.');
    await server.line('/shape: expected "auto" or');
    await server.line('Loading custom loader: loader failed: ');
  });

  test('the infer requests that were asked for', async () => {
    covers('scheduling.nireq', 'config.nireq');
    await server.line('Loaded model tuned; version: 3; batch size: 1; No of InferRequests: 3');
  });

  test('pipelines: demultiplexers, a custom node, two branches with a pinned version', async () => {
    covers('config.pipelines', 'config.libraries', 'config.reference-configs');
    const ask = async (name: string, inputs: object): Promise<unknown> => {
      const { status, text } = await restPredict(server.restPort, name, { inputs });
      assert.equal(status, 200, text);
      return (JSON.parse(text) as { outputs: unknown }).outputs;
    };
    const rows = [[ROW], [ROW.map(() => 1)], [ROW.map(() => 2)]];
    assert.deepEqual(
      await ask('split', { rows }),
      [11, 12, 13].map((value) => [ROW.map(() => value)]),
    );
    assert.deepEqual(
      await ask('split_old', { rows }),
      [1, 2, 3].map((value) => [ROW.map(() => value)]),
    );
    const peak = [0, 0, 0, 0, 5, 0, 0, 0, 0, 0];
    assert.deepEqual(await ask('branches', { b: [peak] }), { best: [4], first: [peak.map((value) => value + 3)] });
  });

  for (const name of ['no_library', 'bad_model']) {
    test(`pipeline ${name} is not loaded, and says so`, async () => {
      covers('config.pipeline-bad', 'config.library-bad');
      const { text } = await restCall(server.restPort, 'GET', `/v1/models/${name}`);
      assert.match(text, /"state": "LOADING"/);
      assert.match(text, /"error_code": "FAILED_PRECONDITION"/);
    });
  }

  test('metrics of the file', async () => {
    covers('config.monitoring');
    const { text } = await scrape(server.restPort);
    assert.match(text, /^ovms_streams\{name="dummy",version="3"\} /m);
    assert.doesNotMatch(text, /ovms_request_time_us/);
  });
});

describe('metrics of the file that cannot be', () => {
  for (const [title, flags, monitoring, text] of [
    ['without REST port', ['--rest_port', '0'], { enable: true }, 'Missing rest_port parameter in server CLI'],
    ['with an unknown name', [], { enable: true, metrics_list: ['nobody'] }, 'Invalid name in metrics_list: nobody'],
    ['on the command line, too', ['--metrics_enable'], { enable: true }, 'metrics are enabled both by'],
  ] as const) {
    test(`${title}: exit code 1 and a line that says why`, async () => {
      covers('config.metrics-invalid');
      const config = { model_config_list: [], monitoring: { metrics: monitoring } };
      const path = repository.write('metrics.json', JSON.stringify(config));
      const { exitCode, stdout } = await startInVain(['--config_path', path, ...flags]);
      assert.equal(exitCode, 1);
      assert.ok(stdout.includes(text), stdout);
    });
  }
});
