import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServingError } from '#src/errors.js';
import { checkStrings } from '#src/servables/strings/check-strings.js';
import type { TensorInfo } from '#src/tensors/tensor-info.js';
import { stringList, stringCount, type StringList } from '#src/tensors/strings.js';
import { tensor } from '../../dag/pipeline-fixture.js';

const PICTURES = tensor('b', { shape: [2, 4, 4, 3], layout: 'NHWC' });
const ROWS = tensor('b', { precision: 'U8', shape: [-1, 4] });

function messageOf(input: TensorInfo, strings: StringList, shape = [stringCount(strings)], split = false): string {
  try {
    checkStrings(strings, shape, input, split, '; input name: b');
  } catch (error) {
    assert.ok(error instanceof ServingError);
    return error.message;
  }
  return 'accepted';
}

function texts(...values: readonly string[]): StringList {
  return stringList(values);
}

test('string check: pictures and rows that fit are accepted', () => {
  assert.equal(messageOf(PICTURES, texts('p', 'q')), 'accepted');
  assert.equal(messageOf(ROWS, texts('abc', '')), 'accepted');
  const each = tensor('b', { shape: [-1, 1, 4, 4, 3], layout: 'N?HWC' });
  assert.equal(messageOf(each, texts('p', 'q', 'r'), [3], true), 'accepted');
});

test('string check: the rank comes before the count, the count before the batch', () => {
  assert.equal(
    messageOf(PICTURES, texts('p'), [2, 1]),
    'Invalid number of shape dimensions - Expected number of binary input shape dimensions: 1; Actual: 2; input name: b',
  );
  assert.equal(
    messageOf(PICTURES, texts('p'), [2]),
    'Invalid input batch size - Expected: 2; Actual: 1; input name: b',
  );
  assert.equal(messageOf(PICTURES, texts('p')), 'Invalid input batch size - Expected: 2; Actual: 1; input name: b');
});

test('string check: the batch comes before the layout, the layout before precision and emptiness', () => {
  const channelsFirst = tensor('b', { shape: [1, 3, 4, 4], layout: 'NCHW', precision: 'I64' });
  assert.match(messageOf(channelsFirst, texts('p', 'q')), /^Invalid input batch size/);
  assert.match(messageOf(channelsFirst, texts('')), /^Received binary image input but resource not configured/);
  const long = tensor('b', { shape: [1, 4, 4, 3], layout: 'NHWC', precision: 'I64' });
  assert.match(messageOf(long, texts('')), /^Invalid input precision - Expected: one of FP32, .*; Actual: I64/);
  assert.equal(messageOf(PICTURES, texts('p', '')), 'String val is empty - element 1; input name: b');
});

test('string check: a shard takes one picture', () => {
  const pairs = tensor('b', { shape: [-1, 2, 4, 4, 3], layout: 'N?HWC' });
  assert.match(messageOf(pairs, texts('p'), [1], true), /^Invalid input shape - Expected: \(-1,2,4,4,3\)/);
});

test('string check: rows are as wide as the longest string and its zero', () => {
  assert.equal(
    messageOf(ROWS, texts('a', 'abcd')),
    'Invalid input shape - Expected batch size: -1; got: 2; Expected max null terminated string length: 4; got: 5; input name: b',
  );
});

test('string check: rows may take one gibibyte together', () => {
  const long = { ...texts('a'), lengths: Uint32Array.of(2 ** 30) };
  assert.match(messageOf(ROWS, long), /^String max size exceeded - Expected: at most 1073741824 bytes/);
});

test('string check: strings for inputs of other kinds are not implemented', () => {
  const text = 'Functionality not implemented - ';
  assert.equal(messageOf(tensor('b', { shape: [1] }), texts('x')), `${text}strings or encoded pictures; input name: b`);
  assert.equal(messageOf(ROWS, texts('x'), [1], true), `${text}strings or encoded pictures; input name: b`);
});
