import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { covers } from '../contract/covers.js';
import { BlockingPool } from '#src/blocking/blocking-pool.js';
import { ServingError } from '#src/errors.js';
import { CompletionRing } from '#src/inference/completion-ring.js';
import { CustomNodeFactory } from '#src/nodes/custom/custom-node-factory.js';
import type { CustomNodeReference } from '#src/nodes/custom/custom-node-reference.js';
import { openCustomNode } from '#src/nodes/custom/open-custom-node.js';
import type { NodeInstance } from '#src/nodes/node-instance.js';
import { Arena } from '#src/tensors/arena.js';
import type { Precision } from '#src/tensors/precision.js';
import { Tensor } from '#src/tensors/tensor.js';
import { compileCustomNode, Ledger } from '../fixtures/custom-node-library.js';
import { Gate } from '../fixtures/gate.js';
import { binding, temporaryDirectory } from './support.js';

const MOST_THREADS = 64;
const directory = temporaryDirectory();
const add = compileCustomNode(directory, 'add.c');
const echo = compileCustomNode(directory, 'echo.c');
const faulty = compileCustomNode(directory, 'faulty.c');
const gated = compileCustomNode(directory, 'gated.c');

const blocking = new BlockingPool();
after(() => blocking.close());
const factory = new CustomNodeFactory(binding, blocking);
const ring = CompletionRing.of(binding);
const arena = new Arena(binding);

let ledgers = 0;
const newLedger = (): Ledger => new Ledger(directory, `ledger-${ledgers++}`);

/** A node that the control plane has let go of: it lives as long as the instance. */
async function openInstance(libraryPath: string, params: Readonly<Record<string, string>>): Promise<NodeInstance> {
  const { reference, release } = await factory.open(libraryPath, params);
  const instance = openCustomNode(binding, ring, arena, structuredClone(reference));
  release();
  return instance;
}

interface Executed {
  readonly error: ServingError | null;
  readonly outputs: readonly (Tensor | null)[] | null;
  readonly micros: number;
  readonly copiedBytes: number;
}

function execute(instance: NodeInstance, inputs: readonly Tensor[], wanted: readonly boolean[]): Promise<Executed> {
  return new Promise((resolve) => {
    instance.execute(inputs, wanted, (error, outputs, micros, copiedBytes) =>
      resolve({ error, outputs, micros, copiedBytes }),
    );
  });
}

function newTensor(precision: Precision, shape: readonly number[], bytes: Uint8Array): Tensor {
  const tensor = new Tensor(precision, shape, arena.lease(bytes.byteLength));
  arena.copyIn(tensor.lease, bytes, 'request');
  return tensor;
}

const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const pair = (): Tensor => newTensor('FP32', [1, 2], floats(1, 2));

function releaseAll(tensors: readonly (Tensor | null)[]): void {
  for (const tensor of tensors) tensor?.release();
}

test('custom node instance: the factory initializes in the blocking pool and tells the signature', async () => {
  covers('pipelines.metadata-custom');
  const ledger = newLedger();
  const { reference, release } = await factory.open(add, { ledger: ledger.path, addend: '1' });
  assert.notEqual(ledger.events('initialize')[0]!.thread, process.pid);
  const shape = [
    { min: 0, max: Infinity },
    { min: 10, max: 10 },
  ];
  assert.deepEqual(reference.signature, {
    inputs: [{ name: 'number', precision: 'FP32', shape, layout: '...' }],
    outputs: [{ name: 'sum', precision: 'FP32', shape, layout: '...' }],
  });
  release();
  await ledger.has('deinitialize');
});

const BAD_NODES: readonly [params: Readonly<Record<string, string>>, message: string][] = [
  [{ fault: 'initialize' }, 'Failure during custom node library initialization - initialize returned 7'],
  [{ fault: 'info-fails' }, 'Custom node failed on metadata call - getInputsInfo returned 5'],
  [
    { fault: 'info-twice' },
    'Custom node failed on metadata call - getInputsInfo[1]: expected a name of its own, received first again',
  ],
];

for (const [params, message] of BAD_NODES) {
  test(`custom node instance: a node with the fault ${params['fault']} is not opened and not kept`, async () => {
    covers('pipelines.v2-initialize', 'pipelines.abi-metadata');
    const ledger = newLedger();
    await assert.rejects(factory.open(faulty, { ledger: ledger.path, ...params }), { name: 'ServingError', message });
    if (ledger.events('initialize').length > 0) await ledger.has('deinitialize');
    assert.equal(ledger.liveAllocations(), 0);
  });
}

