import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ServingError, type ErrorCode } from '#src/errors.js';
import { placeInputs, requestTensors, splitBody } from '#src/frontends/rest/kserve/infer-body.js';
import { type BinaryOutputs, decodeInferJson, inferTransferList } from '#src/frontends/rest/kserve/infer-json.js';
import type { RequestTensor } from '#src/servables/predict-request.js';
import { fromHalf } from '#src/tensors/half.js';
import { ELEMENT_BYTES, type Precision } from '#src/tensors/precision.js';
import { toViews } from '#src/tensors/strings.js';
import { covers } from '../../../../contract/covers.js';
import { KSERVE_TYPES } from '../../../../helpers/kserve-messages.js';
import { contentBytes, hex } from '../../tfs/wire.js';

function decode(document: unknown, binary: Uint8Array = new Uint8Array(0), expected = 1): readonly RequestTensor[] {
  const json = Buffer.from(typeof document === 'string' ? document : JSON.stringify(document));
  const body = splitBody(Buffer.concat([json, binary]), String(json.byteLength));
  return [...requestTensors(placeInputs(decodeInferJson(body.json), body.binary), expected).values()];
}

function decodeInput(input: object, binary?: Uint8Array): RequestTensor {
  return decode({ inputs: [{ name: 'b', shape: [1], datatype: 'FP32', ...input }] }, binary)[0]!;
}

function hasCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ServingError, String(error));
    assert.equal(error.code, code);
    return true;
  };
}

type Numeric = Exclude<Precision, 'BF16' | 'STRING'>;

function integers(bits: number, isSigned: boolean): fc.Arbitrary<bigint> {
  const max = 2n ** BigInt(isSigned ? bits - 1 : bits) - 1n;
  return fc.bigInt({ min: isSigned ? -max - 1n : 0n, max });
}

const VALUES: Readonly<Record<Numeric, fc.Arbitrary<number | bigint | boolean>>> = {
  FP64: fc.double({ noNaN: true, noDefaultInfinity: true }),
  FP32: fc.float({ noNaN: true, noDefaultInfinity: true }),
  FP16: fc.nat(0x7bff).map(fromHalf),
  I64: integers(64, true),
  I32: integers(32, true),
  I16: integers(16, true),
  I8: integers(8, true),
  U64: integers(64, false),
  U32: integers(32, false),
  U16: integers(16, false),
  U8: integers(8, false),
  BOOL: fc.boolean(),
};

function element(precision: Numeric, bytes: Buffer, index: number): number | bigint | boolean {
  const at = index * ELEMENT_BYTES[precision];
  switch (precision) {
    case 'FP64':
      return bytes.readDoubleLE(at);
    case 'FP32':
      return bytes.readFloatLE(at);
    case 'FP16':
      return fromHalf(bytes.readUInt16LE(at));
    case 'BOOL':
      return bytes[at] === 1;
    case 'I64':
      return bytes.readBigInt64LE(at);
    case 'U64':
      return bytes.readBigUInt64LE(at);
    default: {
      const size = ELEMENT_BYTES[precision];
      return BigInt(precision.startsWith('I') ? bytes.readIntLE(at, size) : bytes.readUIntLE(at, size));
    }
  }
}

for (const precision of Object.keys(VALUES) as Numeric[]) {
  test(`kserve json: ${KSERVE_TYPES[precision]} comes out as it was written, flat or nested`, () => {
    covers('kserve.rest-flat', 'kserve.rest-int64', 'kserve.rest-double');
    fc.assert(
      fc.property(fc.array(VALUES[precision], { maxLength: 12 }), fc.nat(12), (values, cut) => {
        const texts = values.map((value) => (Object.is(value, -0) ? '-0.0' : String(value)));
        const flat = `[${texts.join(',')}]`;
        const nested = `[[${texts.slice(0, cut).join(',')}],[[${texts.slice(cut).join(',')}]]]`;
        for (const data of [flat, nested]) {
          const json = `{"inputs":[{"name":"b","shape":[${values.length}],"datatype":"${KSERVE_TYPES[precision]}","data":${data}}]}`;
          const [tensor] = decode(json);
          assert.deepEqual([tensor!.precision, tensor!.shape], [precision, [values.length]]);
          assert.ok(tensor!.content.kind === 'values' && tensor!.content.count === values.length);
          const bytes = contentBytes(tensor!);
          assert.deepEqual(
            values.map((_, index) => element(precision, bytes, index)),
            values,
          );
        }
      }),
    );
  });

  test(`kserve json: binary ${KSERVE_TYPES[precision]} is a view of the body`, () => {
    covers('kserve.binary-size');
    const size = 3 * ELEMENT_BYTES[precision];
    const raw = Buffer.from(Array.from({ length: size }, (_, index) => index));
    const input = { shape: [3], datatype: KSERVE_TYPES[precision] };
    for (const parameters of [{}, { binary_data_size: size }]) {
      const { content } = decodeInput({ ...input, parameters }, raw);
      assert.deepEqual(content.kind === 'bytes' && Buffer.from(content.bytes), raw);
    }
  });
}

