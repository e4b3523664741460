import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { covers } from '../contract/covers.js';
import type { CustomNodeHandle } from '#src/native/binding.js';
import { compileCustomNode, Ledger } from '../fixtures/custom-node-library.js';
import { Gate } from '../fixtures/gate.js';
import { writeDummyModel } from '../fixtures/ir.js';
import { Running } from './running.js';
import {
  binding,
  compile,
  newSlab,
  openCustomNode,
  startCustomNode,
  temporaryDirectory,
  TestRequest,
} from './support.js';

/** Executions that run at once; the next ones wait. */
const MOST_THREADS = 64;
const CANCELLED = { status: 'CANCELLED', text: 'the execution was withdrawn before it began' };
const OK = { status: 'OK', text: '' };

const directory = temporaryDirectory();
const gated = compileCustomNode(directory, 'gated.c');
const add = compileCustomNode(directory, 'add.c');
const slab = newSlab(4096);
const input = { slab: slab.id, offset: 0, shape: [16] };

interface GatedNode {
  readonly node: CustomNodeHandle;
  readonly ledger: Ledger;
  readonly gate: Gate;
}

const gates: Gate[] = [];
// A test that fails leaves executions behind, which would keep the process.
after(() => gates.forEach((gate) => gate.letGo(10 * MOST_THREADS)));

function openGate(): Omit<GatedNode, 'node'> {
  const name = `gated-${gates.length}`;
  const gate = new Gate(directory, name);
  gates.push(gate);
  return { gate, ledger: new Ledger(directory, name) };
}

function openGated(): GatedNode {
  const { gate, ledger } = openGate();
  return { gate, ledger, node: openCustomNode(gated, { ledger: ledger.path, gate: gate.path }) };
}

function start(node: CustomNodeHandle, count: number): ReturnType<typeof startCustomNode>[] {
  return Array.from({ length: count }, () => startCustomNode(node, input));
}

async function endAll({ gate }: GatedNode, executions: readonly ReturnType<typeof startCustomNode>[]): Promise<void> {
  gate.letGo(executions.length);
  for (const { outcome, handle } of executions) {
    assert.deepEqual(await outcome, OK);
    binding.closeCustomExecution(handle);
  }
}

test('custom node threads: while a custom node runs the event loop turns, models infer and other nodes execute', async () => {
  covers('pipelines.custom-concurrency');
  const hanging = openGated();
  const executions = start(hanging.node, MOST_THREADS - 1);
  await hanging.ledger.has('begin', executions.length);
  await new Promise(setImmediate);
  const model = compile(writeDummyModel(directory, { name: 'dummy' }));
  const place = { slab: slab.id, offset: 1024, shape: [1, 10] };
  assert.deepEqual(await new TestRequest(model, place, { ...place, offset: 2048 }).start(), OK);
  const other = openCustomNode(add, { ledger: new Ledger(directory, 'other').path, addend: '1' });
  assert.deepEqual(await startCustomNode(other, place).outcome, OK);
  assert.equal(binding.inFlight(), executions.length);
  assert.equal(hanging.ledger.events('end').length, 0);
  await endAll(hanging, executions);
  binding.closeCustomNode(other);
  binding.closeCustomNode(hanging.node);
});

test('custom node threads: what is more than the bound waits and then runs in its order', async () => {
  const first = openGated();
  const second = openGated();
  const running = start(first.node, MOST_THREADS);
  await first.ledger.has('begin', MOST_THREADS);
  const [queued] = start(second.node, 1);
  const [last] = start(first.node, 1);
  assert.equal(second.ledger.events('begin').length, 0);
  first.gate.letGo(1);
  await second.ledger.has('begin');
  assert.equal(first.ledger.events('begin').length, MOST_THREADS);
  await endAll(second, [queued!]);
  first.gate.letGo(MOST_THREADS);
  for (const { outcome, handle } of [...running, last!]) {
    assert.deepEqual(await outcome, OK);
    binding.closeCustomExecution(handle);
  }
  for (const { node } of [first, second]) binding.closeCustomNode(node);
});

