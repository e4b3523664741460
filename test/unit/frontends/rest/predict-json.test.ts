import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ErrorCode, ServingError } from '#src/errors.js';
import { type DecodedPredictBody, decodePredictBody, transferList } from '#src/frontends/rest/predict-json.js';
import type { RequestTensor } from '#src/servables/predict-request.js';
import type { Precision } from '#src/tensors/precision.js';
import { toViews } from '#src/tensors/strings.js';
import { covers } from '../../../contract/covers.js';
import { tensorInfo } from './fake-backend.js';

function decode(text: string, ...inputs: readonly (readonly [string, Precision])[]): DecodedPredictBody {
  return decodePredictBody(
    Buffer.from(text),
    inputs.map(([name, precision]) => tensorInfo(name, precision)),
  );
}

function input(decoded: DecodedPredictBody, name: string): RequestTensor {
  const tensor = decoded.inputs.get(name);
  assert.ok(tensor !== undefined, `input ${name}`);
  return tensor;
}

function bytesOf({ content }: RequestTensor): ArrayBuffer {
  assert.ok(content.kind === 'bytes', content.kind);
  assert.ok(content.bytes.buffer instanceof ArrayBuffer);
  assert.equal(content.bytes.byteLength, content.bytes.buffer.byteLength);
  return content.bytes.buffer;
}

function textsOf({ content }: RequestTensor): string[] {
  assert.ok(content.kind === 'strings', content.kind);
  return toViews(content.strings).map((text) => Buffer.from(text).toString('latin1'));
}

function assertRefused(code: ErrorCode, text: string, ...inputs: readonly (readonly [string, Precision])[]): void {
  assert.throws(
    () => decode(text, ...inputs),
    (error) => {
      assert.ok(error instanceof ServingError, `${String(error)} for ${text}`);
      assert.equal(error.code, code, text);
      return true;
    },
  );
}

const B = ['b', 'FP32'] as const;

test('row format with named instances gives each input the number of instances as first dimension', () => {
  covers('tfs-rest.row-named');
  const decoded = decode('{"instances":[{"a":[1,2],"b":[[3]]},{"b":[[4]],"a":[5,6]}]}', ['a', 'FP32'], ['b', 'I32']);
  assert.equal(decoded.order, 'row');
  assert.deepEqual(input(decoded, 'a').shape, [2, 2]);
  assert.deepEqual([...new Float32Array(bytesOf(input(decoded, 'a')))], [1, 2, 5, 6]);
  assert.deepEqual(input(decoded, 'b').shape, [2, 1, 1]);
  assert.deepEqual([...new Int32Array(bytesOf(input(decoded, 'b')))], [3, 4]);
});

test('floats that JSON has no numbers for are taken as our answers have them', () => {
  covers('tfs-rest.not-finite-sent');
  const column = decode('{"inputs":{"b":[[1.5,NaN],[-Infinity,Inf]]}}', B);
  assert.deepEqual([...new Float32Array(bytesOf(input(column, 'b')))], [1.5, NaN, -Infinity, Infinity]);
  const row = decode('{"instances":[{"b":Infinity},{"b":-NaN}]}', ['b', 'FP64']);
  assert.deepEqual([...new Float64Array(bytesOf(input(row, 'b')))], [Infinity, NaN]);
  const halves = decode('{"instances":[NaN,-Infinity,1]}', ['b', 'FP16']);
  assert.deepEqual([...new Uint16Array(bytesOf(input(halves, 'b')))], [0x7e00, 0xfc00, 0x3c00]);
  for (const precision of ['I64', 'U64', 'I32', 'U8', 'BOOL'] as const) {
    for (const word of ['NaN', 'Infinity', '-Infinity']) {
      assertRefused('REST_COULD_NOT_PARSE_INPUT', `{"inputs":{"b":[1,${word}]}}`, ['b', precision]);
    }
  }
  for (const text of ['"NaN"', '"Infinity"'])
    assertRefused('REST_COULD_NOT_PARSE_INPUT', `{"inputs":{"b":[${text}]}}`, B);
  for (const text of ['nan', '+Infinity', '1e400', 'NaN,1e400']) {
    assertRefused('JSON_INVALID', `{"inputs":{"b":[${text}]}}`, B);
  }
});

