import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admitNative, admitRows } from '#src/servables/strings/admit-text.js';
import { outputStrings } from '#src/servables/strings/output-strings.js';
import { Arena } from '#src/tensors/arena.js';
import { stringList, toViews } from '#src/tensors/strings.js';
import { FakeRegistrar } from '../../tensors/fake-registrar.js';

test('text rows: strings become rows that end with a zero at least, whatever the memory held before', () => {
  const arena = new Arena(new FakeRegistrar());
  const used = arena.lease(8);
  used.bytes.fill(9);
  used.release();
  const tensor = admitRows(stringList(['abc', '', 'd']), arena);
  assert.deepEqual({ precision: tensor.precision, shape: tensor.shape }, { precision: 'U8', shape: [3, 4] });
  assert.equal(Buffer.from(tensor.bytes).toString(), 'abc\0\0\0\0\0d\0\0\0');
  tensor.release();
  assert.equal(arena.leasedRegions, 0);
});

test('text rows: an output called _string of bytes in rows is its strings, each up to its first zero', () => {
  const output = { name: 'a_string', precision: 'U8', shape: [3, 2], bytes: Buffer.from('ab\0bc\0') } as const;
  assert.deepEqual(
    toViews(outputStrings(output)!.strings).map((row) => Buffer.from(row).toString()),
    ['ab', '', 'c'],
  );
});

test('text rows: no other output is', () => {
  const output = { name: 'a_string', precision: 'U8', shape: [3, 2], bytes: new Uint8Array(6) } as const;
  assert.equal(outputStrings({ ...output, name: 'a_strings' }), null);
  assert.equal(outputStrings({ ...output, precision: 'I8' }), null);
  assert.equal(outputStrings({ ...output, shape: [6] }), null);
});

test('native strings: packed in leased memory they come back as they were, counted as one copy', () => {
  const arena = new Arena(new FakeRegistrar());
  const texts = ['', 'ab', 'x'.repeat(32), 'y'.repeat(33), 'z'.repeat(70_000)];
  const { precision, shape, bytes, lease } = admitNative(stringList(texts), [5, 1], arena);
  assert.deepEqual({ precision, shape }, { precision: 'STRING', shape: [5, 1] });
  assert.equal(arena.copies.bytes('request'), bytes.byteLength);
  const found = outputStrings({ name: 'a', precision, shape, bytes })!;
  assert.deepEqual(found.shape, [5, 1]);
  assert.deepEqual(
    toViews(found.strings).map((string) => Buffer.from(string).toString()),
    texts,
  );
  lease.release();
  assert.equal(arena.leasedRegions, 0);
});
