import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine } from '#src/config/command-line.js';
import { machine } from '#src/config/machine.js';
import { isInvalid, type BatchingSettings } from '#src/config/settings.js';
import { loadSingleModel } from '#src/config/single-model.js';
import { covers } from '../../contract/covers.js';
import { goodModel, loadModel } from './fake-files.js';

const SINGLE = ['--model_name', 'm', '--model_path', '/m', '--port', '1'];

/** What the command line makes of the flag. */
function byFlag(json: string): BatchingSettings | null {
  const command = parseCommandLine([...SINGLE, '--dynamic_batching', json], {}, machine());
  assert.ok(command.kind === 'serve' && command.settings.servables.kind === 'single-model');
  const [model] = loadSingleModel(command.settings.servables.flags, '/').models;
  assert.ok(model !== undefined && !isInvalid(model));
  return model.dynamicBatching;
}

test('dynamic batching: off unless asked for, without delay unless one is given', async () => {
  covers('config.dynamic-batching');
  assert.equal((await goodModel({})).dynamicBatching, null);
  assert.deepEqual((await goodModel({ dynamic_batching: { max_batch_size: 8 } })).dynamicBatching, {
    maxBatchSize: 8,
    maxQueueDelayMicros: 0,
    preferredBatchSizes: [],
  });
});

test('dynamic batching: the flag takes what the key takes', async () => {
  covers('config.dynamic-batching', 'cli.dynamic-batching');
  const written = { max_batch_size: 8, max_queue_delay_microseconds: 100, preferred_batch_size: [8, 4, 4] };
  const expected = { maxBatchSize: 8, maxQueueDelayMicros: 100, preferredBatchSizes: [4, 8] };
  assert.deepEqual((await goodModel({ dynamic_batching: written })).dynamicBatching, expected);
  assert.deepEqual(byFlag(JSON.stringify(written)), expected);
});

for (const [name, config, detail] of [
  [
    'a preferred size beyond the largest',
    { dynamic_batching: { max_batch_size: 4, preferred_batch_size: [2, 8] } },
    '/model_config_list/0/config/dynamic_batching/preferred_batch_size/1: expected at most max_batch_size, which is 4, received 8',
  ],
  [
    'a stateful model',
    { dynamic_batching: { max_batch_size: 4 }, stateful: true },
    '/model_config_list/0/config/dynamic_batching: expected no such key on a stateful model',
  ],
] as const) {
  test(`dynamic batching: ${name} makes its model invalid`, async () => {
    covers('config.dynamic-batching');
    const { model } = await loadModel(JSON.parse(JSON.stringify(config)) as object);
    assert.ok(isInvalid(model));
    assert.deepEqual([model.error.code, model.error.detail], ['CONFIG_VALUE_INVALID', detail]);
  });
}

for (const [json, detail] of [
  ['8', /--dynamic_batching: expected a JSON object, received "8"/],
  ['{}', /max_batch_size/],
  ['{"max_batch_size":1}', /dynamic_batching\/max_batch_size: .*2.*, received 1/],
  ['{"max_batch_size":4,"max_queue_delay_microseconds":-1}', /max_queue_delay_microseconds: .*, received -1/],
  ['{"max_batch_size":4,"preferred_batch_size":[0]}', /preferred_batch_size\/0: .*, received 0/],
  ['{"max_batch_size":4,"delay":1}', /delay/],
] as const) {
  test(`dynamic batching: the flag refuses ${json}`, () => {
    covers('cli.dynamic-batching');
    assert.throws(() => byFlag(json), { code: 'CONFIG_VALUE_INVALID', message: detail });
  });
}

test('dynamic batching: the flag is for a single model', () => {
  covers('cli.dynamic-batching');
  const json = '{"max_batch_size":4}';
  const withFile = parseCommandLine(['--config_path', '/c', '--port', '1', '--dynamic_batching', json], {}, machine());
  assert.deepEqual(withFile, {
    kind: 'usage-error',
    message: 'Model parameters in CLI are exclusive with the config file',
  });
  const edit = ['--add_to_config', '--config_path', '/c', '--model_name', 'm', '--model_path', '/m'];
  const added = parseCommandLine([...edit, '--dynamic_batching', json], {}, machine());
  assert.match(added.kind === 'usage-error' ? added.message : '', /Invalid parameters passed: dynamic_batching/);
});
