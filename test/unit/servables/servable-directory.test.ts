import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../contract/covers.js';

import { ServingError } from '#src/errors.js';
import { ServableDirectory } from '#src/servables/servable-directory.js';
import type { ModelVersionSnapshot, PipelineSnapshot, ServablesSnapshot } from '#src/servables/snapshot.js';
import type { ServableState, StateErrorCode } from '#src/servables/serving.js';

function version(number: number, state: ServableState, errorCode: StateErrorCode = 'OK'): ModelVersionSnapshot {
  return { version: number, state, errorCode, serving: null };
}

function directory(
  versions: readonly ModelVersionSnapshot[],
  pipelines: readonly PipelineSnapshot[] = [],
  awaitsScan = false,
): ServableDirectory {
  const models = [{ name: 'm', versions, awaitsScan }];
  const snapshot: ServablesSnapshot = { epoch: 1, isLoaded: true, models, pipelines };
  return new ServableDirectory(snapshot, { models: new Map(), userNodes: new Map() });
}

function absence(found: ReturnType<ServableDirectory['find']>): { code: string; waitMs: number } {
  assert.ok('error' in found);
  return { code: found.error.code, waitMs: found.waitMs };
}

test('directory: before the configuration was read every name is worth waiting for', () => {
  assert.deepEqual(absence(ServableDirectory.empty().find('m', null)), {
    code: 'PIPELINE_NAME_MISSING',
    waitMs: 10_000,
  });
});

test('directory: an unknown name is a pipeline that is not found', () => {
  assert.deepEqual(absence(directory([]).find('x', null)), { code: 'PIPELINE_NAME_MISSING', waitMs: 0 });
});

test('directory: a version that loads is waited for, one that failed is not', () => {
  covers('life-cycle.wait-for-model');
  assert.deepEqual(absence(directory([version(1, 'LOADING')]).find('m', 1n)), {
    code: 'MODEL_VERSION_NOT_LOADED',
    waitMs: 10_000,
  });
  assert.deepEqual(absence(directory([version(1, 'LOADING', 'UNKNOWN')]).find('m', 1n)), {
    code: 'MODEL_VERSION_NOT_LOADED',
    waitMs: 0,
  });
});

test('directory: the default version is waited for while any version loads', () => {
  covers('life-cycle.wait-for-default');
  const loading = directory([version(1, 'LOADING')]).find('m', null);
  assert.deepEqual(absence(loading), { code: 'MODEL_VERSION_MISSING', waitMs: 10_000 });
  assert.equal('late' in loading && loading.late.code, 'MODEL_VERSION_NOT_LOADED');
  assert.deepEqual(absence(directory([version(1, 'LOADING', 'UNKNOWN')]).find('m', 0n)), {
    code: 'MODEL_VERSION_MISSING',
    waitMs: 0,
  });
});

test('directory: a model whose directories nobody has looked at yet is waited for, whichever version is asked', () => {
  covers('life-cycle.wait-for-scan');
  const models = directory([version(1, 'END'), version(2, 'LOADING', 'UNKNOWN')], [], true);
  const waits = (asked: bigint | null): [string, number, string] => {
    const found = models.find('m', asked);
    assert.ok('error' in found);
    return [found.error.code, found.waitMs, (found.late ?? found.error).code];
  };
  assert.deepEqual(waits(null), ['MODEL_VERSION_MISSING', 10_000, 'MODEL_VERSION_NOT_LOADED']);
  assert.deepEqual(waits(1n), ['MODEL_VERSION_RETIRED', 10_000, 'MODEL_VERSION_NOT_LOADED']);
  assert.deepEqual(waits(2n), ['MODEL_VERSION_NOT_LOADED', 10_000, 'MODEL_VERSION_NOT_LOADED']);
  assert.deepEqual(waits(3n), ['MODEL_VERSION_MISSING', 10_000, 'MODEL_VERSION_NOT_LOADED']);
  assert.deepEqual(directory([], [], true).status('m', null), []);
  assert.throws(() => directory([], [], true).status('m', 1n), new ServingError('MODEL_VERSION_MISSING'));
});

