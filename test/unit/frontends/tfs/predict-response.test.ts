import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodePredictResponse, encodePredictResponse } from '#src/frontends/tfs/predict-message.js';
import type { Precision } from '#src/tensors/precision.js';
import { covers } from '../../../contract/covers.js';
import { bytesField, contentBytes, hex, varint, varintField } from './wire.js';

const WIRE_NUMBERS: readonly (readonly [Precision, number])[] = [
  ['FP32', 1],
  ['FP64', 2],
  ['I32', 3],
  ['U8', 4],
  ['I16', 5],
  ['I8', 6],
  ['I64', 9],
  ['BOOL', 10],
  ['BF16', 14],
  ['U16', 17],
  ['FP16', 19],
  ['U32', 22],
  ['U64', 23],
];

for (const [precision, number] of WIRE_NUMBERS) {
  test(`predict response: ${precision} is written as dtype ${number} with tensor_content`, () => {
    const bytes = hex('01020304 05060708');
    const encoded = encodePredictResponse([{ name: 'a', precision, shape: [2, 3], bytes }]);
    const shape = bytesField(2, bytesField(2, varintField(1, 2)), bytesField(2, varintField(1, 3)));
    const tensor = bytesField(2, varintField(1, number), shape, bytesField(4, bytes));
    assert.deepEqual(encoded, bytesField(1, bytesField(1, 'a'), tensor));
  });
}

for (const value of [0n, 300n, 2n ** 63n, 2n ** 64n - 1n]) {
  test(`predict response: ${value} goes into uint64_val when clients look for it there`, () => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    const encoded = encodePredictResponse([{ name: 's', precision: 'U64', shape: [1], bytes, inValueField: true }]);
    const shape = bytesField(2, bytesField(2, varintField(1, 1)));
    const tensor = bytesField(2, varintField(1, 23), shape, bytesField(17, varint(value)));
    assert.deepEqual(encoded, bytesField(1, bytesField(1, 's'), tensor));
  });
}

test('predict response: golden bytes of google.protobuf', () => {
  const bytes = Buffer.alloc(8, 1);
  assert.deepEqual(
    encodePredictResponse([{ name: 'a', precision: 'U64', shape: [1, 0, 300], bytes }]),
    hex('0a1e 0a0161 1219 0817 120b 12020801 1200 120308ac02 2208 0101010101010101'),
  );
});

test('predict response: outputs keep their order, model_spec is unset', () => {
  covers('tfs-grpc.response-spec');
  const tensor = { precision: 'U8', shape: [1], bytes: hex('07') } as const;
  const encoded = encodePredictResponse([
    { name: 'b/é', ...tensor },
    { name: 'a', ...tensor },
  ]);
  assert.deepEqual([...decodePredictResponse(encoded).keys()], ['b/é', 'a']);
  // The message is its two map entries and nothing else.
  const entry = (name: string): Buffer =>
    bytesField(1, bytesField(1, name), bytesField(2, hex('0804 1204 12020801 220107')));
  assert.deepEqual(encoded, Buffer.concat([entry('b/é'), entry('a')]));
});

test('predict response: a scalar has a shape without dimensions, an empty tensor no content', () => {
  const scalar = encodePredictResponse([{ name: 'a', precision: 'U8', shape: [], bytes: hex('07') }]);
  assert.deepEqual(scalar, hex('0a0c 0a0161 1207 0804 1200 220107'));
  const empty = encodePredictResponse([{ name: 'a', precision: 'U8', shape: [0], bytes: hex('') }]);
  assert.deepEqual(empty, hex('0a0b 0a0161 1206 0804 1202 1200'));
});

test('predict response: no output is an empty message', () => {
  assert.equal(encodePredictResponse([]).length, 0);
});

test('predict response: bytes are copied, so that their memory may be used again', () => {
  const bytes = new Uint8Array(new SharedArrayBuffer(300_000)).fill(1);
  const encoded = encodePredictResponse([{ name: 'a', precision: 'U8', shape: [300_000], bytes }]);
  bytes.fill(2);
  const tensor = decodePredictResponse(encoded).get('a')!;
  assert.ok(contentBytes(tensor).every((byte) => byte === 1));
  assert.equal(contentBytes(tensor).length, 300_000);
});

test('predict response: STRING is written as string_val, whatever its shape', () => {
  const bytes = hex('02000000 6162 00000000 01000000 ff');
  const response = encodePredictResponse([{ name: 'a', precision: 'STRING', shape: [3, 1], bytes }]);
  const tensor = '08 07 12 08 1202 0803 1202 0801 42 02 6162 42 00 42 01 ff';
  const value = hex(tensor);
  const entry = Buffer.concat([hex('0a 01 61 12'), Buffer.of(value.byteLength), value]);
  assert.deepEqual(response, Buffer.concat([Buffer.of(0x0a, entry.byteLength), entry]));
});

test('predict response: the largest content stands in memory as its source does, modulo a word', () => {
  const memory = new SharedArrayBuffer(20_000);
  for (const name of ['a', 'ab', 'abc', 'abcd', 'abcde']) {
    for (const offset of [0, 3, 64]) {
      const large = new Uint8Array(memory, offset, 10_000);
      const small = new Uint8Array(memory, 12_000, 5);
      const encoded = encodePredictResponse([
        { name: 's', precision: 'U8', shape: [5], bytes: small },
        { name, precision: 'U8', shape: [10_000], bytes: large },
        { name: 't', precision: 'U8', shape: [5], bytes: small },
      ]);
      const { content } = decodePredictResponse(encoded).get(name)!;
      assert.ok(content.kind === 'bytes');
      assert.equal(content.bytes.byteOffset % 8, large.byteOffset % 8);
      assert.equal(decodePredictResponse(encoded).size, 3);
    }
  }
});

test('predict response: a U8 output of rows whose name ends in _string is written as DT_STRING with string_val', () => {
  const encoded = encodePredictResponse([
    { name: 'a_string', precision: 'U8', shape: [3, 3], bytes: Buffer.from('abc\0\0\0d\0e') },
  ]);
  const shape = bytesField(2, bytesField(2, varintField(1, 3)));
  const texts = [bytesField(8, 'abc'), bytesField(8, ''), bytesField(8, 'd')];
  assert.deepEqual(
    encoded,
    bytesField(1, bytesField(1, 'a_string'), bytesField(2, varintField(1, 7), shape, ...texts)),
  );
});
