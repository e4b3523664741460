import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BINDING_STRIDE } from '#src/native/binding.js';
import {
  writeStringModel,
  writeStringPackModel,
  writeStringPassthroughModel,
  writeStringUnpackModel,
  writeTwinModel,
} from '../fixtures/ir.js';
import { writeOperationModel } from '../fixtures/operations.js';
import {
  binding,
  compile,
  INLINE_PROPERTIES,
  newSlab,
  temporaryDirectory,
  TestRequest,
  type TestSlab,
} from './support.js';

const directory = temporaryDirectory();
const text = compile(writeStringModel(directory, { name: 'text' }), { properties: INLINE_PROPERTIES });
const same = compile(writeStringPassthroughModel(directory, { name: 'same' }));

const OK = { status: 'OK', text: '' };
const TEXTS = ['', 'short', 'grüße', 'a string that is too long for the place inside std::string', '\0\x01'];

function packed(texts: readonly string[]): Buffer {
  const elements = texts.flatMap((each) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(Buffer.byteLength(each));
    return [length, Buffer.from(each)];
  });
  return Buffer.concat(elements);
}

/** The strings of an output, read by way of the slab at a place that is aligned to nothing. */
function copiedOut(request: TestRequest, slab: TestSlab, port: number, inputs = 1): Buffer {
  const at = 8001;
  binding.copyOutput(request.handle, port - inputs, slab.id, at);
  return Buffer.from(slab.bytes.subarray(at, at + request.table[port * BINDING_STRIDE + 1]!));
}

for (const [name, model, lists] of [
  ['two operations', text, [TEXTS, [...TEXTS].reverse(), ['one'], Array<string>(100).fill('many')]],
  ['a model whose result is its parameter', same, [TEXTS, [], ['one']]],
] as const) {
  test(`strings: ${name}: they come out as they went in, inline and started`, async () => {
    const slab = newSlab(16384);
    const request = new TestRequest(model, null, null);
    for (const texts of lists) {
      slab.bytes.fill(255).set(packed(texts), 3);
      request.bind(0, { slab: slab.id, offset: 3, shape: [texts.length] });
      for (const infer of [() => request.infer(), () => request.start()]) {
        assert.deepEqual(await infer(), OK);
        assert.deepEqual(request.shape(1), [texts.length]);
        assert.deepEqual(copiedOut(request, slab, 1), packed(texts));
      }
    }
  });
}

test('strings: no strings at all are not answered with those of the request before', async () => {
  for (const properties of [{}, INLINE_PROPERTIES]) {
    const model = compile(writeStringModel(directory, { name: 'none' }), { properties });
    const slab = newSlab(16384);
    slab.bytes.set(packed(['secret']));
    const request = new TestRequest(model, null, null);
    for (const infer of [() => request.infer(), () => request.start()]) {
      request.bind(0, { slab: slab.id, offset: 0, shape: [1] });
      assert.deepEqual(await infer(), OK);
      assert.deepEqual(copiedOut(request, slab, 1), packed(['secret']));
      request.bind(0, { slab: slab.id, offset: 0, shape: [0] });
      assert.deepEqual(await infer(), {
        status: 'BINDING_FAILED',
        text: 'input 0: expected at least one element, received none',
      });
    }
  }
});

test('strings: an input without elements is refused where only values tell the shape of the answer', () => {
  const path = writeOperationModel(directory, 'unique', {
    type: 'Unique',
    version: 'opset10',
    attributes: { sorted: 'true', index_element_type: 'i64', count_element_type: 'i64' },
    inputs: [{ elementType: 'f32', shape: [-1] }],
    outputs: 4,
  });
  const slab = newSlab(16384);
  slab.floats.set([3, 1, 3]);
  const request = new TestRequest(compile(path), null, null, null, null, null);
  request.bind(0, { slab: slab.id, offset: 0, shape: [3] });
  assert.deepEqual(request.infer(), OK);
  assert.deepEqual(request.shape(1), [2]);
  request.bind(0, { slab: slab.id, offset: 0, shape: [0] });
  assert.equal(request.infer().status, 'BINDING_FAILED');
});

test('strings: they have every shape of a model', () => {
  const model = compile(writeStringModel(directory, { name: 'square', shape: [2, 2] }));
  const slab = newSlab(16384);
  slab.bytes.set(packed(['a', 'bc', '', 'd']));
  const request = new TestRequest(model, { slab: slab.id, offset: 0, shape: [2, 2] }, null);
  assert.deepEqual(request.infer(), OK);
  assert.deepEqual(request.shape(1), [2, 2]);
  assert.deepEqual(copiedOut(request, slab, 1), packed(['a', 'bc', '', 'd']));
});

test('strings: a model takes strings apart into numbers, and another makes strings of them', () => {
  const slab = newSlab(16384);
  slab.bytes.set(packed(['ab', 'cde']));
  const apart = new TestRequest(
    compile(writeStringUnpackModel(directory, { name: 'unpack' })),
    { slab: slab.id, offset: 0, shape: [2] },
    null,
    null,
    null,
  );
  assert.deepEqual(apart.infer(), OK);
  const places = [256, 512, 768];
  places.forEach((offset, output) => binding.copyOutput(apart.handle, output, slab.id, offset));
  assert.deepEqual([...new Int32Array(slab.bytes.buffer, 512, 2)], [2, 5]);
  assert.equal(Buffer.from(slab.bytes.subarray(768, 773)).toString(), 'abcde');
  const together = new TestRequest(
    compile(writeStringPackModel(directory, { name: 'pack' })),
    ...places.map((offset, index) => ({ slab: slab.id, offset, shape: [index === 2 ? 5 : 2] })),
    null,
  );
  assert.deepEqual(together.infer(), OK);
  assert.deepEqual(copiedOut(together, slab, 3, 3), packed(['ab', 'cde']));
});

