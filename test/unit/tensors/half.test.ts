import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHalf, toHalf } from '#src/tensors/half.js';

test('every half but the NaNs survives the way through a number', () => {
  for (let half = 0; half < 0x10000; half += 1) {
    const value = fromHalf(half);
    if (!Number.isNaN(value)) assert.equal(toHalf(value), half);
  }
});

test('halves round to the nearest, ties to even', () => {
  assert.equal(toHalf(1 + 2 ** -11), 0x3c00);
  assert.equal(toHalf(1 + 3 * 2 ** -11), 0x3c02);
  assert.equal(toHalf(1 + 2 ** -11 + 2 ** -40), 0x3c01);
  assert.equal(toHalf(2047.5), toHalf(2048));
});

test('halves reach down to 2^-24 and up to 65504', () => {
  assert.equal(toHalf(2 ** -24), 1);
  assert.equal(toHalf(2 ** -25), 0);
  assert.equal(toHalf(2 ** -14 - 2 ** -25), 0x0400);
  assert.equal(toHalf(65519.99), 0x7bff);
  assert.equal(toHalf(65520), 0x7c00);
  assert.equal(toHalf(-1e300), 0xfc00);
  assert.equal(toHalf(-0), 0x8000);
});

test('half NaN reads as NaN, and NaN is written as one', () => {
  assert.equal(toHalf(NaN), 0x7e00);
  assert.ok(Number.isNaN(fromHalf(0x7e00)));
  assert.equal(toHalf(NaN), 0x7e00);
});
