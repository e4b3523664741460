import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

import { addon, element, Tensor, type ElementTypeName, type SupportedTypedArray } from '#src/openvino/index.js';

const SAMPLES: Readonly<Record<ElementTypeName, SupportedTypedArray>> = {
  u8: Uint8Array.of(1, 255),
  u16: Uint16Array.of(1, 65535),
  u32: Uint32Array.of(1, 4294967295),
  u64: BigUint64Array.of(1n, 2n ** 64n - 1n),
  i8: Int8Array.of(1, -128),
  i16: Int16Array.of(1, -32768),
  i32: Int32Array.of(1, -2147483648),
  i64: BigInt64Array.of(1n, -(2n ** 63n)),
  f32: Float32Array.of(1, -0.5),
  f64: Float64Array.of(1, 0.1),
  f16: Uint16Array.of(0x3c00, 0x3800),
  bf16: Uint16Array.of(0x3f80, 0x3f00),
  boolean: Uint8Array.of(1, 0),
};
const TYPES = Object.keys(SAMPLES) as ElementTypeName[];

test('tensor: new memory is shared, of the array class of its type, and zero', () => {
  for (const type of TYPES) {
    const { data } = new Tensor(type, [1, 2]);
    assert.ok(data.buffer instanceof SharedArrayBuffer, type);
    assert.equal(data.constructor, SAMPLES[type].constructor, type);
    assert.deepEqual([...data].map(Number), [0, 0], type);
  }
});

test('tensor: it tells what it was made of', () => {
  for (const type of TYPES) {
    const tensor = new Tensor(type, [1, 2], SAMPLES[type]);
    assert.equal(tensor.getElementType(), type);
    assert.deepEqual(tensor.getShape(), [1, 2]);
    assert.equal(tensor.getSize(), 2);
    assert.equal(tensor.isContinuous(), true);
    assert.deepEqual(tensor.getData(), SAMPLES[type]);
  }
});

test('tensor: members of element and their names are the same', () => {
  assert.equal(new Tensor(element.i64, [1]).getElementType(), element.i64);
  assert.equal(new Tensor('i64', [1]).getElementType(), addon.element.i64);
});

test('tensor: a scalar has one element, an empty tensor none', () => {
  assert.equal(new Tensor('f32', []).getSize(), 1);
  assert.equal(new Tensor('f32', [2, 0]).data.length, 0);
});

test('tensor: it lives in the array it was made around, wherever that starts', () => {
  const bytes = Buffer.alloc(24);
  const array = new Float32Array(bytes.buffer, bytes.byteOffset + 8 - (bytes.byteOffset % 8), 2);
  const tensor = new Tensor('f32', [2], array);
  array[1] = 7;
  assert.deepEqual([...tensor.data], [0, 7]);
  tensor.data[0] = 3;
  assert.equal(array[0], 3);
});

test('tensor: bytes of another array class are taken as elements', () => {
  const tensor = new Tensor('f32', [1], new Uint8Array(Float32Array.of(1.5).buffer));
  assert.deepEqual(tensor.data, Float32Array.of(1.5));
});

test('tensor: the shape it tells is a copy', () => {
  const given = [1, 2];
  const tensor = new Tensor('u8', given);
  given[0] = 9;
  tensor.getShape()[0] = 8;
  assert.deepEqual(tensor.getShape(), [1, 2]);
});

test('tensor: assigning data copies into the same memory', () => {
  const tensor = new Tensor('f32', [1, 2]);
  const view = tensor.data;
  const values = Float32Array.of(4, 5);
  tensor.data = values;
  values[0] = 0;
  assert.deepEqual([...view], [4, 5]);
});

test('tensor: assigning another type, size or kind throws and changes nothing', () => {
  const tensor = new Tensor('f32', [1, 2]);
  const expected = 'data: expected a Float32Array of 2 elements, received';
  const wrong: readonly [unknown, string][] = [
    [Float64Array.of(1, 2), 'Float64Array of 2 elements'],
    [Float32Array.of(1, 2, 3), 'Float32Array of 3 elements'],
    [[1, 2], '[object Array]'],
    ['text', 'text'],
    [undefined, '[object Undefined]'],
  ];
  for (const [values, received] of wrong) {
    assert.throws(() => (tensor.data = values as SupportedTypedArray), {
      name: 'TypeError',
      message: `${expected} ${received}`,
    });
  }
  assert.deepEqual([...tensor.data], [0, 0]);
});

