import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { Tensor } from '#src/tensors/tensor.js';
import {
  floatsIn,
  jsNodeFixture,
  NodeHost,
  runFloats,
  start,
  unaryModule,
  writeModules,
} from '../../helpers/js-node.js';

const host = new NodeHost();
after(async () => {
  await host.nodes.close();
  assert.equal(host.arena.leasedRegions, 0);
});

test('a TypeScript node with a relative import fills the region leased for its output', async () => {
  const node = await host.open(jsNodeFixture('best-label.ts'), { classes: 4, threshold: 0.5 });
  const sure = host.tensor('FP32', [1, 4], Float32Array.of(0.1, 0.1, 0.7, 0.1));
  const { error, outputs, copiedBytes } = await start(node, [sure]).end;
  assert.equal(error, null);
  const [label] = outputs!;
  assert.deepEqual([label!.precision, label!.shape, copiedBytes], ['I64', [1], 0]);
  assert.deepEqual(new BigInt64Array(label!.lease.buffer, label!.byteOffset, 1), BigInt64Array.of(2n));
  label!.release();
  node.close();
});

test('a view into an input is passed on without a copy', async () => {
  const node = await host.open(
    writeModules({ 'view.mjs': unaryModule('({ x }) { return { y: { shape: [2], data: x.data.subarray(1, 3) } }; }') }),
  );
  const input = host.floats(1, 2, 3, 4);
  const { outputs, copiedBytes } = await start(node, [input]).end;
  const [output] = outputs!;
  assert.equal(copiedBytes, 0);
  assert.equal(output!.lease, input.lease);
  assert.equal(output!.byteOffset, input.byteOffset + 4);
  assert.deepEqual(Array.from(floatsIn(output!)), [2, 3]);
  output!.release();
  assert.equal(host.arena.leasedRegions, 0);
  node.close();
});

test('memory that was allocated for an output of any shape is adopted without a copy', async () => {
  const text = unaryModule(`({ x }, context) {
    const y = context.allocate('y', [3]);
    y.data.set([x.data[0], 5, 6]);
    return { y };
  }`);
  const node = await host.open(writeModules({ 'allocate.mjs': text }));
  const { outputs, copiedBytes } = await start(node, [host.floats(4)]).end;
  assert.equal(copiedBytes, 0);
  assert.equal(host.arena.leasedRegions, 1);
  assert.deepEqual([Array.from(floatsIn(outputs![0]!)), outputs![0]!.shape], [[4, 5, 6], [3]]);
  outputs![0]!.release();
  assert.equal(host.arena.leasedRegions, 0);
  node.close();
});

test('a plain typed array is copied once, and that is counted', async () => {
  const node = await host.open(
    writeModules({ 'plain.mjs': unaryModule('({ x }) { return { y: { shape: [2], data: x.data.slice(0, 2) } }; }') }),
  );
  const { outputs, copiedBytes } = await start(node, [host.floats(7, 8, 9)]).end;
  assert.equal(copiedBytes, 8);
  assert.deepEqual(Array.from(floatsIn(outputs![0]!)), [7, 8]);
  outputs![0]!.release();
  node.close();
});

test('two outputs may be the same memory, and one an empty tensor', async () => {
  const text = `
    export const inputs = () => [{ name: 'x', precision: 'FP32', shape: [-1] }];
    export const outputs = () => ['a', 'b', 'c'].map((name) => ({ name, precision: 'FP32', shape: [-1] }));
    export function execute({ x }, context) {
      const a = context.allocate('a', [2]);
      a.data.set([1, 2]);
      return { a, b: { shape: [1], data: a.data.subarray(1) }, c: { shape: [0], data: new Float32Array(0) } };
    }`;
  const node = await host.open(writeModules({ 'two.mjs': text }));
  const { outputs } = await start(node, [host.floats(1)], [true, true, true]).end;
  assert.deepEqual(
    outputs!.map((output) => Array.from(floatsIn(output!))),
    [[1, 2], [2], []],
  );
  assert.equal(outputs![0]!.lease, outputs![1]!.lease);
  for (const output of outputs!) output!.release();
  node.close();
});

test('an output that nobody reads may be left out or is dropped', async () => {
  const text = `
    export const inputs = () => [];
    export const outputs = () => ['a', 'b', 'c'].map((name) => ({ name, precision: 'U8', shape: [1] }));
    export function execute(inputs, context) {
      const wanted = ['a', 'b', 'c'].filter((name) => context.isWanted(name));
      return { a: Uint8Array.of(wanted.length), b: context.allocate('b') };
    }`;
  const node = await host.open(writeModules({ 'wanted.mjs': text }));
  const { error, outputs } = await start(node, [], [true, false, false]).end;
  assert.equal(error, null);
  assert.deepEqual([outputs![0]!.bytes, outputs!.slice(1)], [Uint8Array.of(1), [null, null]]);
  outputs![0]!.release();
  assert.equal(host.arena.leasedRegions, 0);
  node.close();
});

