import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ServingError } from '#src/errors.js';
import { decodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import type { RequestTensor } from '#src/servables/predict-request.js';
import { ELEMENT_BYTES, type Precision } from '#src/tensors/precision.js';
import { NO_STRINGS, toViews } from '#src/tensors/strings.js';
import { covers } from '../../../contract/covers.js';
import { bytesField, contentBytes, hex, requestWithTensor, varint, varintField } from './wire.js';

interface TypedField {
  readonly name: string;
  readonly dtype: number;
  readonly precision: Precision;
  readonly field: number;
}

const VARINT_FIELDS: readonly TypedField[] = [
  { name: 'int_val of DT_INT32', dtype: 3, precision: 'I32', field: 7 },
  { name: 'int_val of DT_UINT8', dtype: 4, precision: 'U8', field: 7 },
  { name: 'int_val of DT_INT16', dtype: 5, precision: 'I16', field: 7 },
  { name: 'int_val of DT_INT8', dtype: 6, precision: 'I8', field: 7 },
  { name: 'int_val of DT_UINT16', dtype: 17, precision: 'U16', field: 7 },
  { name: 'int64_val of DT_INT64', dtype: 9, precision: 'I64', field: 10 },
  { name: 'half_val of DT_HALF', dtype: 19, precision: 'FP16', field: 13 },
  { name: 'half_val of DT_BFLOAT16', dtype: 14, precision: 'BF16', field: 13 },
  { name: 'uint32_val of DT_UINT32', dtype: 22, precision: 'U32', field: 16 },
  { name: 'uint64_val of DT_UINT64', dtype: 23, precision: 'U64', field: 17 },
];

function decodeTensor(...fields: readonly Uint8Array[]): RequestTensor {
  return decodePredictRequest(requestWithTensor(...fields)).inputs.get('b')!;
}

/** Little-endian elements of the low bits of each value. */
function littleEndian(values: readonly bigint[], width: number): Buffer {
  return Buffer.concat(
    values.map((value) => {
      const element = Buffer.alloc(8);
      element.writeBigUInt64LE(BigInt.asUintN(64, value));
      return element.subarray(0, width);
    }),
  );
}

for (const { name, dtype, precision, field } of VARINT_FIELDS) {
  const bits = ELEMENT_BYTES[precision] * 8;
  const signed = precision.startsWith('I');
  const value = signed
    ? fc.bigInt({ min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n })
    : fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n });

  test(`typed values: ${name} is read packed, unpacked and mixed`, () => {
    covers('tfs-grpc.typed-values');
    fc.assert(
      fc.property(fc.array(value), fc.array(value), (packed, unpacked) => {
        const runs = [bytesField(field, ...packed.map(varint)), ...unpacked.map((each) => varintField(field, each))];
        const tensor = decodeTensor(varintField(1, dtype), ...runs);
        const values = [...packed, ...unpacked];
        if (values.length > 0) {
          assert.ok(tensor.content.kind === 'values');
          assert.equal(tensor.content.count, values.length);
        }
        assert.deepEqual(contentBytes(tensor), littleEndian(values, ELEMENT_BYTES[precision]));
      }),
    );
  });
}

test('typed values: float_val and double_val are read packed, unpacked and mixed', () => {
  const floats = decodeTensor(varintField(1, 1), bytesField(5, hex('0000803f 00000040')), hex('2d 000040c0'));
  assert.deepEqual(contentBytes(floats), hex('0000803f 00000040 000040c0'));
  const doubles = decodeTensor(varintField(1, 2), hex('31 000000000000f03f'), bytesField(6, hex('0000000000000040')));
  assert.deepEqual(contentBytes(doubles), hex('000000000000f03f 0000000000000040'));
});

test('typed values: bool_val becomes bytes 0 and 1, whatever number was sent', () => {
  const packed = bytesField(11, varint(0), varint(1), varint(2n ** 40n), varint(256));
  assert.deepEqual(contentBytes(decodeTensor(varintField(1, 10), packed)), hex('00010101'));
});

test('typed values: half_val gives the low 16 bits', () => {
  assert.deepEqual(contentBytes(decodeTensor(varintField(1, 19), varintField(13, 0xabc3c00))), hex('003c'));
});

test('typed values: string_val are views of the message', () => {
  const message = requestWithTensor(varintField(1, 7), bytesField(8, 'abc'), bytesField(8), bytesField(8, 'd'));
  const { content, precision } = decodePredictRequest(message).inputs.get('b')!;
  assert.equal(precision, 'STRING');
  assert.ok(content.kind === 'strings');
  assert.deepEqual(
    toViews(content.strings).map((string) => Buffer.from(string).toString()),
    ['abc', '', 'd'],
  );
  assert.equal(content.strings.bytes.buffer, message.buffer);
});

test('typed values: DT_STRING without string_val has no strings', () => {
  assert.deepEqual(decodeTensor(varintField(1, 7)).content, { kind: 'strings', strings: NO_STRINGS });
});

test('typed values: tensor_content wins when it is not empty', () => {
  covers('tfs-grpc.typed-values');
  const values = bytesField(5, hex('0000803f'));
  const content = bytesField(4, hex('01020304'));
  assert.deepEqual(contentBytes(decodeTensor(varintField(1, 1), content, values)), hex('01020304'));
  assert.deepEqual(contentBytes(decodeTensor(varintField(1, 1), bytesField(4), values)), hex('0000803f'));
});

test('typed values: the field of another type is not read', () => {
  const { content } = decodeTensor(varintField(1, 1), bytesField(7, varint(1)), bytesField(13, varint(2)));
  assert.deepEqual(content.kind === 'bytes' && content.bytes.length, 0);
});

test('typed values: an absent content is no bytes, but a count of 0 for DT_HALF and DT_UINT16', () => {
  for (const dtype of [1, 2, 3, 4, 5, 6, 9, 10, 14, 22, 23]) {
    assert.equal(decodeTensor(varintField(1, dtype)).content.kind, 'bytes', `dtype ${dtype}`);
  }
  for (const dtype of [19, 17]) {
    const tensor = decodeTensor(varintField(1, dtype), bytesField(13), bytesField(7));
    assert.equal(tensor.content.kind === 'values' && tensor.content.count, 0, `dtype ${dtype}`);
    assert.equal(contentBytes(tensor).length, 0);
  }
});

test('typed values: a target that is too small is refused before anything is written', () => {
  const { content } = decodeTensor(varintField(1, 3), bytesField(7, varint(1), varint(2)));
  assert.ok(content.kind === 'values');
  const target = new Uint8Array(7);
  assert.throws(() => content.writeTo(target), new RangeError('2 values of 4 bytes written into 7 bytes'));
  assert.deepEqual(target, new Uint8Array(7));
});

const MALFORMED: readonly (readonly [string, Buffer])[] = [
  ['a packed float of 3 bytes', bytesField(5, hex('000000'))],
  ['a packed double of 12 bytes', bytesField(6, Buffer.alloc(12))],
  ['a packed varint that does not end', bytesField(7, hex('80'))],
  ['a packed varint of eleven bytes', bytesField(10, hex('8080808080808080808001'))],
  ['an unpacked varint of eleven bytes', hex('50 8080808080808080808001')],
  ['an unpacked float of 3 bytes', hex('2d 000000')],
];
for (const [what, field] of MALFORMED) {
  test(`typed values: ${what} is malformed`, () => {
    assert.throws(
      () => decodeTensor(varintField(1, 1), field),
      (error) => error instanceof ServingError && error.code === 'MESSAGE_MALFORMED',
    );
  });
}
