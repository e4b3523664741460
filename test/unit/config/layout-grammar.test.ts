import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseLayout } from '#src/config/layout-grammar.js';
import { covers } from '../../contract/covers.js';

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
    covers('config.layout-transpose');
    assert.deepEqual(parseLayout('NHWC:NCHW').value, { tensor: 'NHWC', model: 'NCHW' });
  });

  it('reads lower case as upper case', () => {
    covers('config.layout-grammar');
    assert.deepEqual(parseLayout('nhwc:nchw').value, { tensor: 'NHWC', model: 'NCHW' });
  });

  it('reads scalars, ellipses and unnamed dimensions', () => {
    covers('config.layout-grammar');
    for (const text of ['...', 'N...', 'N...C', '...C', 'N?HWC', '??', 'NCDHW']) {
      assert.deepEqual(parseLayout(text).value, { tensor: null, model: text });
    }
  });

  it('accepts each dimension once and any number of ?', () => {
    const letters = fc.shuffledSubarray(['N', 'C', 'H', 'W', 'D'], { minLength: 1 }).map((names) => names.join('?'));
    fc.assert(fc.property(letters, (text) => assert.equal(parseLayout(text).value?.model, text)));
  });

  it('gives either a value or a fault for any text, as a reading character by character does', () => {
    covers('config.layout-grammar');
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('N', 'c', '...', '.', '?', ':') }));
    fc.assert(
      fc.property(text, (written) => {
        const { value, fault } = parseLayout(written);
        assert.equal(value === null, fault !== null);
        const printed = value === null ? null : value.tensor === null ? value.model : `${value.tensor}:${value.model}`;
        assert.equal(printed, isLayoutSlowly(written.toUpperCase()) ? written.toUpperCase() : null);
      }),
      { numRuns: 2000 },
    );
  });
});

/** The grammar once more, from left to right and without patterns. */
function isLayoutSlowly(text: string): boolean {
  const sides = [new Set<string>()];
  let dimensions = 0;
  for (let at = 0; at < text.length; at++) {
    const side = sides.at(-1)!;
    if (text[at] === ':' && dimensions > 0 && sides.length === 1) {
      sides.push(new Set());
      dimensions = 0;
      continue;
    }
    const part = text.startsWith('...', at) ? '...' : text[at]!;
    if (!['N', 'C', 'H', 'W', 'D', '?', '...'].includes(part)) return false;
    if (part !== '?' && side.has(part)) return false;
    side.add(part);
    dimensions++;
    at += part.length - 1;
  }
  return dimensions > 0;
}
