import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';

import { ServingError } from '#src/errors.js';
import { describeJsNode } from '#src/nodes/js/describe.js';
import { jsNodeDigest } from '#src/nodes/js/module-files.js';
import { jsNodeFixture, NodeHost, runFloats, unaryModule, writeModules } from '../../helpers/js-node.js';

test('a description tells signature, files, digest, params and time limit', async () => {
  const module = jsNodeFixture('best-label.ts');
  const reference = await describeJsNode(module, { classes: 10, threshold: 0 }, 500);
  const dimension = (size: number): object => ({ min: size, max: size });
  assert.deepEqual(reference.signature, {
    inputs: [{ name: 'probability', precision: 'FP32', shape: [dimension(1), dimension(10)], layout: 'N...' }],
    outputs: [{ name: 'label', precision: 'I64', shape: [dimension(1)], layout: 'N...' }],
  });
  assert.deepEqual(
    reference.files.map(({ path }) => path),
    [module, jsNodeFixture('best-of.ts')],
  );
  assert.deepEqual([reference.module, reference.timeoutMs], [module, 500]);
  assert.deepEqual(reference.params, { classes: 10, threshold: 0 });
  assert.equal(await jsNodeDigest(reference.files), reference.digest);
});

test('nodes have one key when module, contents, params and time limit are the same', async () => {
  const module = jsNodeFixture('best-label.ts');
  const [first, same, ...others] = await Promise.all([
    describeJsNode(module, { classes: 10, threshold: 0 }, 500),
    describeJsNode(module, { classes: 10, threshold: 0 }, 500),
    describeJsNode(module, { classes: 11, threshold: 0 }, 500),
    describeJsNode(module, { classes: 10, threshold: 0 }, 501),
  ]);
  assert.equal(same.key, first.key);
  assert.equal(new Set([first, ...others].map(({ key }) => key)).size, 3);
});

test('the digest changes with the module and with every file it imports, over any number of steps', async () => {
  const module = writeModules({
    'main.ts': `import { a } from './a.ts';\nimport type { T } from './types.ts';\n${unaryModule('({ x }) { return { y: a(x) as T }; }')}
      export const later = () => import('./later.mjs');`,
    'a.ts': `export { a } from './b.js';`,
    'b.ts': `import table from './table.json' with { type: 'json' };\nexport const a = (x: any) => (table, x);`,
    'table.json': '[1]',
    'later.mjs': 'export default 1;',
    'types.ts': 'export type T = any;',
  });
  const { files, digest } = await describeJsNode(module, {}, 1000);
  const names = files.map(({ path }) => basename(path));
  assert.deepEqual(names, ['a.ts', 'b.ts', 'later.mjs', 'main.ts', 'table.json'], 'types.ts is of no effect');
  for (const name of ['b.ts', 'table.json', 'later.mjs']) {
    writeFileSync(join(dirname(module), name), '// changed');
    const changed = await jsNodeDigest(files);
    assert.notEqual(changed, digest, name);
    const again = await jsNodeDigest([...files].reverse());
    assert.equal(again, changed);
  }
  const before = await jsNodeDigest(files);
  rmSync(join(dirname(module), 'a.ts'));
  assert.notEqual(await jsNodeDigest(files), before);
});

test('a generation runs the code it was described with, whatever happens to its files', async () => {
  const host = new NodeHost({ threads: 1 });
  const module = writeModules({
    'main.mts': `import { factor } from './factor.ts';\n${unaryModule('({ x }: any) { return { y: { shape: [1], data: Float32Array.of(x.data[0] * factor) } }; }')}`,
    'factor.ts': 'export const factor: number = 2;',
  });
  const old = await host.open(module);
  writeFileSync(join(dirname(module), 'factor.ts'), 'export const factor: number = 3;');
  const young = await host.open(module);
  rmSync(dirname(module), { recursive: true });
  assert.deepEqual(await runFloats(old, host.floats(1)), [2]);
  assert.deepEqual(await runFloats(young, host.floats(1)), [3]);
  assert.ok(!existsSync(module));
  await host.nodes.close();
});

const port = `{ name: 'x', precision: 'FP32', shape: [1] }`;
const outputs = (declaration: string): string =>
  `export const inputs = () => [${port}]; export const outputs = () => ${declaration}; export const execute = () => ({});`;

