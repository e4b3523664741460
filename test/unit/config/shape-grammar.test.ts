import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseBatchSize, parseShape } from '#src/config/shape-grammar.js';
import { formatDimension, type Dimension } from '#src/tensors/shape.js';

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
    assert.deepEqual(parseShape(' ( 1, 3 ,) ').value, parseShape('(1,3)').value);
  });

  it('reads sizes, ranges and any', () => {
    assert.deepEqual(parseShape('(1,200:500,-1,0)').value, [
      { min: 1, max: 1 },
      { min: 200, max: 500 },
      { min: 0, max: Infinity },
      { min: 0, max: 0 },
    ]);
  });

  it('reads back every shape that can be written', () => {
    fc.assert(
      fc.property(fc.array(DIMENSION, { maxLength: 8 }), (shape) => {
        assert.deepEqual(parseShape(`(${shape.map(write).join(',')})`).value, shape);
      }),
    );
  });

  it('gives either a value or a fault for any text', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('(', ')', ',', ':', '-', '1', ' ') }));
    fc.assert(
      fc.property(text, (written) => {
        const { value, fault } = parseShape(written);
        assert.equal(value === null, fault !== null);
      }),
    );
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