test('tensor: a smaller shape uses the start of the memory, and the larger one finds it again', () => {
  const tensor = new Tensor('u8', [2, 2], Uint8Array.of(1, 2, 3, 4));
  tensor.setShape([3]);
  assert.deepEqual([tensor.getShape(), [...tensor.data]], [[3], [1, 2, 3]]);
  tensor.setShape([1, 4]);
  assert.deepEqual([...tensor.data], [1, 2, 3, 4]);
});

test('tensor: the same shape leaves the data array alone', () => {
  const tensor = new Tensor('u8', [2]);
  const { data } = tensor;
  tensor.setShape([2]);
  assert.equal(tensor.data, data);
});

test('tensor: own memory grows, the memory of an array does not', () => {
  const own = new Tensor('f32', [1]);
  own.setShape([3, 2]);
  assert.deepEqual([...own.data], [0, 0, 0, 0, 0, 0]);
  const wrapped = new Tensor('f32', [1], Float32Array.of(1));
  assert.throws(() => wrapped.setShape([3, 2]), {
    name: 'RangeError',
    message: 'shape: [3,2] needs 24 bytes, the array has 4',
  });
  assert.deepEqual(wrapped.getShape(), [1]);
});

test('tensor: copyTo copies into a tensor of the same type and shape only', () => {
  const source = new Tensor('i32', [2], Int32Array.of(1, 2));
  const target = new Tensor('i32', [2]);
  source.copyTo(target);
  source.data[0] = 9;
  assert.deepEqual([...target.data], [1, 2]);
  for (const other of [new Tensor('i32', [1, 2]), new Tensor('u32', [2])]) {
    assert.throws(() => source.copyTo(other), /^TypeError: tensor: expected i32 \[2\], received [iu]32 \[/);
  }
  assert.throws(() => source.copyTo({ ...source }), {
    message: 'tensor: expected a Tensor, received [object Object]',
  });
});

test('tensor: wrong arguments are named', () => {
  const make = (...given: unknown[]): Tensor => Reflect.construct(Tensor, given) as Tensor;
  const types = TYPES.join(', ');
  const wrong: readonly [readonly unknown[], string, string][] = [
    [['f31', [1]], 'TypeError', `type: expected one of ${types}, received f31`],
    [['string', [1]], 'TypeError', `type: expected one of ${types}, received string`],
    [['toString', [1]], 'TypeError', `type: expected one of ${types}, received toString`],
    [[8, [1]], 'TypeError', `type: expected one of ${types}, received 8`],
    [['f32'], 'TypeError', 'shape: expected an array of sizes, received [object Undefined]'],
    [['f32', { length: 1 }], 'TypeError', 'shape: expected an array of sizes, received [object Object]'],
    [['f32', [1, -1]], 'TypeError', 'shape[1]: expected a non-negative integer, received -1'],
    [['f32', ['1']], 'TypeError', 'shape[0]: expected a non-negative integer, received 1'],
    [['f32', [1.5]], 'TypeError', 'shape[0]: expected a non-negative integer, received 1.5'],
    [['f32', [2 ** 40, 2 ** 40]], 'RangeError', 'shape: [1099511627776,1099511627776] is larger than any memory'],
    [['f32', [1], [1]], 'TypeError', 'tensorData: expected a typed array, received [object Array]'],
    [
      ['f32', [1], new ArrayBuffer(4)],
      'TypeError',
      'tensorData: expected a typed array, received [object ArrayBuffer]',
    ],
    [['f32', [2], Float32Array.of(1)], 'RangeError', 'tensorData: expected 8 bytes for f32 [2], received 4'],
    [
      ['f32', [1], new Uint8Array(8).subarray(1, 5)],
      'RangeError',
      'tensorData: expected a multiple of the element size as byteOffset, received 1',
    ],
  ];
  for (const [given, name, message] of wrong) assert.throws(() => make(...given), { name, message });
});

test('tensor: its memory may be sent to a worker, which writes into it', async () => {
  const tensor = new Tensor('f32', [1, 2]);
  const worker = new Worker('require("node:worker_threads").workerData.set([1.5, 2.5])', {
    eval: true,
    workerData: tensor.data,
  });
  await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
  assert.deepEqual([...tensor.data], [1.5, 2.5]);
});