const faults: readonly (readonly [what: string, text: string, message: RegExp | string])[] = [
  ['no exports', '', 'expected exports inputs, outputs, execute, received no exports'],
  ['other exports', 'export const run = 1;', 'expected exports inputs, outputs, execute, received exports run'],
  [
    'a missing export',
    'export const inputs = () => []; export const execute = () => ({});',
    'export outputs: expected a function, received exports execute, inputs',
  ],
  [
    'an export that is no function',
    'export const inputs = () => []; export const outputs = []; export const execute = () => ({});',
    'export outputs: expected a function, received []',
  ],
  ['a list that is none', outputs('({})'), 'outputs(): expected a list of tensors, received {}'],
  ['a declaration that is none', outputs(`['y']`), 'outputs()[0]: expected { name, precision, shape }, received "y"'],
  ['a missing name', outputs('[{}]'), 'outputs()[0].name: expected a name, received undefined'],
  [
    'a bad precision',
    outputs(`[{ name: 'y', precision: 'float32', shape: [1] }]`),
    'outputs()[0] "y" precision: expected one of FP64, FP32, FP16, BF16, I64, I32, I16, I8, U64, U32, U16, U8, BOOL, received "float32"',
  ],
  ['a precision without a size', outputs(`[{ name: 'y', precision: 'STRING', shape: [1] }]`), /received "STRING"$/],
  [
    'a bad dimension',
    outputs(`[{ name: 'y', precision: 'U8', shape: [1, -2] }]`),
    'outputs()[0] "y" shape[1]: expected a size, -1 for any, or [min, max], received -2',
  ],
  [
    'a reversed range',
    outputs(`[{ name: 'y', precision: 'U8', shape: [[3, 2]] }]`),
    'outputs()[0] "y" shape[0]: expected a minimum that is not above the maximum, received [3,2]',
  ],
  [
    'a missing shape',
    outputs(`[{ name: 'y', precision: 'U8' }]`),
    'outputs()[0] "y" shape: expected a list of dimensions, received undefined',
  ],
  [
    'a layout of another rank',
    outputs(`[{ name: 'y', precision: 'U8', shape: [1], layout: 'NCHW' }]`),
    'outputs()[0] "y" layout: expected a layout of 1 dimensions, received "NCHW"',
  ],
  ['a name twice', outputs(`[${port}, ${port}]`), 'outputs(): expected each name once, received "x" twice'],
  ['a throw in outputs', outputs(`{ throw new Error('no table'); }`), 'outputs() threw: no table'],
  [
    'a throw in initialize',
    outputs('[]') + `export const initialize = ({ table }) => { throw new Error('no table ' + table); };`,
    'initialize() threw: no table t.bin',
  ],
  [
    'a throw in deinitialize',
    outputs('[]') + `export const deinitialize = () => Promise.reject(new Error('still open'));`,
    'deinitialize() threw: still open',
  ],
  ['a throw at import', `throw new Error('at import');`, 'import failed: at import'],
  ['an end of its thread', 'process.exit(7);', 'expected a description, but its thread ended with exit code 7'],
  ['a late error', 'setTimeout(() => { throw new Error("late"); }); await new Promise(() => undefined);', /late/],
  ['a package that is not there', `import 'not-a-package';`, /import failed: Cannot find package 'not-a-package'/],
];

for (const [what, text, message] of faults) {
  test(`a module with ${what} is refused`, async () => {
    const module = writeModules({ 'node.mjs': text });
    await assert.rejects(describeJsNode(module, { table: 't.bin' }, 1000), (error: unknown) => {
      assert.ok(error instanceof ServingError);
      assert.equal(error.code, 'PIPELINE_JS_MODULE_INVALID');
      const start = `module: ${module}; `;
      assert.equal(error.detail.slice(0, start.length), start);
      const rest = error.detail.slice(start.length);
      if (typeof message === 'string') assert.equal(rest, message);
      else assert.match(rest, message);
      return true;
    });
  });
}

const syntax: readonly (readonly [file: string, text: string, message: RegExp])[] = [
  ['types.ts', 'const a: number = 1;\nconst b: = 2;\n', /types\.ts:2:10: Unexpected token/],
  ['enum.ts', '\n\nenum A { x }\n', /enum\.ts:3:1: TypeScript enum is not supported in strip-only mode/],
  ['script.mjs', 'export const a = 1;\nexport const = 2;\n', /syntax error: .*script\.mjs:2:14: /],
  ['names.mjs', `import { nothing } from './script.mjs';\n`, /syntax error: .*names\.mjs:1: .*'nothing'/],
];

for (const [file, text, message] of syntax) {
  test(`a syntax error in ${file} is told with file and line`, async () => {
    const module = writeModules({ 'main.mjs': `import './${file}';`, [file]: text });
    if (file === 'names.mjs') writeFileSync(join(dirname(module), 'script.mjs'), '');
    await assert.rejects(describeJsNode(module, {}, 1000), { code: 'PIPELINE_JS_MODULE_INVALID', message });
  });
}

test('a file that is missing is told with its importer', async () => {
  const module = writeModules({ 'main.ts': `import './missing.ts';` });
  await assert.rejects(describeJsNode(module, {}, 1000), { message: /missing\.ts' imported from .*main\.ts$/ });
  await assert.rejects(describeJsNode(`${module}.gone.ts`, {}, 1000), { message: /Cannot find module/ });
});

test('a module that does not end describing itself is refused after the limit, even in an endless loop', async () => {
  for (const text of ['await new Promise((resolve) => setTimeout(resolve, 1e9));', 'for (;;);']) {
    const module = writeModules({ 'endless.mjs': text });
    await assert.rejects(describeJsNode(module, {}, 1000, 300), {
      code: 'PIPELINE_JS_MODULE_INVALID',
      message: /expected a description within 300 ms, received none$/,
    });
  }
});
