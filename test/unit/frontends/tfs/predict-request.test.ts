import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodePredictRequest, encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import type { ResponseTensor } from '#src/servables/predict-request.js';
import { ELEMENT_BYTES, type Precision } from '#src/tensors/precision.js';
import { covers } from '../../../contract/covers.js';
import { bytesField, contentBytes, hex, requestWithTensor, varintField } from './wire.js';

const PRECISIONS = (Object.keys(ELEMENT_BYTES) as Precision[]).filter((precision) => precision !== 'STRING');

// Made with google.protobuf from the .proto files: dummy, version 3, b = float32 [1,2] of 1 and 2.
const GOLDEN = hex(`0a0b 0a0564756d6d79 1202 0803
  121b 0a0162 1216 0801 1208 12020801 12020802 2208 0000803f 00000040`);

test('predict request: golden bytes decode to name, version and tensor', () => {
  const request = decodePredictRequest(GOLDEN);
  assert.equal(request.servable, 'dummy');
  assert.equal(request.version, 3n);
  assert.equal(request.hasModelSpec, true);
  const tensor = request.inputs.get('b')!;
  assert.equal(tensor.precision, 'FP32');
  assert.equal(tensor.precisionText, 'FP32');
  assert.deepEqual(tensor.shape, [1, 2]);
  assert.deepEqual(contentBytes(tensor), hex('0000803f00000040'));
});

test('predict request: encoding gives the golden bytes', () => {
  const bytes = hex('0000803f00000040');
  const encoded = encodePredictRequest('dummy', 3n, [{ name: 'b', precision: 'FP32', shape: [1, 2], bytes }]);
  assert.deepEqual(encoded, GOLDEN);
});

test('predict request: tensor_content stays a view of the message', () => {
  for (const message of [Buffer.from(GOLDEN), new Uint8Array(GOLDEN), shared(GOLDEN)]) {
    const { content } = decodePredictRequest(message).inputs.get('b')!;
    assert.ok(content.kind === 'bytes');
    assert.equal(content.bytes.buffer, message.buffer);
    message[message.length - 1] = 0x55;
    assert.equal(content.bytes.at(-1), 0x55);
  }
});

test('predict request: a message in shared memory decodes long and non-ASCII names', () => {
  for (const name of ['é', 'n'.repeat(100), `${'n'.repeat(100)}é`]) {
    const message = encodePredictRequest(name, null, [{ name, precision: 'U8', shape: [1], bytes: hex('07') }]);
    const request = decodePredictRequest(shared(message));
    assert.equal(request.servable, name);
    assert.deepEqual([...request.inputs.keys()], [name]);
  }
});

test('predict request: version absent or 0 is the default version', () => {
  assert.equal(decodePredictRequest(bytesField(1, bytesField(1, 'm'))).version, null);
  assert.equal(decodePredictRequest(bytesField(1, bytesField(1, 'm'), bytesField(2))).version, null);
  assert.equal(decodePredictRequest(bytesField(1, bytesField(2, varintField(1, 0)))).version, null);
});

test('predict request: versions keep all 64 bits', () => {
  for (const version of [2n ** 63n - 1n, 2n ** 53n + 1n, -1n]) {
    assert.equal(decodePredictRequest(encodePredictRequest('m', version, [])).version, version);
  }
});

test('predict request: without model_spec the name is empty', () => {
  const request = decodePredictRequest(new Uint8Array(0));
  assert.deepEqual(request, { servable: '', version: null, inputs: new Map(), hasModelSpec: false });
});

test('predict request: a model_spec sent twice is merged', () => {
  const message = Buffer.concat([bytesField(1, bytesField(1, 'm')), bytesField(1, bytesField(2, varintField(1, 4)))]);
  const { servable, version } = decodePredictRequest(message);
  assert.deepEqual({ servable, version }, { servable: 'm', version: 4n });
});

test('predict request: of two inputs with one name the later stays', () => {
  const message = Buffer.concat([requestWithTensor(varintField(1, 1)), requestWithTensor(varintField(1, 9))]);
  const { inputs } = decodePredictRequest(message);
  assert.deepEqual(
    [...inputs].map(([name, { precision }]) => [name, precision]),
    [['b', 'I64']],
  );
});

