import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openVersion, scanVersions } from '#src/servables/repository.js';
import { withFiles } from './temporary-directory.js';
import { covers } from '../../contract/covers.js';

const IR = { '1/m.xml': '', '1/m.bin': '' };

describe('repository: versions on disk', () => {
  it('refuses a path that does not exist', async () => {
    await withFiles({}, (root) =>
      assert.rejects(scanVersions(join(root, 'none')), {
        code: 'PATH_INVALID',
        detail: `expected a readable directory, received ${join(root, 'none')} (ENOENT)`,
      }),
    );
  });

  it('refuses a file in the place of the directory', async () => {
    await withFiles({ file: '' }, (root) =>
      assert.rejects(scanVersions(join(root, 'file')), { code: 'PATH_INVALID', detail: /\(ENOTDIR\)$/ }),
    );
  });

  for (const name of ['0', '-1', 'text', '3abc', '03', '+3', '1.5', ' 3', '1e3', '9007199254740993']) {
    it(`skips directory ${JSON.stringify(name)} with a warning`, async () => {
      await withFiles({ '1/': '', [`${name}/`]: '' }, async (root) => {
        assert.deepEqual(await scanVersions(root), {
          versions: [1],
          warnings: [
            `Expected version directory name to be a positive integer, received ${JSON.stringify(name)} in ${root}`,
          ],
        });
      });
    });
  }

  it('warns, and does not fail, when there is no version', async () => {
    await withFiles({}, async (root) => {
      assert.deepEqual(await scanVersions(root), {
        versions: [],
        warnings: [`No version found for model in path: ${root}`],
      });
    });
  });

  it('overlooks files, also those named like versions', async () => {
    await withFiles({ '1/': '', '2': '', 'readme.md': '' }, async (root) => {
      assert.deepEqual(await scanVersions(root), { versions: [1], warnings: [] });
    });
  });

  it('sorts by number', async () => {
    await withFiles({ '10/': '', '9/': '', '100/': '' }, async (root) => {
      assert.deepEqual((await scanVersions(root)).versions, [9, 10, 100]);
    });
  });

  it('follows links to directories and overlooks links to nothing', async () => {
    await withFiles({ '1/': '' }, async (root) => {
      await symlink(join(root, '1'), join(root, '2'));
      await symlink(join(root, 'none'), join(root, '3'));
      assert.deepEqual(await scanVersions(root), { versions: [1, 2], warnings: [] });
    });
  });
});

