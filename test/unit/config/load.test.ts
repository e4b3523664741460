import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { covers } from '../../contract/covers.js';
import { digestOf, loadConfigFile } from '#src/config/load.js';
import { isInvalid, type PipelineSettings } from '#src/config/settings.js';
import { goodModel, load, loadModel, rejection, ScriptedFile } from './fake-files.js';

const EMPTY = '{"model_config_list": []}';
const AT = '/model_config_list/0/config';

describe('config file: reading', () => {
  it('gives up on a missing file after three tries, 10 ms apart', async () => {
    covers('config.file-missing');
    covers('life-cycle.bad-file-at-start');
    const file = new ScriptedFile([new Error('ENOENT: no such file')]);
    assert.deepEqual(await rejection(loadConfigFile('/c.json', file)), {
      code: 'CONFIG_FILE_UNREADABLE',
      detail: '/c.json: ENOENT: no such file',
    });
    assert.equal(file.reads, 3);
    assert.deepEqual(file.waits, [10, 10]);
  });

  it('gives up on text that is not JSON after three tries', async () => {
    covers('config.file-invalid');
    covers('life-cycle.bad-file-at-start');
    const file = new ScriptedFile(['{"model_config_list": [']);
    const { code, detail } = await rejection(loadConfigFile('/c.json', file));
    assert.equal(code, 'CONFIG_JSON_INVALID');
    assert.match(detail, /^\/c\.json: .*JSON/);
    assert.equal(file.reads, 3);
  });

  it('refuses comments and an empty file', async () => {
    covers('config.comments');
    for (const text of ['// c\n{"model_config_list": []}', '']) {
      assert.equal((await rejection(loadConfigFile('/c.json', new ScriptedFile([text])))).code, 'CONFIG_JSON_INVALID');
    }
  });

  it('ignores a byte order mark', async () => {
    assert.deepEqual((await loadConfigFile('/c.json', new ScriptedFile([`\uFEFF${EMPTY}`]))).models, []);
  });

  it('takes the second try when an editor was writing the file', async () => {
    covers('life-cycle.half-written');
    const file = new ScriptedFile(['', new Error('EACCES'), EMPTY]);
    assert.deepEqual((await loadConfigFile('/c.json', file)).models, []);
    assert.equal(file.reads, 3);
  });

  it('does not try again when the schema is violated', async () => {
    const file = new ScriptedFile(['{}']);
    assert.equal((await rejection(loadConfigFile('/c.json', file))).code, 'CONFIG_SCHEMA_INVALID');
    assert.equal(file.reads, 1);
  });

  it('reads from disk and tells the digest of the bytes', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'config-'));
    try {
      const path = join(directory, 'config.json');
      await writeFile(path, EMPTY);
      const { digest } = await loadConfigFile(path);
      assert.equal(digest, digestOf(new TextEncoder().encode(EMPTY)));
      await writeFile(path, `${EMPTY} `);
      assert.notEqual((await loadConfigFile(path)).digest, digest);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('reports a directory in the place of the file', async () => {
    assert.equal((await rejection(loadConfigFile(tmpdir()))).code, 'CONFIG_FILE_UNREADABLE');
  });

  it('refuses bytes that are not UTF-8', async () => {
    const file = { readFile: () => Promise.resolve(Uint8Array.of(0x22, 0xff, 0x22)), sleep: () => Promise.resolve() };
    assert.equal((await rejection(loadConfigFile('/c.json', file))).code, 'CONFIG_JSON_INVALID');
  });

  it('freezes the result to its leaves', async () => {
    const config = await load({ model_config_list: [{ config: { name: 'm', shape: '(1,3)' } }] });
    const [model] = config.models;
    assert.ok(model && Object.isFrozen(config) && Object.isFrozen(config.models) && Object.isFrozen(model));
    assert.ok(!isInvalid(model) && model.shape?.kind === 'anonymous' && Object.isFrozen(model.shape.value));
  });

  it('is plain data that crosses threads', async () => {
    const config = await load({ model_config_list: [{ config: { name: 'm', shape: '(1,-1)', layout: { a: 'NC' } } }] });
    assert.deepEqual(structuredClone(config), config);
  });
});