test('row format with one value an instance gives one dimension', () => {
  const decoded = decode('{"instances":[{"b":1.5},{"b":2.5}]}', B);
  assert.deepEqual(input(decoded, 'b').shape, [2]);
});

test('row format without names serves servables with one input', () => {
  covers('tfs-rest.row-bare');
  const decoded = decode('{"signature_name":"serving_default","instances":[[1,2],[3,4]]}', B);
  assert.equal(decoded.order, 'row');
  assert.deepEqual(input(decoded, 'b').shape, [2, 2]);
  assert.deepEqual(input(decode('{"instances":[1,2,3]}', B), 'b').shape, [3]);
});

test('column format takes named tensors, an unnamed one, and scalars', () => {
  covers('tfs-rest.column-named', 'tfs-rest.column-bare', 'tfs-rest.scalar');
  const named = decode('{"inputs":{"a":[[1]],"b":2.5}}', ['a', 'I8'], B);
  assert.equal(named.order, 'column');
  assert.deepEqual(input(named, 'a').shape, [1, 1]);
  assert.deepEqual(input(named, 'b').shape, []);
  assert.deepEqual([...new Float32Array(bytesOf(input(named, 'b')))], [2.5]);
  assert.deepEqual(input(decode('{"inputs":[[1,2,3]]}', B), 'b').shape, [1, 3]);
});

test('other members of the body are ignored', () => {
  covers('tfs-rest.one-format');
  assert.equal(decode('{"instances":[1],"signature_name":7,"id":{"x":[]}}', B).order, 'row');
});

test('the type is printed in OVMS words', () => {
  const tensor = input(decode('{"instances":[1]}', ['b', 'I64']), 'b');
  assert.deepEqual([tensor.precision, tensor.precisionText], ['I64', 'I64']);
});

test('a body that is not JSON is refused with the parser text and the byte', () => {
  assert.throws(
    () => decode('{"inputs":[1 2]}', B),
    (error) =>
      error instanceof ServingError &&
      error.httpStatus() === 412 &&
      error.message === 'The file is not valid json - Error: Missing a comma or ] after an array element. Offset: 13',
  );
  assertRefused('JSON_INVALID', '', B);
  assertRefused('JSON_INVALID', '\uFEFF{}', B);
  assertRefused('JSON_INVALID', '{"inputs":[1]}x', B);
});

test('a number beyond double is refused as the parser of the reference does', () => {
  assert.throws(
    () => decode('{"inputs":[1,-1e999]}', B),
    (error) =>
      error instanceof ServingError && error.detail === 'Error: Number too big to be stored in double. Offset: 13',
  );
});

test('nesting of 100 levels is read and more is refused, wherever it is', () => {
  const nested = (levels: number): string => '['.repeat(levels) + '1' + ']'.repeat(levels);
  assert.equal(input(decode(`{"inputs":${nested(99)}}`, B), 'b').shape.length, 99);
  assertRefused('REST_NESTING_TOO_DEEP', `{"inputs":${nested(100)}}`, B);
  assertRefused('REST_NESTING_TOO_DEEP', `{"inputs":[1],"other":${nested(100)}}`, B);
  assertRefused('REST_NESTING_TOO_DEEP', `{"inputs":[1,${nested(99)}]}`, B);
  assertRefused('REST_NESTING_TOO_DEEP', `{"inputs":${nested(100_000)}}`, B);
  assertRefused('REST_NESTING_TOO_DEEP', `{"instances":[{"b":${nested(98)}}]}`, B);
  assertRefused('REST_NESTING_TOO_DEEP', nested(101), B);
});

test('a body that is no object is refused', () => {
  for (const text of ['[]', '1', '"x"', 'null', 'true']) assertRefused('REST_BODY_IS_NOT_AN_OBJECT', text, B);
});

test('both or neither of instances and inputs is an unknown order', () => {
  assertRefused('REST_PREDICT_UNKNOWN_ORDER', '{}', B);
  assertRefused('REST_PREDICT_UNKNOWN_ORDER', '{"instances":[1],"inputs":[1]}', B);
});