describe('repository: the model of a version', () => {
  it('refuses a version without directory', async () => {
    await withFiles({}, (root) => assert.rejects(openVersion(root, 1), { code: 'PATH_INVALID' }));
  });

  for (const [name, files, found] of [
    ['no file', { '1/': '' }, 'no file'],
    ['only other files', { '1/b.txt': '', '1/a.txt': '' }, 'a.txt, b.txt'],
    ['IR without weights', { '1/m.xml': '' }, 'm.xml'],
    ['IR with weights of another model', { '1/m.xml': '', '1/n.bin': '' }, 'm.xml, n.bin'],
    ['weights without IR', { '1/m.bin': '' }, 'm.bin'],
    ['Paddle without parameters', { '1/m.pdmodel': '' }, 'm.pdmodel'],
    ['a directory named like a model', { '1/m.onnx/': '' }, 'no file'],
    ['files one directory deeper', { '1/deep/m.onnx': '' }, 'no file'],
  ] as const) {
    it(`says what it expected, where, and what it found: ${name}`, async () => {
      covers('repository.no-file', 'repository.ir-pair');
      await withFiles(files, (root) =>
        assert.rejects(openVersion(root, 1), {
          code: 'FILE_INVALID',
          detail:
            'Could not find file for model: expected *.xml with *.bin, *.onnx, *.pdmodel with *.pdiparams, *.pb or *.tflite ' +
            `in ${join(root, '1')}, found ${found}`,
        }),
      );
    });
  }

  for (const [format, files, expected] of [
    ['IR', IR, '1/m.xml'],
    ['IR', { ...IR, '1/m.mapping': '' }, '1/m.xml'],
    ['IR', { '1/b.xml': '', '1/b.bin': '', '1/a.xml': '' }, '1/b.xml'],
    ['ONNX', { '1/m.onnx': '' }, '1/m.onnx'],
    ['Paddle', { '1/m.pdmodel': '', '1/m.pdiparams': '' }, '1/m.pdmodel'],
    ['TF', { '1/frozen.pb': '' }, '1/frozen.pb'],
    ['TF', { '1/saved_model.pb': '', '1/a.pb': '', '1/variables/variables.index': '' }, '1'],
    ['TFLite', { '1/m.tflite': '' }, '1/m.tflite'],
    [
      'IR',
      { '1/m.tflite': '', '1/m.pb': '', '1/m.pdmodel': '', '1/m.pdiparams': '', '1/m.onnx': '', ...IR },
      '1/m.xml',
    ],
    ['ONNX', { '1/m.tflite': '', '1/m.pb': '', '1/m.pdmodel': '', '1/m.pdiparams': '', '1/m.onnx': '' }, '1/m.onnx'],
    ['ONNX', { '1/m.xml': '', '1/m.onnx': '' }, '1/m.onnx'],
    ['Paddle', { '1/m.tflite': '', '1/m.pb': '', '1/m.pdmodel': '', '1/m.pdiparams': '' }, '1/m.pdmodel'],
    ['TF', { '1/m.tflite': '', '1/m.pb': '' }, '1/m.pb'],
  ] as const) {
    it(`finds ${expected} (${format}) among ${Object.keys(files).join(' ')}`, async () => {
      covers('repository.search-order');
      await withFiles(files, async (root) => {
        assert.deepEqual(await openVersion(root, 1), {
          version: 1,
          directory: join(root, '1'),
          modelFile: { format, path: join(root, expected) },
          mapping: { inputs: new Map(), outputs: new Map() },
        });
      });
    });
  }

  it('finds a model that is a link', async () => {
    await withFiles({ '1/': '', 'real.onnx': '' }, async (root) => {
      await symlink(join(root, 'real.onnx'), join(root, '1/m.onnx'));
      assert.equal((await openVersion(root, 1)).modelFile.path, join(root, '1/m.onnx'));
    });
  });
});

describe('repository: mapping_config.json', () => {
  for (const [name, content, reason] of [
    ['no JSON', '{', /JSON/],
    ['no object', '[]', /: \/: expected object, received \[\]$/],
    ['an unknown key', '{"input": {}}', /: \/input: expected one of the keys inputs, outputs, received "input"$/],
    ['a name that is no text', '{"inputs": {"a": 1}}', /: \/inputs\/a: expected string, received 1$/],
    [
      'lists inside one another without end',
      `{"inputs": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      /: \/: expected at most 100 lists and objects inside one another, received more$/,
    ],
    [
      'an empty name',
      '{"inputs": {"a": ""}}',
      /: \/inputs\/a: expected a value that must NOT have fewer than 1 characters, received ""$/,
    ],
    [
      'one name twice',
      '{"outputs": {"a": "x", "b": "x"}}',
      /: \/outputs: expected different names, received "x" for both "a" and "b"$/,
    ],
  ] as const) {
    it(`refuses ${name}`, async () => {
      await withFiles({ ...IR, '1/mapping_config.json': content }, (root) =>
        assert.rejects(openVersion(root, 1), (error: { code: string; detail: string }) => {
          assert.equal(error.code, 'MODEL_MAPPING_INVALID');
          assert.ok(error.detail.startsWith(join(root, '1/mapping_config.json')), error.detail);
          assert.match(error.detail, reason);
          return true;
        }),
      );
    });
  }

  it('refuses a directory in its place', async () => {
    await withFiles({ ...IR, '1/mapping_config.json/': '' }, (root) =>
      assert.rejects(openVersion(root, 1), { code: 'MODEL_MAPPING_INVALID' }),
    );
  });

  it('gives names for inputs and outputs, either may be absent', async () => {
    const mapping = '{"inputs": {"a:0": "image", "__proto__": "p"}}';
    await withFiles({ ...IR, '1/mapping_config.json': mapping }, async (root) => {
      assert.deepEqual((await openVersion(root, 1)).mapping, {
        inputs: new Map([
          ['a:0', 'image'],
          ['__proto__', 'p'],
        ]),
        outputs: new Map(),
      });
    });
  });
});
