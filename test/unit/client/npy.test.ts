import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ClientError } from '#src/client/client-error.js';
import { parseNpy, readNpy } from '#src/client/npy.js';
import { floats, npyBytes } from './npy-bytes.js';

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

const TYPES: readonly (readonly [string, string, ArrayBufferView, readonly number[]])[] = [
  ['<f2', 'FP16', Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00), [1, -2, 2 ** -24, Infinity]],
  ['<f4', 'FP32', Float32Array.of(1.5, -2, 0.1), [1.5, -2, Math.fround(0.1)]],
  ['<f8', 'FP64', Float64Array.of(0.1, -1e300), [0.1, -1e300]],
  ['|i1', 'I8', Int8Array.of(-128, 127), [-128, 127]],
  ['<i2', 'I16', Int16Array.of(-32768, 5), [-32768, 5]],
  ['<i4', 'I32', Int32Array.of(-(2 ** 31), 5), [-(2 ** 31), 5]],
  ['<i8', 'I64', BigInt64Array.of(-404n, 2n ** 53n), [-404, 2 ** 53]],
  ['|u1', 'U8', Uint8Array.of(0, 255), [0, 255]],
  ['<u2', 'U16', Uint16Array.of(0, 65535), [0, 65535]],
  ['<u4', 'U32', Uint32Array.of(0, 2 ** 32 - 1), [0, 2 ** 32 - 1]],
  ['<u8', 'U64', BigUint64Array.of(7n, 2n ** 53n), [7, 2 ** 53]],
];
for (const [descr, precision, data, expected] of TYPES) {
  test(`npy: elements of type ${descr} are ${precision}`, () => {
    const array = parseNpy(npyBytes(descr, [expected.length], bytesOf(data)), 'a.npy');
    assert.equal(array.precision, precision);
    assert.deepEqual(array.shape, [expected.length]);
    assert.deepEqual(Array.from(array.elements), expected);
  });
}

for (const version of [1, 2, 3]) {
  test(`npy: format version ${version}`, () => {
    const array = parseNpy(npyBytes('<f4', [2, 1], floats(1, 2), { version }), 'a.npy');
    assert.deepEqual(array.shape, [2, 1]);
    assert.deepEqual(Array.from(array.elements), [1, 2]);
  });
}

test('npy: a scalar has no dimension and one element', () => {
  const array = parseNpy(npyBytes('<f4', [], floats(3)), 'a.npy');
  assert.deepEqual(array.shape, []);
  assert.deepEqual(Array.from(array.elements), [3]);
});

test('npy: a file that stands at an odd place in memory is read too', () => {
  const file = npyBytes('<f4', [2], floats(1, 2));
  const odd = new Uint8Array(file.length + 1).subarray(1);
  odd.set(file);
  assert.deepEqual(Array.from(parseNpy(odd, 'a.npy').elements), [1, 2]);
});

test('npy: bytes behind the data are not part of the array', () => {
  assert.equal(parseNpy(npyBytes('<f4', [1], floats(1, 2)), 'a.npy').elements.length, 1);
});

const good = npyBytes('<f4', [2], floats(1, 2));
const REFUSED: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ['another file', Buffer.from('PK\x03\x04 not an array'), /^File a\.npy is not a \.npy file$/],
  ['an empty file', new Uint8Array(0), /^File a\.npy is not a \.npy file$/],
  ['format version 4', npyBytes('<f4', [1], floats(1), { version: 4 }), /format version 4, expected 1 to 3$/],
  ['a file cut within its header', good.subarray(0, 30), /^File a\.npy ends within its \.npy header$/],
  ['a file cut within its header length', npyBytes('<f4', [1], floats(1), { version: 2 }).subarray(0, 11), /header$/],
  ['a file cut within its data', good.subarray(0, good.length - 1), /truncated: expected 8 bytes of data, found 7$/],
  ['Fortran order', npyBytes('<f4', [1, 1], floats(1), { fortran: true }), /arrays in Fortran order are not supported/],
  ['big-endian elements', npyBytes('>f4', [1], floats(1)), /elements of type '>f4', expected little-endian/],
  ['complex elements', npyBytes('<c8', [1], floats(1, 2)), /elements of type '<c8'/],
  ['f1, which is no type', npyBytes('<f1', [1], floats(1)), /elements of type '<f1'/],
  [
    'a header without a shape',
    Buffer.from(good.toString('latin1').replace('shape', 'shade'), 'latin1'),
    /without shape$/,
  ],
  ['a shape that is no shape', Buffer.from(good.toString('latin1').replace('(2,)', '(x,)'), 'latin1'), /shape \(x,\)$/],
  ['more elements than there can be', npyBytes('<f4', [2 ** 40, 2 ** 40], floats(1)), /truncated/],
];
for (const [what, bytes, message] of REFUSED) {
  test(`npy: ${what} is refused with one sentence`, () => {
    assert.throws(
      () => parseNpy(bytes, 'a.npy'),
      (error) => error instanceof ClientError && message.test(error.message),
    );
  });
}

test('npy: changed bytes never throw anything but ClientError', () => {
  const change = fc.tuple(fc.nat({ max: good.length - 1 }), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const bytes = Buffer.from(good);
      for (const [at, value] of changes) bytes[at] = value;
      try {
        parseNpy(bytes, 'a.npy');
      } catch (error) {
        assert.ok(error instanceof ClientError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test('npy: a missing file and a directory give one sentence', async () => {
  await assert.rejects(readNpy('no/such.npy'), { name: 'ClientError', message: 'File no/such.npy does not exist' });
  await assert.rejects(readNpy('.'), { name: 'ClientError', message: /^File \. cannot be read: .*EISDIR/ });
});