test('shards are views where their elements are aligned; other memory is copied and counted', async () => {
  const text = `
    export const inputs = () => [
      { name: 'bytes', precision: 'U8', shape: [-1] }, { name: 'longs', precision: 'I64', shape: [-1] },
      { name: 'floats', precision: 'FP32', shape: [-1] },
    ];
    export const outputs = () => inputs();
    export const execute = ({ bytes, longs, floats }) => ({ bytes, longs, floats });`;
  const node = await host.open(writeModules({ 'shards.mjs': text }));
  const bytes = host.tensor('U8', [7], Uint8Array.of(0, 1, 2, 3, 4, 5, 6));
  const longs = host.tensor('I64', [3], BigInt64Array.of(1n, 2n, 3n));
  const odd = host.tensor('U8', [9], new Uint8Array([9, ...new Uint8Array(Float32Array.of(1.5, 2.5).buffer)]));
  const shards = [
    new Tensor('U8', [2], bytes.lease, 3),
    new Tensor('I64', [2], longs.lease, 8),
    new Tensor('FP32', [2], odd.lease, 1),
  ];
  const { error, outputs, copiedBytes } = await start(node, shards, [true, true, true]).end;
  assert.equal(error, null);
  assert.equal(copiedBytes, 16, 'into the thread and out of it again');
  assert.deepEqual(outputs![0]!.bytes, Uint8Array.of(3, 4));
  assert.deepEqual([outputs![0]!.lease, outputs![1]!.lease], [bytes.lease, longs.lease]);
  assert.equal(outputs![1]!.start, 8);
  assert.deepEqual(Array.from(floatsIn(outputs![2]!)), [1.5, 2.5]);
  for (const output of outputs!) output!.release();
  assert.equal(host.arena.leasedRegions, 0);
  node.close();
});

test('a node may be asynchronous, a default export, and keep a state a thread', async () => {
  const text = `
    class Counter {
      inputs() { return [{ name: 'x', precision: 'FP32', shape: [-1] }]; }
      outputs(params, state) { return [{ name: 'y', precision: 'FP32', shape: [1], layout: state.layout }]; }
      async initialize({ first }) { await null; return { count: first, layout: 'N' }; }
      async execute(inputs, { state }) { await null; return { y: Float32Array.of(state.count++) }; }
    }
    export default new Counter();`;
  const one = new NodeHost({ threads: 1 });
  const module = writeModules({ 'counter.mjs': text });
  const [first, second] = [await one.open(module, { first: 10 }), await one.open(module, { first: 20 })];
  const results = [];
  for (const node of [first, first, second, first]) results.push(...(await runFloats(node, one.floats(0))));
  assert.deepEqual(results, [10, 11, 20, 12]);
  assert.equal(one.nodes.threadCount, 1, 'nodes of one module share threads');
  await one.nodes.close();
});

test('executions of a node run side by side in several threads, and every input meets its own output', async () => {
  const node = await host.open(
    writeModules({
      'double.mjs': unaryModule('({ x }) { return { y: { shape: x.shape, data: x.data.map((n) => n * 2) } }; }'),
    }),
  );
  const results = await Promise.all(Array.from({ length: 200 }, (_, n) => runFloats(node, host.floats(n, n + 1))));
  assert.deepEqual(
    results,
    Array.from({ length: 200 }, (_, n) => [n * 2, n * 2 + 2]),
  );
  node.close();
});

test('vinery/node can be imported for its functions wherever the module lies', async () => {
  const text = `
    import { fromHalf, toHalf, type TensorDeclaration } from 'vinery/node';
    const port = (name: string): TensorDeclaration => ({ name, precision: 'FP16', shape: [-1] });
    export const inputs = () => [port('x')];
    export const outputs = () => [port('y')];
    export const execute = ({ x }: any) => ({ y: { shape: x.shape, data: x.data.map((bits: number) => toHalf(fromHalf(bits) / 2)) } });`;
  const node = await host.open(writeModules({ 'half.mts': text }));
  const { error, outputs } = await start(node, [host.tensor('FP16', [1], Uint16Array.of(0x3c00))]).end;
  assert.equal(error, null);
  assert.deepEqual(new Uint16Array(outputs![0]!.lease.buffer, outputs![0]!.byteOffset, 1), Uint16Array.of(0x3800));
  outputs![0]!.release();
  node.close();
});
