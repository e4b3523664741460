import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { translatePluginConfig } from '#src/config/plugin-config.js';
import { ServingError } from '#src/errors.js';
import { covers } from '../../contract/covers.js';

/** Without the defaults for CPU. */
function onGpu(written: Record<string, unknown>) {
  return translatePluginConfig(written, 'GPU', '/plugin_config').pluginConfig;
}

describe('plugin config', () => {
  for (const [written, detail] of [
    [{ INFERENCE_NUM_THREADS: 'many' }, '/plugin_config/INFERENCE_NUM_THREADS: expected an integer, received "many"'],
    [{ AUTO_BATCH_TIMEOUT: '1.5' }, '/plugin_config/AUTO_BATCH_TIMEOUT: expected an integer, received "1.5"'],
    [{ CPU_THREADS_NUM: '' }, '/plugin_config/INFERENCE_NUM_THREADS: expected an integer, received ""'],
    [{ ENABLE_CPU_PINNING: 'maybe' }, '/plugin_config/ENABLE_CPU_PINNING: expected YES or NO, received "maybe"'],
    [
      { ENABLE_CPU_PINNING: 'constructor' },
      '/plugin_config/ENABLE_CPU_PINNING: expected YES or NO, received "constructor"',
    ],
    [{ NUM_STREAMS: { CPU: 1 } }, '/plugin_config/NUM_STREAMS: expected string, number or boolean, received {"CPU":1}'],
    [{ DEVICE_PROPERTIES: [1] }, '/plugin_config/DEVICE_PROPERTIES: expected string, number or boolean, received [1]'],
    [{ A: null }, '/plugin_config/A: expected string, number or boolean, received null'],
  ] as const) {
    it(`refuses ${JSON.stringify(written)}`, () => {
      assert.throws(
        () => onGpu(written),
        (error) => {
          assert.ok(error instanceof ServingError);
          assert.equal(error.code, 'CONFIG_VALUE_INVALID');
          assert.equal(error.detail, detail);
          return true;
        },
      );
    });
  }

  it('asks for low latency when neither hint nor streams are given', () => {
    covers('config.plugin-hint', 'scheduling.hint');
    assert.deepEqual(onGpu({}), { PERFORMANCE_HINT: 'LATENCY' });
    assert.deepEqual(onGpu({ NUM_STREAMS: '2' }), { NUM_STREAMS: '2' });
    assert.deepEqual(onGpu({ PERFORMANCE_HINT: 'THROUGHPUT' }), { PERFORMANCE_HINT: 'THROUGHPUT' });
  });

  it('hands NUM_STREAMS over as text', () => {
    covers('config.plugin-types');
    assert.deepEqual(onGpu({ NUM_STREAMS: 4 }), { NUM_STREAMS: '4' });
  });

  it('makes numbers and booleans of texts where OpenVINO has them', () => {
    covers('config.plugin-types');
    const written = {
      NUM_STREAMS: '1',
      INFERENCE_NUM_THREADS: '4',
      AUTO_BATCH_TIMEOUT: '200',
      ENABLE_CPU_PINNING: 'no',
    };
    assert.deepEqual(onGpu(written), {
      NUM_STREAMS: '1',
      INFERENCE_NUM_THREADS: 4,
      AUTO_BATCH_TIMEOUT: 200,
      ENABLE_CPU_PINNING: false,
    });
  });

  it('leaves numbers, booleans and unknown keys as they are', () => {
    const written = { NUM_STREAMS: '1', INFERENCE_NUM_THREADS: 4, ENABLE_CPU_PINNING: true, SOME_KEY: 'x' };
    assert.deepEqual(onGpu(written), written);
  });

  for (const [key, value, expected] of [
    ['CPU_THROUGHPUT_STREAMS', 'CPU_THROUGHPUT_AUTO', { PERFORMANCE_HINT: 'THROUGHPUT' }],
    ['GPU_THROUGHPUT_STREAMS', 'GPU_THROUGHPUT_AUTO', { PERFORMANCE_HINT: 'THROUGHPUT' }],
    ['CPU_THROUGHPUT_STREAMS', '4', { NUM_STREAMS: '4' }],
    ['GPU_THROUGHPUT_STREAMS', 4, { NUM_STREAMS: '4' }],
    ['CPU_THREADS_NUM', '4', { INFERENCE_NUM_THREADS: 4, PERFORMANCE_HINT: 'LATENCY' }],
  ] as const) {
    it(`translates the old key ${key}=${value} with a warning`, () => {
      covers('config.plugin-old-keys');
      const { pluginConfig, warnings } = translatePluginConfig({ [key]: value }, 'GPU', '');
      assert.deepEqual(pluginConfig, expected);
      assert.deepEqual(warnings, [`Plugin config key ${key} is deprecated. Use ${Object.keys(expected)[0]} instead.`]);
    });
  }

  it('hands nested DEVICE_PROPERTIES over as JSON', () => {
    covers('cli.plugin-nested');
    assert.equal(
      onGpu({ DEVICE_PROPERTIES: { CPU: { NUM_STREAMS: 2 } } })['DEVICE_PROPERTIES'],
      '{"CPU":{"NUM_STREAMS":2}}',
    );
  });

  it('unpins threads on CPU, and sets nothing that changes answers', () => {
    covers('scheduling.pinning', 'scheduling.denormals');
    assert.deepEqual(translatePluginConfig({}, 'CPU', '').pluginConfig, {
      PERFORMANCE_HINT: 'LATENCY',
      ENABLE_CPU_PINNING: false,
    });
  });

  it('leaves pinning and denormals to the user who sets them', () => {
    covers('scheduling.pinning', 'scheduling.denormals');
    const written = { PERFORMANCE_HINT: 'LATENCY', ENABLE_CPU_PINNING: 'YES', CPU_DENORMALS_OPTIMIZATION: 'NO' };
    assert.deepEqual(translatePluginConfig(written, 'CPU', '').pluginConfig, { ...written, ENABLE_CPU_PINNING: true });
  });

  it('warns that weights are not mapped, where the user asks for it', () => {
    covers('config.plugin-mmap');
    const warnings = (value: string | boolean): readonly string[] =>
      translatePluginConfig({ ENABLE_MMAP: value }, 'CPU', '').warnings;
    for (const value of ['YES', true]) {
      assert.deepEqual(warnings(value), [
        'Plugin config key ENABLE_MMAP is of no effect: weights are read into memory.',
      ]);
    }
    for (const value of ['NO', false]) assert.deepEqual(warnings(value), []);
  });

  it('sets nothing of the CPU for other devices', () => {
    for (const device of ['GPU', 'AUTO', 'AUTO:GPU,CPU', 'HETERO:GPU,CPU']) {
      assert.deepEqual(translatePluginConfig({}, device, '').pluginConfig, { PERFORMANCE_HINT: 'LATENCY' });
    }
  });
});