test('kserve json: narrow integers wrap, fractions and what 32 bits do not hold are refused', () => {
  covers('kserve.rest-integers');
  assert.deepEqual(contentBytes(decodeInput({ datatype: 'INT8', data: [300] })), hex('2c'));
  const refused: readonly (readonly [string, unknown])[] = [
    ['INT8', 1.5],
    ['INT32', 2 ** 31],
    ['INT64', 0.5],
    ['UINT8', -1],
    ['UINT32', 2 ** 32],
    ['UINT64', -1],
    ['BOOL', 1],
    ['FP32', true],
    ['FP32', '1'],
    ['FP32', null],
    ['FP32', {}],
    ['BYTES', 1],
  ];
  for (const [datatype, value] of refused) {
    assert.throws(() => decodeInput({ datatype, data: [value] }), hasCode('REST_COULD_NOT_PARSE_INPUT'), datatype);
  }
});

test('kserve json: 64-bit integers beyond their range are refused', () => {
  for (const [datatype, value] of [
    ['INT64', '9223372036854775808'],
    ['UINT64', '18446744073709551616'],
  ] as const) {
    const json = `{"inputs":[{"name":"b","shape":[1],"datatype":"${datatype}","data":[${value}]}]}`;
    assert.throws(() => decode(json), hasCode('REST_COULD_NOT_PARSE_INPUT'));
  }
});

test('kserve json: BYTES are strings, as JSON and in binary', () => {
  const strings = (tensor: RequestTensor): string[] => {
    assert.ok(tensor.content.kind === 'strings');
    return toViews(tensor.content.strings).map((each) => Buffer.from(each).toString());
  };
  assert.deepEqual(strings(decodeInput({ datatype: 'BYTES', shape: [2], data: [['ä'], 'b'] })), ['ä', 'b']);
  const raw = hex('01000000 61 02000000 6263');
  const sized = { datatype: 'BYTES', shape: [2], parameters: { binary_data_size: raw.byteLength } };
  assert.deepEqual(strings(decodeInput(sized, raw)), ['a', 'bc']);
  assert.deepEqual(strings(decodeInput({ datatype: 'BYTES' }, hex('01000000 61'))), ['a']);
});

test('kserve json: binary inputs follow one another, and what is left over is ignored', () => {
  covers('kserve.binary-inputs');
  const inputs = ['b', 'c'].map((name) => ({ name, shape: [2], datatype: 'UINT8' }));
  const tensors = decode({ inputs }, hex('01 02 03 04 ff'), 2);
  assert.deepEqual(tensors.map(contentBytes), [hex('0102'), hex('0304')]);
});

test('kserve json: which outputs are answered in binary the request says, and each listed one for itself', () => {
  covers('kserve.binary-outputs');
  const binaryOutputs = (outputs: unknown, parameters: object = {}): BinaryOutputs => {
    const inputs = [{ name: 'b', shape: [1], datatype: 'FP32', data: [1] }];
    return decodeInferJson(Buffer.from(JSON.stringify({ inputs, outputs, parameters }))).binaryOutputs;
  };
  const [yes, no] = [true, false].map((binary_data) => ({ binary_data }));
  const listed = [{ name: 'a', parameters: yes }, { name: 'c' }, { name: 'd', parameters: no }];
  const byName = new Map([
    ['a', true],
    ['d', false],
  ]);
  assert.deepEqual(binaryOutputs(listed), { byDefault: false, byName });
  assert.deepEqual(binaryOutputs(listed, { binary_data_output: true }), { byDefault: true, byName });
  assert.deepEqual(binaryOutputs(undefined, { binary_data_output: true }), { byDefault: true, byName: new Map() });
});

/** Parameters that mean nothing here, and what else of a request may have them. */
const NUMBERS = [
  '0',
  '-1',
  '0.5',
  '9007199254740992',
  '9007199254740993',
  '18446744073709551616',
  '1e300',
  '-0.0',
  '5e-324',
];

for (const datatype of ['FP32', 'INT64'])
  test(`kserve json: parameters may be any number, beside ${datatype}`, () => {
    covers('kserve.rest-parameters');
    for (const number of NUMBERS) {
      const parameters = `{"p": ${number}, "q": "text", "r": true}`;
      const input = `{"name":"b","shape":[1],"datatype":"${datatype}","data":[1],"parameters":${parameters}}`;
      const json = `{"inputs":[${input}],"outputs":[{"name":"a","parameters":${parameters}}],"parameters":${parameters}}`;
      assert.equal(decode(json).length, 1, number);
    }
    for (const value of ['null', '[1]', '{}'])
      assert.throws(
        () => decode(`{"inputs":[],"parameters":{"p":${value}}}`),
        hasCode('REST_COULD_NOT_PARSE_PARAMETERS'),
      );
    assert.throws(() => decode('{"inputs":[],"parameters":{"p":1e400}}'), hasCode('JSON_INVALID'));
  });

