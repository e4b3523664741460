import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { coresOfSocket, isContainer, quotaCores, type ReadText } from '#src/config/container.js';
import { covers } from '../../contract/covers.js';

function files(texts: Readonly<Record<string, string>>): ReadText {
  return (path) => texts[path] ?? null;
}

describe('container', () => {
  for (const [texts, expected] of [
    [{}, false],
    [{ '/.dockerenv': '' }, true],
    [{ '/run/.containerenv': '' }, true],
    [{ '/proc/self/cgroup': '0::/user.slice\n' }, false],
    [{ '/proc/self/cgroup': '12:cpu:/docker/0123\n' }, true],
    [{ '/proc/self/cgroup': '0::/kubepods/pod1\n' }, true],
  ] as const) {
    it(`is ${expected ? '' : 'not '}seen in ${JSON.stringify(texts)}`, () => {
      covers('scheduling.container');
      assert.equal(isContainer(files(texts)), expected);
    });
  }

  for (const [texts, expected] of [
    [{}, Infinity],
    [{ '/sys/fs/cgroup/cpu.max': 'max 100000\n' }, Infinity],
    [{ '/sys/fs/cgroup/cpu.max': '250000 100000\n' }, 3],
    [{ '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' }, Infinity],
    [{ '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '200000\n', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' }, 2],
    [{ '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '200000\n' }, Infinity],
  ] as const) {
    it(`has a quota of ${expected} cores with ${JSON.stringify(texts)}`, () => {
      covers('scheduling.container');
      assert.equal(quotaCores(files(texts)), expected);
    });
  }

  it('knows the physical cores of one socket', () => {
    assert.equal(coresOfSocket(files({ '/proc/cpuinfo': 'processor\t: 0\nsiblings\t: 8\ncpu cores\t: 4\n' })), 4);
    assert.equal(coresOfSocket(files({})), Infinity);
  });
});
