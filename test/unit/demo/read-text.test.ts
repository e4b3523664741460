import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textLines } from '#src/demo/read-text.js';
import type { RequestTensor } from '#src/servables/predict-request.js';
import { bytesOf } from '../../helpers/tensors.js';

function tensor(precision: 'U8' | 'FP32', shape: readonly number[], bytes: Uint8Array): RequestTensor {
  return { precision, precisionText: precision, shape, content: { kind: 'bytes', bytes } };
}

test('read text: a line has the text up to the zero byte, its confidence and its four corners', () => {
  const corners = [1, 2, 9, 2, 9, 5, 1, 5];
  const outputs = new Map([
    ['text_string', tensor('U8', [2, 4], Uint8Array.from([97, 0, 98, 0, 0xc3, 0xbc, 97, 98]))],
    ['confidence', tensor('FP32', [2, 1], bytesOf(Float32Array.from([0.5, 1])))],
    ['boxes', tensor('FP32', [2, 4, 2], bytesOf(Float32Array.from([...corners, ...corners.map((each) => -each)])))],
  ]);
  const box = [
    [1, 2],
    [9, 2],
    [9, 5],
    [1, 5],
  ];
  assert.deepEqual(textLines(outputs), [
    { text: 'a', confidence: 0.5, box },
    { text: 'üab', confidence: 1, box: box.map((corner) => corner.map((each) => -each)) },
  ]);
});

test('read text: no line where there is none', () => {
  const outputs = new Map([
    ['text_string', tensor('U8', [0, 0], new Uint8Array(0))],
    ['confidence', tensor('FP32', [0, 1], new Uint8Array(0))],
    ['boxes', tensor('FP32', [0, 4, 2], new Uint8Array(0))],
  ]);
  assert.deepEqual(textLines(outputs), []);
});

test('read text: an output that is not there is told with those that are', () => {
  assert.throws(() => textLines(new Map([['other', tensor('U8', [0, 1], new Uint8Array(0))]])), {
    name: 'ClientError',
    message: 'Expected the output text_string, received other',
  });
});
