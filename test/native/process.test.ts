import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readLedger } from '../fixtures/custom-node-library.js';
import { temporaryDirectory } from './support.js';
import type { Program } from './program.js';

const directory = temporaryDirectory();

interface Ending {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: Program): Ending {
  const file = fileURLToPath(new URL('./program.js', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, program, directory], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('process: with nothing in flight it exits by itself', () => {
  assert.deepEqual(run('idle'), { status: 0, stdout: 'ready\n', stderr: '' });
});

test('process: it stays while inferences are in flight, and exits after the last', () => {
  assert.deepEqual(run('in-flight'), { status: 0, stdout: 'started\nOK\nOK\nOK\n', stderr: '' });
});

test('process: it may be ended while inferences are in flight', () => {
  assert.deepEqual(run('exit-in-flight'), { status: 3, stdout: 'started\n', stderr: '' });
});

test('process: custom nodes that nobody closed are deinitialized, with what they handed over, before it exits', () => {
  assert.deepEqual(run('custom-nodes-left'), { status: 0, stdout: 'OK\n', stderr: '' });
  const kinds = readLedger(`${directory}/left.ledger`).map(({ kind }) => kind);
  const count = (kind: string): number => kinds.filter((each) => each === kind).length;
  assert.deepEqual([count('initialize'), count('deinitialize'), count('unload')], [2, 2, 1]);
  assert.equal(count('allocate'), count('release'));
});

test('process: it may be ended while a custom node executes', () => {
  assert.deepEqual(run('exit-in-custom-node'), { status: 3, stdout: 'started\n', stderr: '' });
});

test('process: an exception out of drain is an uncaught exception, and the other ends still come', () => {
  assert.deepEqual(run('drain-throws'), { status: 0, stdout: 'caught the vat is full\nin flight 0\n', stderr: '' });
});

test('process: handles that JavaScript forgot are freed', () => {
  assert.deepEqual(run('forgotten-handles'), { status: 0, stdout: 'OK\n', stderr: '' });
});