test('instances that are no list, empty, mixed or of no format are refused each in its words', () => {
  assertRefused('REST_INSTANCES_NOT_AN_ARRAY', '{"instances":{"b":[1]}}', B);
  assertRefused('REST_NO_INSTANCES_FOUND', '{"instances":[]}', B);
  assertRefused('REST_NAMED_INSTANCE_NOT_AN_OBJECT', '{"instances":[{"b":[1]},[1]]}', B);
  assertRefused('REST_INSTANCES_NOT_NAMED_OR_NONAMED', '{"instances":[null]}', B);
  assertRefused('REST_INSTANCES_NOT_NAMED_OR_NONAMED', '{"instances":[false]}', B);
  assertRefused('REST_COULD_NOT_PARSE_INSTANCE', '{"instances":[{}]}', B);
});

test('ragged, empty and non-numeric instances are no valid ndarray', () => {
  for (const instances of [
    '[[1,2],[3]]',
    '[[1],2]',
    '[1,[2]]',
    '[[]]',
    '[1,null]',
    '[1,"x"]',
    '["x"]',
    '[[true]]',
    '[[1],{}]',
  ]) {
    assertRefused('REST_COULD_NOT_PARSE_INSTANCE', `{"instances":${instances}}`, B);
  }
  assertRefused('REST_COULD_NOT_PARSE_INSTANCE', '{"instances":[{"b":[1]},{"b":[1,2]}]}', B);
});

test('ragged, empty and non-numeric inputs are no valid ndarray', () => {
  for (const tensor of [
    '[[1,2],[3]]',
    '[]',
    '[[[1]],[[1,2]]]',
    '[[1,2,[8]]]',
    '[[1,5],[[1,1]]]',
    'null',
    '[1,null]',
    '"x"',
    '{}',
  ]) {
    assertRefused('REST_COULD_NOT_PARSE_INPUT', `{"inputs":{"b":${tensor}}}`, B);
  }
});

test('ragged data cannot claim more elements than its text can hold', () => {
  const row = `[${Array.from({ length: 3000 }, () => '1').join(',')}]`;
  assertRefused(
    'REST_COULD_NOT_PARSE_INPUT',
    `{"inputs":[${[row, ...Array.from({ length: 3000 }, () => '[]')].join(',')}]}`,
    B,
  );
});

test('inputs of different batch sizes are refused in row format', () => {
  assertRefused('REST_INSTANCES_BATCH_SIZE_DIFFER', '{"instances":[{"a":[1],"b":[1]},{"a":[1]}]}', ['a', 'FP32'], B);
});

test('unnamed data for a servable with several inputs or none is refused', () => {
  assertRefused('REST_INPUT_NOT_PREALLOCATED', '{"instances":[1]}', ['a', 'FP32'], B);
  assertRefused('REST_INPUT_NOT_PREALLOCATED', '{"inputs":[1]}', ['a', 'FP32'], B);
  assertRefused('REST_INPUT_NOT_PREALLOCATED', '{"inputs":[1]}');
});

test('inputs that are empty or no object are refused', () => {
  assertRefused('REST_NO_INPUTS_FOUND', '{"inputs":{}}', B);
  for (const value of ['5', '"x"', 'null', 'true'])
    assertRefused('REST_INPUTS_NOT_AN_OBJECT', `{"inputs":${value}}`, B);
});

test('unknown inputs are decoded by their first element, to be counted by the servable', () => {
  const decoded = decode('{"inputs":{"b":[1],"whole":[1,2.5],"fraction":[0.5],"large":[4294967296]}}', B);
  assert.deepEqual([...decoded.inputs.keys()], ['b', 'whole', 'fraction', 'large']);
  assert.equal(input(decoded, 'whole').precision, 'I32');
  assert.equal(input(decoded, 'fraction').precision, 'FP32');
  assert.equal(input(decoded, 'large').precision, 'FP32');
  assertRefused('REST_COULD_NOT_PARSE_INPUT', '{"inputs":{"unknown":[true]}}', B);
});

test('names are opaque: __proto__, slashes and digits are names like others', () => {
  const decoded = decode(
    '{"inputs":{"__proto__":[1],"a/b:0":[2],"7":[3]}}',
    ['__proto__', 'FP32'],
    ['a/b:0', 'FP32'],
    ['7', 'FP32'],
  );
  assert.deepEqual(new Set(decoded.inputs.keys()), new Set(['__proto__', 'a/b:0', '7']));
});

