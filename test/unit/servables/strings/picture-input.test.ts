import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringHandling } from '#src/servables/strings/handling.js';
import { fitsPictures, isResized, pictureShape } from '#src/servables/strings/picture-input.js';
import { tensor } from '../../dag/pipeline-fixture.js';

test('string handling: precision and rank say what strings are for', () => {
  const handling = (shape: readonly number[], precision: 'U8' | 'FP32' = 'U8', split = false): string =>
    stringHandling(tensor('b', { shape, precision }), split);
  assert.equal(handling([1]), 'none');
  assert.equal(handling([1, 8]), 'rows');
  assert.equal(handling([1, 8], 'U8', true), 'none');
  assert.equal(handling([1, 8], 'FP32'), 'none');
  assert.equal(handling([1, 2, 2, 3]), 'picture');
  assert.equal(handling([4, 1, 2, 2, 3], 'FP32', true), 'picture');
  assert.equal(handling([4, 1, 2, 2, 3], 'FP32'), 'none');
});

test('picture input: layouts that can be N...HWC fit', () => {
  const fits = (layout: string, shape = [1, 2, 2, 3]): boolean => fitsPictures(tensor('b', { layout, shape }));
  for (const layout of ['NHWC', 'N...', '...', '????', 'N...HWC', '?HWC']) assert.ok(fits(layout), layout);
  for (const layout of ['NCHW', 'CHWN', 'N...CHW', 'NHWD', 'NC...']) assert.ok(!fits(layout), layout);
  assert.ok(fits('N?HWC', [2, 1, 2, 2, 3]));
  assert.ok(fits('N?...', [2, 1, 2, 2, 3]));
  assert.ok(!fits('N?CHW', [2, 1, 3, 2, 2]));
});

test('picture input: only a full layout without open sizes is resized', () => {
  const resizes = (layout: string, shape: readonly (number | readonly [number, number])[]): boolean =>
    isResized(tensor('b', { layout, shape }));
  assert.ok(resizes('NHWC', [1, [2, 5], 4, 3]));
  assert.ok(resizes('N?HWC', [2, 1, 4, 4, 3]));
  assert.ok(resizes('...', [1, 4, 4, 3]));
  assert.ok(!resizes('N...', [1, 4, 4, 3]));
  assert.ok(!resizes('NHWC', [-1, 4, 4, 3]));
});

test('picture input: the shape of the pictures is that of the first as far as the input leaves it open', () => {
  const first = { height: 9, width: 1, channels: 4 };
  const shapeOf = (...sizes: readonly (number | readonly [number, number])[]): unknown =>
    pictureShape(tensor('b', { layout: 'NHWC', shape: [1, ...sizes] }), first);
  assert.deepEqual(shapeOf(-1, -1, -1), first);
  assert.deepEqual(shapeOf([2, 5], [2, 5], 4), { height: 5, width: 2, channels: 4 });
  assert.deepEqual(shapeOf(7, 7, 3), { height: 7, width: 7, channels: 3 });
});
