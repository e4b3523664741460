import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { covers } from '../contract/covers.js';
import type { CompiledModelHandle, CustomNodeHandle, CustomNodeSpecification } from '#src/native/binding.js';
import { compileCustomNode, Ledger } from '../fixtures/custom-node-library.js';
import { writeDummyModel } from '../fixtures/ir.js';
import { binding, compile, newSlab, openCustomNode, startCustomNode, temporaryDirectory } from './support.js';

const directory = temporaryDirectory();
const add = compileCustomNode(directory, 'add.c');
const split = compileCustomNode(directory, 'split.c');
const echo = compileCustomNode(directory, 'echo.c');
const faulty = compileCustomNode(directory, 'faulty.c');
const throwing = compileCustomNode(directory, 'throwing.cc');
const slab = newSlab(4096);

let ledgers = 0;
const newLedger = (): Ledger => new Ledger(directory, `ledger-${ledgers++}`);

function initialize(libraryPath: string, params: Readonly<Record<string, string>> = {}): void {
  binding.closeCustomNode(openCustomNode(libraryPath, params));
}

test('custom nodes: a library without one of the six functions is LIBRARY_FAILED and names each', () => {
  covers('pipelines.abi');
  const incomplete = compileCustomNode(directory, 'incomplete.c');
  assert.throws(() => initialize(incomplete), {
    code: 'LIBRARY_FAILED',
    message: `${incomplete} does not export execute, release`,
  });
});

test('custom nodes: a library that does not load is LIBRARY_FAILED and says why', () => {
  const missing = `${directory}/missing.so`;
  assert.throws(() => initialize(missing), {
    code: 'LIBRARY_FAILED',
    message: /missing\.so: cannot open shared object/,
  });
  assert.throws(() => initialize('libc.so.6'), {
    code: 'LIBRARY_FAILED',
    message: 'expected an absolute path of a library, received libc.so.6',
  });
});

test('custom nodes: a description has the names, precisions and dimensions of the library, 0 for dynamic ones', () => {
  const node = openCustomNode(split, { ledger: newLedger().path, shards: '2' });
  assert.deepEqual(binding.describeCustomNode(node), {
    inputs: [{ name: 'whole', precision: 'FP32', dimensions: [1, 0] }],
    outputs: [{ name: 'shards', precision: 'FP32', dimensions: [0, 1, 0] }],
  });
  binding.closeCustomNode(node);
});

test('custom nodes: initialize is called once for each node, deinitialize when its last holder is gone', async () => {
  covers('pipelines.abi-initialize');
  const ledger = newLedger();
  const specification: CustomNodeSpecification = { libraryPath: add, params: [['ledger', ledger.path]] };
  const customNodeId = binding.reserveCustomNode();
  binding.initializeCustomNode(customNodeId, specification);
  const handles = [0, 1].map(() => binding.openCustomNode(customNodeId));
  binding.releaseCustomNode(customNodeId);
  binding.closeCustomNode(handles[0]!);
  assert.deepEqual([ledger.events('initialize').length, ledger.events('deinitialize').length], [1, 0]);
  binding.closeCustomNode(handles[1]!);
  await ledger.has('deinitialize');
  assert.notEqual(ledger.events('deinitialize')[0]!.thread, process.pid);
  assert.equal(ledger.liveAllocations(), 0);
});

test('custom nodes: a library is unloaded after its last node', async () => {
  const ledger = newLedger();
  // A file of its own: other tests keep nodes of the same source.
  const library = compileCustomNode(mkdtempSync(`${directory}/unloaded-`), 'add.c');
  const nodes = [0, 1].map(() => openCustomNode(library, { ledger: ledger.path }));
  binding.closeCustomNode(nodes[0]!);
  await ledger.has('deinitialize');
  assert.match(readFileSync('/proc/self/maps', 'utf8'), new RegExp(library));
  binding.closeCustomNode(nodes[1]!);
  await ledger.has('unload');
  assert.deepEqual([ledger.events('deinitialize').length, ledger.events('unload').length], [2, 1]);
});

test('custom nodes: an entry is unknown before it is reserved and after it is released, and is filled once', () => {
  const customNodeId = binding.reserveCustomNode();
  const specification: CustomNodeSpecification = { libraryPath: add, params: [['ledger', newLedger().path]] };
  assert.throws(() => binding.openCustomNode(customNodeId), {
    code: 'NOT_INITIALIZED',
    message: `custom node ${customNodeId} is not initialized`,
  });
  binding.initializeCustomNode(customNodeId, specification);
  assert.throws(() => binding.initializeCustomNode(customNodeId, specification), { code: 'NOT_INITIALIZED' });
  binding.releaseCustomNode(customNodeId);
  assert.throws(() => binding.openCustomNode(customNodeId), { code: 'NOT_INITIALIZED' });
  assert.throws(() => binding.initializeCustomNode(customNodeId, specification), { code: 'NOT_INITIALIZED' });
  assert.throws(() => binding.releaseCustomNode(customNodeId), TypeError);
});

