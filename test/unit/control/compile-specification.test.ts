import assert from 'node:assert/strict';
import { test } from 'node:test';

import { makeModelSettings } from '#src/config/model-settings.js';
import type { ModelConfig } from '#src/config/schema.js';
import type { ModelSettings } from '#src/config/settings.js';
import { compileSpecification } from '#src/control/compile-specification.js';
import { ServingError } from '#src/errors.js';
import type { ModelMapping } from '#src/servables/model-mapping.js';

const MAPPING: ModelMapping = { inputs: new Map([['tensor', 'image']]), outputs: new Map() };

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

function specify(config: Omit<ModelConfig, 'name' | 'base_path'>, cacheDir: string | null = null) {
  return compileSpecification(settings(config), '/models/m/1/m.xml', MAPPING, cacheDir);
}

test('specification: path, device and translated properties', () => {
  const specification = specify({ target_device: 'AUTO:GPU,CPU', plugin_config: { NUM_STREAMS: 2 } });
  assert.equal(specification.path, '/models/m/1/m.xml');
  assert.equal(specification.device, 'AUTO:GPU,CPU');
  assert.equal(specification.properties['NUM_STREAMS'], '2');
});

test('specification: on CPU pinning is off and denormals are flushed unless the user says otherwise', () => {
  assert.equal(specify({}).properties['ENABLE_CPU_PINNING'], false);
  assert.equal(specify({}).properties['CPU_DENORMALS_OPTIMIZATION'], true);
  assert.equal(specify({ plugin_config: { ENABLE_CPU_PINNING: true } }).properties['ENABLE_CPU_PINNING'], true);
  assert.equal(specify({ target_device: 'GPU' }).properties['ENABLE_CPU_PINNING'], undefined);
});

test('specification: shapes and layouts name tensors, where the configuration names mapped inputs', () => {
  const { shapes, layouts } = specify({ shape: { image: '(1,3,200:500,-1)' }, layout: { image: 'NHWC:NCHW' } });
  assert.deepEqual(shapes, [
    {
      name: 'tensor',
      dimensions: [
        [1, 1],
        [3, 3],
        [200, 500],
        [0, -1],
      ],
    },
  ]);
  assert.deepEqual(layouts, [{ name: 'tensor', tensor: 'NHWC', model: 'NCHW' }]);
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

const UNAPPLIED: readonly [string, Omit<ModelConfig, 'name' | 'base_path'>][] = [
  ['batch_size', { batch_size: 4 }],
  ['shape auto', { shape: 'auto' }],
  ['stateful', { stateful: true }],
];
for (const [name, config] of UNAPPLIED) {
  test(`specification: ${name} is refused, because a model served without it would answer wrongly`, () => {
    assert.throws(
      () => specify(config),
      (error: unknown) =>
        error instanceof ServingError && error.code === 'NOT_IMPLEMENTED' && error.detail.includes(name),
    );
  });
}
