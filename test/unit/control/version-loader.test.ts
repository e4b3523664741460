import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../contract/covers.js';

import { mustReload } from '#src/control/version-loader.js';
import { goodModel } from '../config/fake-files.js';

const BASE = { base_path: '/m' };

const RELOADING: readonly (readonly [string, object])[] = [
  ['base_path', { base_path: '/other' }],
  ['target_device', { ...BASE, target_device: 'GPU' }],
  ['plugin_config', { ...BASE, plugin_config: { NUM_STREAMS: '2' } }],
  ['nireq', { ...BASE, nireq: 3 }],
  ['shape', { ...BASE, shape: '(1,3,8:16)' }],
  ['batch_size', { ...BASE, batch_size: '4' }],
  ['layout', { ...BASE, layout: 'NHWC' }],
  ['allow_cache', { ...BASE, allow_cache: true }],
  ['stateful', { ...BASE, stateful: true }],
];
for (const [key, config] of RELOADING) {
  test(`another ${key} asks for a reload of the versions that are there`, async () => {
    covers('life-cycle.reload-triggers');
    assert.equal(mustReload(await goodModel(BASE), await goodModel(config)), true);
  });
}

test('the same settings from another place of the file ask for none', async () => {
  const settings = await goodModel({ ...BASE, shape: '(1,-1)', plugin_config: { NUM_STREAMS: '2', A: '1' } });
  const moved = await goodModel({ ...BASE, shape: '(1, -1)', plugin_config: { A: '1', NUM_STREAMS: '2' } });
  assert.equal(mustReload(settings, { ...moved, jsonPath: '/model_config_list/7/config' }), false);
});

test('another version policy asks for none', async () => {
  assert.equal(
    mustReload(await goodModel(BASE), await goodModel({ ...BASE, model_version_policy: { all: {} } })),
    false,
  );
});
