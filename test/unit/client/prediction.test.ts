import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imagenetClassName } from '#src/client/imagenet-classes.js';
import { outputArray, predictedClasses, pythonTuple } from '#src/client/prediction.js';
import type { RequestTensor } from '#src/servables/predict-request.js';
import { NO_STRINGS } from '#src/tensors/strings.js';
import { floats } from './npy-bytes.js';
import { covers } from '../../contract/covers.js';

function scores(classes: number, ...best: readonly number[]): { shape: number[]; elements: Float32Array } {
  const elements = new Float32Array(classes * best.length);
  for (const [row, index] of best.entries()) elements[row * classes + index] = 0.9;
  return { shape: [best.length, classes], elements };
}

test('prediction: a model of 1001 classes counts the background, others do not', () => {
  covers('clients.predict-model');
  assert.deepEqual(predictedClasses({ precision: 'FP32', ...scores(1001, 405, 1) }, false), [404, 0]);
  assert.deepEqual(predictedClasses({ precision: 'FP32', ...scores(1000, 404) }, false), [404]);
});

test('prediction: of equal scores the first class is taken', () => {
  assert.deepEqual(predictedClasses({ precision: 'FP32', shape: [1, 3], elements: [1, 2, 2] }, false), [1]);
});

test('prediction: negative scores have a greatest one too', () => {
  assert.deepEqual(predictedClasses({ precision: 'FP32', shape: [1, 3], elements: [-3, -1, -2] }, false), [1]);
});

test('prediction: a pipeline answers classes, counted with the background', () => {
  covers('clients.predict-pipeline');
  assert.deepEqual(predictedClasses({ precision: 'I64', shape: [1], elements: [405] }, true), [404]);
  assert.deepEqual(predictedClasses({ precision: 'I64', shape: [2, 1], elements: [405, 341] }, true), [404, 340]);
});

test('prediction: an empty batch has no classes', () => {
  assert.deepEqual(predictedClasses({ precision: 'FP32', shape: [0, 1000], elements: [] }, false), []);
});

test('prediction: outputs are read from tensor_content and from typed fields', () => {
  const tensor = { precision: 'FP32', precisionText: 'FP32', shape: [1, 2] } as const;
  const asBytes = outputArray('a', { ...tensor, content: { kind: 'bytes', bytes: floats(1, 2) } });
  assert.deepEqual(Array.from(asBytes.elements), [1, 2]);
  const writeTo = (target: Uint8Array): void => target.set(floats(3, 4));
  const asValues = outputArray('a', { ...tensor, content: { kind: 'values', count: 2, writeTo } });
  assert.deepEqual(Array.from(asValues.elements), [3, 4]);
});

const bytes = { kind: 'bytes', bytes: floats(1, 2) } as const;
const BAD_OUTPUTS: readonly (readonly [string, RequestTensor, string])[] = [
  [
    'whose bytes do not fill its shape',
    { precision: 'FP32', precisionText: 'FP32', shape: [1, 3], content: bytes },
    'Output a of shape (1, 3) has 8 bytes, expected 12',
  ],
  [
    'of strings',
    { precision: 'STRING', precisionText: 'STRING', shape: [1], content: { kind: 'strings', strings: NO_STRINGS } },
    'Output a of type STRING has no numbers',
  ],
  [
    'of an unknown type',
    { precision: null, precisionText: 'INVALID', shape: [1], content: bytes },
    'Output a of type INVALID has no numbers',
  ],
];
for (const [what, tensor, message] of BAD_OUTPUTS) {
  test(`prediction: an output ${what} gives one sentence`, () => {
    assert.throws(() => outputArray('a', tensor), { name: 'ClientError', message });
  });
}

test('prediction: shapes print as Python tuples', () => {
  assert.deepEqual([[], [1], [10, 224, 224, 3]].map(pythonTuple), ['()', '(1,)', '(10, 224, 224, 3)']);
});

test('ImageNet classes: the ten of the sample images have their names', () => {
  const names = [404, 279, 309, 207, 366, 635, 84, 144, 113, 340].map(imagenetClassName);
  assert.deepEqual(names, [
    'airliner',
    'Arctic fox, white fox, Alopex lagopus',
    'bee',
    'golden retriever',
    'gorilla, Gorilla gorilla',
    'magnetic compass',
    'peacock',
    'pelican',
    'snail',
    'zebra',
  ]);
});

test('ImageNet classes: there are 1000, each with a name', () => {
  assert.equal(imagenetClassName(0), 'tench, Tinca tinca');
  assert.equal(imagenetClassName(999), 'toilet tissue, toilet paper, bathroom tissue');
  for (let index = 0; index < 1000; index += 1) assert.match(imagenetClassName(index) ?? '', /^\S.*\S$/);
  for (const index of [-1, 1000, 1.5, NaN]) assert.equal(imagenetClassName(index), null);
});
