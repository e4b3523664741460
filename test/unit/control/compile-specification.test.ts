import assert from 'node:assert/strict';
import { test } from 'node:test';

import { makeModelSettings } from '#src/config/model-settings.js';
import type { ModelConfig } from '#src/config/schema.js';
import type { ModelSettings } from '#src/config/settings.js';
import { covers } from '../../contract/covers.js';
import { compileSpecification } from '#src/control/compile-specification.js';
import { NO_PREPROCESSING } from '#src/native/binding.js';
import type { ModelMapping } from '#src/servables/model-mapping.js';

const MAPPING: ModelMapping = {
  inputs: new Map([['tensor', 'image']]),
  outputs: new Map([['scores', 'labels']]),
};

function settings(config: Omit<ModelConfig, 'name' | 'base_path'>): ModelSettings {
  return makeModelSettings(
    { name: 'm', base_path: 'm', ...config },
    {
      jsonPath: '/model_config_list/0/config',
      at: (key) => `/model_config_list/0/config/${key}`,
      directory: '/models',
      onBadValue: (text) => assert.fail(text),
      warn: () => undefined,
    },
  );
}

function specify(
  config: Omit<ModelConfig, 'name' | 'base_path'>,
  cacheDir: string | null = null,
  inferenceThreads: number | null = null,
) {
  return compileSpecification(settings(config), '/models/m/1/m.xml', MAPPING, { cacheDir, inferenceThreads });
}

test('specification: path, device and translated properties', () => {
  const specification = specify({ target_device: 'AUTO:GPU,CPU', plugin_config: { NUM_STREAMS: 2 } });
  assert.equal(specification.path, '/models/m/1/m.xml');
  assert.equal(specification.device, 'AUTO:GPU,CPU');
  assert.equal(specification.properties['NUM_STREAMS'], '2');
});

test('specification: on CPU pinning is off unless the user says otherwise', () => {
  assert.equal(specify({}).properties['ENABLE_CPU_PINNING'], false);
  assert.equal(specify({}).properties['CPU_DENORMALS_OPTIMIZATION'], undefined);
  assert.equal(specify({ plugin_config: { ENABLE_CPU_PINNING: true } }).properties['ENABLE_CPU_PINNING'], true);
  assert.equal(specify({ target_device: 'GPU' }).properties['ENABLE_CPU_PINNING'], undefined);
});

test('specification: the threads of a container are for models on CPU that do not say their own', () => {
  covers('scheduling.container');
  const threads = (config: Omit<ModelConfig, 'name' | 'base_path'>): unknown =>
    specify(config, null, 3).properties['INFERENCE_NUM_THREADS'];
  assert.equal(threads({}), 3);
  assert.equal(threads({ plugin_config: { INFERENCE_NUM_THREADS: '2' } }), 2);
  assert.equal(threads({ target_device: 'GPU' }), undefined);
  assert.ok(!('INFERENCE_NUM_THREADS' in specify({}).properties));
});

test('specification: names are those that clients use, with those of the tensors beside them', () => {
  const { mapping, shapes, layouts } = specify({
    shape: { image: '(1,3,200:500,-1)' },
    layout: { image: 'NHWC:NCHW' },
  });
  assert.deepEqual(mapping, { inputs: [['tensor', 'image']], outputs: [['scores', 'labels']] });
  assert.deepEqual(shapes, [
    {
      name: 'image',
      dimensions: [
        [1, 1],
        [3, 3],
        [200, 500],
        [0, -1],
      ],
    },
  ]);
  assert.deepEqual(layouts, [{ name: 'image', tensor: 'NHWC', model: 'NCHW' }]);
});

test('specification: a shape or layout without a name is for the only input', () => {
  const { shapes, layouts } = specify({ shape: '(1,10)', layout: 'NC' });
  assert.equal(shapes[0]!.name, '');
  assert.deepEqual(layouts, [{ name: '', tensor: null, model: 'NC' }]);
});

test('specification: the cache goes with every model that does not forbid it', () => {
  assert.equal(specify({}, '/cache').properties['CACHE_DIR'], '/cache');
  assert.equal(specify({ allow_cache: false }, '/cache').properties['CACHE_DIR'], undefined);
  assert.equal(specify({ plugin_config: { CACHE_DIR: '/own' } }, '/cache').properties['CACHE_DIR'], '/own');
});

test('specification: a batch size is for every input, whatever it is called', () => {
  assert.equal(specify({}).batch, null);
  assert.deepEqual(specify({ batch_size: 4 }).batch, [4, 4]);
  assert.deepEqual(specify({ batch_size: '1:8' }).batch, [1, 8]);
  assert.deepEqual(specify({ batch_size: '-1' }).batch, [0, -1]);
});

test('specification: batch size auto is an open batch, shape auto opens every dimension', () => {
  assert.deepEqual(specify({ batch_size: 'auto' }).batch, [0, -1]);
  assert.deepEqual(specify({ shape: 'auto' }).shapes, [{ name: '', dimensions: null }]);
  const { shapes } = specify({ shape: { image: 'auto', other: '(1,2)' } });
  assert.deepEqual(
    shapes.map(({ name, dimensions }) => [name, dimensions?.length ?? 'all']),
    [
      ['image', 'all'],
      ['other', 2],
    ],
  );
});

for (const auto of [{ batch_size: 'auto' }, { shape: 'auto' }, { shape: { image: 'auto', other: '(1,2)' } }] as const) {
  test(`specification: with ${JSON.stringify(auto)} a model is cached only where allow_cache says so`, () => {
    covers('config.allow-cache');
    assert.equal(specify(auto, '/cache').properties['CACHE_DIR'], undefined);
    assert.equal(specify({ ...auto, allow_cache: true }, '/cache').properties['CACHE_DIR'], '/cache');
  });
}

test('specification: preprocessing names what clients send and what the model gets, in the words of OpenVINO', () => {
  assert.deepEqual(specify({}).preprocessing, NO_PREPROCESSING);
  const preprocessing = {
    mean: [1, 2, 3],
    scale: [4],
    colorFormat: { target: 'RGB', source: 'BGR' },
    precision: { target: 'FP32', source: 'U8' },
  } as const;
  const specification = compileSpecification({ ...settings({}), preprocessing }, '/models/m/1/m.xml', MAPPING, {
    cacheDir: null,
    inferenceThreads: null,
  });
  assert.deepEqual(specification.preprocessing, {
    mean: [1, 2, 3],
    scale: [4],
    color: { tensor: 'BGR', model: 'RGB' },
    elementType: { tensor: 'u8', model: 'f32' },
  });
});

test('specification: a stateful model has room for so many sequences, and its loops are taken apart when asked', () => {
  assert.equal(specify({}).stateful, null);
  assert.deepEqual(specify({ stateful: true }).stateful, { maxSequences: 500, lowLatency: false });
  const stateful = { stateful: true, max_sequence_number: 3, low_latency_transformation: true };
  assert.deepEqual(specify(stateful).stateful, { maxSequences: 3, lowLatency: true });
});