const CASTS: readonly (readonly [
  Precision,
  string,
  (buffer: ArrayBuffer) => Iterable<number | bigint>,
  (number | bigint)[],
])[] = [
  ['FP64', '0.1,1e300,-2', (b) => new Float64Array(b), [0.1, 1e300, -2]],
  ['FP32', '0.5,1e39,3', (b) => new Float32Array(b), [0.5, Infinity, 3]],
  ['FP16', '1,-0.5,65504,0.1', (b) => new Uint16Array(b), [0x3c00, 0xb800, 0x7bff, 0x2e66]],
  ['I8', '300,-129,1.9,-1.9', (b) => new Int8Array(b), [44, 127, 1, -1]],
  ['U8', '256,-1,255.9', (b) => new Uint8Array(b), [0, 255, 255]],
  ['I16', '32768,-32769', (b) => new Int16Array(b), [-32768, 32767]],
  ['U16', '65536,65535,5.0', (b) => new Uint16Array(b), [0, 65535, 5]],
  ['I32', '2147483648,-5.7', (b) => new Int32Array(b), [-2147483648, -5]],
  ['U32', '4294967297,-1', (b) => new Uint32Array(b), [1, 4294967295]],
  ['I64', '1.5,-1,-1.5,1e15', (b) => new BigInt64Array(b), [1n, -1n, -1n, 10n ** 15n]],
  ['U64', '-1,4294967296', (b) => new BigUint64Array(b), [2n ** 64n - 1n, 2n ** 32n]],
  ['BOOL', 'true,false,0,2,0.5', (b) => new Uint8Array(b), [1, 0, 0, 1, 1]],
];

for (const [precision, numbers, view, expected] of CASTS) {
  test(`numbers are written as ${precision} by a cast: ${numbers}`, () => {
    covers('tfs-rest.casts');
    const tensor = input(decode(`{"inputs":[${numbers}]}`, ['b', precision]), 'b');
    assert.deepEqual([...view(bytesOf(tensor))], expected);
    assert.deepEqual(tensor.shape, [expected.length]);
  });
}

test('64-bit integers beyond 2^53 are exact', () => {
  covers('tfs-rest.int64');
  const signed = input(decode('{"inputs":[9007199254740993,-9223372036854775808,7]}', ['b', 'I64']), 'b');
  assert.deepEqual([...new BigInt64Array(bytesOf(signed))], [9007199254740993n, -(2n ** 63n), 7n]);
  const unsigned = input(decode('{"instances":[18446744073709551615]}', ['b', 'U64']), 'b');
  assert.deepEqual([...new BigUint64Array(bytesOf(unsigned))], [2n ** 64n - 1n]);
});

test('long integers for a float input beside a 64-bit one stay numbers', () => {
  const decoded = decode('{"inputs":{"b":[12345678901234567890],"i":[1]}}', B, ['i', 'I64']);
  assert.deepEqual([...new Float32Array(bytesOf(input(decoded, 'b')))], [Math.fround(Number(12345678901234567890n))]);
});

test('precisions JSON cannot carry are refused by name', () => {
  assertRefused('REST_UNSUPPORTED_PRECISION', '{"inputs":[1]}', ['b', 'BF16']);
});

test('b64 objects become strings for any input, in rows and columns', () => {
  const row = decode('{"instances":[{"image":{"b64":"YWI="}},{"image":{"b64":"Yw"}}]}', ['image', 'FP32']);
  const tensor = input(row, 'image');
  assert.deepEqual([tensor.precision, tensor.precisionText, tensor.shape], ['STRING', 'STRING', [2]]);
  assert.deepEqual(textsOf(tensor), ['ab', 'c']);
  assert.deepEqual(textsOf(input(decode('{"instances":[{"b64":"YWI="}]}', ['image', 'U8']), 'image')), ['ab']);
  const column = input(decode('{"inputs":{"image":[{"b64":"//8="}]}}', ['image', 'FP32']), 'image');
  assert.deepEqual(textsOf(column), ['\xff\xff']);
  assert.deepEqual(input(decode('{"inputs":{"image":{"b64":"YQ=="}}}', ['image', 'U8']), 'image').shape, []);
});

