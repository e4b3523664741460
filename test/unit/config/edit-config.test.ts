import assert from 'node:assert/strict';
import { chmod, lstat, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { editConfig } from '#src/config/edit-config.js';
import { loadConfigFile } from '#src/config/load.js';
import { covers } from '../../contract/covers.js';

async function withConfig(
  content: string | null,
  use: (path: string, directory: string) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'edit-'));
  const path = join(directory, 'config.json');
  try {
    if (content !== null) await writeFile(path, content);
    await use(path, directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

const add = (configPath: string, modelName = 'm') =>
  editConfig({ action: 'add', configPath, modelName, modelPath: 'models/m' });
const remove = (configPath: string, modelName = 'm') =>
  editConfig({ action: 'remove', configPath, modelName, modelPath: null });
const ONE =
  '{"model_config_list":[{"config":{"name":"m","base_path":"/old"}}],"monitoring":{"metrics":{"enable":true}}}';

describe('edit config', () => {
  for (const [name, content, act, text] of [
    ['adding a name that is taken', ONE, add, /^Given model name is already occupied$/],
    [
      'removing a name that is not there',
      ONE,
      (path: string) => remove(path, 'x'),
      /^Model with requested name is not found$/,
    ],
    ['removing from a file that is not there', null, remove, /^Config file not found or cannot open\. - ENOENT/],
    ['a file that is no JSON', '{', add, /^The file is not valid json - .*JSON/],
    [
      'a file that violates the schema',
      '{"x":1}',
      add,
      /^The file is not valid json - Schema violation - .*\/model_config_list: expected array, received nothing/,
    ],
  ] as const) {
    it(`refuses ${name} and leaves the file`, async () => {
      covers('cli.edit-fails');
      await withConfig(content, async (path) => {
        const outcome = await act(path);
        assert.equal(outcome.succeeded, false);
        const opening = `${path} error on config update : `;
        assert.ok(outcome.text.startsWith(opening), outcome.text);
        assert.match(outcome.text.slice(opening.length), text);
        if (content !== null) assert.equal(await readFile(path, 'utf8'), content);
        else await assert.rejects(stat(path));
      });
    });
  }

  it('refuses a directory that does not exist', async () => {
    await withConfig(null, async (_path, directory) => {
      const path = join(directory, 'none', 'config.json');
      const { succeeded, text } = await add(path);
      assert.equal(succeeded, false);
      assert.ok(
        text.startsWith(`${path} error on config update : Config file not found or cannot open. - ENOENT`),
        text,
      );
    });
  });

  it('makes the file when it is absent', async () => {
    covers('cli.add');
    await withConfig(null, async (path) => {
      assert.deepEqual(await add(path), { succeeded: true, text: `Config updated: ${path}` });
      const expected = { model_config_list: [{ config: { name: 'm', base_path: 'models/m' } }] };
      assert.equal(await readFile(path, 'utf8'), `${JSON.stringify(expected, null, 4)}\n`);
      assert.deepEqual(
        (await loadConfigFile(path)).models.map((model) => model.name),
        ['m'],
      );
    });
  });

  it('appends an entry and keeps everything else', async () => {
    covers('cli.add');
    await withConfig(ONE, async (path) => {
      assert.equal((await add(path, 'n')).succeeded, true);
      const { model_config_list, ...rest } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
      assert.deepEqual(model_config_list, [
        { config: { name: 'm', base_path: '/old' } },
        { config: { name: 'n', base_path: 'models/m' } },
      ]);
      assert.deepEqual(rest, { monitoring: { metrics: { enable: true } } });
    });
  });

  it('removes an entry', async () => {
    covers('cli.remove');
    await withConfig(ONE, async (path) => {
      assert.deepEqual(await remove(path), { succeeded: true, text: `Config updated: ${path}` });
      assert.deepEqual((await loadConfigFile(path)).models, []);
    });
  });

  it('keeps rights and links, and leaves no other file behind', async () => {
    await withConfig(ONE, async (path, directory) => {
      await chmod(path, 0o640);
      const link = join(directory, 'link.json');
      await symlink(path, link);
      assert.equal((await remove(link)).succeeded, true);
      assert.ok((await lstat(link)).isSymbolicLink());
      assert.equal((await stat(path)).mode & 0o777, 0o640);
      assert.deepEqual((await readdir(directory)).sort(), ['config.json', 'link.json']);
      assert.deepEqual((await loadConfigFile(path)).models, []);
    });
  });
});
