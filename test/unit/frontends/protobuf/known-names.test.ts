import assert from 'node:assert/strict';
import fc from 'fast-check';
import protobuf from 'protobufjs/minimal.js';
import { test } from 'node:test';
import { readName } from '#src/frontends/protobuf/known-names.js';

function written(text: string): Uint8Array {
  return protobuf.Writer.create().string(text).uint32(7).finish();
}

test('known names: whatever strings come, each is read as it was written, and what follows is read next', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string({ unit: 'grapheme', maxLength: 80 }), fc.constantFrom('a', 'ab', 'ba'))),
      (texts) => {
        for (const text of [...texts, ...texts]) {
          const reader = protobuf.Reader.create(written(text));
          assert.equal(readName(reader), text);
          assert.equal(reader.uint32(), 7);
        }
      },
    ),
  );
});

test('known names: names that share a slot do not become each other', () => {
  // The first and last byte and the length are the same.
  for (const text of ['abcd', 'axyd', 'abcd', 'axyd']) {
    assert.equal(readName(protobuf.Reader.create(written(text))), text);
  }
});

test('known names: a name that is known is not found beyond the end of its message', () => {
  const bytes = written('image');
  assert.equal(readName(protobuf.Reader.create(bytes)), 'image');
  const cut = protobuf.Reader.create(bytes);
  cut.len = 4;
  assert.throws(() => readName(cut), RangeError);
});

test('known names: what is no UTF-8 is refused each time', () => {
  const bytes = Uint8Array.of(2, 0xc3, 0x28);
  for (let count = 0; count < 2; count += 1) assert.throws(() => readName(protobuf.Reader.create(bytes)), TypeError);
});
