import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Readiness } from '#src/data-plane/readiness.js';
import { EMPTY_SNAPSHOT, type ServablesSnapshot } from '#src/servables/snapshot.js';
import type { VersionStatus } from '#src/servables/serving.js';

type State = Pick<VersionStatus, 'state' | 'errorCode'>;
const AVAILABLE: State = { state: 'AVAILABLE', errorCode: 'OK' };
const LOADING: State = { state: 'LOADING', errorCode: 'OK' };
const FAILED: State = { state: 'LOADING', errorCode: 'UNKNOWN' };

/** One model for each list of version states. */
function snapshot(models: readonly (readonly State[])[], pipelines: readonly State[] = []): ServablesSnapshot {
  return {
    epoch: 1,
    models: models.map((versions, index) => ({
      name: `m${index}`,
      versions: versions.map((state, version) => ({ ...state, version: version + 1, serving: null })),
    })),
    pipelines: pipelines.map((state, index) => ({ name: `p${index}`, version: null, graph: null, ...state })),
  };
}

const CASES: readonly (readonly [string, ServablesSnapshot, boolean])[] = [
  ['before the configuration was read', EMPTY_SNAPSHOT, false],
  ['with a configuration of nothing', snapshot([]), true],
  ['with models that were only listed', snapshot([[], []]), false],
  ['while a model is loading', snapshot([[AVAILABLE], [LOADING]]), false],
  ['while a pipeline is loading', snapshot([[AVAILABLE]], [LOADING]), false],
  ['with everything available', snapshot([[AVAILABLE, AVAILABLE]], [AVAILABLE]), true],
  ['with models and pipelines that failed', snapshot([[FAILED], [], [AVAILABLE]], [FAILED]), true],
];
for (const [title, seen, ready] of CASES) {
  test(`readiness: ${title} the server is ${ready ? '' : 'not '}ready`, () => {
    const readiness = new Readiness('1');
    readiness.observe(seen);
    assert.equal(readiness.isReady(), ready);
  });
}

test('readiness: it never goes back, and tells when it comes', async () => {
  const readiness = new Readiness('1');
  readiness.observe(snapshot([[LOADING]]));
  const ready = readiness.ready();
  readiness.observe(snapshot([[AVAILABLE]]));
  await ready;
  readiness.observe(snapshot([[LOADING]]));
  assert.equal(readiness.isReady(), true);
});
