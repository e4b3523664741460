import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../contract/covers.js';
import type { LoadedConfig, ServerSettings } from '#src/config/settings.js';
import { Metrics, settlingMetrics, subjectsOf } from '#src/control/metrics.js';
import type { PipelineGraph } from '#src/dag/graph.js';
import { settings } from '../config/fake-host.js';
import { EMPTY_SNAPSHOT, type ModelVersionSnapshot, type ServablesSnapshot } from '#src/servables/snapshot.js';

const server = (flags: string): ServerSettings => settings(`--config_path /c --port 1 --rest_port 2 ${flags}`.trim());

function textOf(page: Uint8Array | null): string {
  return page === null ? '' : Buffer.from(page).toString();
}

const LOADING: ModelVersionSnapshot = { version: 1, state: 'LOADING', errorCode: 'OK', serving: null };

test('metrics: who asks before the configuration was read waits for it', async () => {
  const metrics = new Metrics();
  const page = metrics.page();
  metrics.settle(server('--metrics_enable --metrics_list ovms_streams'), null);
  assert.match(textOf(await page), /^# HELP ovms_streams /);
});

test('metrics: off there is no page, nor when the configuration cannot be read', async () => {
  const off = new Metrics();
  off.settle(server(''), null);
  assert.equal(await off.page(), null);
  const unread = new Metrics();
  const page = unread.page();
  unread.giveUp();
  assert.equal(await page, null);
});

test('metrics: only the first configuration is asked, and refused when they cannot be as it says', async () => {
  covers('config.metrics-reload');
  covers('metrics.by-file');
  let names = ['nonsense'];
  const source = {
    digest: () => Promise.resolve(''),
    read: () => Promise.resolve({ monitoring: { enabled: true, names } } as unknown as LoadedConfig),
  };
  const metrics = new Metrics();
  const settling = settlingMetrics(metrics, server(''), source);
  await assert.rejects(settling.read(), { code: 'CONFIG_VALUE_INVALID' });
  names = ['ovms_streams'];
  await settling.read();
  names = ['nonsense'];
  await settling.read();
  assert.match(textOf(await metrics.page()), /^# HELP ovms_streams /);
});

test('metrics: a version has series from its first state on, a pipeline before it is valid, its nodes once it is', () => {
  covers('metrics.zeros');
  const graph = { nodes: [{ name: 'n' }] } as unknown as PipelineGraph;
  const state = { state: 'LOADING', errorCode: 'OK' } as const;
  const snapshot: ServablesSnapshot = {
    ...EMPTY_SNAPSHOT,
    models: [
      { name: 'm', versions: [LOADING] },
      { name: 'none', versions: [] },
    ],
    pipelines: [
      { name: 'p', version: null, ...state, graph: null },
      { name: 'q', version: 3, ...state, graph },
    ],
  };
  assert.deepEqual(subjectsOf(snapshot), [
    { kind: 'model', name: 'm', version: 1 },
    { kind: 'pipeline', name: 'p', version: 1 },
    { kind: 'pipeline', name: 'q', version: 3 },
    { kind: 'node', pipeline: 'q', version: 3, node: 'n' },
  ]);
});
