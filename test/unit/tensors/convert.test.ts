import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { convertedShape, type Conversion } from '#src/tensors/conversion.js';
import { convertTensor } from '#src/tensors/convert.js';
import { elementArray, elementValue, type NumericPrecision } from '#src/tensors/elements.js';
import { ELEMENT_BYTES } from '#src/tensors/precision.js';
import { elementCount, type Shape } from '#src/tensors/shape.js';
import { Tensor } from '#src/tensors/tensor.js';
import { Arena } from '#src/tensors/arena.js';
import { FakeRegistrar } from './fake-registrar.js';

const arena = new Arena(new FakeRegistrar());

function make(precision: NumericPrecision, shape: Shape, values: readonly (number | bigint)[] = [], start = 0): Tensor {
  const count = elementCount(shape)!;
  const lease = arena.lease(count * ELEMENT_BYTES[precision] + start);
  const tensor = new Tensor(precision, shape, lease, start);
  const bytes = elementArray(precision, new ArrayBuffer(count * ELEMENT_BYTES[precision]), 0, count);
  values.forEach((value, index) => (bytes[index] = value));
  tensor.bytes.set(new Uint8Array(bytes.buffer));
  return tensor;
}

function valuesOf(tensor: Tensor): (number | bigint)[] {
  return Array.from({ length: elementCount(tensor.shape)! }, (_, index) => tensor.element(index));
}

function convert(source: Tensor, conversion: Conversion): Tensor {
  const precision = (conversion.precision?.to ?? source.precision) as NumericPrecision;
  const target = make(precision, convertedShape(source.shape, conversion));
  convertTensor(source, target, conversion);
  return target;
}

for (const [from, to, values, expected] of [
  ['U8', 'FP32', [0, 7, 255], [0, 7, 255]],
  ['FP32', 'U8', [-3, 1.9, 300, NaN], [0, 1, 255, 0]],
  ['FP32', 'I8', [-129, -1.9, 127.5], [-128, -1, 127]],
  ['FP64', 'I32', [-1e12, 2.5, 1e12], [-(2 ** 31), 2, 2 ** 31 - 1]],
  ['FP32', 'I64', [-1.5, 3.99, Infinity], [-1n, 3n, 2n ** 63n - 1n]],
  ['FP32', 'U64', [-1.5, 3.99], [0n, 3n]],
  ['I64', 'I32', [-(2n ** 40n), 5n, 2n ** 40n], [-(2 ** 31), 5, 2 ** 31 - 1]],
  ['I64', 'FP32', [-3n, 16777216n], [-3, 16777216]],
  ['I64', 'U64', [-3n, 2n ** 62n], [0n, 2n ** 62n]],
  ['U64', 'I64', [2n ** 64n - 1n], [2n ** 63n - 1n]],
  ['FP32', 'BOOL', [0, 0.5, -2], [0, 1, 1]],
  ['BOOL', 'FP32', [0, 1], [0, 1]],
  ['U32', 'I32', [2 ** 32 - 1, 4], [2 ** 31 - 1, 4]],
  ['I16', 'U16', [-5, 9], [0, 9]],
] as readonly [NumericPrecision, NumericPrecision, (number | bigint)[], (number | bigint)[]][]) {
  test(`convert: ${from} ${values.join(' ')} to ${to}`, () => {
    const source = make(from, [values.length], values);
    assert.deepEqual(valuesOf(convert(source, { precision: { from, to }, layout: null })), expected);
  });
}

for (const half of ['FP16', 'BF16'] as const) {
  test(`convert: FP32 to ${half} and back keeps what ${half} can hold`, () => {
    const numbers = [0, 1, -2.5, 0.15625, 1024];
    const there = convert(make('FP32', [5], numbers), { precision: { from: 'FP32', to: half }, layout: null });
    assert.deepEqual(valuesOf(there), numbers);
    assert.deepEqual(valuesOf(convert(there, { precision: { from: half, to: 'FP32' }, layout: null })), numbers);
  });
}

test('convert: NHWC to NCHW moves each channel into its own plane, and converts on the way', () => {
  const source = make('U8', [1, 2, 2, 3], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  const target = convert(source, { precision: { from: 'U8', to: 'FP32' }, layout: { from: 'NHWC', to: 'NCHW' } });
  assert.deepEqual(target.shape, [1, 3, 2, 2]);
  assert.deepEqual(valuesOf(target), [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
});

test('convert: a shard that begins where its elements are not aligned is read rightly', () => {
  const source = make('I32', [3], [1, -2, 3], 2);
  assert.deepEqual(valuesOf(source), [1, -2, 3]);
  assert.deepEqual(valuesOf(convert(source, { precision: { from: 'I32', to: 'FP64' }, layout: null })), [1, -2, 3]);
});

test('convert: tensors without elements stay without elements', () => {
  const layout = { from: 'NHWC', to: 'NCHW' };
  assert.deepEqual(
    convert(make('U8', [1, 0, 2, 3]), { precision: { from: 'U8', to: 'FP32' }, layout }).shape,
    [1, 3, 0, 2],
  );
});

test('convert: any order of dimensions reads every element where the indices say', () => {
  const letters = 'NCHWD';
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }),
      fc.infiniteStream(fc.nat()),
      fc.constantFrom<NumericPrecision>('U8', 'I16', 'FP32', 'FP64', 'I64'),
      (shape, random, precision) => {
        const from = letters.slice(0, shape.length);
        const to = Array.from(from)
          .map((letter) => [random.next().value as number, letter] as const)
          .sort(([a], [b]) => a - b)
          .map(([, letter]) => letter)
          .join('');
        const count = elementCount(shape)!;
        const wide = precision === 'I64';
        const source = make(
          precision,
          shape,
          Array.from({ length: count }, (_, i) => (wide ? BigInt(i) : i % 250)),
        );
        const target = convert(source, { precision: null, layout: { from, to } });
        for (let index = 0; index < count; index += 1) {
          assert.equal(target.element(index), source.element(sourceIndex(index, target.shape, shape, from, to)));
        }
      },
    ),
    { numRuns: 100 },
  );
});

/** Where an element of the result was: its indices, by letter, in the source's order. */
function sourceIndex(index: number, shape: Shape, sourceShape: Shape, from: string, to: string): number {
  const at = new Map<string, number>();
  let rest = index;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    at.set(to[axis]!, rest % shape[axis]!);
    rest = Math.floor(rest / shape[axis]!);
  }
  return Array.from(from).reduce((place, letter, axis) => place * sourceShape[axis]! + at.get(letter)!, 0);
}

test('element: halves and brain floats are the numbers they stand for', () => {
  assert.equal(elementValue('FP16', Uint16Array.of(0x3c00), 0), 1);
  assert.equal(elementValue('BF16', Uint16Array.of(0x3fc0), 0), 1.5);
});