describe('config file: lists', () => {
  it('refuses custom loaders and the models that use them, and keeps the others', async () => {
    covers('config.custom-loaders');
    const { models, loaders } = await load({
      model_config_list: [
        { config: { name: 'loaded', custom_loader_options: { loader_name: 'l' } } },
        { config: { name: 'good' } },
      ],
      custom_loader_config_list: [{ config: { loader_name: 'l', library_path: '/l.so' } }],
    });
    assert.deepEqual(
      loaders.map(({ name, error }) => [name, error.code, error.detail]),
      [
        [
          'l',
          'CONFIG_VALUE_INVALID',
          '/custom_loader_config_list/0/config: expected no entry (custom loaders are not supported)',
        ],
      ],
    );
    assert.deepEqual(
      models.map((model) => [model.name, isInvalid(model)]),
      [
        ['loaded', true],
        ['good', false],
      ],
    );
    assert.deepEqual((await load({ model_config_list: [], custom_loader_config_list: [] })).loaders, []);
  });

  it('keeps the first of models, pipelines and libraries with one name and warns', async () => {
    covers('config.duplicates');
    covers('pipelines.first-wins');
    const pipeline = { name: 'p', nodes: [], outputs: [] };
    const { models, pipelines, libraries, warnings } = await load({
      model_config_list: ['/a', '/b'].map((base_path) => ({ config: { name: 'm', base_path } })),
      pipeline_config_list: [
        { ...pipeline, inputs: ['a'] },
        { ...pipeline, inputs: ['b'] },
      ],
      custom_node_library_config_list: ['/a.so', '/b.so'].map((base_path) => ({ name: 'l', base_path })),
    });
    assert.deepEqual(
      models.map((model) => !isInvalid(model) && model.basePath),
      ['/a'],
    );
    assert.deepEqual(
      pipelines.map(({ inputs }) => inputs),
      [['a']],
    );
    assert.deepEqual(libraries, [{ name: 'l', basePath: '/a.so', jsonPath: '/custom_node_library_config_list/0' }]);
    assert.deepEqual(warnings, [
      '/model_config_list/1/config: name "m" is taken by /model_config_list/0/config; this entry is left out',
      '/pipeline_config_list/1: name "p" is taken by /pipeline_config_list/0; this entry is left out',
      '/custom_node_library_config_list/1: name "l" is taken by /custom_node_library_config_list/0; this entry is left out',
    ]);
  });

  it('does not take Object.prototype names for duplicates', async () => {
    const names = ['constructor', '__proto__', 'toString'];
    const { models } = await load({ model_config_list: names.map((name) => ({ config: { name } })) });
    assert.deepEqual(
      models.map(({ name }) => name),
      names,
    );
  });

  it('keeps the good models when one is bad', async () => {
    covers('config.model-bad');
    const { models } = await load({
      model_config_list: [
        { config: { name: 'bad', base_path: '../x' } },
        { config: { name: 'good', base_path: '/x' } },
      ],
    });
    assert.deepEqual(
      models.map((model) => [model.name, isInvalid(model)]),
      [
        ['bad', true],
        ['good', false],
      ],
    );
  });

  it('resolves libraries against the directory of the file and refuses ..', async () => {
    covers('config.libraries');
    covers('pipelines.library-path');
    const { libraries } = await load({
      model_config_list: [],
      custom_node_library_config_list: [
        { name: 'a', base_path: 'lib/a.so' },
        { name: 'b', base_path: '../b.so' },
      ],
    });
    const [good, bad] = libraries;
    assert.ok(good && bad && !isInvalid(good) && isInvalid(bad));
    assert.equal(good.basePath, '/configs/lib/a.so');
    assert.equal(bad.error.code, 'PATH_INVALID');
  });

  it('reads monitoring', async () => {
    covers('config.monitoring');
    const monitoring = (metrics: object) => load({ model_config_list: [], monitoring: { metrics } });
    assert.equal((await load({ model_config_list: [] })).monitoring, null);
    assert.deepEqual((await monitoring({ enable: true })).monitoring, { enabled: true, names: null });
    assert.deepEqual((await monitoring({ enable: true, metrics_list: ['a'] })).monitoring, {
      enabled: true,
      names: ['a'],
    });
  });
});

