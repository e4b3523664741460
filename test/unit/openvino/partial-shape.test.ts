import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PartialShape } from '#src/openvino/index.js';

// What OpenVINO 2026.4.1 makes of the same texts.
const SHAPES: readonly [text: string, printed: string, dimensions: readonly (number | readonly number[])[] | null][] = [
  ['1, 3, 224, 224', '[1,3,224,224]', [1, 3, 224, 224]],
  ['?, -1, 1..3, 224', '[?,?,1..3,224]', [-1, -1, [1, 3], 224]],
  ['[2..,..10,0..5,3..3]', '[2..,..10,..5,3]', [-1, [0, 10], [0, 5], 3]],
  ['..', '[?]', [-1]],
  ['0..', '[?]', [-1]],
  [' [ 1 , 2 ] ', '[1,2]', [1, 2]],
  ['0', '[0]', [0]],
  ['', '[]', []],
  ['[]', '[]', []],
  ['...', '[...]', null],
  ['[...]', '[...]', null],
];

test('partial shape: texts are read and printed in OpenVINO notation', () => {
  for (const [text, printed, dimensions] of SHAPES) {
    const shape = new PartialShape(text);
    assert.equal(shape.toString(), printed, text);
    if (dimensions !== null) assert.deepEqual(shape.getDimensions(), dimensions, text);
  }
});

test('partial shape: without a text it is a scalar', () => {
  assert.equal(new PartialShape().toString(), '[]');
  assert.ok(new PartialShape().isStatic());
});

test('partial shape: static means that every size is fixed', () => {
  const isStatic = SHAPES.filter(([text]) => new PartialShape(text).isStatic()).map(([text]) => text);
  assert.deepEqual(isStatic, ['1, 3, 224, 224', ' [ 1 , 2 ] ', '0', '', '[]']);
  for (const [text] of SHAPES) {
    assert.notEqual(new PartialShape(text).isDynamic(), new PartialShape(text).isStatic(), text);
  }
});

test('partial shape: an unknown rank has no dimensions to get', () => {
  assert.throws(() => new PartialShape('...').getDimensions(), { message: 'the rank of the shape is not known' });
});

test('partial shape: what cannot be read is named', () => {
  for (const [text, dimension] of [
    ['1,,2', ''],
    ['[1, 2', '[1'],
    ['a', 'a'],
    ['-2', '-2'],
    ['1.5', '1.5'],
    ['5..2', '5..2'],
    ['1..2..3', '1..2..3'],
    ['1,...', '...'],
  ] as const) {
    const message = `shape: expected sizes like 3, ?, 1..3 or 2.., received "${dimension}" in "${text}"`;
    assert.throws(() => new PartialShape(text), { message });
  }
});