test('custom node threads: an execution that is withdrawn from the queue never runs', async () => {
  const hanging = openGated();
  const running = start(hanging.node, MOST_THREADS);
  await hanging.ledger.has('begin', MOST_THREADS);
  const own = newSlab(4096);
  const withdrawn = startCustomNode(hanging.node, { ...input, slab: own.id });
  assert.throws(() => binding.unregisterSlab(own.id), /is in use by a running inference or custom node/);
  assert.throws(() => binding.describeCustomOutputs(withdrawn.handle), { message: 'execution: it has not ended yet' });
  assert.equal(binding.withdrawCustomExecution(withdrawn.handle), true);
  assert.equal(binding.withdrawCustomExecution(withdrawn.handle), false);
  // Nothing reads its inputs any more, though its end is still on the way.
  binding.unregisterSlab(own.id);
  assert.deepEqual(await withdrawn.outcome, CANCELLED);
  assert.equal(binding.withdrawCustomExecution(running[0]!.handle), false);
  await endAll(hanging, running);
  assert.equal(hanging.ledger.events('begin').length, MOST_THREADS);
  assert.equal(binding.withdrawCustomExecution(withdrawn.handle), false);
  binding.closeCustomNode(hanging.node);
});

test('custom node threads: a node whose handles are closed while it executes is deinitialized after the execution', async () => {
  const hanging = openGated();
  const [execution] = start(hanging.node, 1);
  await hanging.ledger.has('begin');
  binding.closeCustomExecution(execution!.handle);
  binding.closeCustomNode(hanging.node);
  assert.equal(hanging.ledger.events('deinitialize').length, 0);
  hanging.gate.letGo(1);
  assert.deepEqual(await execution!.outcome, OK);
  await hanging.ledger.has('deinitialize');
  assert.equal(hanging.ledger.liveAllocations(), 0);
});

/** A node that waits at its own gate, in the registry only. */
function reserveGated(): Omit<GatedNode, 'node'> & { readonly customNodeId: number } {
  const { gate, ledger } = openGate();
  const customNodeId = binding.reserveCustomNode();
  const params = Object.entries({ ledger: ledger.path, gate: gate.path });
  binding.initializeCustomNode(customNodeId, { libraryPath: gated, params });
  return { gate, ledger, customNodeId };
}

test('custom node threads: a worker that is terminated waits for what runs', async () => {
  const { gate, ledger, customNodeId } = reserveGated();
  const worker = new Running({ kind: 'execute', customNodeId, executions: 2, shape: [4096], again: false });
  await ledger.has('begin', 2);
  const terminated = worker.worker.terminate();
  gate.letGo(2);
  await terminated;
  assert.equal(ledger.events('end').length, 2);
  binding.releaseCustomNode(customNodeId);
  await ledger.has('deinitialize');
  assert.equal(ledger.liveAllocations(), 0);
});

test('custom node threads: what a terminated worker has queued never runs, and is not waited for', async () => {
  const hanging = openGated();
  const running = start(hanging.node, MOST_THREADS);
  await hanging.ledger.has('begin', MOST_THREADS);
  const { ledger, customNodeId } = reserveGated();
  const worker = new Running({ kind: 'execute', customNodeId, executions: 2, shape: [4096], again: false });
  assert.equal((await worker.report).started, 2);
  await worker.worker.terminate();
  await endAll(hanging, running);
  binding.closeCustomNode(hanging.node);
  binding.releaseCustomNode(customNodeId);
  await ledger.has('deinitialize');
  assert.deepEqual([ledger.events('begin').length, ledger.liveAllocations()], [0, 0]);
});

for (const round of [1, 2, 3]) {
  test(`custom node threads: a worker terminated among many short executions harms nobody (${round})`, async () => {
    const ledger = new Ledger(directory, `short-${round}`);
    const customNodeId = binding.reserveCustomNode();
    const params = [
      ['ledger', ledger.path],
      ['addend', '1'],
    ] as const;
    binding.initializeCustomNode(customNodeId, { libraryPath: add, params });
    const worker = new Running({ kind: 'execute', customNodeId, executions: 4, shape: [1, 10], again: true });
    await worker.report;
    await worker.worker.terminate();
    binding.releaseCustomNode(customNodeId);
    await ledger.has('deinitialize');
    assert.equal(ledger.liveAllocations(), 0);
  });
}
