import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admitRows, textRows } from '#src/servables/strings/text-rows.js';
import { Arena } from '#src/tensors/arena.js';
import { FakeRegistrar } from '../../tensors/fake-registrar.js';

test('text rows: strings become rows that end with a zero at least, whatever the memory held before', () => {
  const arena = new Arena(new FakeRegistrar());
  const used = arena.lease(8);
  used.bytes.fill(9);
  used.release();
  const tensor = admitRows([Buffer.from('abc'), Buffer.from(''), Buffer.from('d')], arena);
  assert.deepEqual({ precision: tensor.precision, shape: tensor.shape }, { precision: 'U8', shape: [3, 4] });
  assert.equal(Buffer.from(tensor.bytes).toString(), 'abc\0\0\0\0\0d\0\0\0');
  tensor.release();
  assert.equal(arena.leasedRegions, 0);
});

test('text rows: an output called _string of bytes in rows is its strings, each up to its first zero', () => {
  const output = { name: 'a_string', precision: 'U8', shape: [3, 2], bytes: Buffer.from('ab\0bc\0') } as const;
  assert.deepEqual(
    textRows(output)?.map((row) => Buffer.from(row).toString()),
    ['ab', '', 'c'],
  );
});

test('text rows: no other output is', () => {
  const output = { name: 'a_string', precision: 'U8', shape: [3, 2], bytes: new Uint8Array(6) } as const;
  assert.equal(textRows({ ...output, name: 'a_strings' }), null);
  assert.equal(textRows({ ...output, precision: 'I8' }), null);
  assert.equal(textRows({ ...output, shape: [6] }), null);
});
