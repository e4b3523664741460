import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ModuleFault } from '#src/nodes/js/module-fault.js';
import { parseDeclarations } from '#src/nodes/js/signature.js';

function parse(shape: unknown, layout?: string): unknown {
  return parseDeclarations([{ name: 'x', precision: 'U8', shape, layout }], 'inputs')[0];
}

test('signature: sizes, ranges and any dimension', () => {
  assert.deepEqual(parse([3, 0, -1, [1, 8], [2, -1]], 'NHWC...'), {
    name: 'x',
    precision: 'U8',
    shape: [
      { min: 3, max: 3 },
      { min: 0, max: 0 },
      { min: 0, max: Infinity },
      { min: 1, max: 8 },
      { min: 2, max: Infinity },
    ],
    layout: 'NHWC...',
  });
});

test('signature: a scalar, and the layout of nothing said', () => {
  assert.deepEqual(parse([]), { name: 'x', precision: 'U8', shape: [], layout: 'N...' });
  assert.deepEqual(parseDeclarations([], 'outputs'), []);
});

test('signature: refuses dimensions that are none', () => {
  for (const size of [-2, 1.5, NaN, Infinity, '1', null, [1], [1, 2, 3], [-1, 3], [1, Infinity], [1, -2], {}]) {
    assert.throws(() => parse([size]), ModuleFault, JSON.stringify(size));
  }
});

test('signature: refuses layouts that do not fit', () => {
  for (const layout of ['', 'NC', 'NX', '......', 'nhwc']) assert.throws(() => parse([1], layout), ModuleFault, layout);
});
