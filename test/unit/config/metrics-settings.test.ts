import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { covers } from '../../contract/covers.js';
import { resolveMetrics } from '#src/config/metrics-settings.js';
import { settings } from './fake-host.js';

const NAMES = ['ovms_streams', 'ovms_requests_success'];
const WITH_REST = '--config_path /c --port 1 --rest_port 2';
const IN_FILE = { enabled: true, names: null };

describe('metrics settings', () => {
  for (const [name, line, monitoring, message] of [
    [
      'both in file and command line',
      `${WITH_REST} --metrics_enable`,
      IN_FILE,
      /metrics are enabled both by --metrics_enable and by/,
    ],
    ['in the file without REST', '--config_path /c --port 1', IN_FILE, /Missing rest_port parameter in server CLI/],
    [
      'an unknown name in the file',
      WITH_REST,
      { enabled: true, names: ['ovms_nothing'] },
      /Invalid name in metrics_list: ovms_nothing/,
    ],
    [
      'an unknown name in the command line',
      `${WITH_REST} --metrics_enable --metrics_list ovms_streams,x`,
      null,
      /Invalid name in metrics_list: x/,
    ],
    [
      'a name that is listed twice',
      `${WITH_REST} --metrics_enable --metrics_list ovms_streams,ovms_streams`,
      null,
      /Invalid name in metrics_list: ovms_streams/,
    ],
  ] as const) {
    it(`refuses ${name}`, () => {
      covers('config.metrics-invalid');
      covers('metrics.both', 'metrics.bad-name', 'metrics.no-rest-port');
      assert.throws(() => resolveMetrics(settings(line), monitoring, NAMES), { code: 'CONFIG_VALUE_INVALID', message });
    });
  }

  it('is off unless one of both enables it', () => {
    covers('metrics.off');
    assert.deepEqual(resolveMetrics(settings(WITH_REST), null, NAMES), { enabled: false, names: null });
    assert.deepEqual(resolveMetrics(settings(WITH_REST), { enabled: false, names: ['x'] }, NAMES), {
      enabled: false,
      names: null,
    });
  });

  it('takes the one that enables it', () => {
    covers('cli.metrics-flags', 'config.monitoring');
    assert.deepEqual(resolveMetrics(settings(WITH_REST), IN_FILE, NAMES), IN_FILE);
    const line = `${WITH_REST} --metrics_enable --metrics_list ovms_streams`;
    assert.deepEqual(resolveMetrics(settings(line), { enabled: false, names: null }, NAMES), {
      enabled: true,
      names: ['ovms_streams'],
    });
  });
});
