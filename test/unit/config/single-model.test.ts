import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadSingleModel } from '#src/config/single-model.js';
import { isInvalid, type LoadedConfig } from '#src/config/settings.js';
import { ServingError } from '#src/errors.js';
import { covers } from '../../contract/covers.js';
import { parse } from './fake-host.js';

function loadFlags(...flags: string[]): LoadedConfig {
  const command = parse(['--model_name m --model_path models/m --port 1', ...flags].join(' '));
  if (command.kind !== 'serve' || command.settings.servables.kind !== 'single-model')
    throw new Error(JSON.stringify(command));
  return loadSingleModel(command.settings.servables.flags, '/work-dir');
}

describe('single model', () => {
  for (const [flag, code, detail] of [
    ['--shape=(x)', 'CONFIG_VALUE_INVALID', /^--shape: expected "auto" or .*, received "\(x\)"/],
    ['--shape={"a":"x"}', 'CONFIG_VALUE_INVALID', /^--shape\/a: expected /],
    ['--shape={"a":1}', 'CONFIG_VALUE_INVALID', /^--shape\/a: expected string, received 1$/],
    ['--shape={"a"', 'CONFIG_VALUE_INVALID', /^--shape: expected a JSON object, received "{\\"a\\""$/],
    [
      '--batch_size=x',
      'CONFIG_VALUE_INVALID',
      /^--batch_size: expected "auto", n, -1 \(any\) or min:max, received "x"/,
    ],
    ['--layout=X', 'MODEL_LAYOUT_INVALID', /^--layout: expected letters/],
    ['--layout={"a":"X"}', 'MODEL_LAYOUT_INVALID', /^--layout\/a: expected letters/],
    [
      '--model_version_policy=all',
      'CONFIG_VALUE_INVALID',
      /^--model_version_policy: expected a JSON object, received "all"$/,
    ],
    [
      '--model_version_policy={"newest":{}}',
      'CONFIG_VALUE_INVALID',
      /^--model_version_policy\/newest: expected one of the keys all, latest, specific, received "newest"$/,
    ],
    ['--layout=N --mean=x', 'CONFIG_VALUE_INVALID', /^--mean: expected a number, or one a channel: .*, received "x"$/],
    ['--layout=N --scale=0', 'CONFIG_VALUE_INVALID', /^--scale: expected a number, .* without 0, received "0"$/],
    [
      '--layout=N --color_format=RGB',
      'CONFIG_VALUE_INVALID',
      /^--color_format: expected TARGET:SOURCE .*, received "RGB"$/,
    ],
    ['--layout=N --precision=fp32:u7', 'CONFIG_VALUE_INVALID', /^--precision: expected target:source, .*"fp32:u7"$/],
    ['--plugin_config=x', 'CONFIG_VALUE_INVALID', /^--plugin_config: expected a JSON object, received "x"$/],
    ['--plugin_config=[1]', 'CONFIG_VALUE_INVALID', /^--plugin_config: expected a JSON object, received "\[1\]"$/],
    [
      '--plugin_config={"A":null}',
      'CONFIG_VALUE_INVALID',
      /^--plugin_config\/A: expected string, number or boolean, received null$/,
    ],
    ['--nireq=100001', 'CONFIG_VALUE_INVALID', /^--nireq: expected at most 100000, received 100001$/],
    ['--model_path=../m', 'PATH_INVALID', /^--model_path: expected a path without .., received "..\/m"$/],
  ] as const) {
    it(`refuses ${flag}`, () => {
      covers('cli.model-flags-fatal', 'cli.preprocessing-bad', 'scheduling.nireq-limit');
      assert.throws(
        () => loadFlags(flag),
        (error) => {
          assert.ok(error instanceof ServingError);
          assert.equal(error.code, code);
          assert.match(error.detail, detail);
          return true;
        },
      );
    });
  }

  it('resolves a relative path against the working directory', () => {
    covers('config.base-path');
    const [model] = loadFlags().models;
    assert.ok(model && !isInvalid(model));
    assert.equal(model.basePath, '/work-dir/models/m');
  });

  it('takes every flag', () => {
    covers('cli.shape-json', 'cli.plugin-nested', 'cli.preprocessing');
    const { models, warnings } = loadFlags(
      '--shape={"a":"(1,3)"} --layout={"a":"NC"} --mean=[1,2] --scale=2 --color_format=RGB:BGR --precision=fp32:uint8',
      '--model_version_policy={"all":{}} --nireq=2 --target_device=GPU.1 --stateful --max_sequence_number=3',
      '--plugin_config={"NUM_STREAMS":1,"DEVICE_PROPERTIES":{"CPU":{"X":1}}}',
    );
    assert.deepEqual(warnings, []);
    assert.deepEqual(models, [
      {
        name: 'm',
        jsonPath: '',
        basePath: '/work-dir/models/m',
        versionPolicy: { kind: 'all' },
        targetDevice: 'GPU.1',
        pluginConfig: { NUM_STREAMS: '1', DEVICE_PROPERTIES: '{"CPU":{"X":1}}' },
        nireq: 2,
        followsLoad: false,
        shape: {
          kind: 'named',
          values: [
            {
              name: 'a',
              value: [
                { min: 1, max: 1 },
                { min: 3, max: 3 },
              ],
            },
          ],
        },
        batchSize: null,
        layout: { kind: 'named', values: [{ name: 'a', value: { tensor: null, model: 'NC' } }] },
        allowCache: null,
        stateful: { idleSequenceCleanup: true, lowLatencyTransformation: false, maxSequenceNumber: 3 },
        dynamicBatching: null,
        preprocessing: {
          mean: [1, 2],
          scale: [2],
          colorFormat: { target: 'RGB', source: 'BGR' },
          precision: { target: 'FP32', source: 'U8' },
        },
      },
    ]);
  });

  for (const flag of ['batch_size', 'shape']) {
    it(`warns that ${flag} auto is deprecated`, () => {
      assert.deepEqual(loadFlags(`--${flag} auto`).warnings, [
        `--${flag}: auto is deprecated and forbidden in pipelines. Use dynamic dimensions (-1) instead.`,
      ]);
    });
  }

  it('warns of a batch size beside a shape', () => {
    assert.deepEqual(loadFlags('--shape (1,3) --batch_size 2').warnings, [
      '--batch_size: Both shape and batch size have been defined. Batch size parameter will be ignored.',
    ]);
  });
});
