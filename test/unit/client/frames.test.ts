import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchBytes, formatDataRange, normalizeFrames, repeatedCount, transposeFrames } from '#src/client/frames.js';
import type { NdArray } from '#src/client/npy.js';
import { floats } from './npy-bytes.js';
import { covers } from '../../contract/covers.js';

function array(values: readonly number[], shape: readonly number[], precision: NdArray['precision'] = 'FP32'): NdArray {
  return { precision, shape, elements: precision === 'FP32' ? Float32Array.from(values) : values };
}

test('frames: the whole array is shifted to 0 and scaled to 255', () => {
  covers('clients.predict-pictures');
  const { values, shape } = normalizeFrames(array([-1, 0, 1, 3], [2, 2]));
  assert.deepEqual(Array.from(values), [0, 63.75, 127.5, 255]);
  assert.deepEqual(shape, [2, 2]);
  assert.equal(formatDataRange(values), '0.0 : 255.0');
});

test('frames: float32 files are scaled in float32 steps, as NumPy does', () => {
  // numpy.float32: (x - min) / ptp * 255 of [0.1, 0.2, 0.7, 1.3]
  const expected = [0, 21.250001907348633, 127.5, 255];
  assert.deepEqual(Array.from(normalizeFrames(array([0.1, 0.2, 0.7, 1.3], [4])).values), expected);
});

test('frames: integer files are scaled without rounding in between', () => {
  assert.deepEqual(Array.from(normalizeFrames(array([10, 11, 13], [3], 'U8')).values), [0, 85, 255]);
});

test('frames: an array of one value becomes zeros', () => {
  const { values } = normalizeFrames(array([7, 7], [2]));
  assert.deepEqual(Array.from(values), [0, 0]);
  assert.equal(formatDataRange(values), '0.0 : 0.0');
});

test('frames: NaN in a file is shown', () => {
  assert.equal(formatDataRange(normalizeFrames(array([0, NaN], [2])).values), 'nan : nan');
});

test('frames: nhwc2nchw moves the channels forward', () => {
  covers('clients.predict-pictures');
  // Two frames of 1x2 pixels with 3 channels.
  const values = Float32Array.from({ length: 12 }, (_, index) => index);
  const { shape, values: moved } = transposeFrames({ shape: [2, 1, 2, 3], values }, 'nhwc2nchw');
  assert.deepEqual(shape, [2, 3, 1, 2]);
  assert.deepEqual(Array.from(moved), [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]);
});

test('frames: nchw2nhwc is the inverse of nhwc2nchw', () => {
  covers('clients.predict-pictures');
  const values = Float32Array.from({ length: 2 * 3 * 4 * 5 }, (_, index) => index);
  const there = transposeFrames({ shape: [2, 3, 4, 5], values }, 'nhwc2nchw');
  assert.deepEqual(transposeFrames(there, 'nchw2nhwc'), { shape: [2, 3, 4, 5], values });
});

test('frames: only arrays of four dimensions can be transposed', () => {
  assert.throws(() => transposeFrames({ shape: [2, 3], values: new Float32Array(6) }, 'nchw2nhwc'), {
    name: 'ClientError',
    message: 'Transposing by nchw2nhwc needs images of 4 dimensions, received 2',
  });
});

test('frames: they are doubled until they are more than one batch', () => {
  covers('clients.predict-pictures');
  assert.deepEqual(
    [repeatedCount(10, 1), repeatedCount(1, 1), repeatedCount(10, 10), repeatedCount(3, 13)],
    [10, 2, 20, 24],
  );
});

test('frames: a batch is the bytes of its frames, starting again at the end', () => {
  const frames = { shape: [3, 2], values: Float32Array.of(1, 2, 3, 4, 5, 6) };
  assert.deepEqual(batchBytes(frames, 1, 1), floats(3, 4));
  assert.deepEqual(batchBytes(frames, 2, 5), floats(5, 6, 1, 2, 3, 4, 5, 6, 1, 2));
});
