import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textLines } from '#src/demo/read-text.js';
import type { RequestTensor } from '#src/servables/predict-request.js';
import { stringList } from '#src/tensors/strings.js';
import { bytesOf } from '../../helpers/tensors.js';

function tensor(precision: 'U8' | 'FP32', shape: readonly number[], bytes: Uint8Array): RequestTensor {
  return { precision, precisionText: precision, shape, content: { kind: 'bytes', bytes } };
}

function strings(...texts: readonly string[]): RequestTensor {
  const content = { kind: 'strings', strings: stringList(texts) } as const;
  return { precision: 'STRING', precisionText: 'STRING', shape: [texts.length], content };
}

test('read text: a line has its text, its confidence and its four corners', () => {
  const corners = [1, 2, 9, 2, 9, 5, 1, 5];
  const outputs = new Map([
    ['text_string', strings('a', 'üab')],
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
    ['text_string', strings()],
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

test('read text: lines that are no strings are refused', () => {
  assert.throws(() => textLines(new Map([['text_string', tensor('U8', [1, 1], new Uint8Array(1))]])), {
    name: 'ClientError',
    message: 'Expected strings of the output text_string, received U8',
  });
});
