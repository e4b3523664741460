import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BINDING_STRIDE, type CompiledModelHandle, type InferRequestHandle } from '#src/native/binding.js';
import { writeDummyModel } from '../fixtures/ir.js';
import { binding, compile, CopyingRequest, newSlab, type Place, temporaryDirectory, TestRequest } from './support.js';

const directory = temporaryDirectory();
const dummy = compile(writeDummyModel(directory, { name: 'dummy' }));
const dynamic = compile(writeDummyModel(directory, { name: 'dynamic', shape: [-1, -1] }));
const slab = newSlab(4096);
const good: Place = { slab: slab.id, offset: 0, shape: [1, 10] };

const WRONG: readonly [string, Place, RegExp][] = [
  ['an input without memory', null, /^input 0: no memory is bound$/],
  ['an unknown slab', { ...good, slab: 12345 }, /^input 0: slab 12345 is not registered$/],
  ['a fractional slab', { ...good, slab: 0.5 }, /^input 0: slab id: expected a non-negative integer, received 0.5/],
  [
    'bytes beyond the slab',
    { ...good, offset: 4060 },
    /^input 0: 40 bytes at offset 4060 do not fit into slab \d+ of 4096/,
  ],
  ['an offset beyond the slab', { ...good, offset: 2 ** 52 }, /do not fit/],
  ['a negative offset', { ...good, offset: -4 }, /byte offset: expected a non-negative integer/],
  ['an offset that is not aligned to the element', { ...good, offset: 2 }, /not a multiple of the element size 4/],
  ['an offset that is not a number', { ...good, offset: NaN }, /byte offset: expected a non-negative integer/],
  ['a negative size', { ...good, shape: [-1, 10] }, /size: expected a non-negative integer/],
  ['a product of sizes that overflows', { ...good, shape: [2 ** 40, 2 ** 40] }, /larger than any memory/],
  ['another shape than the port has', { ...good, shape: [2, 10] }, /shape/i],
  ['another rank than the port has', { ...good, shape: [10] }, /shape/i],
];

for (const [what, place, text] of WRONG) {
  test(`bindings: ${what} is BINDING_FAILED`, async () => {
    for (const Kind of [TestRequest, CopyingRequest]) {
      const request: TestRequest = new Kind(dummy, place, { ...good, offset: 64 });
      for (const outcome of [request.infer(), await request.start()]) {
        assert.equal(outcome.status, 'BINDING_FAILED');
        assert.match(outcome.text, text);
      }
      assert.equal(request.bind(0, good).infer().status, 'OK');
    }
  });
}

test('bindings: small inputs are copied from wherever they lie, and their slab may go afterwards', () => {
  const other = newSlab(4096);
  const request = new CopyingRequest(dummy, good, { ...good, offset: 64 });
  for (const [from, offset, value] of [
    [slab, 0, 1],
    [other, 128, 2],
    [slab, 192, 3],
    [slab, 192, 4],
  ] as const) {
    from.floats.fill(value, offset / 4, offset / 4 + 10);
    assert.equal(request.bind(0, { slab: from.id, offset, shape: [1, 10] }).infer().status, 'OK');
    assert.deepEqual([...slab.floats.subarray(16, 26)], Array<number>(10).fill(value + 1));
    assert.notEqual(binding.tensorAddress(request.handle, 0), binding.slabAddress(from.id, offset));
    assert.equal(binding.tensorAddress(request.handle, 1), binding.slabAddress(slab.id, 64));
  }
  binding.unregisterSlab(other.id);
  assert.match(request.bind(0, { ...good, slab: other.id }).infer().text, /^input 0: slab \d+ is not registered$/);
});

test('bindings: inputs of all sizes may take turns in a request that copies small ones', () => {
  const source = newSlab(16384);
  const request = new CopyingRequest(dynamic, { ...good, slab: source.id }, null);
  for (const columns of [10, 2048, 2049, 10, 2400, 2048]) {
    source.floats.fill(columns, 0, columns);
    assert.equal(request.bind(0, { ...good, slab: source.id, shape: [1, columns] }).infer().status, 'OK');
    assert.deepEqual(request.shape(1), [1, columns]);
    const target = newSlab(16384);
    binding.copyOutput(request.handle, 0, target.id, 0);
    assert.equal(target.floats[columns - 1], columns + 1);
    const isInPlace = binding.tensorAddress(request.handle, 0) === binding.slabAddress(source.id, 0);
    assert.equal(isInPlace, columns * 4 > 8192);
    binding.unregisterSlab(target.id);
  }
});

test('bindings: a rank above eight is BINDING_FAILED', () => {
  const request = new TestRequest(dummy, good, { ...good, offset: 64 });
  request.table[2] = 9;
  assert.deepEqual(request.infer(), {
    status: 'BINDING_FAILED',
    text: 'input 0: rank: expected at most 8, received 9',
  });
});

