import assert from 'node:assert/strict';
import { test } from 'node:test';

import { configFileSource } from '#src/control/config-source.js';
import { ConfigWatch, type ConfigLook } from '#src/control/config-watch.js';
import { ScriptedFile } from '../config/fake-files.js';

const GOOD = '{"model_config_list": []}';
const OTHER = '{"model_config_list": [{"config": {"name": "m"}}]}';

/** Looks at a file with these readings, as often as `looks` says; each reading of the digest and of the file takes one. */
async function look(readings: readonly (string | Error)[], ...looks: readonly boolean[]): Promise<string[]> {
  const watch = new ConfigWatch(configFileSource('/config.json', new ScriptedFile(readings)));
  const found: string[] = [];
  for (const evenUnchanged of looks) found.push(describe(await watch.look(evenUnchanged)));
  return found;
}

function describe(found: ConfigLook): string {
  if (found.kind === 'refused') return `${found.error.code}${found.isNews ? '' : ' again'}`;
  return found.kind === 'changed' ? `changed: ${found.config.models.length}` : found.kind;
}

test('a file is read when it is new and when it changed, and not between', async () => {
  assert.deepEqual(await look([GOOD, GOOD, GOOD, OTHER], false, false, false), [
    'changed: 0',
    'unchanged',
    'changed: 1',
  ]);
});

test('a file that is read again without a change is a change to whoever asks for it', async () => {
  assert.deepEqual(await look([GOOD], false, true), ['changed: 0', 'changed: 0']);
});

test('content that cannot be used is read once, and is news once', async () => {
  const schema = '{"models": []}';
  assert.deepEqual(await look([GOOD, GOOD, schema], false, false, false, true), [
    'changed: 0',
    'CONFIG_SCHEMA_INVALID',
    'CONFIG_SCHEMA_INVALID again',
    'CONFIG_SCHEMA_INVALID again',
  ]);
});

test('another content that cannot be used is news', async () => {
  const readings = ['{', '{', '{', '{', '[', '[', '[', '['];
  assert.deepEqual(await look(readings, false, false), ['CONFIG_JSON_INVALID', 'CONFIG_JSON_INVALID']);
});

test('a file that is half written is read again a moment later', async () => {
  assert.deepEqual(await look([GOOD, GOOD, '{"model', '{"model_conf', OTHER], false, false), [
    'changed: 0',
    'changed: 1',
  ]);
});

test('a file that is replaced between two readings is taken as it was at the last of them', async () => {
  assert.deepEqual(await look([GOOD, GOOD, '{', OTHER, OTHER], false, false, false), [
    'changed: 0',
    'changed: 1',
    'unchanged',
  ]);
});

test('a file that is gone is refused once, and taken for unchanged when it is back as it was', async () => {
  const gone = new Error('ENOENT');
  assert.deepEqual(
    await look([GOOD, GOOD, gone, gone, gone, gone, gone, GOOD, gone], false, false, false, false, false),
    ['changed: 0', 'CONFIG_FILE_UNREADABLE', 'CONFIG_FILE_UNREADABLE again', 'unchanged', 'CONFIG_FILE_UNREADABLE'],
  );
});
