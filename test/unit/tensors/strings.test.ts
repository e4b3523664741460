import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ServingError } from '#src/errors.js';
import { writeBytesElements } from '#src/frontends/kserve/bytes-elements.js';
import {
  MOST_STRINGS,
  packedBytes,
  stringAt,
  stringBuffers,
  stringCount,
  stringList,
  StringPlaces,
  toViews,
  unpackStrings,
} from '#src/tensors/strings.js';

const never = (): Error => new Error('overrun');

test('string list: whatever strings, texts among them, come back as they were, packed and cloned too', () => {
  const bytes = fc.uint8Array({ maxLength: 100 });
  fc.assert(
    fc.property(fc.array(fc.oneof(bytes, fc.string({ unit: 'grapheme' }))), (strings) => {
      const expected = strings.map((each) => Buffer.from(each));
      const list = stringList(strings);
      const packed = writeBytesElements(list);
      assert.equal(packed.byteLength, packedBytes(list));
      const moved = structuredClone(list, { transfer: stringBuffers(list) });
      for (const each of [moved, unpackStrings(packed, never)]) {
        assert.equal(stringCount(each), strings.length);
        assert.deepEqual(
          toViews(each).map((view) => Buffer.from(view)),
          expected,
        );
      }
    }),
  );
});

test('string list: strings are views of the memory they lie in', () => {
  const memory = Buffer.from('abcdef');
  const places = new StringPlaces();
  places.add(1, 2);
  places.add(0, 6);
  const list = places.in(memory);
  memory[2] = 'X'.charCodeAt(0);
  assert.equal(Buffer.from(stringAt(list, 0)).toString(), 'bX');
  assert.equal(Buffer.from(stringAt(list, 1)).toString(), 'abXdef');
});

test('string list: there may be so many, and no more', () => {
  const places = new StringPlaces();
  for (let index = 0; index < MOST_STRINGS; index += 1) places.add(0, 0);
  const refused = new ServingError('STRINGS_TOO_LARGE', 'Expected: at most 33554432 strings in a tensor');
  assert.throws(() => places.add(0, 0), refused);
  assert.equal(stringCount(places.in(new Uint8Array(0))), MOST_STRINGS);
});

test('packed strings: what ends beyond the bytes, and what is left over, is an error that says where', () => {
  const overrun = (bytes: readonly number[]): void => {
    unpackStrings(Uint8Array.from(bytes), (at, length) => new Error(`${at} ${length}`));
  };
  assert.throws(() => overrun([1, 0, 0, 0, 7, 2, 0, 0, 0, 7]), { message: '5 2' });
  assert.throws(() => overrun([255, 255, 255, 255]), { message: '0 4294967295' });
  assert.throws(() => overrun([0, 0, 0, 0, 9, 9]), { message: '4 null' });
  overrun([]);
});