test('base64 may be wrapped, and what is no base64 is refused', () => {
  assert.deepEqual(textsOf(input(decode('{"instances":[{"b64":"YW\\nI="}]}', B), 'b')), ['ab']);
  for (const text of ['abcde', 'ab!d', 'ab=c', 'abc==']) {
    assertRefused('REST_COULD_NOT_PARSE_INSTANCE', `{"instances":[{"b64":"${text}"}]}`, B);
  }
});

test('an object with b64 and more is a named instance', () => {
  assert.deepEqual([...decode('{"instances":[{"b64":[1],"x":[2]}]}', B).inputs.keys()], ['b64', 'x']);
});

test('plain strings serve U8 and STRING inputs only', () => {
  assert.deepEqual(textsOf(input(decode('{"instances":["ab","é"]}', ['b', 'U8']), 'b')), ['ab', '\xc3\xa9']);
  assert.deepEqual(textsOf(input(decode('{"inputs":{"b":["x"]}}', ['b', 'STRING']), 'b')), ['x']);
  assertRefused('REST_COULD_NOT_PARSE_INPUT', '{"inputs":{"b":["x"]}}', B);
  assertRefused('REST_COULD_NOT_PARSE_INPUT', '{"inputs":{"b":[1]}}', ['b', 'STRING']);
});

test('numbers and strings do not mix', () => {
  assertRefused('REST_COULD_NOT_PARSE_INPUT', '{"inputs":{"b":[{"b64":"YQ=="},1]}}', ['b', 'U8']);
  assertRefused('REST_COULD_NOT_PARSE_INPUT', '{"inputs":{"b":[1,"x"]}}', ['b', 'U8']);
});

test('the result is plain data that crosses threads whole', () => {
  const decoded = decode('{"inputs":{"b":[1,2],"s":["x","yz"]}}', B, ['s', 'STRING']);
  const expected = structuredClone(decoded);
  const transfer = transferList(decoded);
  // The elements; the bytes of the strings, where they begin and how long they are.
  assert.equal(transfer.length, 4);
  const moved = structuredClone(decoded, { transfer });
  assert.deepEqual(moved, expected);
  assert.ok(transfer.every(({ byteLength }) => byteLength === 0));
  assert.equal(bytesOf(input(moved, 'b')).byteLength, 8);
  assert.deepEqual(textsOf(input(moved, 's')), ['x', 'yz']);
});

test('the body is only read', () => {
  const body = Buffer.from('{"inputs":[1,2]}');
  const before = Buffer.from(body);
  decodePredictBody(body.subarray(), [tensorInfo('b')]);
  assert.deepEqual(body, before);
});

test('no JSON text makes the decoder throw anything but a ServingError', () => {
  const precision = fc.constantFrom<Precision>('FP32', 'FP16', 'I64', 'U8', 'BOOL', 'STRING', 'BF16');
  const leaf = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.boolean(),
    fc.string(),
    fc.constant(null),
    fc.constant({ b64: 'YQ==' }),
  );
  const { tensor } = fc.letrec((tie) => ({
    tensor: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('tensor'), { maxLength: 3 })),
  }));
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  const regular = fc.oneof(fc.array(number, { minLength: 1 }), fc.array(fc.tuple(number, number), { minLength: 1 }));
  const data = fc.oneof(regular, tensor, fc.dictionary(fc.constantFrom('b', 'c', '__proto__'), tensor), fc.jsonValue());
  const document = fc.oneof(
    fc.record({ instances: fc.oneof(data, fc.array(data)) }),
    fc.record({ inputs: data }),
    fc.record({ inputs: regular }),
    fc.record({ inputs: fc.record({ b: regular }) }),
    fc.jsonValue(),
  );
  const text = fc.oneof(
    document.map((value) => JSON.stringify(value)),
    fc.string(),
  );
  let decodedBodies = 0;
  fc.assert(
    fc.property(text, fc.array(precision, { minLength: 1, maxLength: 2 }), (body, precisions) => {
      const infos = precisions.map((each, index) => tensorInfo('bc'[index] ?? '', each));
      try {
        decodePredictBody(Buffer.from(body), infos);
        decodedBodies += 1;
      } catch (error) {
        assert.ok(error instanceof ServingError, `${String(error)} for ${body}`);
      }
    }),
    { numRuns: 3000 },
  );
  assert.ok(decodedBodies > 100, `only ${decodedBodies} bodies were decoded`);
});
