import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { describeJsNode } from '#src/nodes/js/describe.js';
import { JsNodes } from '#src/nodes/js/js-nodes.js';
import { NodeHost, runFloats, start, unaryModule, writeModules } from '../../helpers/js-node.js';

/** Writes down when a state begins and ends, with the thread it lives in. */
const TELLS = `
  import { appendFileSync } from 'node:fs';
  import { threadId } from 'node:worker_threads';
  const tell = (params, what) => appendFileSync(params.marks, what + ' ' + params.node + ' ' + threadId + '\\n');
  export const initialize = (params) => { tell(params, 'begin'); return params; };
  export const deinitialize = async (params) => { await null; tell(params, 'end'); };
`;
const WAITS = 'async({ x }) { await new Promise((resolve) => setTimeout(resolve, 30)); return { y: x }; }';

interface Telling {
  readonly module: string;
  readonly marks: string;
  readonly told: (what: string) => string[];
}

function tellingModule(execute = WAITS): Telling {
  const module = writeModules({ 'tells.mjs': unaryModule(execute, TELLS) });
  const marks = join(dirname(module), 'marks');
  return {
    module,
    marks,
    told: (what) => {
      const lines = existsSync(marks) ? readFileSync(marks, 'utf8').split('\n') : [];
      return lines
        .filter((line) => line.startsWith(what))
        .map((line) => line.slice(what.length + 1))
        .sort();
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

test('every state is initialised and deinitialised once in its thread', async () => {
  const host = new NodeHost({ threads: 3 });
  const { module, marks, told } = tellingModule();
  const nodes = [await host.open(module, { marks, node: 'a' }), await host.open(module, { marks, node: 'b' })];
  const begun = told('begin').length;
  assert.deepEqual(told('end'), told('begin'), 'describing leaves nothing behind');
  await Promise.all(nodes.flatMap((node) => [1, 2, 3, 4].map((n) => runFloats(node, host.floats(n)))));
  assert.equal(host.nodes.threadCount, 3);
  for (const node of nodes) node.close();
  await host.nodes.close();
  assert.ok(told('begin').length > begun);
  assert.equal(new Set(told('begin')).size, told('begin').length, 'once a node and thread');
  assert.deepEqual(told('end'), told('begin'));
  assert.equal(host.nodes.threadCount, 0);
});

test('closing one of several nodes of a module ends its states and leaves the others alone', async () => {
  const host = new NodeHost({ threads: 1 });
  const { module, marks, told } = tellingModule();
  const [a, b] = [await host.open(module, { marks, node: 'a' }), await host.open(module, { marks, node: 'b' })];
  for (const node of [a, b]) await runFloats(node, host.floats(1));
  const ended = told('end').length;
  const running = start(b, [host.floats(2)]);
  a.close();
  a.close();
  (await running.end).outputs![0]!.release();
  await until(() => told('end').length > ended);
  assert.deepEqual(await runFloats(b, host.floats(3)), [3]);
  assert.equal(told('begin').filter((line) => line.startsWith('b')).length, 2, 'described, and initialised once');
  assert.equal(told('end').filter((line) => line.startsWith('a')).length, 2);
  assert.equal(told('end').filter((line) => line.startsWith('b')).length, 1);
  await host.nodes.close();
});

test('executions under way finish when their node closes', async () => {
  const host = new NodeHost({ threads: 1 });
  const { module, marks, told } = tellingModule();
  const node = await host.open(module, { marks, node: 'a' });
  const running = [1, 2, 3].map((n) => start(node, [host.floats(n)]));
  node.close();
  const closed = host.nodes.close();
  for (const { end } of running) {
    const { error, outputs } = await end;
    assert.equal(error, null);
    outputs![0]!.release();
  }
  await closed;
  assert.deepEqual(told('end'), told('begin'));
});

test('a changed module is a new generation with threads of its own', async () => {
  const host = new NodeHost({ threads: 1 });
  const module = writeModules({
    'main.mjs': `import { factor } from './factor.mjs';
    let calls = 0;
    ${unaryModule('({ x }) { calls += 1; return { y: { shape: [2], data: Float32Array.of(x.data[0] * factor, calls) } }; }')}`,
    'factor.mjs': 'export const factor = 2;',
  });
  const old = await host.open(module);
  assert.deepEqual(await runFloats(old, host.floats(1)), [2, 1]);
  const same = await host.open(module);
  assert.deepEqual(await runFloats(same, host.floats(1)), [2, 2], 'the same generation, the same module');
  writeFileSync(join(dirname(module), 'factor.mjs'), 'export const factor = 3;');
  const young = await host.open(module);
  assert.deepEqual(await runFloats(young, host.floats(1)), [3, 1]);
  assert.deepEqual(await runFloats(old, host.floats(1)), [2, 3]);
  assert.equal(host.nodes.threadCount, 2);
  old.close();
  same.close();
  await until(() => host.nodes.threadCount === 1);
  assert.deepEqual(await runFloats(young, host.floats(1)), [3, 2]);
  await host.nodes.close();
});

test('threads that have nothing to do end, after their states, and come back', async () => {
  const host = new NodeHost({ threads: 2, idleMs: 40 });
  const { module, marks, told } = tellingModule();
  const node = await host.open(module, { marks, node: 'a' });
  await Promise.all([1, 2].map((n) => runFloats(node, host.floats(n))));
  // The timer of idle threads keeps no process alive, the one of this wait does.
  await until(() => host.nodes.threadCount === 0);
  assert.deepEqual(told('end'), told('begin'));
  assert.deepEqual(await runFloats(node, host.floats(5)), [5]);
  await host.nodes.close();
});

test('deinitialize that hangs, loops or throws does not keep a generation from ending', async () => {
  const ends = ['await new Promise(() => undefined);', 'for (;;);', 'throw new Error("still open");'];
  for (const end of ends) {
    const host = new NodeHost({ threads: 1, deinitializeMs: 50 });
    const module = writeModules({
      'ends.mjs': `import { writeFileSync } from 'node:fs';
        ${unaryModule('({ x }, { params, state }) { state.mark = params.mark; return { y: x }; }')}
        export const initialize = () => ({ mark: null });
        export async function deinitialize({ mark }) {
          if (mark === null) return;
          writeFileSync(mark, '');
          ${end}
        }`,
    });
    const mark = join(dirname(module), 'mark');
    await runFloats(await host.open(module, { mark }), host.floats(1));
    await host.nodes.close();
    assert.ok(existsSync(mark), 'it has been called');
    assert.equal(host.nodes.threadCount, 0);
  }
});

test('what a node prints are lines of the log under the name of its module', async () => {
  const host = new NodeHost();
  const module = writeModules({
    'prints.mjs': unaryModule(
      '({ x }) { console.log("boxes %d", 3, { wide: true }); console.error("careful\\nline two"); console.debug("d"); return { y: x }; }',
    ),
  });
  const path = join(dirname(module), 'server.log');
  const nodes = new JsNodes({ logging: { level: 'INFO', path, stdout: null } });
  const node = nodes.open(await describeJsNode(module, {}, 1000), host.arena, 'test');
  await runFloats(node, host.floats(1));
  await nodes.close();
  const lines = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.replace(/^\[[^\]]*\]\[\d+\]/, '').replace(/\[[^\]]*:\d+\]/, ''));
  assert.deepEqual(lines, [
    '[serving][info] prints.mjs: boxes 3 { wide: true }',
    '[serving][warning] prints.mjs: careful',
    '[serving][warning] prints.mjs: line two',
    '[serving][info] prints.mjs: d',
  ]);
});
