import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readElements } from '#src/client/elements.js';
import { floats } from './npy-bytes.js';

test('elements: BF16 is the upper half of a float32', () => {
  assert.deepEqual(Array.from(readElements('BF16', Uint8Array.of(0x80, 0x3f, 0x20, 0xc1))), [1, -10]);
});

test('elements: BOOL is 0 or 1, whatever byte stands there', () => {
  assert.deepEqual(Array.from(readElements('BOOL', Uint8Array.of(0, 1, 255))), [0, 1, 1]);
});

test('elements: FP32 is a view where the alignment allows it, else a copy', () => {
  const aligned = floats(1, 2);
  assert.equal((readElements('FP32', aligned) as Float32Array).buffer, aligned.buffer);
  const odd = new Uint8Array(9).subarray(1);
  odd.set(aligned);
  assert.deepEqual(Array.from(readElements('FP32', odd)), [1, 2]);
});

test('elements: strings and pieces of elements are refused', () => {
  assert.throws(() => readElements('STRING', new Uint8Array(4)), new RangeError('elements of STRING are not numbers'));
  assert.throws(() => readElements('I32', new Uint8Array(5)), new RangeError('5 bytes are not whole I32 elements'));
});