test('custom nodes: an entry can be filled after a failure', () => {
  const customNodeId = binding.reserveCustomNode();
  const params = [['ledger', newLedger().path]] as const;
  const broken = { libraryPath: faulty, params: [...params, ['fault', 'initialize'] as const] };
  assert.throws(() => binding.initializeCustomNode(customNodeId, broken), {
    code: 'INITIALIZE_FAILED',
    message: 'initialize returned 7',
  });
  binding.initializeCustomNode(customNodeId, { libraryPath: faulty, params });
  binding.releaseCustomNode(customNodeId);
});

const BAD_DESCRIPTIONS: readonly [fault: string, text: RegExp][] = [
  ['info-fails', /^getInputsInfo returned 5$/],
  ['info-null', /^getInputsInfo returned no array$/],
  ['info-count', /^getInputsInfo returned a count of 0$/],
  ['info-name', /^getInputsInfo\[0\]: name: expected a text, received null$/],
  ['info-precision', /^getInputsInfo\[0\]: first: precision: expected 1 to 9, received 10$/],
  ['info-rank', /^getInputsInfo\[0\]: first: dimsCount: expected 1 at least, received 0$/],
  ['info-dims', /^getInputsInfo\[0\]: first: dims: expected an array, received null$/],
  ['info-dimension', /^getInputsInfo\[0\]: dimension 0: expected at most 2\^53, received 1152921504606846976$/],
  ['outputs-info-fails', /^getOutputsInfo returned 6$/],
];

for (const [fault, message] of BAD_DESCRIPTIONS) {
  test(`custom nodes: a description with the fault ${fault} is METADATA_FAILED and leaks nothing`, () => {
    covers('pipelines.abi-metadata');
    const ledger = newLedger();
    assert.throws(() => initialize(faulty, { ledger: ledger.path, fault }), { code: 'METADATA_FAILED', message });
    assert.equal(ledger.liveAllocations(), 0);
    assert.equal(ledger.events('deinitialize').length, 1);
  });
}

test('custom nodes: an execution reads its inputs from slabs and hands its outputs over', async () => {
  const ledger = newLedger();
  const node = openCustomNode(add, { ledger: ledger.path, addend: '0.5' });
  slab.floats.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const { handle, outcome } = startCustomNode(node, { slab: slab.id, offset: 0, shape: [1, 10] });
  assert.deepEqual(await outcome, { status: 'OK', text: '' });
  assert.deepEqual(binding.describeCustomOutputs(handle), [
    { name: 'sum', precision: 'FP32', dimensions: [1, 10], byteLength: 40 },
  ]);
  binding.copyCustomOutput(handle, 0, slab.id, 1024);
  assert.deepEqual([...slab.floats.subarray(256, 266)], [1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5]);
  binding.closeCustomExecution(handle);
  binding.closeCustomNode(node);
  await ledger.has('deinitialize');
  assert.equal(ledger.liveAllocations(), 0);
});

test('custom nodes: sizes and the array are given back at once, data with the execution, on a native thread', async () => {
  covers('pipelines.abi-memory');
  const ledger = newLedger();
  const node = openCustomNode(add, { ledger: ledger.path, addend: '1' });
  const { handle, outcome } = startCustomNode(node, { slab: slab.id, offset: 0, shape: [1, 10] });
  await outcome;
  assert.equal(ledger.liveAllocations(), 1);
  const before = ledger.events('release').length;
  binding.closeCustomExecution(handle);
  await ledger.has('release', before + 1);
  assert.notEqual(ledger.events('release').at(-1)!.thread, process.pid);
  assert.notEqual(ledger.events('begin')[0]!.thread, process.pid);
  binding.closeCustomNode(node);
});

