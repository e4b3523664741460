import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ServingError } from '#src/errors.js';
import { JsonReader } from '#src/frontends/rest/json-reader.js';

function read(text: string): unknown {
  return new JsonReader(Buffer.from(text)).read();
}

/** Own properties only: the reader's objects have no prototype. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}

const ERRORS: readonly (readonly [string, string, number])[] = [
  ['', 'The document is empty.', 0],
  [' \n\t\r', 'The document is empty.', 4],
  ['{} {}', 'The document root must not be followed by other values.', 3],
  ['01', 'The document root must not be followed by other values.', 1],
  ['abc', 'Invalid value.', 0],
  ['{"a":tru}', 'Invalid value.', 8],
  ['[nulL]', 'Invalid value.', 4],
  ['[-]', 'Invalid value.', 2],
  ['[1,]', 'Invalid value.', 3],
  ['[Nan]', 'Invalid value.', 3],
  ['[-Inv]', 'Invalid value.', 4],
  ['[Infinit]', 'Invalid value.', 8],
  ['[+Infinity]', 'Invalid value.', 1],
  ['{"a":', 'Invalid value.', 5],
  ['{1:2}', 'Missing a name for object member.', 1],
  ['{"a":1,}', 'Missing a name for object member.', 7],
  ['{"a" 1}', 'Missing a colon after a name of object member.', 5],
  ['{"a":1 "b":2}', 'Missing a comma or } after an object member.', 7],
  ['{"inputs":[1,2]', 'Missing a comma or } after an object member.', 15],
  ['[1 2]', 'Missing a comma or ] after an array element.', 3],
  ['["\\u12x4"]', 'Incorrect hex digit after \\u escape in string.', 2],
  ['["ab\\q"]', 'Invalid escape character in string.', 4],
  ['["abc', 'Missing a closing quotation mark in string.', 5],
  ['["a\nb"]', 'Invalid encoding in string.', 3],
  ['[1.]', 'Miss fraction part in number.', 3],
  ['[1e+]', 'Miss exponent in number.', 4],
  ['[ 1e400]', 'Number too big to be stored in double.', 2],
  ['{"é":1 2}', 'Missing a comma or } after an object member.', 8],
];

for (const [text, message, offset] of ERRORS) {
  test(`json reader refuses ${JSON.stringify(text)} with "${message}" at byte ${offset}`, () => {
    assert.throws(
      () => read(text),
      (error) => {
        assert.ok(error instanceof ServingError);
        assert.equal(error.code, 'JSON_INVALID');
        assert.equal(error.message, `The file is not valid json - Error: ${message} Offset: ${offset}`);
        return true;
      },
    );
  });
}

test('json reader takes the words for numbers that are not finite, wherever a number may stand', () => {
  assert.deepEqual(read('[NaN, -NaN, Infinity, -Infinity, Inf, -Inf, {"a": NaN}]'), [
    NaN,
    NaN,
    Infinity,
    -Infinity,
    Infinity,
    -Infinity,
    Object.assign(Object.create(null), { a: NaN }),
  ]);
});

test('json reader refuses an integer beyond double, however many digits it has', () => {
  assert.throws(
    () => read(`[${'9'.repeat(1_000_000)}]`),
    (error) =>
      error instanceof ServingError && error.detail === 'Error: Number too big to be stored in double. Offset: 1',
  );
});

test('json reader keeps integers of 16 and more digits exact', () => {
  assert.deepEqual(read('[9007199254740993, -9223372036854775808, 999999999999999, 1234567890123456.5]'), [
    9007199254740993n,
    -9223372036854775808n,
    999999999999999,
    1234567890123456.5,
  ]);
});

test('json reader allows 100 levels and refuses 101', () => {
  assert.doesNotThrow(() => read('['.repeat(100) + ']'.repeat(100)));
  assert.throws(
    () => read('['.repeat(101)),
    (error) => error instanceof ServingError && error.code === 'REST_NESTING_TOO_DEEP',
  );
});

test('json reader agrees with JSON.parse on every JSON text', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), fc.nat(3), (text, indent) => {
      const value = JSON.parse(text) as unknown;
      const numbersAsDoubles = (found: unknown): unknown =>
        JSON.parse(
          JSON.stringify(found, (_, member: unknown) => (typeof member === 'bigint' ? Number(member) : member)),
        );
      const again = JSON.stringify(value, null, indent);
      assert.deepEqual(numbersAsDoubles(plain(read(again))), JSON.parse(again));
    }),
  );
});

test('json reader and JSON.parse refuse the same texts', () => {
  const fragment = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"',
    ',',
    ':',
    '1',
    '-',
    '.',
    'e',
    'true',
    'null',
    ' ',
    '\\',
    'a',
    '"a"',
  );
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 12 }), (fragments) => {
      const text = fragments.join('');
      let valid = true;
      try {
        JSON.parse(text);
      } catch {
        valid = false;
      }
      if (valid) assert.doesNotThrow(() => read(text), text);
      else assert.throws(() => read(text), ServingError, text);
    }),
    { numRuns: 2000 },
  );
});
