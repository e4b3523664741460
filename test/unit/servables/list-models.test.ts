import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { listingText, listModels } from '#src/servables/list-models.js';
import { covers } from '../../contract/covers.js';
import { withFiles } from './temporary-directory.js';

describe('list models', () => {
  it('refuses a repository that does not exist', async () => {
    await withFiles({}, (root) => assert.rejects(listModels(join(root, 'none')), { code: 'PATH_INVALID' }));
  });

  it('finds nothing in an empty repository', async () => {
    await withFiles({}, async (root) => assert.deepEqual(await listModels(root), []));
  });

  it('finds models at any depth by their relative path, and nothing below a model', async () => {
    covers('cli.list-output');
    const files = {
      'b/1/m.onnx': '',
      'a/deep/2/m.xml': '',
      'a/deep/2/m.bin': '',
      'b/1/inner/1/m.onnx': '',
      'without-files/1/': '',
      'without-version/m.onnx': '',
      'bad-version/01/m.onnx': '',
    };
    await withFiles(files, async (root) => assert.deepEqual(await listModels(root), ['a/deep', 'b']));
  });

  it('follows links, but not in circles', async () => {
    await withFiles({ 'store/m/1/m.onnx': '', 'models/': '' }, async (root) => {
      await symlink(join(root, 'store', 'm'), join(root, 'models', 'linked'));
      await symlink(join(root, 'models'), join(root, 'models', 'circle'));
      assert.deepEqual(await listModels(join(root, 'models')), ['linked']);
    });
  });

  it('shows a repository that is a model itself', async () => {
    await withFiles({ '1/m.onnx': '' }, async (root) => assert.deepEqual(await listModels(root), ['.']));
  });

  it('prints what OVMS 2026.2.1 prints', () => {
    covers('cli.list-output');
    assert.equal(
      listingText('/models', ['a', 'b/c']),
      'Listing models in repository...\nModel repository path: /models\na\nb/c',
    );
  });
});
