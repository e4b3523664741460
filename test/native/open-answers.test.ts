import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CompileSpecification } from '#src/native/binding.js';
import { writeDenseModel, writeNarrowingModel, writeSoftmaxModel } from '../fixtures/ir.js';
import { binding, compile, newSlab, temporaryDirectory, TestRequest } from './support.js';

const directory = temporaryDirectory();
const narrowing = writeNarrowingModel(`${directory}/narrowing`);
const VALUES = [300, -1, 255.6, 3.5, 1000, 256, 511, 12] as const;

/** What a model answers to so many rows of {@link VALUES}. */
function answer(request: TestRequest, slab: ReturnType<typeof newSlab>, rows: number): readonly number[] {
  request.bind(0, { slab: slab.id, offset: 0, shape: [rows, 4] });
  request.bind(1, { slab: slab.id, offset: 2048, shape: [rows, 4] });
  slab.floats.set(VALUES.slice(0, rows * 4));
  const { status, text } = request.infer();
  assert.equal(status, 'OK', text);
  return [...slab.bytes.subarray(2048, 2048 + rows * 4)];
}

for (const [name, open] of Object.entries<Partial<CompileSpecification>>({
  'every size': { shapes: [{ name: '', dimensions: null }] },
  'a range of batches': { batch: [1, 4] },
  'any batch': { batch: [0, -1] },
})) {
  test(`open shapes: ${name} answer what fixed ones do`, () => {
    const slab = newSlab(4096);
    const request = new TestRequest(compile(narrowing, open), null, null);
    for (const rows of [1, 2, 1, 2]) {
      const fixed = new TestRequest(compile(narrowing, { batch: [rows, rows] }), null, null);
      const expected = answer(fixed, slab, rows);
      assert.equal(expected[0], 44);
      assert.deepEqual(answer(request, slab, rows), expected);
    }
  });
}

test('open shapes: more sizes than are kept are compiled again, and answered alike', () => {
  const slab = newSlab(1 << 14);
  slab.floats.fill(300);
  const request = new TestRequest(compile(narrowing, { batch: [0, -1] }), null, null);
  for (let turn = 0; turn < 2; turn += 1) {
    for (let rows = 1; rows <= 20; rows += 1) {
      request.bind(0, { slab: slab.id, offset: 0, shape: [rows, 4] });
      request.bind(1, { slab: slab.id, offset: 8192, shape: [rows, 4] });
      slab.bytes.fill(0, 8192);
      assert.equal(request.infer().status, 'OK');
      assert.deepEqual(new Set(slab.bytes.subarray(8192, 8192 + rows * 4)), new Set([44]));
      assert.equal(slab.bytes[8192 + rows * 4], 0);
    }
  }
});

test('open shapes: the description says why a model is compiled by shape, and whether it is', () => {
  const why = (path: string): string | undefined =>
    binding.describeModel(compile(path, { batch: [1, -1] })).compiledByShape;
  assert.match(why(narrowing)!, /^Convert /);
  assert.equal(why(writeDenseModel(`${directory}/dense`)), undefined);
});

test('joined rows: what answers otherwise in a batch is refused with the reason', () => {
  const softmax = writeSoftmaxModel(`${directory}/softmax`, 0);
  for (const [path, message] of [
    [narrowing, /^expected operations that answer joined requests as single ones, received Convert /],
    [softmax, /^answers to joined requests differ from those to single ones/],
  ] as const) {
    assert.throws(() => compile(path, { joinedRows: 4 }), { code: 'NOT_JOINED', message });
  }
});
