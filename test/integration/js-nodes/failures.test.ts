import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';

import { ServingError } from '#src/errors.js';
import { NodeHost, runFloats, start, unaryModule, writeModules, type Executed } from '../../helpers/js-node.js';

const host = new NodeHost({ threads: 2 });
after(async () => {
  await host.nodes.close();
  assert.equal(host.arena.leasedRegions, 0, 'every region has been given back');
});

/** One execution of a module with `execute`, then a sound one on the same node, which must not notice. */
async function executeThenRecover(execute: string, more = '', node = new NodeHost()): Promise<ServingError> {
  const module = writeModules({
    'node.mjs': unaryModule(`async({ x }, context) { if (x.data[0] === 1) return { y: x }; ${execute} }`, more),
  });
  const instance = await node.open(module);
  const { error } = await start(instance, [node.floats(0)]).end;
  assert.deepEqual(await runFloats(instance, node.floats(1)), [1]);
  assert.equal(node.arena.leasedRegions, 0);
  await node.nodes.close();
  assert.ok(error instanceof ServingError);
  assert.match(error.detail, /^node: test; module: .*node\.mjs; /);
  return error;
}

test('a node that throws fails its request alone', async () => {
  const error = await executeThenRecover('throw new TypeError("no such box");');
  assert.equal(error.code, 'JS_NODE_FAILED');
  assert.match(error.message, /^Custom node failed during execution - node: test; module: .*; no such box$/);
  assert.match((error.cause as Error).message, /TypeError: no such box\n {4}at .*node\.mjs:4/);
});

test('a node that calls process.exit fails its request alone', async () => {
  const error = await executeThenRecover('process.exit(3);');
  assert.equal(error.code, 'JS_NODE_FAILED');
  assert.match(error.message, /the thread of the node ended: worker exited with code: 3$/);
});

test('a node that runs out of memory fails its request alone', async () => {
  const execute = 'const all = []; for (;;) all.push({ more: [all.length] });';
  const error = await executeThenRecover(execute, '', new NodeHost({ heapMegabytes: 16 }));
  assert.equal(error.code, 'JS_NODE_FAILED');
  assert.match(error.message, /the thread of the node ended: .*(memory|heap)/);
});

test('an uncaught error ends the thread and fails the request that runs in it', async () => {
  const late =
    'setTimeout(() => { throw new Error("late"); }); await new Promise((resolve) => setTimeout(resolve, 1e9));';
  const error = await executeThenRecover(late);
  assert.match(error.message, /the thread of the node ended: late$/);
  const rejected = 'Promise.reject(new Error("nobody")); await new Promise((resolve) => setTimeout(resolve, 1e9));';
  assert.match((await executeThenRecover(rejected)).message, /the thread of the node ended: nobody$/);
  const nothing = 'setTimeout(() => { throw null; }); await new Promise((resolve) => setTimeout(resolve, 1e9));';
  assert.match((await executeThenRecover(nothing)).message, /the thread of the node ended: null was thrown$/);
});

test('an error after the execution hits neither the server nor later requests', async () => {
  // Only once the answer has come: until then an error of the thread is one of the execution.
  const module = writeModules({
    'late.mjs': `import { existsSync } from 'node:fs';
      import { fileURLToPath } from 'node:url';
      const answered = fileURLToPath(import.meta.url) + '.answered';
      function throwWhenAnswered() {
        if (existsSync(answered)) throw new Error('after the answer');
        setImmediate(throwWhenAnswered);
      }
      ${unaryModule(`({ x }) {
        if (x.data[0] === 0) setImmediate(throwWhenAnswered);
        return { y: x };
      }`)}`,
  });
  const answered = `${module}.answered`;
  const node = await host.open(module);
  for (let round = 0; round < 3; round += 1) {
    assert.deepEqual(await runFloats(node, host.floats(0)), [0]);
    writeFileSync(answered, '');
    while (host.nodes.threadCount > 0) await new Promise(setImmediate);
    rmSync(answered);
    assert.deepEqual(await runFloats(node, host.floats(1)), [1]);
  }
  node.close();
});

test('initialize that throws fails the request, and the next one tries again', async () => {
  const module = writeModules({
    'initialize.mjs': `import { existsSync } from 'node:fs';
      ${unaryModule('({ x }) { return { y: x }; }')}
      export function initialize({ lock }) { if (existsSync(lock)) throw new Error('locked'); }`,
  });
  const lock = `${module}.lock`;
  const node = await host.open(module, { lock });
  writeFileSync(lock, '');
  const { error } = await start(node, [host.floats(1)]).end;
  rmSync(lock);
  assert.match(error!.message, /^Custom node failed during execution - node: test; .*; initialize\(\) threw: locked$/);
  assert.deepEqual(await runFloats(node, host.floats(1)), [1]);
  node.close();
});

