import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseBatchSize, parseShape } from '#src/config/shape-grammar.js';
import { formatDimension, formatPartialShape, type Dimension, type PartialShape } from '#src/tensors/shape.js';
import { covers } from '../../contract/covers.js';

const SIZE = fc.integer({ min: 0, max: 100000 });
const DIMENSION: fc.Arbitrary<Dimension> = fc.oneof(
  SIZE.map((size) => ({ min: size, max: size })),
  fc.tuple(SIZE, fc.integer({ min: 1, max: 1000 })).map(([min, more]) => ({ min, max: min + more })),
  fc.constant({ min: 0, max: Infinity }),
);

/** As a user writes it: ranges with a colon. */
function write(dimension: Dimension): string {
  return formatDimension(dimension).replace('~', ':').replace(/[[\]]/g, '');
}

/** The grammar once more, from left to right and without patterns; `null` for what is no shape. */
function readSlowly(text: string): PartialShape | 'auto' | null {
  const characters = Array.from(text).filter((character) => character !== ' ');
  if (characters.join('') === 'auto') return 'auto';
  if (characters.shift() !== '(' || characters.pop() !== ')') return null;
  const isDigit = (character: string | undefined): boolean =>
    character !== undefined && '0123456789'.includes(character);
  const readNumber = (): number | null => {
    let digits = '';
    while (isDigit(characters[0])) digits += characters.shift()!;
    return digits === '' ? null : Number(digits);
  };
  const shape: Dimension[] = [];
  while (characters.length > 0) {
    if (characters[0] === '-') {
      characters.shift();
      if (characters.shift() !== '1' || isDigit(characters[0])) return null;
      shape.push({ min: 0, max: Infinity });
    } else {
      const min = readNumber();
      if (min === null) return null;
      const isRange = characters[0] === ':';
      if (isRange) characters.shift();
      const max = isRange ? readNumber() : min;
      if (max === null || (isRange && min >= max)) return null;
      shape.push({ min, max });
    }
    if (characters.length > 0 && characters.shift() !== ',') return null;
  }
  return shape;
}

describe('shape grammar', () => {
  for (const text of [
    '',
    '1,3',
    '(1,3',
    '1,3)',
    '[1,3]',
    '(a)',
    '(1,,3)',
    '(,)',
    '(,1)',
    '(-2)',
    '(1.5)',
    '(5:1)',
    '(3:3)',
    '(1:-1)',
    '(1:2:3)',
    '(1e3)',
    '(0x1)',
    'AUTO',
    '((1))',
    '(9007199254740993)',
  ]) {
    it(`refuses ${JSON.stringify(text)} and says what was expected`, () => {
      const { value, fault } = parseShape(text);
      assert.equal(value, null);
      assert.equal(
        fault,
        `expected "auto" or (d,d,...) with each d one of n, -1 (any), min:max, received ${JSON.stringify(text)}`,
      );
    });
  }

  it('reads auto', () => {
    assert.equal(parseShape('auto').value, 'auto');
  });

  it('reads a scalar', () => {
    assert.deepEqual(parseShape('()').value, []);
  });

  it('ignores spaces and a trailing comma', () => {
    covers('config.shape-grammar');
    assert.deepEqual(parseShape(' ( 1, 3 ,) ').value, parseShape('(1,3)').value);
  });

  it('reads sizes, ranges and any', () => {
    covers('config.shape-grammar');
    assert.deepEqual(parseShape('(1,200:500,-1,0)').value, [
      { min: 1, max: 1 },
      { min: 200, max: 500 },
      { min: 0, max: Infinity },
      { min: 0, max: 0 },
    ]);
  });

  it('reads back every shape that can be written', () => {
    covers('config.shape-grammar');
    fc.assert(
      fc.property(fc.array(DIMENSION, { maxLength: 8 }), (shape) => {
        assert.deepEqual(parseShape(`(${shape.map(write).join(',')})`).value, shape);
      }),
    );
  });

  it('gives either a value or a fault for any text, as a reading character by character does', () => {
    covers('config.shape-grammar');
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('(', ')', ',', ':', '-', '1', '2', ' ') }));
    fc.assert(
      fc.property(text, (written) => {
        const { value, fault } = parseShape(written);
        assert.equal(value === null, fault !== null);
        assert.deepEqual(value, readSlowly(written));
      }),
      { numRuns: 2000 },
    );
  });

  it('is printed with ranges in brackets', () => {
    covers('config.shape-grammar');
    const { value } = parseShape('(1,3,200:500,-1)');
    assert.equal(value !== 'auto' && value !== null && formatPartialShape(value), '(1,3,[200~500],-1)');
  });
});

describe('batch size grammar', () => {
  for (const text of ['', 'many', '-2', '1.5', '8:1', '1:', ':1', '(1)', 'AUTO']) {
    it(`refuses ${JSON.stringify(text)} and says what was expected`, () => {
      assert.deepEqual(parseBatchSize(text), {
        value: null,
        fault: `expected "auto", n, -1 (any) or min:max, received ${JSON.stringify(text)}`,
      });
    });
  }

  it('reads auto, a size, any and a range', () => {
    assert.equal(parseBatchSize('auto').value, 'auto');
    assert.deepEqual(parseBatchSize('8').value, { min: 8, max: 8 });
    assert.deepEqual(parseBatchSize('-1').value, { min: 0, max: Infinity });
    assert.deepEqual(parseBatchSize('1:8').value, { min: 1, max: 8 });
  });

  it('reads 0 as the batch size of the model', () => {
    assert.deepEqual(parseBatchSize('0'), { value: null, fault: null });
  });
});
