import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { covers } from '../../contract/covers.js';

/** The file of the repository, seen from `build/test/unit/config`. */
function inDocs(name: string): string {
  return fileURLToPath(new URL(`../../../../docs/${name}`, import.meta.url));
}

test('reference: what is published of the configuration and of the tests is what is checked and what they say', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [inDocs('generate.mjs'), '--check'], {
    encoding: 'utf8',
  });
  assert.deepEqual({ status, outdated: stdout, stderr }, { status: 0, outdated: '', stderr: '' });
});

test('reference: the published schema tells good files from bad ones', () => {
  covers('config.schema-file');
  const schema = JSON.parse(readFileSync(inDocs('config.schema.json'), 'utf8')) as object;
  const isValid = new Ajv({ allowUnionTypes: true }).compile(schema);
  const model = { name: 'm', base_path: 'm', batch_size: 'auto', shape: { b: '(1,-1)' } };
  assert.ok(isValid({ model_config_list: [{ config: model }] }), JSON.stringify(isValid.errors));
  assert.ok(!isValid({ model_config_list: [{ config: { ...model, mean: 1 } }] }));
  assert.ok(!isValid({ model_config_list: [{ config: { ...model, nireq: '1' } }] }));
  const node = { name: 'n', type: 'DL model', inputs: [], outputs: [] };
  const pipeline = { name: 'p', inputs: [], outputs: [], nodes: [node] };
  assert.ok(!isValid({ model_config_list: [], pipeline_config_list: [pipeline] }));
  const good = { ...pipeline, nodes: [{ ...node, model_name: 'm' }] };
  assert.ok(isValid({ model_config_list: [], pipeline_config_list: [good] }), JSON.stringify(isValid.errors));
});
