import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeArgmaxModel, writeDummyModel, writeHeavyModel, writeNonZeroModel } from '../fixtures/ir.js';
import {
  binding,
  compile,
  COMPILES,
  INLINE_PROPERTIES,
  newSlab,
  type Outcome,
  type Place,
  temporaryDirectory,
  TestRequest,
} from './support.js';

const directory = temporaryDirectory();
const dummy = compile(writeDummyModel(directory, { name: 'dummy' }), { properties: INLINE_PROPERTIES });
const nonZero = compile(writeNonZeroModel(directory, { name: 'nonzero' }), { properties: INLINE_PROPERTIES });

const OK: Outcome = { status: 'OK', text: '' };
const at = (slab: { readonly id: number }, offset: number, ...shape: number[]): Place => ({
  slab: slab.id,
  offset,
  shape,
});

test('inference: infer and start give the same right results', async () => {
  const slab = newSlab(4096);
  const request = new TestRequest(dummy, at(slab, 0, 1, 10), at(slab, 64, 1, 10));
  slab.floats.set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(request.infer(), OK);
  assert.deepEqual([...slab.floats.subarray(16, 26)], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  slab.floats.fill(41, 0, 10);
  assert.deepEqual(await request.start(), OK);
  assert.deepEqual([...slab.floats.subarray(16, 26)], Array<number>(10).fill(42));
});

test('inference: the argmax of a sum of two inputs', () => {
  const model = compile(writeArgmaxModel(directory, { name: 'argmax' }), { properties: INLINE_PROPERTIES });
  const slab = newSlab(16384);
  slab.floats[7] = 2;
  slab.floats[900] = 1;
  slab.floats[1024 + 900] = 1.5;
  const request = new TestRequest(model, at(slab, 0, 1, 1001), at(slab, 4096, 1, 1001), at(slab, 8192, 1));
  assert.deepEqual(request.infer(), OK);
  assert.equal(slab.longs[1024], 900n);
});

test('inference: the output of one node is the input of the next, in place', () => {
  const slab = newSlab(4096);
  const first = new TestRequest(dummy, at(slab, 0, 1, 10), at(slab, 128, 1, 10));
  const second = new TestRequest(dummy, at(slab, 128, 1, 10), at(slab, 256, 1, 10));
  assert.deepEqual([first.infer(), second.infer()], [OK, OK]);
  assert.equal(binding.tensorAddress(first.handle, 1), binding.tensorAddress(second.handle, 0));
  assert.equal(binding.tensorAddress(second.handle, 0), binding.slabAddress(slab.id, 128));
  assert.equal(slab.floats[64], 2);
});

test('inference: a table that changes between inferences is followed', () => {
  const slab = newSlab(4096);
  const other = newSlab(4096);
  const request = new TestRequest(dummy, at(slab, 0, 1, 10), at(slab, 64, 1, 10));
  request.infer();
  other.floats[0] = 10;
  request.bind(0, at(other, 0, 1, 10)).bind(1, at(slab, 128, 1, 10));
  assert.deepEqual(request.infer(), OK);
  assert.equal(slab.floats[32], 11);
});

test('inference: a slab that took over an id is not taken for the one before', () => {
  const first = newSlab(4096);
  const request = new TestRequest(dummy, at(first, 0, 1, 10), at(first, 64, 1, 10));
  request.infer();
  binding.unregisterSlab(first.id);
  assert.match(request.infer().text, /slab \d+ is not registered/);
  const second = newSlab(4096);
  assert.equal(second.id, first.id);
  second.floats[0] = 5;
  assert.deepEqual(request.infer(), OK);
  assert.equal(second.floats[16], 6);
  assert.equal(binding.tensorAddress(request.handle, 1), binding.slabAddress(second.id, 64));
});

test('inference: a dynamic model takes each shape, and leaves the results in bound memory', () => {
  const path = writeDummyModel(directory, { name: 'dynamic', shape: [-1, 10] });
  const model = compile(path, { properties: INLINE_PROPERTIES });
  const slab = newSlab(8192);
  slab.floats.fill(3, 0, 100);
  const request = new TestRequest(model, at(slab, 0, 1, 10), at(slab, 4096, 1, 10));
  for (const batch of [1, 4, 2]) {
    slab.floats.fill(0, 1024);
    request.bind(0, at(slab, 0, batch, 10)).bind(1, at(slab, 4096, batch, 10));
    assert.deepEqual(request.infer(), OK);
    assert.deepEqual(request.shape(1), [batch, 10]);
    assert.equal(slab.floats.subarray(1024).filter((value) => value === 4).length, batch * 10);
  }
});

test('inference: an unbound output is allocated by OpenVINO and copied out', async () => {
  const slab = newSlab(4096);
  const request = new TestRequest(nonZero, at(slab, 0, 10), null);
  for (const positions of [[2, 5], [0, 1, 9], []]) {
    slab.floats.fill(0);
    for (const position of positions) slab.floats[position] = 1;
    assert.deepEqual(await request.start(), OK);
    assert.deepEqual(request.shape(1), [1, positions.length]);
    binding.copyOutput(request.handle, 0, slab.id, 1024);
    assert.deepEqual([...slab.longs.subarray(128, 128 + positions.length)], positions.map(BigInt));
  }
});

test('inference: an output may change from bound to unbound and back', () => {
  const slab = newSlab(4096);
  slab.floats[3] = 1;
  const request = new TestRequest(nonZero, at(slab, 0, 10), at(slab, 1024, 1, 10));
  assert.deepEqual(request.infer(), OK);
  assert.deepEqual([request.shape(1), slab.longs[128]], [[1, 1], 3n]);
  assert.deepEqual(request.bind(1, null).infer(), OK);
  binding.copyOutput(request.handle, 0, slab.id, 2048);
  assert.deepEqual([request.shape(1), slab.longs[256]], [[1, 1], 3n]);
  assert.deepEqual(request.bind(1, at(slab, 3072, 1, 10)).infer(), OK);
  assert.deepEqual([request.shape(1), slab.longs[384]], [[1, 1], 3n]);
});

test('inference: a static output may be left to OpenVINO, too', () => {
  const slab = newSlab(4096);
  const request = new TestRequest(dummy, at(slab, 0, 1, 10), null);
  assert.deepEqual(request.infer(), OK);
  assert.deepEqual(request.shape(1), [1, 10]);
  binding.copyOutput(request.handle, 0, slab.id, 256);
  assert.equal(slab.floats[64], 1);
});

test('inference: a fault inside an inference is reported by infer and start, and writes nothing beyond its region', async () => {
  const slab = newSlab(4096);
  const request = new TestRequest(nonZero, at(slab, 0, 10), at(slab, 1024, 1, 3));
  slab.floats.fill(1, 0, 10);
  slab.longs.fill(-1n, 128);
  for (const outcome of [request.infer(), await request.start(), request.infer()]) {
    assert.equal(outcome.status, 'INFERENCE_FAILED');
    assert.match(outcome.text, /shape/);
  }
  assert.ok(slab.longs.subarray(131).every((value) => value === -1n));
  slab.floats.fill(0, 2, 10);
  assert.deepEqual(request.infer(), OK);
  assert.deepEqual([...slab.longs.subarray(128, 130)], [0n, 1n]);
});

test('inference: a cancelled inference ends as cancelled, and the request can be used again', async () => {
  const size = 512;
  const model = compile(writeHeavyModel(directory, { name: 'heavy', size, depth: 200 }), {
    properties: INLINE_PROPERTIES,
  });
  const slab = newSlab(2 * size * size * 4);
  const request = new TestRequest(model, at(slab, 0, size, size), at(slab, size * size * 4, size, size));
  const outcome = request.start();
  binding.cancel(request.handle);
  assert.deepEqual(await outcome, { status: 'CANCELLED', text: 'the inference was cancelled' });
  binding.cancel(request.handle);
  assert.deepEqual(await request.start(), OK);
});

test('inference: a request may be closed while it runs, and its end is still reported', async () => {
  const model = compile(writeHeavyModel(directory, { name: 'closed' }));
  const slab = newSlab(2 * 1024 * 1024);
  const request = new TestRequest(model, at(slab, 0, 512, 512), at(slab, 1024 * 1024, 512, 512));
  const outcome = request.start();
  binding.closeInferRequest(request.handle);
  assert.throws(() => binding.cancel(request.handle), /request: the handle is closed/);
  assert.deepEqual(await outcome, OK);
  assert.equal(binding.inFlight(), 0);
});

test('inference: what runs cannot be started again, and its slabs stay', async () => {
  const model = compile(writeHeavyModel(directory, { name: 'running' }));
  const slab = newSlab(2 * 1024 * 1024);
  const request = new TestRequest(model, at(slab, 0, 512, 512), at(slab, 1024 * 1024, 512, 512));
  const outcome = request.start();
  assert.equal(binding.inFlight(), 1);
  assert.throws(() => binding.start(request.handle, 1), { message: 'request: an inference of it is running' });
  assert.throws(() => binding.infer(request.handle, 1), { message: 'request: an inference of it is running' });
  assert.throws(() => binding.unregisterSlab(slab.id), /slabId: slab \d+ is in use by a running inference/);
  assert.deepEqual(await outcome, OK);
  binding.unregisterSlab(slab.id);
});

test('inference: restarted at once from its own completion, a request never loses an end', async () => {
  const slab = newSlab(4096);
  const requests = [0, 1, 2, 3].map((index) => {
    return new TestRequest(dummy, at(slab, index * 128, 1, 10), at(slab, index * 128 + 64, 1, 10));
  });
  await Promise.all(
    requests.map(async (request) => {
      for (let round = 0; round < 2000; round++) assert.deepEqual(await request.start(), OK);
    }),
  );
  assert.equal(binding.inFlight(), 0);
});

test('inference: many mixed requests, failures among them, leave nothing in flight', async () => {
  // Each failure of a model that learns shapes from values has it compiled again, which takes long under the sanitizer.
  const count = COMPILES === 1 ? 200 : 1000;
  const slab = newSlab(65536);
  slab.floats.fill(1, 0, 10);
  const heavy = compile(writeHeavyModel(directory, { name: 'cancelled', size: 64, depth: 50 }));
  const kinds: readonly { readonly make: () => TestRequest; readonly expected: RegExp; readonly cancel?: true }[] = [
    { make: () => new TestRequest(dummy, at(slab, 0, 1, 10), at(slab, 1024, 1, 10)), expected: /^OK$/ },
    { make: () => new TestRequest(dummy, { slab: 99, offset: 0, shape: [1, 10] }, null), expected: /^BINDING_FAILED$/ },
    { make: () => new TestRequest(dummy, at(slab, 65532, 1, 10), null), expected: /^BINDING_FAILED$/ },
    { make: () => new TestRequest(nonZero, at(slab, 0, 10), at(slab, 2048, 1, 2)), expected: /^INFERENCE_FAILED$/ },
    { make: () => new TestRequest(nonZero, at(slab, 0, 10), null), expected: /^OK$/ },
    {
      make: () => new TestRequest(heavy, at(slab, 0, 64, 64), at(slab, 16384, 64, 64)),
      expected: /^(OK|CANCELLED)$/,
      cancel: true,
    },
  ];
  const outcomes: Promise<void>[] = [];
  for (let index = 0; index < count; index++) {
    const { make, expected, cancel } = kinds[index % kinds.length]!;
    const request = make();
    outcomes.push(request.start().then(({ status }) => assert.match(status, expected)));
    if (cancel) binding.cancel(request.handle);
    binding.closeInferRequest(request.handle);
  }
  assert.equal(binding.inFlight(), count);
  await Promise.all(outcomes);
  assert.equal(binding.inFlight(), 0);
});