test('custom node instance: a library that does not load is told with its path', async () => {
  covers('pipelines.v2-library');
  await assert.rejects(factory.open(`${directory}/missing.so`, {}), {
    code: 'PIPELINE_LIBRARY_INVALID',
    message: /^Pipeline refers to incorrect library - .*\/missing\.so: cannot open shared object file/,
  });
});

test('custom node instance: a node that was released is not opened', async () => {
  const { reference, release } = await factory.open(add, { ledger: newLedger().path });
  release();
  assert.throws(() => openCustomNode(binding, ring, arena, reference), { code: 'NOT_INITIALIZED' });
});

test('custom node instance: outputs lie in leases of one use, inputs are left alone', async () => {
  const ledger = newLedger();
  const instance = await openInstance(add, { ledger: ledger.path, addend: '0.5' });
  const input = newTensor('FP32', [1, 10], floats(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  const { error, outputs, copiedBytes } = await execute(instance, [input], [true]);
  assert.equal(error, null);
  const [sum] = outputs!;
  assert.deepEqual([sum!.precision, sum!.shape, sum!.lease.uses], ['FP32', [1, 10], 1]);
  assert.deepEqual([...new Float32Array(sum!.bytes.slice().buffer)].slice(0, 3), [1.5, 2.5, 3.5]);
  assert.deepEqual([input.lease.uses, copiedBytes], [1, 40]);
  releaseAll([input, sum!]);
  instance.close();
  await ledger.has('deinitialize');
  assert.deepEqual([ledger.liveAllocations(), arena.leasedRegions], [0, 0]);
});

test("custom node instance: outputs come by name in the signature's order, and only wanted ones are copied", async () => {
  const instance = await openInstance(echo, { ledger: newLedger().path });
  const precisions: Precision[] = ['FP32', 'FP16', 'U8', 'I8', 'I16', 'U16', 'I32', 'FP64', 'I64'];
  const sizes = [4, 2, 1, 1, 2, 2, 4, 8, 8];
  const inputs = precisions.map((precision, index) =>
    newTensor(precision, [1], new Uint8Array(sizes[index]!).fill(index + 1)),
  );
  const { outputs, copiedBytes } = await execute(
    instance,
    inputs,
    precisions.map((_, index) => index !== 2),
  );
  assert.deepEqual(
    outputs!.map((output) => output && [output.precision, output.bytes[0]]),
    precisions.map((precision, index) => (index === 2 ? null : [precision, index + 1])),
  );
  assert.equal(copiedBytes, 31);
  releaseAll([...inputs, ...outputs!]);
  instance.close();
  assert.equal(arena.leasedRegions, 0);
});

test('custom node instance: several executions of one instance run at once', async () => {
  const ledger = newLedger();
  const instance = await openInstance(add, { ledger: ledger.path, addend: '1' });
  const inputs = Array.from({ length: 20 }, (_, index) =>
    newTensor('FP32', [1, 10], floats(...Array<number>(10).fill(index))),
  );
  const results = await Promise.all(inputs.map((input) => execute(instance, [input], [true])));
  assert.deepEqual(
    results.map(({ outputs }) => new Float32Array(outputs![0]!.bytes.slice().buffer)[9]),
    inputs.map((_, index) => index + 1),
  );
  releaseAll([...inputs, ...results.flatMap(({ outputs }) => outputs!)]);
  instance.close();
  await ledger.has('deinitialize');
  assert.deepEqual([ledger.liveAllocations(), arena.leasedRegions], [0, 0]);
});

const BAD_EXECUTIONS: readonly [params: Readonly<Record<string, string>>, message: string][] = [
  [{ code: '3' }, 'Custom node failed during execution - execute returned 3'],
  [
    { fault: 'null' },
    'Custom node library has returned corrupted outputs handle - execute returned no array of outputs',
  ],
  [{ fault: 'count' }, 'Custom node library has produced corrupted number of outputs - execute returned a count of -1'],
  [{ fault: 'name' }, 'Custom node output is missing name - output[0]: name: expected a text, received null'],
  [
    { fault: 'precision' },
    'Custom node has produced tensor with unspecified precision - output[0]: result: precision: expected 1 to 9, received 0',
  ],
  [
    { fault: 'rank' },
    'Custom node has produced tensor with not matching shape - output[0]: result: dimsCount: expected 1 at least, received 0',
  ],
  [
    { fault: 'size' },
    'Custom node output has invalid content size - output[0]: result: dataBytes: expected 8, received 7',
  ],
  [{ fault: 'missing' }, 'Custom node output is missing - expected result, received strange, other'],
];

for (const [params, message] of BAD_EXECUTIONS) {
  test(`custom node instance: the fault ${Object.values(params)[0]} of an execution is told as OVMS tells it`, async () => {
    covers('pipelines.abi-failed', 'pipelines.abi-outputs');
    const ledger = newLedger();
    const instance = await openInstance(faulty, { ledger: ledger.path, ...params });
    const inputs = [pair(), pair()];
    const { error, outputs, copiedBytes } = await execute(instance, inputs, [true]);
    assert.equal(error?.message, message);
    // What lies behind OVMS's text is for the log.
    const [text] = message.split(' - ');
    assert.deepEqual(error.grpcStatus(), { code: 2, details: `Unknown error - ${text}` });
    assert.deepEqual([error.httpStatus(), outputs, copiedBytes], [500, null, 0]);
    releaseAll(inputs);
    instance.close();
    await ledger.has('deinitialize');
    assert.deepEqual([ledger.liveAllocations(), arena.leasedRegions], [0, 0]);
  });
}

test('custom node instance: a missing output that nobody reads is no fault', async () => {
  const instance = await openInstance(faulty, { ledger: newLedger().path, fault: 'missing' });
  const inputs = [pair(), pair()];
  const { error, outputs } = await execute(instance, inputs, [false]);
  assert.deepEqual([error, outputs], [null, [null]]);
  releaseAll(inputs);
  instance.close();
});

test('custom node instance: a tensor that cannot be named to native code fails before anything runs', async () => {
  const ledger = newLedger();
  const instance = await openInstance(add, { ledger: ledger.path, addend: '1' });
  const input = newTensor('FP32', Array<number>(9).fill(1), floats(1));
  const { error } = await execute(instance, [input], [true]);
  assert.match(error!.message, /^Internal deserialization error - expected a rank of at most 8, received 9$/);
  assert.equal(ledger.events('begin').length, 0);
  input.release();
  instance.close();
});

test('custom node instance: outputs for which there is no memory are told as OUT_OF_MEMORY, and nothing is kept', async () => {
  const ledger = newLedger();
  const { reference, release } = await factory.open(add, { ledger: ledger.path, addend: '1' });
  const full = new Arena({
    ...binding,
    registerSlab: () => {
      throw new RangeError('Array buffer allocation failed');
    },
  });
  const instance = openCustomNode(binding, ring, full, reference);
  release();
  const input = newTensor('FP32', [1, 10], floats(...Array<number>(10).fill(0)));
  const { error } = await execute(instance, [input], [true]);
  assert.equal(error?.code, 'OUT_OF_MEMORY');
  input.release();
  instance.close();
  await ledger.has('deinitialize');
  assert.equal(ledger.liveAllocations(), 0);
});

test('custom node instance: a queued execution that is withdrawn ends at once and never runs, a running one ends as it does', async () => {
  const ledger = newLedger();
  const gate = new Gate(directory, 'withdrawn');
  after(() => gate.letGo(2 * MOST_THREADS));
  const instance = await openInstance(gated, { ledger: ledger.path, gate: gate.path });
  const input = newTensor('U8', [3], Uint8Array.of(1, 2, 3));
  const withdrawals: ((error: ServingError) => void)[] = [];
  const running = Array.from(
    { length: MOST_THREADS },
    () =>
      new Promise<Tensor>((resolve, reject) => {
        const withdraw = instance.execute([input], [true], (error, outputs) =>
          error === null ? resolve(outputs![0]!) : reject(error),
        );
        withdrawals.push(withdraw);
      }),
  );
  await ledger.has('begin', MOST_THREADS);
  const ends: (ServingError | null)[] = [];
  const withdraw = instance.execute([input], [true], (error) => ends.push(error));
  const cause = new ServingError('REQUEST_CANCELLED');
  for (const each of [...withdrawals, withdraw, withdraw]) each(cause);
  assert.deepEqual(ends, [cause]);
  gate.letGo(MOST_THREADS);
  const outputs = await Promise.all(running);
  for (const output of outputs) assert.deepEqual([...output.bytes], [1, 2, 3]);
  assert.deepEqual([ends.length, ledger.events('begin').length], [1, MOST_THREADS]);
  releaseAll([input, ...outputs]);
  instance.close();
  await ledger.has('deinitialize');
  assert.deepEqual([ledger.liveAllocations(), arena.leasedRegions], [0, 0]);
});

test('custom node instance: references are plain data that crosses threads', async () => {
  const { reference, release } = await factory.open(add, { ledger: newLedger().path });
  assert.deepEqual<CustomNodeReference>(structuredClone(reference), reference);
  release();
});