test('directory: retired and unknown versions', () => {
  covers('errors.version-retired', 'errors.unknown-version');
  covers('life-cycle.retired');
  const models = directory([version(1, 'END'), version(2, 'UNLOADING')]);
  assert.equal(absence(models.find('m', 1n)).code, 'MODEL_VERSION_RETIRED');
  assert.equal(absence(models.find('m', 2n)).code, 'MODEL_VERSION_RETIRED');
  assert.equal(absence(models.find('m', 3n)).code, 'MODEL_VERSION_MISSING');
  assert.equal(absence(models.find('m', 2n ** 70n)).code, 'MODEL_VERSION_MISSING');
});

test('directory: pipelines wait half a second while they load, not at all once refused, and never when retired', () => {
  covers('pipelines.wait', 'pipelines.retired');
  const pipeline = (name: string, state: ServableState, errorCode: StateErrorCode): PipelineSnapshot => ({
    name,
    version: null,
    state,
    errorCode,
    graph: null,
  });
  const all = directory(
    [],
    [pipeline('new', 'LOADING', 'OK'), pipeline('bad', 'LOADING', 'FAILED_PRECONDITION'), pipeline('old', 'END', 'OK')],
  );
  assert.deepEqual(absence(all.find('new', null)), { code: 'PIPELINE_NOT_LOADED', waitMs: 500 });
  assert.deepEqual(absence(all.find('bad', 7n)), { code: 'PIPELINE_NOT_LOADED', waitMs: 0 });
  assert.deepEqual(absence(all.find('old', null)), { code: 'PIPELINE_RETIRED', waitMs: 0 });
});

test('status: all versions ever seen ascend; one that was asked for stands alone', () => {
  covers('life-cycle.all-versions');
  const models = directory([version(1, 'END'), version(3, 'AVAILABLE')]);
  assert.deepEqual(models.status('m', null), [
    { version: 1, state: 'END', errorCode: 'OK' },
    { version: 3, state: 'AVAILABLE', errorCode: 'OK' },
  ]);
  assert.deepEqual(models.status('m', 3n), [{ version: 3, state: 'AVAILABLE', errorCode: 'OK' }]);
  assert.throws(() => models.status('m', 2n), new ServingError('MODEL_VERSION_MISSING'));
  assert.throws(() => models.status('x', null), new ServingError('MODEL_NAME_MISSING'));
});

test('status: a pipeline is version 1 whatever was asked', () => {
  covers('life-cycle.all-versions');
  const pipelines: PipelineSnapshot[] = [
    { name: 'p', version: null, state: 'LOADING', errorCode: 'FAILED_PRECONDITION', graph: null },
  ];
  const expected = [{ version: 1, state: 'LOADING', errorCode: 'FAILED_PRECONDITION' }];
  assert.deepEqual(directory([], pipelines).status('p', 9n), expected);
});

test('status: all servables, models and pipelines, are sorted by name', () => {
  const pipelines: PipelineSnapshot[] = [
    { name: 'a', version: null, state: 'AVAILABLE', errorCode: 'OK', graph: null },
  ];
  assert.deepEqual(
    directory([version(1, 'AVAILABLE')], pipelines)
      .allStatuses()
      .map(({ name }) => name),
    ['a', 'm'],
  );
});

test('directory: a name and version mean a version, whether it can be asked or not', () => {
  const pipelines = [{ name: 'p', version: null, state: 'LOADING', errorCode: 'OK', graph: null }] as const;
  const models = directory([version(1, 'AVAILABLE'), version(2, 'AVAILABLE'), version(3, 'LOADING')], pipelines);
  assert.deepEqual(
    [null, 0n, 1n, 3n, 4n].map((number) => models.identify('m', number)),
    [2, 2, 1, 3, null],
  );
  assert.equal(directory([version(1, 'LOADING')]).identify('m', null), null);
  assert.equal(models.identify('p', 9n), 1);
  const versions = pipelines.map((pipeline) => ({ ...pipeline, version: 3 }));
  assert.deepEqual(
    [null, 3n, 9n].map((number) => directory([], versions).identify('p', number)),
    [3, 3, null],
  );
  assert.equal(models.identify('x', null), null);
});