test('strings: once started, their memory may go, and may be written', async () => {
  const slab = newSlab(16384);
  slab.bytes.set(packed(['kept']));
  const request = new TestRequest(text, { slab: slab.id, offset: 0, shape: [1] }, null);
  const outcome = request.start();
  slab.bytes.fill(0);
  binding.unregisterSlab(slab.id);
  assert.deepEqual(await outcome, OK);
  assert.deepEqual(copiedOut(request, newSlab(16384), 1), packed(['kept']));
});

test('strings: what does not fit the memory is BINDING_FAILED, and the request infers again', async () => {
  const slab = newSlab(64);
  const other = newSlab(16384);
  const request = new TestRequest(text, null, null);
  const refused = async (offset: number, shape: readonly number[], expected: RegExp): Promise<void> => {
    request.bind(0, { slab: slab.id, offset, shape });
    for (const outcome of [request.infer(), await request.start()]) {
      assert.equal(outcome.status, 'BINDING_FAILED');
      assert.match(outcome.text, expected);
    }
  };
  slab.bytes.set(packed(['x']), 0);
  slab.bytes.set([0xff, 0xff, 0xff, 0xff], 5);
  await refused(0, [2], /^input 0: string 1 of 4294967295 bytes does not fit into the 55 bytes left of the slab$/);
  await refused(0, [17], /^input 0: 68 bytes at offset 0 do not fit/);
  await refused(61, [1], /^input 0: 4 bytes at offset 61 do not fit/);
  await refused(0, [2 ** 40, 2 ** 40], /^input 0: a tensor of shape .* is larger than any memory/);
  await refused(-1, [1], /byte offset: expected a non-negative integer/);
  slab.bytes.set([56, 0, 0, 0], 5);
  await refused(0, [3], /^input 0: string 1 of 56 bytes does not fit into the 55 bytes/);
  slab.bytes.set([53, 0, 0, 0], 5);
  await refused(0, [3], /^input 0: string 2 of 3 begins behind the end of the slab$/);
  await refused(0, [1, 1], /input 0: .*shape/i);
  request.bind(0, { slab: slab.id, offset: 0, shape: [1] });
  assert.deepEqual(request.infer(), OK);
  assert.deepEqual(copiedOut(request, other, 1), packed(['x']));
  request.bind(1, { slab: other.id, offset: 0, shape: [1] });
  assert.match(request.infer().text, /^output 0: strings cannot be written into a slab/);
});

test('strings: an output is copied only to where it fits', () => {
  const slab = newSlab(64);
  slab.bytes.set(packed(['abc']));
  const request = new TestRequest(text, { slab: slab.id, offset: 0, shape: [1] }, null);
  assert.deepEqual(request.infer(), OK);
  assert.throws(() => binding.copyOutput(request.handle, 0, slab.id, 58), { code: 'OUTPUT_FAILED' });
  binding.copyOutput(request.handle, 0, slab.id, 57);
  assert.deepEqual(Buffer.from(slab.bytes.subarray(57)), packed(['abc']));
});

test('strings: whatever bytes the memory holds, they are read or refused', () => {
  const slab = newSlab(64);
  const request = new TestRequest(same, null, null);
  const row = fc.tuple(fc.integer({ min: 0, max: 70 }), fc.integer({ min: 0, max: 20 }));
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 64, maxLength: 64, max: 9 }), row, (bytes, [offset, count]) => {
      slab.bytes.set(bytes);
      request.bind(0, { slab: slab.id, offset, shape: [count] });
      const { status } = request.infer();
      assert.match(status, /^(OK|BINDING_FAILED)$/);
      if (status !== 'OK') return;
      const size = request.table[BINDING_STRIDE + 1]!;
      const expected = Buffer.from(bytes.subarray(offset, offset + size));
      slab.bytes.fill(0);
      binding.copyOutput(request.handle, 0, slab.id, 0);
      assert.deepEqual(Buffer.from(slab.bytes.subarray(0, size)), expected);
    }),
    { numRuns: 300 },
  );
});

test('twins: outputs that are one tensor to OpenVINO, inputs among them, each get their own bound memory', async () => {
  const slab = newSlab(4096);
  const outputs = [256, 512, 768, 1024].map((offset) => ({ slab: slab.id, offset, shape: [1, 10] }));
  const request = new TestRequest(
    compile(writeTwinModel(directory, { name: 'twins' })),
    { slab: slab.id, offset: 0, shape: [1, 10] },
    ...outputs,
  );
  const values = (offset: number): number[] => [...slab.floats.subarray(offset / 4, offset / 4 + 10)];
  for (const value of [1, 7]) {
    slab.floats.fill(value, 0, 10);
    for (const infer of [() => request.infer(), () => request.start()]) {
      assert.deepEqual(await infer(), OK);
      const expected = [value, value, value + 1, value + 1].map((each) => Array<number>(10).fill(each));
      assert.deepEqual(
        outputs.map(({ offset }) => values(offset)),
        expected,
      );
      slab.floats.fill(0, 64);
    }
  }
  request.bind(1, null).bind(3, null);
  assert.deepEqual(request.infer(), OK);
  binding.copyOutput(request.handle, 0, slab.id, 256);
  binding.copyOutput(request.handle, 2, slab.id, 768);
  assert.deepEqual([values(256)[0], values(512)[0], values(768)[0], values(1024)[0]], [7, 7, 8, 8]);
});
