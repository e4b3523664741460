import assert from 'node:assert/strict';
import { test } from 'node:test';

import { loadFrom, resolveFrom, sourcesOf } from '#src/nodes/js/module-hooks.js';

const sources = sourcesOf([
  { path: '/nodes/main.ts', format: 'module', source: 'main' },
  { path: '/nodes/table.json', format: 'json', source: '[]' },
  { path: '/nodes/old.cjs', format: null, source: null },
]);
const resolve = (specifier: string): string | undefined =>
  resolveFrom(sources, specifier, { parentURL: 'file:///nodes/other.ts' })?.url;

test('hooks: serve the files of the module, TypeScript also under the name of its JavaScript', () => {
  assert.equal(resolve('./main.ts'), 'file:///nodes/main.ts');
  assert.equal(resolve('./main.js'), 'file:///nodes/main.ts');
  assert.equal(resolve('../nodes/table.json'), 'file:///nodes/table.json');
  assert.deepEqual(loadFrom(sources, 'file:///nodes/main.ts'), {
    format: 'module',
    source: 'main',
    shortCircuit: true,
  });
});

test('hooks: leave everything else to Node.js', () => {
  for (const specifier of [
    'sharp',
    'node:fs',
    './old.cjs',
    './missing.ts',
    './main.ts?again',
    'data:text/javascript,1',
  ]) {
    assert.equal(resolve(specifier), undefined, specifier);
  }
  assert.equal(loadFrom(sources, 'file:///nodes/old.cjs'), null);
});