test('predict request: output_filter, signature_name, version_label and unknown fields are ignored', () => {
  covers('tfs-grpc.ignored-fields');
  const spec = bytesField(
    1,
    bytesField(1, 'm'),
    bytesField(3, 'signature'),
    bytesField(4, 'label'),
    bytesField(99, 'x'),
  );
  const unknown = [bytesField(3, 'a'), varintField(77, 5), hex('a506 01020304'), hex('a106 0102030405060708')];
  const group = hex('bb06 0801 bc06');
  const request = decodePredictRequest(Buffer.concat([spec, ...unknown, group]));
  assert.deepEqual(request, { servable: 'm', version: null, inputs: new Map(), hasModelSpec: true });
});

test('predict request: a known field of the wrong wire type is unknown', () => {
  covers('tfs-grpc.wrong-wire-type');
  // dtype as bytes, tensor_content as varint.
  const tensor = decodePredictRequest(requestWithTensor(bytesField(1, 'x'), varintField(4, 9))).inputs.get('b')!;
  assert.equal(tensor.precision, null);
  assert.deepEqual(contentBytes({ ...tensor, precision: 'U8' }), Buffer.alloc(0));
});

test('predict request: fields of a tensor may come in any order', () => {
  const content = bytesField(4, hex('0102'));
  const shape = bytesField(2, bytesField(2, varintField(1, 2)));
  const { inputs } = decodePredictRequest(requestWithTensor(content, shape, varintField(1, 4)));
  const tensor = inputs.get('b')!;
  assert.equal(tensor.precision, 'U8');
  assert.deepEqual(tensor.shape, [2]);
  assert.deepEqual(contentBytes(tensor), hex('0102'));
});

test('predict request: sizes may be negative, zero, or larger than any tensor', () => {
  const sizes = [-3, 0, 2 ** 40, -(2 ** 63), 2 ** 28];
  const dims = sizes.map((size) => bytesField(2, varintField(1, BigInt(size)), bytesField(2, 'name')));
  const { inputs } = decodePredictRequest(requestWithTensor(bytesField(2, ...dims, varintField(3, 1))));
  assert.deepEqual(inputs.get('b')!.shape, sizes);
});

test('predict request: types no servable has are INVALID', () => {
  for (const dtype of [0, 8, 11, 12, 13, 15, 16, 18, 20, 21, 24, 101, -1]) {
    const { inputs } = decodePredictRequest(requestWithTensor(varintField(1, dtype), bytesField(4, 'abc')));
    const { precision, precisionText, content } = inputs.get('b')!;
    assert.equal(precision, null);
    assert.equal(precisionText, 'INVALID');
    assert.deepEqual(content.kind === 'bytes' && Buffer.from(content.bytes).toString(), 'abc');
  }
});

test('predict request: DT_BFLOAT16 is accepted, and INVALID in errors', () => {
  const tensor = decodePredictRequest(requestWithTensor(varintField(1, 14))).inputs.get('b')!;
  assert.equal(tensor.precision, 'BF16');
  assert.equal(tensor.precisionText, 'INVALID');
});

test('predict request: every precision round-trips through tensor_content', () => {
  const tensorOf = (precision: Precision): fc.Arbitrary<ResponseTensor> =>
    fc
      .record({
        name: fc.string({ unit: 'grapheme', maxLength: 80 }),
        shape: fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.maxSafeNat()), { maxLength: 6 }),
        bytes: fc.uint8Array({ maxLength: 300 }),
      })
      .map((tensor) => ({ ...tensor, precision }));
  const tensors = fc.constantFrom(...PRECISIONS).chain(tensorOf);
  const inputs = fc.uniqueArray(tensors, { selector: ({ name }) => name, maxLength: 5 });
  const version = fc.option(fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }));
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), version, inputs, (servable, version, inputs) => {
      const request = decodePredictRequest(encodePredictRequest(servable, version, inputs));
      assert.equal(request.servable, servable);
      assert.equal(request.version, version);
      assert.equal(request.inputs.size, inputs.length);
      for (const { name, precision, shape, bytes } of inputs) {
        const tensor = request.inputs.get(name)!;
        assert.equal(tensor.precision, precision);
        assert.deepEqual(tensor.shape, shape);
        assert.deepEqual(contentBytes(tensor), Buffer.from(bytes));
      }
    }),
  );
});

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}