test('custom nodes: every precision arrives and comes back, in the order of the library', async () => {
  covers('pipelines.abi-precisions');
  const ledger = newLedger();
  const node = openCustomNode(echo, { ledger: ledger.path });
  const { inputs } = binding.describeCustomNode(node);
  const precisions = ['FP32', 'FP16', 'U8', 'I8', 'I16', 'U16', 'I32', 'FP64', 'I64'];
  assert.deepEqual(
    inputs.map(({ precision }) => precision),
    precisions,
  );
  slab.bytes.set(Array.from({ length: 16 * inputs.length }, (_, index) => index));
  const places = inputs.map((_, index) => ({ slab: slab.id, offset: index * 16, shape: [2] }));
  const { handle, outcome } = startCustomNode(node, ...places);
  assert.equal((await outcome).status, 'OK');
  const outputs = binding.describeCustomOutputs(handle);
  assert.deepEqual(outputs[0], { name: 'unasked', precision: 'U8', dimensions: [1], byteLength: 1 });
  assert.deepEqual(
    outputs.slice(1).map(({ name, byteLength }) => [name, byteLength]),
    [
      ['i64', 16],
      ['fp64', 16],
      ['i32', 8],
      ['u16', 4],
      ['i16', 4],
      ['i8', 2],
      ['u8', 2],
      ['fp16', 4],
      ['fp32', 8],
    ],
  );
  binding.copyCustomOutput(handle, 1, slab.id, 2048);
  assert.deepEqual([...slab.bytes.slice(2048, 2064)], [...slab.bytes.slice(128, 144)]);
  binding.closeCustomExecution(handle);
  binding.closeCustomNode(node);
  await ledger.has('deinitialize');
  assert.equal(ledger.liveAllocations(), 0);
});

for (const shards of [0, 3]) {
  test(`custom nodes: an output with a dynamic first dimension has ${shards} shards`, async () => {
    const node = openCustomNode(split, { ledger: newLedger().path, shards: String(shards) });
    const { handle, outcome } = startCustomNode(node, { slab: slab.id, offset: 0, shape: [1, 6] });
    assert.equal((await outcome).status, 'OK');
    const [output] = binding.describeCustomOutputs(handle);
    assert.deepEqual(output!.dimensions, shards === 0 ? [0, 1, 0] : [3, 1, 2]);
    binding.copyCustomOutput(handle, 0, slab.id, 2048);
    binding.closeCustomExecution(handle);
    binding.closeCustomNode(node);
  });
}

const BAD_EXECUTIONS: readonly [params: Readonly<Record<string, string>>, status: string, text: RegExp][] = [
  [{ code: '3' }, 'CUSTOM_NODE_FAILED', /^execute returned 3$/],
  [{ code: '-1' }, 'CUSTOM_NODE_FAILED', /^execute returned -1$/],
  [{ fault: 'null' }, 'CUSTOM_OUTPUTS_CORRUPTED', /^execute returned no array of outputs$/],
  [{ fault: 'count' }, 'CUSTOM_OUTPUT_COUNT_CORRUPTED', /^execute returned a count of -1$/],
  [{ fault: 'name' }, 'CUSTOM_OUTPUT_NAME_MISSING', /^output\[0\]: name: expected a text, received null$/],
  [{ fault: 'precision' }, 'CUSTOM_OUTPUT_PRECISION', /^output\[0\]: result: precision: expected 1 to 9, received 0$/],
  [{ fault: 'rank' }, 'CUSTOM_OUTPUT_SHAPE', /^output\[0\]: result: dimsCount: expected 1 at least, received 0$/],
  [{ fault: 'dims' }, 'CUSTOM_OUTPUT_SHAPE', /^output\[0\]: result: dims: expected an array, received null$/],
  [{ fault: 'dimension' }, 'CUSTOM_OUTPUT_SHAPE', /^output\[0\]: dimension 0: expected at most 2\^53/],
  [{ fault: 'size' }, 'CUSTOM_OUTPUT_CONTENT_SIZE', /^output\[0\]: result: dataBytes: expected 8, received 7$/],
  [{ fault: 'data' }, 'CUSTOM_OUTPUT_CONTENT_SIZE', /^output\[0\]: result: data: expected an array, received null$/],
  [{ fault: 'overflow' }, 'CUSTOM_OUTPUT_CONTENT_SIZE', /^output\[0\]: result: larger than any memory, received 8$/],
];

for (const [params, status, text] of BAD_EXECUTIONS) {
  test(`custom nodes: an execution with the fault ${Object.values(params)[0]} is ${status} and leaks nothing`, async () => {
    const ledger = newLedger();
    const node = openCustomNode(faulty, { ledger: ledger.path, ...params });
    const place = { slab: slab.id, offset: 0, shape: [1, 2] };
    const { handle, outcome } = startCustomNode(node, place, place);
    const ended = await outcome;
    assert.equal(ended.status, status);
    assert.match(ended.text, text);
    assert.deepEqual(binding.describeCustomOutputs(handle), []);
    binding.closeCustomExecution(handle);
    binding.closeCustomNode(node);
    await ledger.has('deinitialize');
    assert.equal(ledger.liveAllocations(), 0);
  });
}