test('a module that cannot be loaded any more fails the request, and the next one loads it anew', async () => {
  const module = writeModules({
    'loads.mjs': `import { existsSync } from 'node:fs';
      import { fileURLToPath } from 'node:url';
      if (existsSync(fileURLToPath(import.meta.url) + '.lock')) throw new Error('locked');
      ${unaryModule('({ x }) { return { y: x }; }')}`,
  });
  const node = await host.open(module);
  writeFileSync(`${module}.lock`, '');
  const { error } = await start(node, [host.floats(1)]).end;
  rmSync(`${module}.lock`);
  assert.match(error!.message, /; import failed: locked$/);
  assert.deepEqual(await runFloats(node, host.floats(1)), [1]);
  node.close();
});

const outputFaults: readonly (readonly [what: string, result: string, text: string])[] = [
  ['nothing', 'return undefined;', 'expected a record of outputs, received undefined'],
  ['a list', 'return [x];', 'expected a record of outputs, received a list'],
  ['an unknown name', 'return { z: x };', 'output "z": expected one of y'],
  ['a missing output', 'return {};', 'output "y": expected FP32 of shape (-1,[2~3]), received nothing'],
  ['a number', 'return { y: 1 };', 'output "y": expected { shape, data }, received 1'],
  [
    'another precision',
    'return { y: { shape: [1, 2], precision: "I32", data: new Float32Array(2) } };',
    'output "y": expected precision FP32, received "I32"',
  ],
  [
    'another array',
    'return { y: { shape: [1, 2], data: new Int32Array(2) } };',
    'output "y": expected data in a Float32Array (FP32), received a Int32Array',
  ],
  [
    'no array',
    'return { y: { shape: [1, 2], data: [1, 2] } };',
    'output "y": expected data in a Float32Array (FP32), received [1,2]',
  ],
  [
    'another rank',
    'return { y: { shape: [2], data: new Float32Array(2) } };',
    'output "y": expected shape (-1,[2~3]), received (2)',
  ],
  [
    'another shape',
    'return { y: { shape: [1, 4], data: new Float32Array(4) } };',
    'output "y": expected shape (-1,[2~3]), received (1,4)',
  ],
  [
    'a shape that is none',
    'return { y: { shape: [1.5, 2], data: new Float32Array(3) } };',
    'output "y": expected shape (-1,[2~3]), received [1.5,2]',
  ],
  [
    'too few elements',
    'return { y: { shape: [2, 2], data: new Float32Array(3) } };',
    'output "y": expected 4 elements for shape (2,2), received 3',
  ],
  [
    'a bare array for a shape that is not fixed',
    'return { y: new Float32Array(2) };',
    'output "y": expected { shape, data }, because its shape is not fixed',
  ],
];

for (const [what, result, text] of outputFaults) {
  test(`an output is refused: ${what}`, async () => {
    const module = writeModules({
      'output.mjs': `
        export const inputs = () => [{ name: 'x', precision: 'FP32', shape: [-1] }];
        export const outputs = () => [{ name: 'y', precision: 'FP32', shape: [-1, [2, 3]] }];
        export function execute({ x }) { ${result} }`,
    });
    const node = await host.open(module);
    const { error }: Executed = await start(node, [host.floats(1)]).end;
    assert.equal(error?.code, 'JS_NODE_OUTPUT_INVALID');
    assert.equal(error.detail, `node: test; module: ${module}; ${text}`);
    node.close();
  });
}

test('allocate refuses what the signature does not have', async () => {
  const faults: readonly (readonly [call: string, text: string])[] = [
    [`allocate('z')`, 'output "z": expected one of y'],
    [`allocate('y')`, 'allocate "y": expected a shape, because it is not fixed'],
    [`allocate('y', [1, 2])`, 'allocate "y": expected shape (-1), received (1,2)'],
    [`isWanted('z')`, 'output "z": expected one of y'],
  ];
  for (const [call, text] of faults) {
    const module = writeModules({ 'allocate.mjs': unaryModule(`(inputs, context) { context.${call}; }`) });
    const node = await host.open(module);
    const { error } = await start(node, [host.floats(1)]).end;
    assert.deepEqual([error?.code, error?.detail], ['JS_NODE_FAILED', `node: test; module: ${module}; ${text}`]);
    node.close();
  }
});