describe('config file: a model', () => {
  for (const [name, config, code, detail] of [
    [
      'a path that climbs',
      { base_path: '../m' },
      'PATH_INVALID',
      `${AT}/base_path: expected a path without .., received "../m"`,
    ],
    [
      'a path that climbs in the middle',
      { base_path: '/a/../m' },
      'PATH_INVALID',
      `${AT}/base_path: expected a path without .., received "/a/../m"`,
    ],
    [
      'a path that climbs at the end',
      { base_path: '/a/..' },
      'PATH_INVALID',
      `${AT}/base_path: expected a path without .., received "/a/.."`,
    ],
    [
      'a path that only climbs',
      { base_path: '..' },
      'PATH_INVALID',
      `${AT}/base_path: expected a path without .., received ".."`,
    ],
    [
      'a bad layout',
      { layout: 'NXYZ' },
      'MODEL_LAYOUT_INVALID',
      `${AT}/layout: expected letters N C H W D, ? and at most one ..., as "NCHW" or "NHWC:NCHW", received "NXYZ"`,
    ],
    [
      'a bad layout of one input',
      { layout: { a: 'NC', 'b/c': 'X' } },
      'MODEL_LAYOUT_INVALID',
      `${AT}/layout/b~1c: expected letters N C H W D, ? and at most one ..., as "NCHW" or "NHWC:NCHW", received "X"`,
    ],
    [
      'too many infer requests',
      { nireq: 100001 },
      'CONFIG_VALUE_INVALID',
      `${AT}/nireq: expected at most 100000, received 100001`,
    ],
    [
      'a custom loader',
      { custom_loader_options: { loader_name: 'l' } },
      'CONFIG_VALUE_INVALID',
      `${AT}/custom_loader_options: expected no custom loader (they are not supported)`,
    ],
    [
      'idle_sequence_cleanup without stateful',
      { idle_sequence_cleanup: true },
      'CONFIG_VALUE_INVALID',
      `${AT}/idle_sequence_cleanup: expected no such key on a model that is not stateful, received true`,
    ],
    [
      'low_latency_transformation without stateful',
      { stateful: false, low_latency_transformation: true },
      'CONFIG_VALUE_INVALID',
      `${AT}/low_latency_transformation: expected no such key on a model that is not stateful, received true`,
    ],
    [
      'max_sequence_number without stateful',
      { max_sequence_number: 1 },
      'CONFIG_VALUE_INVALID',
      `${AT}/max_sequence_number: expected no such key on a model that is not stateful, received 1`,
    ],
    [
      'a bad plugin value',
      { plugin_config: { INFERENCE_NUM_THREADS: 'x' } },
      'CONFIG_VALUE_INVALID',
      `${AT}/plugin_config/INFERENCE_NUM_THREADS: expected an integer, received "x"`,
    ],
  ] as const) {
    it(`is invalid with ${name}`, async () => {
      covers(
        'config.base-path-climbs',
        'config.layout-bad',
        'scheduling.nireq-limit',
        'config.stateful-flags-alone',
        'config.custom-loader-options',
      );
      const { model } = await loadModel(config);
      assert.ok(isInvalid(model));
      assert.deepEqual([model.name, model.jsonPath, model.error.code, model.error.detail], ['m', AT, code, detail]);
    });
  }

  it('has the defaults of OVMS 2026.2.1', async () => {
    covers('config.base-path', 'config.nireq', 'config.target-device', 'config.version-policy');
    assert.deepEqual(await goodModel({}), {
      name: 'm',
      jsonPath: AT,
      basePath: '/configs',
      versionPolicy: { kind: 'latest', count: 1 },
      targetDevice: 'CPU',
      pluginConfig: { PERFORMANCE_HINT: 'LATENCY', ENABLE_CPU_PINNING: false },
      nireq: 0,
      followsLoad: true,
      shape: null,
      batchSize: null,
      layout: null,
      allowCache: null,
      stateful: null,
      dynamicBatching: null,
      preprocessing: { mean: null, scale: null, colorFormat: null, precision: null },
    });
  });

  for (const [written, expected] of [
    ['', '/configs'],
    ['m', '/configs/m'],
    ['./m/', '/configs/m'],
    ['/m', '/m'],
    ['a..b/..c', '/configs/a..b/..c'],
    ['s3://bucket/m', 's3://bucket/m'],
    ['gs://bucket/m', 'gs://bucket/m'],
    ['az://box/m', 'az://box/m'],
    ['azfs://share/m', 'azfs://share/m'],
  ] as const) {
    it(`resolves base path ${JSON.stringify(written)} to ${expected}`, async () => {
      covers('config.base-path');
      assert.equal((await goodModel({ base_path: written })).basePath, expected);
    });
  }

  for (const [written, expected] of [
    [{ all: {} }, { kind: 'all' }],
    [{ latest: { num_versions: 3 } }, { kind: 'latest', count: 3 }],
    [{ specific: { versions: [3, 1, 3] } }, { kind: 'specific', versions: [1, 3] }],
  ] as const) {
    it(`reads version policy ${JSON.stringify(written)}`, async () => {
      covers('config.version-policy');
      assert.deepEqual((await goodModel({ model_version_policy: written })).versionPolicy, expected);
    });
  }

  it('warns of a bad shape and leaves it out', async () => {
    covers('config.shape-bad');
    const { model, warnings } = await loadModel({ shape: '(x)' });
    assert.ok(!isInvalid(model));
    assert.equal(model.shape, null);
    assert.deepEqual(warnings, [
      `${AT}/shape: expected "auto" or (d,d,...) with each d one of n, -1 (any), min:max, received "(x)"; the shape is left as the model has it`,
    ]);
  });

  it('leaves only the bad one of several shapes out', async () => {
    covers('config.shape-bad', 'config.shape');
    const { model, warnings } = await loadModel({ shape: { a: '(1)', b: 'x', c: '(-1)' } });
    assert.ok(!isInvalid(model));
    assert.deepEqual(model.shape, {
      kind: 'named',
      values: [
        { name: 'a', value: [{ min: 1, max: 1 }] },
        { name: 'c', value: [{ min: 0, max: Infinity }] },
      ],
    });
    assert.equal(warnings.length, 1);
  });

  it('reads batch sizes as number and as text', async () => {
    covers('config.batch-size');
    assert.deepEqual((await goodModel({ batch_size: 8 })).batchSize, { min: 8, max: 8 });
    assert.deepEqual((await goodModel({ batch_size: '1:8' })).batchSize, { min: 1, max: 8 });
    assert.equal((await goodModel({ batch_size: 0 })).batchSize, null);
  });

  it('warns of a bad batch size and leaves it out', async () => {
    covers('config.batch-size-bad');
    const { model, warnings } = await loadModel({ batch_size: 'many' });
    assert.ok(!isInvalid(model));
    assert.equal(model.batchSize, null);
    assert.deepEqual(warnings, [
      `${AT}/batch_size: expected "auto", n, -1 (any) or min:max, received "many"; the batch size is left as the model has it`,
    ]);
  });

  it('ignores the batch size beside a shape and warns', async () => {
    covers('config.batch-size-ignored');
    const { model, warnings } = await loadModel({ batch_size: 8, shape: '(1)' });
    assert.ok(!isInvalid(model));
    assert.deepEqual([model.batchSize, model.shape], [null, { kind: 'anonymous', value: [{ min: 1, max: 1 }] }]);
    assert.deepEqual(warnings, [
      `${AT}/batch_size: Both shape and batch size have been defined. Batch size parameter will be ignored.`,
    ]);
  });

  it('reads auto for the batch or for a shape, with a warning that it is deprecated', async () => {
    const batch = await loadModel({ batch_size: 'auto' });
    const shape = await loadModel({ shape: { a: '(1)', b: 'auto' } });
    assert.ok(!isInvalid(batch.model) && !isInvalid(shape.model));
    assert.equal(batch.model.batchSize, 'auto');
    assert.ok(shape.model.shape?.kind === 'named');
    assert.deepEqual(shape.model.shape.values[1], { name: 'b', value: 'auto' });
    const text = 'auto is deprecated and forbidden in pipelines. Use dynamic dimensions (-1) instead.';
    assert.deepEqual(batch.warnings, [`${AT}/batch_size: ${text}`]);
    assert.deepEqual(shape.warnings, [`${AT}/shape: ${text}`]);
  });

  it('reads layouts for the only input and by name', async () => {
    covers('config.layout');
    assert.deepEqual((await goodModel({ layout: 'nhwc:nchw' })).layout, {
      kind: 'anonymous',
      value: { tensor: 'NHWC', model: 'NCHW' },
    });
    assert.deepEqual((await goodModel({ layout: { a: 'NC' } })).layout, {
      kind: 'named',
      values: [{ name: 'a', value: { tensor: null, model: 'NC' } }],
    });
  });

  it('reads the flags of a stateful model', async () => {
    covers('config.stateful');
    assert.deepEqual((await goodModel({ stateful: true })).stateful, {
      idleSequenceCleanup: true,
      lowLatencyTransformation: false,
      maxSequenceNumber: 500,
    });
    const flags = { idle_sequence_cleanup: false, low_latency_transformation: true, max_sequence_number: 7 };
    assert.deepEqual((await goodModel({ stateful: true, ...flags })).stateful, {
      idleSequenceCleanup: false,
      lowLatencyTransformation: true,
      maxSequenceNumber: 7,
    });
  });

  it('warns of old plugin keys at their place', async () => {
    const { warnings } = await loadModel({ plugin_config: { CPU_THREADS_NUM: '1' } });
    assert.deepEqual(warnings, [
      `${AT}/plugin_config: Plugin config key CPU_THREADS_NUM is deprecated. Use INFERENCE_NUM_THREADS instead.`,
    ]);
  });
});

