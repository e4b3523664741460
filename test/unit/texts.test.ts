import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CATALOGUE, type ErrorCode, ServingError } from '#src/errors.js';
import { boundedEntry, boundedMessage, shortened, shown, sizesText } from '#src/texts.js';

const CODES = Object.keys(CATALOGUE) as ErrorCode[];
/** What nginx has for the headers of an answer is twice as much, and grpcio takes four times as much. */
const MOST_HEADER_BYTES = 2_048;

/** Bytes of a text in the header `grpc-message`. */
function headerBytes(text: string): number {
  const bytes = Buffer.from(text);
  return bytes.reduce((sum, byte) => sum + (byte >= 0x20 && byte <= 0x7e && byte !== 0x25 ? 1 : 3), 0);
}

/** UTF-8 can say it: no surrogate is alone. */
function isWellFormed(text: string): boolean {
  return Buffer.from(text).toString() === text;
}

test('texts: a text of a client is repeated whole up to 128 characters, then with its length', () => {
  assert.equal(shortened('x'.repeat(128)), 'x'.repeat(128));
  assert.equal(shortened('x'.repeat(70_000)), `${'x'.repeat(128)}… (70000 characters)`);
  assert.equal(shortened(`${'x'.repeat(127)}😀`), `${'x'.repeat(127)}… (129 characters)`);
});

test('texts: any value of a client is shown, shortened, and none throws', () => {
  assert.equal(shown(undefined), 'nothing');
  assert.equal(shown('a"b'), '"a\\"b"');
  assert.equal(shown('x'.repeat(1000)), `"${'x'.repeat(128)}"… (1000 characters)`);
  assert.equal(shown({ a: [1, null] }), '{"a":[1,null]}');
  assert.equal(shown(9_007_199_254_740_993n), '9007199254740993');
  assert.equal(shown(NaN), 'NaN');
  let deep: unknown = 0;
  for (let level = 0; level < 100_000; level += 1) deep = [deep];
  assert.equal(shown(deep), 'a list');
  assert.equal(shown({ deep }), 'an object');
});

test('texts: of more than 32 sizes the first and their number are shown', () => {
  assert.equal(sizesText([1, 3, 224, 224]), '1,3,224,224');
  const text = sizesText(Array.from({ length: 9_000 }, (_, index) => index));
  assert.equal(text, `${Array.from({ length: 32 }, (_, index) => index).join(',')},… 9000 dimensions`);
});

test('texts: a message that is too long keeps its beginning and its end', () => {
  const message = boundedMessage(`begin ${'x'.repeat(70_000)} end`);
  assert.match(message, /^begin x+ … \(70010 characters\) … x+ end$/);
});

test('texts: an entry of the log has a bound, too', () => {
  assert.equal(boundedEntry('x'.repeat(16_384)).length, 16_384);
  const entry = boundedEntry(`begin ${'x'.repeat(70_000)} end`);
  assert.match(entry, /^begin x+ … \(70010 characters\) … x+ end$/);
  assert.ok(entry.length <= 16_384);
});

const PIECE = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('%', '\n', '\u0000', 'é', '漢', '😀', '\ud83d', 'input name: ', '"', '\\'),
);
/** Texts of up to some 100,000 characters, of every kind. */
const ANY_TEXT = fc
  .tuple(fc.array(PIECE, { maxLength: 20 }), fc.constantFrom(1, 2, 50, 500))
  .map(([pieces, times]) => pieces.join('').repeat(times));

test('errors: whatever their details say, what leaves fits into every header and stays UTF-8', () => {
  fc.assert(
    fc.property(fc.constantFrom(...CODES), ANY_TEXT, (code, detail) => {
      const error = new ServingError(code, detail);
      const { details } = error.grpcStatus();
      for (const text of [error.message, error.detail, details]) {
        assert.ok(headerBytes(text) <= MOST_HEADER_BYTES, `${code}: ${headerBytes(text)} bytes`);
        assert.ok(isWellFormed(text), code);
      }
      // Between threads an error travels by its code and its detail.
      assert.equal(new ServingError(code, error.detail).detail, error.detail);
    }),
    { numRuns: 2_000 },
  );
});

test('errors: texts of ordinary length stay to the letter', () => {
  fc.assert(
    fc.property(fc.constantFrom(...CODES), fc.string({ maxLength: 1_500 }), (code, detail) => {
      const { text } = CATALOGUE[code];
      fc.pre(headerBytes(detail) + headerBytes(text) <= 1_900);
      const error = new ServingError(code, detail);
      assert.equal(error.detail, detail);
      assert.equal(error.message, detail === '' ? text : text === '' ? detail : `${text} - ${detail}`);
    }),
  );
});
