import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ServingError, type ErrorCode } from '#src/errors.js';
import { decodeInferRequest, tensorsOf } from '#src/frontends/kserve/infer-request.js';
import type { RequestTensor } from '#src/servables/predict-request.js';
import { ELEMENT_BYTES, type Precision } from '#src/tensors/precision.js';
import { toViews } from '#src/tensors/strings.js';
import { covers } from '../../../contract/covers.js';
import { encodeKserve, type Fields, KSERVE_TYPES } from '../../../helpers/kserve-messages.js';
import { contentBytes, hex } from '../tfs/wire.js';

function request(input: Fields, more: Fields = {}): Uint8Array {
  return encodeKserve('ModelInferRequest', {
    model_name: 'm',
    inputs: [{ name: 'b', datatype: 'FP32', shape: [1], ...input }],
    ...more,
  });
}

function tensor(input: Fields, more: Fields = {}): RequestTensor {
  return tensorsOf(decodeInferRequest(request(input, more)), 1).get('b')!;
}

function hasCode(code: ErrorCode, detail: string): (error: unknown) => boolean {
  return (error) => error instanceof ServingError && error.code === code && error.detail === detail;
}

const NUMERIC = Object.keys(KSERVE_TYPES).filter(
  (precision) => precision !== 'STRING',
) as (keyof typeof KSERVE_TYPES)[];

for (const precision of NUMERIC) {
  test(`infer request: raw content of ${KSERVE_TYPES[precision]} is a view of the message`, () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }),
        fc.array(fc.nat({ max: 2 ** 40 }), { maxLength: 4 }),
        (raw, shape) => {
          const message = request({ datatype: KSERVE_TYPES[precision], shape }, { raw_input_contents: [raw] });
          const decoded = tensorsOf(decodeInferRequest(message), 1).get('b')!;
          assert.deepEqual([decoded.precision, decoded.shape], [precision, shape]);
          assert.ok(decoded.content.kind === 'bytes');
          assert.deepEqual(contentBytes(decoded), Buffer.from(raw));
          assert.equal(decoded.content.bytes.buffer, message.buffer);
        },
      ),
    );
  });
}

interface Typed {
  readonly precision: Exclude<Precision, 'BF16' | 'STRING'>;
  readonly field: string;
  readonly values: fc.Arbitrary<number>;
  readonly write: (view: DataView, at: number, value: number) => void;
}

const TYPED: readonly Typed[] = [
  {
    precision: 'BOOL',
    field: 'bool_contents',
    values: fc.nat(1),
    write: (view, at, value) => view.setUint8(at, value),
  },
  ...(['I8', 'I16', 'I32'] as const).map((precision): Typed => {
    const bits = ELEMENT_BYTES[precision] * 8;
    const values = fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
    return { precision, field: 'int_contents', values, write: writer('Int', bits) };
  }),
  ...(['U8', 'U16', 'U32'] as const).map((precision): Typed => {
    const bits = ELEMENT_BYTES[precision] * 8;
    return {
      precision,
      field: 'uint_contents',
      values: fc.nat(2 ** 31 - 1).map((n) => n % 2 ** bits),
      write: writer('Uint', bits),
    };
  }),
  {
    precision: 'I64',
    field: 'int64_contents',
    values: fc.maxSafeInteger(),
    write: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
  },
  {
    precision: 'U64',
    field: 'uint64_contents',
    values: fc.maxSafeNat(),
    write: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
  },
  {
    precision: 'FP32',
    field: 'fp32_contents',
    values: fc.float(),
    write: (view, at, value) => view.setFloat32(at, value, true),
  },
  {
    precision: 'FP64',
    field: 'fp64_contents',
    values: fc.double(),
    write: (view, at, value) => view.setFloat64(at, value, true),
  },
];

function writer(kind: 'Int' | 'Uint', bits: number): Typed['write'] {
  return (view, at, value) => {
    if (bits === 8) view[kind === 'Int' ? 'setInt8' : 'setUint8'](at, value);
    else if (bits === 16) view[kind === 'Int' ? 'setInt16' : 'setUint16'](at, value, true);
    else view[kind === 'Int' ? 'setInt32' : 'setUint32'](at, value, true);
  };
}

for (const { precision, field, values, write } of TYPED) {
  test(`infer request: ${KSERVE_TYPES[precision]} is read from ${field}`, () => {
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 20 }), (elements) => {
        const decoded = tensor({ datatype: KSERVE_TYPES[precision], contents: { [field]: elements } });
        const expected = Buffer.alloc(elements.length * ELEMENT_BYTES[precision]);
        const view = new DataView(expected.buffer, expected.byteOffset);
        elements.forEach((value, index) => write(view, index * ELEMENT_BYTES[precision], value));
        assert.deepEqual(contentBytes(decoded), expected);
      }),
    );
  });

  test(`infer request: ${KSERVE_TYPES[precision]} in another field has no values`, () => {
    const other = field === 'fp32_contents' ? 'fp64_contents' : 'fp32_contents';
    const { content } = tensor({ datatype: KSERVE_TYPES[precision], contents: { [other]: [1] } });
    assert.deepEqual([content.kind, content.kind === 'values' && content.count], ['values', 0]);
  });
}