describe('config file: a pipeline', () => {
  it('becomes camelCase records that know their place', async () => {
    const { pipelines } = await load({
      model_config_list: [],
      pipeline_config_list: [
        {
          name: 'p',
          inputs: ['image'],
          demultiply_count: 2,
          nodes: [
            {
              name: 'n',
              type: 'DL model',
              model_name: 'm',
              version: 3,
              inputs: [{ 'a/b': { node_name: 'request', data_item: 'image' } }],
              outputs: [{ data_item: 'out', alias: 'o' }],
              gather_from_node: 'request',
            },
            {
              name: 'c',
              type: 'custom',
              library_name: 'l',
              params: { k: 'v' },
              demultiply_count: -1,
              inputs: [],
              outputs: [],
            },
          ],
          outputs: [{ label: { node_name: 'n', data_item: 'o' } }],
        },
      ],
    });
    const at = '/pipeline_config_list/0';
    assert.deepEqual(pipelines, [
      {
        name: 'p',
        jsonPath: at,
        inputs: ['image'],
        nodes: [
          {
            name: 'n',
            jsonPath: `${at}/nodes/0`,
            type: 'DL model',
            modelName: 'm',
            version: 3,
            libraryName: null,
            module: null,
            timeoutMs: 10_000,
            pipelineName: null,
            params: {},
            when: null,
            inputs: [
              {
                input: 'a/b',
                nodeName: 'request',
                dataItem: 'image',
                conversion: null,
                jsonPath: `${at}/nodes/0/inputs/0/a~1b`,
              },
            ],
            outputs: [{ dataItem: 'out', alias: 'o', jsonPath: `${at}/nodes/0/outputs/0` }],
            demultiplyCount: null,
            onEmpty: 'error',
            gatherFromNode: 'request',
          },
          {
            name: 'c',
            jsonPath: `${at}/nodes/1`,
            type: 'custom',
            modelName: null,
            version: null,
            libraryName: 'l',
            module: null,
            timeoutMs: 10_000,
            pipelineName: null,
            params: { k: 'v' },
            when: null,
            inputs: [],
            outputs: [],
            demultiplyCount: -1,
            onEmpty: 'error',
            gatherFromNode: null,
          },
        ],
        outputs: [
          { output: 'label', nodeName: 'n', dataItem: 'o', conversion: null, jsonPath: `${at}/outputs/0/label` },
        ],
        demultiplyCount: 2,
        onEmpty: 'error',
        version: null,
        exitWhen: [],
        warmUpRequests: null,
      },
    ]);
  });

  it('completes what goes beyond OVMS: modules, conditions, conversions, versions and early exits', async () => {
    const source = { node_name: 'request', data_item: 'image' };
    const { pipelines } = await load({
      model_config_list: [],
      pipeline_config_list: [
        {
          name: 'p',
          version: 2,
          inputs: ['image'],
          nodes: [
            {
              name: 'crop',
              type: 'js',
              module: 'nodes/crop.ts',
              timeout_ms: 50,
              when: { ...source, element: 4, is: { at_least: 0.5, not_in: [7, 8] } },
              inputs: [{ x: { ...source, precision: 'U8:FP32', layout: 'NHWC:NCHW' } }],
              outputs: [],
            },
            { name: 'inner', type: 'pipeline', pipeline_name: 'q', version: 3, inputs: [], outputs: [] },
            { name: 'either', type: 'select', inputs: [], outputs: [] },
          ],
          outputs: [],
          exit_when: [{ node_name: 'crop', data_item: 'done', is: { equals: 1 } }],
        },
      ],
    });
    const [{ nodes, version, exitWhen }] = pipelines as [PipelineSettings];
    assert.equal(version, 2);
    assert.equal(nodes[0]!.module, '/configs/nodes/crop.ts');
    assert.equal(nodes[0]!.timeoutMs, 50);
    assert.deepEqual(nodes[0]!.when, {
      nodeName: 'request',
      dataItem: 'image',
      element: 4,
      tests: [
        { operator: 'atLeast', operands: [0.5] },
        { operator: 'notIn', operands: [7, 8] },
      ],
      jsonPath: '/pipeline_config_list/0/nodes/0/when',
    });
    assert.deepEqual(nodes[0]!.inputs[0]!.conversion, {
      precision: { from: 'U8', to: 'FP32' },
      layout: { from: 'NHWC', to: 'NCHW' },
    });
    assert.equal(nodes[1]!.pipelineName, 'q');
    assert.equal(nodes[1]!.version, 3);
    assert.deepEqual(exitWhen[0]!.tests, [{ operator: 'equals', operands: [1] }]);
  });

  for (const [what, conversion, fault] of [
    ['an unknown precision', { precision: 'U8:FP33' }, 'precision: expected two of'],
    ['a string precision', { precision: 'U8:STRING' }, 'precision: expected two of'],
    [
      'layouts of different letters',
      { layout: 'NHWC:NCH' },
      'layout: expected two orders of the same different letters',
    ],
    ['a letter twice', { layout: 'NHH:NHH' }, 'layout: expected two orders of the same different letters'],
  ] as const) {
    it(`refuses ${what} in a conversion, with the place of the fault`, async () => {
      const input = { x: { node_name: 'request', data_item: 'image', ...conversion } };
      const node = { name: 'n', type: 'DL model', model_name: 'm', inputs: [input], outputs: [] };
      const pipeline = { name: 'p', inputs: ['image'], nodes: [node], outputs: [] };
      const config = { model_config_list: [], pipeline_config_list: [pipeline] };
      const { code, detail } = await rejection(load(config));
      assert.equal(code, 'CONFIG_VALUE_INVALID');
      assert.ok(detail.startsWith(`/pipeline_config_list/0/nodes/0/inputs/0/x/${fault}`), detail);
    });
  }

  it('reads a demultiplier of 0 as -1 with a warning', async () => {
    covers('pipelines.demultiply-count');
    const node = { name: 'n', type: 'DL model', model_name: 'm', inputs: [], outputs: [], demultiply_count: 0 };
    const { pipelines, warnings } = await load({
      model_config_list: [],
      pipeline_config_list: [{ name: 'p', inputs: [], nodes: [node], outputs: [], demultiply_count: 0 }],
    });
    assert.deepEqual([pipelines[0]?.demultiplyCount, pipelines[0]?.nodes[0]?.demultiplyCount], [-1, -1]);
    assert.deepEqual(warnings, [
      '/pipeline_config_list/0/nodes/0/demultiply_count: 0 is deprecated. Use -1 for a dynamic number of shards.',
      '/pipeline_config_list/0/demultiply_count: 0 is deprecated. Use -1 for a dynamic number of shards.',
    ]);
  });
});
