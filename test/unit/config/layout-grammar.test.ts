import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseLayout } from '#src/config/layout-grammar.js';

describe('layout grammar', () => {
  for (const text of [
    '',
    'NXC',
    'N C',
    'N..',
    'N.C',
    'N...C...',
    '....',
    'NN',
    'NC:',
    ':NC',
    'N:C:H',
    '[N,C]',
    'N'.repeat(65),
    '?'.repeat(65),
  ]) {
    it(`refuses ${JSON.stringify(text)} and says what was expected`, () => {
      assert.deepEqual(parseLayout(text), {
        value: null,
        fault: `expected letters N C H W D, ? and at most one ..., as "NCHW" or "NHWC:NCHW", received ${JSON.stringify(text)}`,
      });
    });
  }

  it('reads one layout as that of the model', () => {
    assert.deepEqual(parseLayout('NCHW').value, { tensor: null, model: 'NCHW' });
  });

  it('reads two as what clients send and what the model has', () => {
    assert.deepEqual(parseLayout('NHWC:NCHW').value, { tensor: 'NHWC', model: 'NCHW' });
  });

  it('reads lower case as upper case', () => {
    assert.deepEqual(parseLayout('nhwc:nchw').value, { tensor: 'NHWC', model: 'NCHW' });
  });

  it('reads scalars, ellipses and unnamed dimensions', () => {
    for (const text of ['...', 'N...', 'N...C', '...C', 'N?HWC', '??', 'NCDHW']) {
      assert.deepEqual(parseLayout(text).value, { tensor: null, model: text });
    }
  });

  it('accepts each dimension once and any number of ?', () => {
    const letters = fc.shuffledSubarray(['N', 'C', 'H', 'W', 'D'], { minLength: 1 }).map((names) => names.join('?'));
    fc.assert(fc.property(letters, (text) => assert.equal(parseLayout(text).value?.model, text)));
  });

  it('gives either a value or a fault for any text', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('N', 'C', '.', '?', ':') }));
    fc.assert(
      fc.property(text, (written) => {
        const { value, fault } = parseLayout(written);
        assert.equal(value === null, fault !== null);
      }),
    );
  });
});