test('bindings: faults of outputs name the output', () => {
  const request = new TestRequest(dummy, good, { ...good, slab: 77 });
  assert.match(request.infer().text, /^output 0: /);
});

test('bindings: a table whose buffer was transferred away is BINDING_FAILED', () => {
  const request = new TestRequest(dummy, good, { ...good, offset: 64 });
  structuredClone(request.table, { transfer: [request.table.buffer as ArrayBuffer] });
  assert.equal(request.infer().status, 'BINDING_FAILED');
});

test('bindings: whatever numbers a table holds, an inference runs or is refused', () => {
  const number = fc.oneof(
    fc.integer({ min: -2, max: 12 }),
    fc.integer({ min: 0, max: 5000 }),
    fc.double(),
    fc.maxSafeInteger(),
  );
  const row = fc.tuple(
    fc.constantFrom(slab.id, slab.id, -1, 99),
    number,
    fc.integer({ min: -1, max: 10 }),
    number,
    number,
  );
  const request = new TestRequest(dynamic, good, good);
  fc.assert(
    fc.property(row, row, (input, output) => {
      request.table.fill(0);
      request.table.set(input, 0);
      request.table.set(output, BINDING_STRIDE);
      assert.match(request.infer().status, /^(OK|BINDING_FAILED|INFERENCE_FAILED)$/);
    }),
    { numRuns: 300 },
  );
});

test('bindings: copying an output out checks its region and that OpenVINO holds it', () => {
  const request = new TestRequest(dummy, good, null);
  assert.equal(request.infer().status, 'OK');
  assert.throws(() => binding.copyOutput(request.handle, 0, slab.id, 4090), { code: 'OUTPUT_FAILED' });
  assert.throws(() => binding.copyOutput(request.handle, 0, 99, 0), { code: 'OUTPUT_FAILED' });
  assert.throws(() => binding.copyOutput(request.handle, 1, slab.id, 0), { message: 'outputIndex: no output 1' });
  request.bind(1, { ...good, offset: 64 }).infer();
  assert.throws(() => binding.copyOutput(request.handle, 0, slab.id, 0), /output 0 is bound to a slab/);
});

test('handles: a handle of another kind, a closed one and no handle at all throw', () => {
  const model = compile(writeDummyModel(directory, { name: 'handles' }));
  const { handle } = new TestRequest(model, good, good);
  const asRequest = model as unknown as InferRequestHandle;
  const asModel = handle as unknown as CompiledModelHandle;
  const kind = 'received a handle of another kind';
  assert.throws(() => binding.infer(asRequest, 0), { message: `request: expected an infer request handle, ${kind}` });
  assert.throws(() => binding.describeModel(asModel), { message: `model: expected a compiled model handle, ${kind}` });
  for (const nothing of [undefined, null, 1, {}, 'model']) {
    assert.throws(() => binding.closeModel(nothing as CompiledModelHandle), TypeError);
    assert.throws(() => binding.cancel(nothing as InferRequestHandle), TypeError);
  }
  binding.closeInferRequest(handle);
  binding.closeModel(model);
  assert.throws(() => binding.closeInferRequest(handle), {
    name: 'TypeError',
    message: 'request: the handle is closed',
  });
  assert.throws(() => binding.closeModel(model), { name: 'TypeError', message: 'model: the handle is closed' });
  assert.throws(() => binding.createInferRequest(model, new Float64Array(22)), TypeError);
});

test('handles: a table must have room for every port', () => {
  assert.throws(() => binding.createInferRequest(dummy, new Float64Array(21)), {
    message: 'table: expected at least 22 numbers, received 21',
  });
  assert.throws(() => binding.createInferRequest(dummy, new Float32Array(22) as unknown as Float64Array), TypeError);
});

test('tokens: an unknown token has no text, and a wrong one throws', () => {
  assert.equal(binding.takeError(123456), '');
  const { handle } = new TestRequest(dummy, good, good);
  for (const token of [-1, 2 ** 31, 1.5, NaN, '1' as unknown as number]) {
    assert.throws(() => binding.infer(handle, token), /^TypeError: token: expected a non-negative integer/);
  }
});

test('tokens: a text is given once, and the next end of the token replaces it', () => {
  const request = new TestRequest(dummy, null, good);
  assert.equal(binding.infer(request.handle, 5), 1);
  assert.notEqual(binding.takeError(5), '');
  assert.equal(binding.takeError(5), '');
  binding.infer(request.handle, 5);
  request.bind(0, good).bind(1, { ...good, offset: 64 });
  assert.equal(binding.infer(request.handle, 5), 0);
  assert.equal(binding.takeError(5), '');
});
