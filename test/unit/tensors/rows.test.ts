import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '#src/tensors/arena.js';
import { joinRows, viewRows } from '#src/tensors/rows.js';
import { Tensor } from '#src/tensors/tensor.js';
import { FakeRegistrar } from './fake-registrar.js';

const arena = new Arena(new FakeRegistrar());

function rows(count: number, first: number): Tensor {
  const tensor = new Tensor('U8', [count, 3], arena.lease(count * 3));
  tensor.bytes.set(Array.from({ length: count * 3 }, (_, index) => first + index));
  return tensor;
}

function copied(work: () => void): number {
  const before = arena.copies.bytes('batch');
  work();
  return arena.copies.bytes('batch') - before;
}

test('rows: a single tensor is the result itself, with one more use', () => {
  const tensor = new Tensor('U8', [], arena.lease(1));
  const joined = joinRows([tensor], arena);
  assert.equal(joined, tensor);
  assert.equal(tensor.lease.uses, 2);
  tensor.release();
  tensor.release();
});

test('rows: tensors of several leases are copied once, in their order', () => {
  const parts = [rows(1, 0), rows(2, 10)];
  assert.equal(
    copied(() => {
      const joined = joinRows(parts, arena);
      assert.deepEqual(joined.shape, [3, 3]);
      assert.deepEqual(Array.from(joined.bytes), [0, 1, 2, 10, 11, 12, 13, 14, 15]);
      joined.release();
    }),
    9,
  );
  for (const part of parts) part.release();
});

test('rows: neighbours in one lease are joined without a copy, others of it are not', () => {
  const whole = rows(4, 0);
  const [first, second, third] = [0, 1, 2].map((row) => viewRows(whole, row, 1));
  assert.equal(
    copied(() => {
      const joined = joinRows([second!, third!], arena);
      assert.equal(joined.lease, whole.lease);
      assert.deepEqual(Array.from(joined.bytes), [3, 4, 5, 6, 7, 8]);
      joined.release();
    }),
    0,
  );
  for (const [parts, expected] of [
    [
      [second!, first!],
      [3, 4, 5, 0, 1, 2],
    ],
    [
      [first!, third!],
      [0, 1, 2, 6, 7, 8],
    ],
  ] as const) {
    const joined = joinRows(parts, arena);
    assert.deepEqual(Array.from(joined.bytes), expected);
    joined.release();
  }
  assert.equal(whole.lease.uses, 1);
  whole.release();
});

test('rows: a view begins where its rows do', () => {
  const whole = rows(4, 0);
  const view = viewRows(viewRows(whole, 1, 3), 1, 2);
  assert.deepEqual(
    [view.shape, Array.from(view.bytes)],
    [
      [2, 3],
      [6, 7, 8, 9, 10, 11],
    ],
  );
  whole.release();
  assert.equal(arena.leasedRegions, 0);
});