test('infer request: FP16, which has no typed field, has no values there', () => {
  covers('kserve.half-grpc');
  const { content } = tensor({ datatype: 'FP16', contents: { uint_contents: [1] } });
  assert.equal(content.kind === 'values' && content.count, 0);
});

const elements = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });

function rawBytes(strings: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    strings.flatMap((element) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(element.byteLength);
      return [length, element];
    }),
  );
}

test('infer request: BYTES are strings, raw with lengths in front and typed without', () => {
  fc.assert(
    fc.property(elements, (strings) => {
      const input = { datatype: 'BYTES', shape: [strings.length] };
      const raw = tensor(input, { raw_input_contents: [rawBytes(strings)] }).content;
      const typed = tensor({ ...input, contents: { bytes_contents: strings } }).content;
      for (const content of [raw, typed]) {
        assert.ok(content.kind === 'strings');
        assert.deepEqual(
          toViews(content.strings).map((element) => Buffer.from(element)),
          strings.map((element) => Buffer.from(element)),
        );
      }
    }),
  );
});

const BAD_BYTES: readonly (readonly [string, string, string])[] = [
  [
    'with a length beyond the content',
    '05000000 61',
    'Batch length metadata exceeded buffer size, buffer size: 5, batch length: 5; input name: b',
  ],
  ['with bytes left over', '01000000 61 0000', 'Processed bytes: 5 do not equal to buffer size: 7; input name: b'],
];
for (const [title, raw, detail] of BAD_BYTES) {
  test(`infer request: raw BYTES ${title} have an invalid content size`, () => {
    const decode = (): unknown => tensor({ datatype: 'BYTES' }, { raw_input_contents: [hex(raw)] });
    assert.throws(decode, hasCode('INVALID_CONTENT_SIZE', detail));
  });
}

test('infer request: raw and typed content together are refused', () => {
  const decode = (): unknown => tensor({ contents: { fp32_contents: [1] } }, { raw_input_contents: [hex('00000000')] });
  const detail =
    'Passing buffers both in ModelInferRequest::InferInputTensor::contents and in ' +
    'ModelInferRequest::raw_input_contents is not allowed for input: b';
  assert.throws(decode, hasCode('INVALID_MESSAGE_STRUCTURE', detail));
});

test('infer request: raw content for some inputs only is refused', () => {
  const inputs = ['b', 'c'].map((name) => ({ name, datatype: 'FP32', shape: [1] }));
  const message = decodeInferRequest(
    encodeKserve('ModelInferRequest', { inputs, raw_input_contents: [hex('00000000')] }),
  );
  const detail = 'Cannot find data in raw_input_content for input with name: c';
  assert.throws(() => tensorsOf(message, 2), hasCode('INVALID_MESSAGE_STRUCTURE', detail));
});

test('infer request: inputs are counted as sent, before anything else about them is looked at', () => {
  const inputs = [1, 2].map(() => ({ name: 'b', datatype: 'FP32', shape: [1] }));
  const message = decodeInferRequest(encodeKserve('ModelInferRequest', { inputs, raw_input_contents: [hex('00')] }));
  assert.throws(() => tensorsOf(message, 1), hasCode('INVALID_NO_OF_INPUTS', 'Expected: 1; Actual: 2'));
});

test('infer request: parameters and requested outputs are ignored', () => {
  const parameters = { flag: { bool_param: true }, count: { int64_param: 3 }, text: { string_param: 'x' } };
  const plain = tensor({ contents: { fp32_contents: [1] } });
  const adorned = tensor(
    { contents: { fp32_contents: [1] }, parameters },
    { parameters, outputs: [{ name: 'nobody', parameters }] },
  );
  assert.deepEqual(contentBytes(adorned), contentBytes(plain));
});

test('infer request: an unknown type has no precision and keeps its name for the error', () => {
  for (const datatype of ['FP8', 'INT4', 'fp32', '']) {
    const { precision, precisionText } = tensor({ datatype });
    assert.deepEqual([precision, precisionText], [null, datatype]);
  }
});

test('infer request: negative and enormous sizes are passed on', () => {
  assert.deepEqual(tensor({ shape: [1, -3, 2 ** 52] }).shape, [1, -3, 2 ** 52]);
});

test('infer request: sizes may come unpacked', () => {
  // b: name, datatype FP32, shape 2 and 3 as fields of their own.
  const input = hex('2a 0d 0a0162 120446503332 1802 1803');
  assert.deepEqual(tensorsOf(decodeInferRequest(input), 1).get('b')!.shape, [2, 3]);
});

test('infer request: cut anywhere it is malformed or a shorter message, never a bug', () => {
  const whole = request({ contents: { fp32_contents: [1, 2] }, parameters: { a: { string_param: 'x' } } }, { id: 'i' });
  for (let length = 0; length < whole.length; length += 1) {
    try {
      decodeInferRequest(whole.subarray(0, length));
    } catch (error) {
      assert.ok(error instanceof ServingError && error.code === 'MESSAGE_MALFORMED', String(error));
      assert.match(error.detail, /^ModelInferRequest, near byte \d+: /);
    }
  }
});

test('infer request: any bytes are malformed or a message, never a bug', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        tensorsOf(decodeInferRequest(bytes), 1);
      } catch (error) {
        assert.ok(error instanceof ServingError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