test('custom nodes: an exception out of a library is a failure of that function', async () => {
  const ledger = newLedger().path;
  const place = { slab: slab.id, offset: 0, shape: [1] };
  assert.throws(() => initialize(throwing, { ledger, throws: 'initialize' }), {
    code: 'INITIALIZE_FAILED',
    message: 'initialize threw an exception: initialize is out of grapes',
  });
  assert.throws(() => initialize(throwing, { ledger, throws: 'getInputsInfo' }), { code: 'METADATA_FAILED' });
  for (const [throws, text] of [
    ['execute', 'execute threw an exception: execute is out of grapes'],
    ['a number', 'execute threw an exception: an exception of unknown type'],
  ] as const) {
    const node = openCustomNode(throwing, { ledger, throws });
    assert.deepEqual(await startCustomNode(node, place).outcome, { status: 'CUSTOM_NODE_FAILED', text });
    binding.closeCustomNode(node);
  }
});

for (const throws of ['release', 'deinitialize']) {
  test(`custom nodes: an exception out of ${throws} harms nobody`, async () => {
    const ledger = newLedger();
    const node = openCustomNode(throwing, { ledger: ledger.path, throws });
    const { handle, outcome } = startCustomNode(node, { slab: slab.id, offset: 0, shape: [1] });
    assert.equal((await outcome).status, 'OK');
    binding.closeCustomExecution(handle);
    binding.closeCustomNode(node);
    await ledger.has('deinitialize');
    assert.equal(ledger.liveAllocations(), 0);
  });
}

test('custom nodes: faults of binding name the input and come through the ring', async () => {
  const node = openCustomNode(add, { ledger: newLedger().path, addend: '1' });
  const good = { slab: slab.id, offset: 0, shape: [1, 10] };
  for (const [place, text] of [
    [null, /^input number: slab id: expected a non-negative integer, received -1/],
    [{ ...good, slab: 99 }, /^input number: slab 99 is not registered$/],
    [{ ...good, offset: 2 }, /^input number: byte offset 2 is not a multiple of the element size 4$/],
    [{ ...good, shape: [1, 2000] }, /^input number: 8000 bytes at offset 0 do not fit into slab/],
  ] as const) {
    const { status, text: received } = await startCustomNode(node, place).outcome;
    assert.equal(status, 'BINDING_FAILED');
    assert.match(received, text);
  }
  assert.equal((await startCustomNode(node, good).outcome).status, 'OK');
  binding.closeCustomNode(node);
});

test('custom nodes: copying an output out checks its number and its region', async () => {
  const node = openCustomNode(add, { ledger: newLedger().path, addend: '1' });
  const { handle, outcome } = startCustomNode(node, { slab: slab.id, offset: 0, shape: [1, 10] });
  await outcome;
  assert.throws(() => binding.copyCustomOutput(handle, 1, slab.id, 0), { message: 'outputIndex: no output 1' });
  assert.throws(() => binding.copyCustomOutput(handle, 0, slab.id, 4090), {
    code: 'OUTPUT_FAILED',
    message: `output sum: 40 bytes at offset 4090 do not fit into slab ${slab.id} of 4096 bytes`,
  });
  binding.closeCustomExecution(handle);
  assert.throws(() => binding.describeCustomOutputs(handle), { message: 'execution: the handle is closed' });
  binding.closeCustomNode(node);
});

test('custom nodes: wrong arguments and handles throw', () => {
  const node = openCustomNode(add, { ledger: newLedger().path, addend: '1' });
  const model = compile(writeDummyModel(directory, { name: 'dummy' }));
  assert.throws(() => binding.describeCustomNode(model as unknown as CustomNodeHandle), {
    message: 'node: expected a custom node handle, received a handle of another kind',
  });
  assert.throws(() => binding.describeModel(node as unknown as CompiledModelHandle), TypeError);
  assert.throws(() => binding.startCustomNode(node, new Float64Array(3), 0), {
    message: 'table: expected at least 11 numbers, received 3',
  });
  const specification = { libraryPath: add, params: [['key']] } as unknown as CustomNodeSpecification;
  assert.throws(() => binding.initializeCustomNode(binding.reserveCustomNode(), specification), {
    message: 'specification.params[0]: expected a key and a value, received another kind of value',
  });
  binding.closeCustomNode(node);
  assert.throws(() => binding.closeCustomNode(node), { message: 'node: the handle is closed' });
});
