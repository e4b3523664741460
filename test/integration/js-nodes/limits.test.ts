import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { ServingError } from '#src/errors.js';
import { describeJsNode } from '#src/nodes/js/describe.js';
import { JsNodes } from '#src/nodes/js/js-nodes.js';
import { NodeHost, runFloats, start, unaryModule, writeModules } from '../../helpers/js-node.js';

const WITHDRAWN = new ServingError('REQUEST_CANCELLED');
/** Marks in the node's folder that it has come so far; then waits as the input says, or returns it. */
const BUSY = `({ x }, { params }) {
  if (x.data[0] === 0) { appendFileSync(params.marks, 'executing\\n'); for (;;); }
  return { y: x };
}`;

interface Busy {
  readonly module: string;
  readonly marks: string;
}

function busyModule(execute = BUSY, more = ''): Busy {
  const module = writeModules({
    'busy.mjs': `import { appendFileSync } from 'node:fs';\n${unaryModule(execute, more)}`,
  });
  return { module, marks: join(dirname(module), 'marks') };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

test('an execution that runs too long ends with its thread, and the pool heals', async () => {
  const host = new NodeHost({ threads: 1 });
  const { module, marks } = busyModule();
  const node = await host.open(module, { marks }, 50);
  const { error, micros } = await start(node, [host.floats(0)]).end;
  assert.ok(micros >= 50_000, 'it has run so long');
  assert.equal(error?.code, 'JS_NODE_TIMEOUT');
  assert.equal(error.detail, `node: test; module: ${module}; execute: expected its end within 50 ms`);
  assert.equal(host.nodes.threadCount, 0, 'the thread has ended before its memory is given back');
  assert.deepEqual(await runFloats(node, host.floats(1)), [1]);
  assert.equal(host.arena.leasedRegions, 0);
  await host.nodes.close();
});

test('nothing writes the memory of an execution once its end has been told', async () => {
  const host = new NodeHost({ threads: 1 });
  const text = `
    export const inputs = () => [];
    export const outputs = () => [{ name: 'y', precision: 'I32', shape: [64] }];
    export function execute(inputs, context) {
      const { data } = context.allocate('y');
      for (;;) data.fill(data[0] + 1);
    }`;
  const node = await host.open(writeModules({ 'writes.mjs': text }), {}, 30);
  const region = host.arena.lease(256);
  new Int32Array(region.buffer, region.byteOffset, 64).fill(0);
  region.release();
  await new Promise<void>((resolve) => {
    node.execute([], [true], (error) => {
      assert.equal(error?.code, 'JS_NODE_TIMEOUT');
      const again = host.arena.lease(256);
      assert.equal(again.byteOffset, region.byteOffset, 'the same region has been given back');
      const numbers = new Int32Array(again.buffer, again.byteOffset, 64);
      const before = Array.from(numbers);
      assert.notEqual(before[0], 0, 'it was the region of the output');
      for (let round = 0; round < 10_000; round += 1) assert.equal(numbers[round % 64], before[round % 64]);
      again.release();
      resolve();
    });
  });
  await host.nodes.close();
});

test('an asynchronous execution that never settles ends after its time, too', async () => {
  const host = new NodeHost({ threads: 1 });
  const node = await host.open(
    writeModules({ 'never.mjs': unaryModule('async() { await new Promise(() => undefined); }') }),
    {},
    50,
  );
  const { error } = await start(node, [host.floats(0)]).end;
  assert.equal(error?.code, 'JS_NODE_TIMEOUT');
  await host.nodes.close();
});

test('the time in the queue and in initialize does not count', async () => {
  const host = new NodeHost({ threads: 1 });
  const text = unaryModule(
    'async({ x }) { await wait(60); return { y: x }; }',
    'const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms)); export const initialize = () => wait(600);',
  );
  const node = await host.open(writeModules({ 'slow.mjs': text }), {}, 500);
  const all = await Promise.all(Array.from({ length: 12 }, (_, n) => runFloats(node, host.floats(n))));
  assert.deepEqual(all.flat(), [...all.keys()]);
  await host.nodes.close();
});

test('initialize has a limit of its own', async () => {
  const host = new NodeHost({ threads: 1, initializeMs: 100 });
  const module = writeModules({
    'stuck.mjs': `import { existsSync } from 'node:fs';
      ${unaryModule('({ x }) { return { y: x }; }')}
      export function initialize({ lock }) { while (existsSync(lock)); }`,
  });
  const lock = `${module}.lock`;
  const node = await host.open(module, { lock }, 50);
  writeFileSync(lock, '');
  const { error } = await start(node, [host.floats(0)]).end;
  assert.equal(error?.code, 'JS_NODE_TIMEOUT');
  assert.match(error.detail, /; initialize: expected its end within 100 ms$/);
  rmSync(lock);
  await host.nodes.close();
});

test('what waits in the queue and is withdrawn never starts', async () => {
  const host = new NodeHost({ threads: 1 });
  const { module, marks } = busyModule();
  const node = await host.open(module, { marks }, 500);
  const running = start(node, [host.floats(0)]);
  await until(() => existsSync(marks));
  const waiting = start(node, [host.floats(0)]);
  waiting.withdraw(WITHDRAWN);
  const never = await waiting.end;
  assert.deepEqual([never.error, never.micros], [WITHDRAWN, 0]);
  waiting.withdraw(new ServingError('SERVER_STOPPING'));
  assert.equal((await running.end).error?.code, 'JS_NODE_TIMEOUT');
  assert.deepEqual(await runFloats(node, host.floats(1)), [1]);
  assert.equal(readFileSync(marks, 'utf8'), 'executing\n', 'only the first one has run');
  await host.nodes.close();
});

test('what is withdrawn before its thread has begun never starts', async () => {
  const { module, marks } = busyModule();
  const host = new NodeHost({ threads: 1 });
  const node = await host.open(module, { marks });
  const begun = start(node, [host.floats(0)]);
  begun.withdraw(WITHDRAWN);
  assert.equal(host.arena.leasedRegions, 0, 'there is no thread yet that could touch its memory');
  assert.equal((await begun.end).error, WITHDRAWN);
  assert.deepEqual(await runFloats(node, host.floats(1)), [1]);
  assert.ok(!existsSync(marks));
  await host.nodes.close();
});

test('what a thread has but has not come to is withdrawn at once', async () => {
  const host = new NodeHost({ threads: 1 });
  const { module, marks } = busyModule(`({ x }, { params }) {
    appendFileSync(params.marks, 'executing\\n');
    const release = Date.now() + 400;
    if (x.data[0] === 1) setImmediate(() => { while (Date.now() < release); });
    return { y: x };
  }`);
  const node = await host.open(module, { marks });
  assert.deepEqual(await runFloats(node, host.floats(1)), [1]);
  const given = start(node, [host.floats(0)]);
  given.withdraw(WITHDRAWN);
  assert.equal(host.arena.leasedRegions, 0);
  assert.equal((await given.end).error, WITHDRAWN);
  assert.deepEqual(await runFloats(node, host.floats(2)), [2]);
  assert.equal(readFileSync(marks, 'utf8'), 'executing\nexecuting\n');
  await host.nodes.close();
});

test('a running execution that is withdrawn may end in time and is stopped otherwise', async () => {
  const host = new NodeHost({ threads: 1, withdrawGraceMs: 200 });
  const { module, marks } = busyModule();
  const node = await host.open(module, { marks });
  const endless = start(node, [host.floats(0)]);
  await until(() => existsSync(marks));
  endless.withdraw(WITHDRAWN);
  endless.withdraw(new ServingError('SERVER_STOPPING'));
  assert.equal((await endless.end).error, WITHDRAWN);
  assert.equal(host.nodes.threadCount, 0);

  const short = busyModule(`async({ x }, { params }) {
    appendFileSync(params.marks, 'executing');
    await new Promise((resolve) => setTimeout(resolve, 20));
    return { y: x };
  }`);
  const quick = await new NodeHost({ threads: 1, withdrawGraceMs: 60_000 }).open(short.module, { marks: short.marks });
  const ending = start(quick, [host.floats(5)]);
  await until(() => existsSync(short.marks));
  ending.withdraw(WITHDRAWN);
  const { error, outputs } = await ending.end;
  assert.equal(error, null);
  outputs![0]!.release();
  await host.nodes.close();
});

test('executions that wait get a thread when the running ones are lost', async () => {
  const host = new NodeHost({ threads: 2 });
  const text = unaryModule('({ x }) { if (x.data[0] === 0) process.exit(); return { y: x }; }');
  const node = await host.open(writeModules({ 'exits.mjs': text }));
  const all = await Promise.all(Array.from({ length: 20 }, (_, n) => start(node, [host.floats(n % 3)]).end));
  all.forEach(({ error, outputs }, n) => {
    assert.equal(error?.code, n % 3 === 0 ? 'JS_NODE_FAILED' : undefined, `execution ${n}`);
    outputs?.[0]?.release();
  });
  assert.equal(host.arena.leasedRegions, 0);
  await host.nodes.close();
});

test('where no thread can begin, executions fail instead of waiting', async () => {
  const host = new NodeHost();
  const module = writeModules({ 'node.mjs': unaryModule('({ x }) { return { y: x }; }') });
  const logging = { level: 'INFO', path: join(module, 'a file is no folder'), stdout: null } as const;
  const nodes = new JsNodes({ limits: { threads: 1 }, logging });
  const node = nodes.open(await describeJsNode(module, {}, 1000), host.arena, 'test');
  const all = await Promise.all([1, 2, 3].map((n) => start(node, [host.floats(n)]).end));
  for (const { error } of all) {
    assert.equal(error?.code, 'JS_NODE_FAILED');
    assert.match(
      error.detail,
      /^node: test; module: .*; no thread could be had: .*expected a file that can be written/,
    );
  }
  assert.equal(host.arena.leasedRegions, 0);
  await nodes.close();
});