test('kserve json: sizes among the parameters are whole numbers all the same', () => {
  for (const size of ['0.5', '-1', '9007199254740993', '1e300', 'NaN', '"4"', 'true']) {
    const json = `{"inputs":[{"name":"b","shape":[1],"datatype":"FP32","parameters":{"binary_data_size":${size}}}]}`;
    assert.throws(() => decode(json, hex('0000803f')), hasCode('REST_BINARY_DATA_SIZE_INVALID'), size);
  }
  for (const size of ['0.5', '-1', '9007199254740993', '1e300', '"4"']) {
    const place = `{"shared_memory_region":"r","shared_memory_byte_size":${size}}`;
    const json = `{"inputs":[{"name":"b","shape":[1],"datatype":"INT64","parameters":${place}}]}`;
    assert.throws(() => decode(json), hasCode('SHARED_MEMORY_INVALID'), size);
  }
});

test('kserve json: floats that JSON has no numbers for are taken as our answers have them', () => {
  covers('kserve.not-finite-sent');
  const json = (datatype: string, value: string): string =>
    `{"inputs":[{"name":"b","shape":[2],"datatype":"${datatype}","data":[1.5, ${value}]}]}`;
  const words: readonly (readonly [string, string, string])[] = [
    ['FP32', 'NaN', '0000c07f'],
    ['FP32', 'Infinity', '0000807f'],
    ['FP32', '-Infinity', '000080ff'],
    ['FP16', 'NaN', '007e'],
    ['FP16', '-Infinity', '00fc'],
    ['FP64', 'Infinity', '000000000000f07f'],
  ];
  for (const [datatype, word, bytes] of words) {
    const content = Buffer.from(contentBytes(decode(json(datatype, word))[0]!));
    assert.deepEqual(content.subarray(content.byteLength / 2), hex(bytes), `${datatype} ${word}`);
  }
  for (const datatype of ['INT8', 'INT32', 'INT64', 'UINT8', 'UINT64', 'BOOL', 'BYTES'])
    for (const word of ['NaN', 'Infinity', '-Infinity'])
      assert.throws(() => decode(json(datatype, word)), hasCode('REST_COULD_NOT_PARSE_INPUT'), `${datatype} ${word}`);
  for (const text of ['"NaN"', 'nan', 'Nan', 'Infinit', '+Infinity', '1e400'])
    assert.throws(() => decode(json('FP32', text)), ServingError, text);
});

const GOOD = { name: 'b', shape: [1], datatype: 'FP32', data: [1] };
const BAD: readonly (readonly [string, unknown, ErrorCode])[] = [
  ['no JSON', '{', 'JSON_INVALID'],
  ['a number beyond double', '{"inputs":[{"name":"b","shape":[1],"datatype":"FP32","data":[1e400]}]}', 'JSON_INVALID'],
  ['no object', [], 'REST_BODY_IS_NOT_AN_OBJECT'],
  ['no inputs', {}, 'REST_NO_INPUTS_FOUND'],
  ['an empty list of inputs', { inputs: [] }, 'REST_NO_INPUTS_FOUND'],
  ['inputs that are no list', { inputs: {} }, 'REST_COULD_NOT_PARSE_INPUT'],
  ['an input that is no object', { inputs: [1] }, 'REST_COULD_NOT_PARSE_INPUT'],
  ['an input without name', { inputs: [{ ...GOOD, name: undefined }] }, 'REST_COULD_NOT_PARSE_INPUT'],
  ['an input without type', { inputs: [{ ...GOOD, datatype: undefined }] }, 'REST_COULD_NOT_PARSE_INPUT'],
  ['an input without shape', { inputs: [{ ...GOOD, shape: undefined }] }, 'REST_COULD_NOT_PARSE_INPUT'],
  ['a negative size', { inputs: [{ ...GOOD, shape: [-1] }] }, 'REST_COULD_NOT_PARSE_INPUT'],
  ['a broken size', { inputs: [{ ...GOOD, shape: [1.5] }] }, 'REST_COULD_NOT_PARSE_INPUT'],
  ['data that is no list', { inputs: [{ ...GOOD, data: 1 }] }, 'REST_COULD_NOT_PARSE_INPUT'],
  ['data of type BF16', { inputs: [{ ...GOOD, datatype: 'BF16' }] }, 'REST_UNSUPPORTED_PRECISION'],
  ['data of an unknown type', { inputs: [{ ...GOOD, datatype: 'FP8' }] }, 'REST_UNSUPPORTED_PRECISION'],
  ['an id that is no text', { id: 1, inputs: [GOOD] }, 'REST_COULD_NOT_PARSE_INPUT'],
  ['outputs that are no list', { outputs: 1, inputs: [GOOD] }, 'REST_COULD_NOT_PARSE_INPUT'],
  ['an output without name', { outputs: [{}], inputs: [GOOD] }, 'REST_COULD_NOT_PARSE_OUTPUT'],
  ['parameters that are no object', { parameters: [], inputs: [GOOD] }, 'REST_COULD_NOT_PARSE_PARAMETERS'],
  ['a parameter that is a list', { inputs: [{ ...GOOD, parameters: { a: [] } }] }, 'REST_COULD_NOT_PARSE_PARAMETERS'],
  [
    'a binary_data that is no flag',
    { inputs: [GOOD], outputs: [{ name: 'a', parameters: { binary_data: 1 } }] },
    'REST_COULD_NOT_PARSE_PARAMETERS',
  ],
  [
    'a negative binary_data_size',
    { inputs: [{ ...GOOD, data: undefined, parameters: { binary_data_size: -1 } }] },
    'REST_BINARY_DATA_SIZE_INVALID',
  ],
  [
    'a binary_data_size that is text',
    { inputs: [{ ...GOOD, data: undefined, parameters: { binary_data_size: '4' } }] },
    'REST_BINARY_DATA_SIZE_INVALID',
  ],
  [
    'data and binary_data_size',
    { inputs: [{ ...GOOD, parameters: { binary_data_size: 4 } }] },
    'REST_CONTENTS_FIELD_NOT_EMPTY',
  ],
  ['no data at all', { inputs: [{ ...GOOD, data: undefined }] }, 'REST_BINARY_BUFFER_EXCEEDED'],
  [
    'BYTES of two elements without a size',
    { inputs: [{ ...GOOD, data: undefined, datatype: 'BYTES', shape: [2] }] },
    'REST_COULD_NOT_PARSE_INPUT',
  ],
  ['two inputs for one', { inputs: [GOOD, GOOD] }, 'INVALID_NO_OF_INPUTS'],
];
for (const [title, document, code] of BAD) {
  test(`kserve json: a request with ${title} is refused with ${code}`, () => {
    assert.throws(() => decode(document), hasCode(code));
  });
}

test('kserve json: data in JSON and in binary in one request are refused', () => {
  const inputs = [GOOD, { ...GOOD, name: 'c', data: undefined }];
  assert.throws(() => decode({ inputs }, hex('00000000'), 2), hasCode('INVALID_MESSAGE_STRUCTURE'));
});

test('kserve json: what is nested deeper than 100 is refused for that, in data and elsewhere', () => {
  const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
  const withData = (data: string): string => `{"inputs":[{"name":"b","shape":[0],"datatype":"FP32","data":${data}}]}`;
  assert.equal(decode(withData(deep(97))).length, 1);
  assert.throws(() => decode(withData(deep(98))), hasCode('REST_NESTING_TOO_DEEP'));
  assert.throws(() => decode(`{"other":${deep(100)},"inputs":[]}`), hasCode('REST_NESTING_TOO_DEEP'));
});

test('kserve json: the header must be a number within the body', () => {
  const body = Buffer.from('{}1');
  assert.deepEqual(splitBody(body, undefined).json, body);
  assert.deepEqual(splitBody(body, '2').binary, Buffer.from('1'));
  for (const header of ['-1', 'x', '', '1.5', '2, 2', '2147483648']) {
    assert.throws(() => splitBody(body, header), hasCode('REST_HEADER_LENGTH_INVALID'), header);
  }
  assert.throws(() => splitBody(body, '4'), hasCode('REST_HEADER_LENGTH_EXCEEDED'));
});

test('kserve json: a decoded document survives the way to another thread', () => {
  const inputs = [GOOD, { ...GOOD, datatype: 'BYTES', data: ['a'] }, { ...GOOD, data: undefined }];
  const document = decodeInferJson(Buffer.from(JSON.stringify({ inputs })));
  const before = structuredClone(document);
  assert.deepEqual(structuredClone(document, { transfer: inferTransferList(document) }), before);
});

test('kserve json: any JSON is decoded or refused, never a bug', () => {
  const input = fc.record(
    {
      name: fc.constantFrom<unknown>('b', 1),
      shape: fc.jsonValue(),
      datatype: fc.constantFrom(...Object.values(KSERVE_TYPES)),
      data: fc.jsonValue(),
      parameters: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const document = fc.oneof(fc.jsonValue(), fc.record({ inputs: fc.array(input), outputs: fc.jsonValue() }));
  fc.assert(
    fc.property(document, (value) => {
      try {
        decode(value);
      } catch (error) {
        assert.ok(error instanceof ServingError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});
