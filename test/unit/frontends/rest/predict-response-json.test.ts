import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ServingError } from '#src/errors.js';
import { encodePredictResponse } from '#src/frontends/rest/predict-response-json.js';
import { toHalf } from '#src/tensors/half.js';
import type { ResponseTensor } from '#src/servables/predict-request.js';
import type { Precision } from '#src/tensors/precision.js';
import { covers } from '../../../contract/covers.js';

function output(
  name: string,
  precision: Precision,
  shape: readonly number[],
  values: NodeJS.TypedArray,
): ResponseTensor {
  return { name, precision, shape, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

function scalarText(precision: Precision, values: NodeJS.TypedArray): string {
  const text = encodePredictResponse('column', [output('o', precision, [], values)]);
  return text.slice('{\n    "outputs": '.length, -'\n}'.length);
}

const FIRST = output('out1', 'FP32', [2, 1, 2], Float32Array.of(5, 10, -0.5, 55.5));
const SECOND = output('out2', 'I8', [2, 2], Int8Array.of(5, 2, -100, 0));

test('row, one output: items on one line', () => {
  covers('tfs-rest.row-answer');
  assert.equal(
    encodePredictResponse('row', [output('o', 'I32', [1, 1], Int32Array.of(-82))]),
    '{\n    "predictions": [[-82]\n    ]\n}',
  );
  assert.equal(encodePredictResponse('row', [FIRST]), '{\n    "predictions": [[[5.0, 10.0]], [[-0.5, 55.5]]\n    ]\n}');
  assert.equal(
    encodePredictResponse('row', [output('o', 'I64', [2], BigInt64Array.of(7n, 8n))]),
    '{\n    "predictions": [7, 8\n    ]\n}',
  );
});

test('row, several outputs: one object an item', () => {
  covers('tfs-rest.row-answer-named');
  assert.equal(
    encodePredictResponse('row', [FIRST, SECOND]),
    `{
    "predictions": [
        {
            "out1": [[5.0, 10.0]],
            "out2": [5, 2]
        },
        {
            "out1": [[-0.5, 55.5]],
            "out2": [-100, 0]
        }
    ]
}`,
  );
});

test('column, one output: every element has its line', () => {
  covers('tfs-rest.column-answer');
  assert.equal(
    encodePredictResponse('column', [output('o', 'FP64', [1, 1], Float64Array.of(15.99))]),
    '{\n    "outputs": [\n        [\n            15.99\n        ]\n    ]\n}',
  );
});

test('column, several outputs: an object of tensors', () => {
  covers('tfs-rest.column-answer-named');
  assert.equal(
    encodePredictResponse('column', [FIRST, SECOND]),
    `{
    "outputs": {
        "out1": [
            [
                [
                    5.0,
                    10.0
                ]
            ],
            [
                [
                    -0.5,
                    55.5
                ]
            ]
        ],
        "out2": [
            [
                5,
                2
            ],
            [
                -100,
                0
            ]
        ]
    }
}`,
  );
});

test('column, scalar: the bare value', () => {
  covers('tfs-rest.scalar');
  assert.equal(
    encodePredictResponse('column', [output('o', 'FP32', [], Float32Array.of(5.1))]),
    '{\n    "outputs": 5.1\n}',
  );
});

test('dimensions of size 0 are empty lists', () => {
  assert.equal(
    encodePredictResponse('row', [output('o', 'FP32', [0, 3], new Float32Array())]),
    '{\n    "predictions": []\n}',
  );
  assert.equal(
    encodePredictResponse('row', [output('o', 'FP32', [2, 0], new Float32Array())]),
    '{\n    "predictions": [[], []\n    ]\n}',
  );
  assert.equal(
    encodePredictResponse('column', [output('o', 'FP32', [1, 0], new Float32Array())]),
    '{\n    "outputs": [\n        []\n    ]\n}',
  );
});

test('row needs the same batch on all outputs', () => {
  covers('tfs-rest.row-batch');
  const longer = output('out3', 'U8', [3], Uint8Array.of(1, 2, 3));
  assert.throws(
    () => encodePredictResponse('row', [FIRST, longer]),
    (error) =>
      error instanceof ServingError &&
      error.httpStatus() === 500 &&
      error.message === 'Response parsing to JSON error - Output: out3 has batch size: 3; Expected: 2 as output: out1',
  );
  assert.doesNotThrow(() => encodePredictResponse('column', [FIRST, longer]));
});

test('row needs a batch dimension and any order needs an output', () => {
  const failure = (error: unknown): boolean => error instanceof ServingError && error.code === 'REST_SERIALIZE_FAILED';
  assert.throws(() => encodePredictResponse('row', [output('o', 'FP32', [], Float32Array.of(1))]), failure);
  assert.throws(() => encodePredictResponse('column', []), failure);
});

test('float32 prints the shortest text with a decimal part', () => {
  covers('tfs-rest.float-text');
  const texts: readonly (readonly [number, string])[] = [
    [0, '0.0'],
    [-0, '-0.0'],
    [1, '1.0'],
    [0.1, '0.1'],
    [92.5, '92.5'],
    [1 / 3, '0.33333334'],
    [16777216, '16777216.0'],
    [1e-7, '1.0e-7'],
    [1.5e30, '1.5e+30'],
    [3.4028234663852886e38, '3.4028235e+38'],
    [1.401298464324817e-45, '1.0e-45'],
  ];
  for (const [value, text] of texts) assert.equal(scalarText('FP32', Float32Array.of(value)), text);
});

test('float64 prints the shortest text with a decimal part', () => {
  covers('tfs-rest.float-text');
  assert.equal(scalarText('FP64', Float64Array.of(0.1 + 0.2)), '0.30000000000000004');
  assert.equal(scalarText('FP64', Float64Array.of(1e21)), '1.0e+21');
  assert.equal(scalarText('FP64', Float64Array.of(-3)), '-3.0');
});

test('FP16, U16, U32, BOOL and 64-bit integers are printed exactly', () => {
  assert.equal(scalarText('FP16', Uint16Array.of(toHalf(0.1))), '0.099975586');
  assert.equal(scalarText('FP16', Uint16Array.of(toHalf(2))), '2.0');
  assert.equal(scalarText('U16', Uint16Array.of(65535)), '65535');
  assert.equal(scalarText('U32', Uint32Array.of(4294967295)), '4294967295');
  assert.equal(scalarText('BOOL', Uint8Array.of(1)), 'true');
  assert.equal(scalarText('BOOL', Uint8Array.of(0)), 'false');
  assert.equal(scalarText('I64', BigInt64Array.of(-(2n ** 63n))), '-9223372036854775808');
  assert.equal(scalarText('U64', BigUint64Array.of(2n ** 64n - 1n)), '18446744073709551615');
  assert.equal(scalarText('I16', Int16Array.of(-945)), '-945');
});

test('values JSON cannot say are the words that JavaScript has for them', () => {
  covers('tfs-rest.not-finite');
  const values = [NaN, Infinity, -Infinity, 1];
  const words = 'NaN, Infinity, -Infinity, 1.0';
  const halves = Uint16Array.of(0x7e00, 0x7c00, 0xfc00, 0x3c00);
  for (const [precision, elements] of [
    ['FP64', Float64Array.from(values)],
    ['FP32', Float32Array.from(values)],
    ['FP16', halves],
  ] as const) {
    const text = encodePredictResponse('row', [output('o', precision, [1, 4], elements)]);
    assert.equal(text, `{\n    "predictions": [[${words}]\n    ]\n}`);
  }
});

test('BF16 outputs are refused by name', () => {
  assert.throws(
    () => encodePredictResponse('row', [{ name: 'o', precision: 'BF16', shape: [0], bytes: new Uint8Array() }]),
    (error) =>
      error instanceof ServingError && error.code === 'REST_UNSUPPORTED_PRECISION' && error.httpStatus() === 400,
  );
});

test('STRING outputs are texts, and base64 where the name ends in _bytes', () => {
  const bytes = Buffer.from('\x02\0\0\0h"\0\0\0\0\x03\0\0\0\u20ac\x01\0\0\0z');
  const strings = output('o', 'STRING', [2, 2], bytes);
  assert.equal(
    encodePredictResponse('row', [strings]),
    '{\n    "predictions": [["h\\"", ""], ["\u20ac", "z"]\n    ]\n}',
  );
  assert.deepEqual(JSON.parse(encodePredictResponse('column', [strings])), {
    outputs: [
      ['h"', ''],
      ['\u20ac', 'z'],
    ],
  });
  const binary = output('o_bytes', 'STRING', [2], Buffer.of(1, 0, 0, 0, 0xff, 2, 0, 0, 0, 0, 0xfe));
  assert.equal(
    encodePredictResponse('row', [binary]),
    '{\n    "predictions": [{"b64": "/w=="}, {"b64": "AP4="}\n    ]\n}',
  );
});

test('U8 outputs called _string are texts, cut at the first NUL', () => {
  const bytes = Uint8Array.from(Buffer.from('Hello\0Wor"d\0a\0bcde'));
  const text = output('out_string', 'U8', [3, 6], bytes);
  assert.equal(encodePredictResponse('row', [text]), '{\n    "predictions": ["Hello", "Wor\\"d", "a"\n    ]\n}');
  assert.deepEqual(JSON.parse(encodePredictResponse('column', [{ ...text, name: 'out' }])), {
    outputs: [[...bytes.subarray(0, 6)], [...bytes.subarray(6, 12)], [...bytes.subarray(12, 18)]],
  });
});

test('outputs may lie in shared memory and start anywhere', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(17));
  shared.set(new Uint8Array(Float64Array.of(0.25, 8).buffer), 1);
  const place = { name: 'o', precision: 'FP64', shape: [2], bytes: shared.subarray(1) } as const;
  assert.deepEqual(JSON.parse(encodePredictResponse('column', [place])), { outputs: [0.25, 8] });
  const text = new Uint8Array(new SharedArrayBuffer(2));
  text.set([104, 105]);
  const named = { name: 'o_string', precision: 'U8', shape: [1, 2], bytes: text } as const;
  assert.deepEqual(JSON.parse(encodePredictResponse('column', [named])), { outputs: ['hi'] });
});

test('an output whose bytes do not fill its shape is a bug, not an answer', () => {
  assert.throws(
    () => encodePredictResponse('row', [output('o', 'FP32', [3], Float32Array.of(1))]),
    (error) => error instanceof Error && !(error instanceof ServingError) && error.message.includes('output o'),
  );
});

test('every finite float32 text reads back as the same value', () => {
  const float32 = fc.float({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(fc.array(float32, { minLength: 1 }), (values) => {
      const text = encodePredictResponse('row', [output('o', 'FP32', [values.length], Float32Array.from(values))]);
      const { predictions } = JSON.parse(text) as { predictions: number[] };
      assert.deepEqual(Float32Array.from(predictions), Float32Array.from(values));
    }),
  );
});

test('any tensor reads back equal, in both orders', () => {
  const shape = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(shape, fc.integer(), (dimensions, start) => {
      const count = dimensions.reduce((product, size) => product * size, 1);
      const values = Int32Array.from({ length: count }, (_, index) => start + index);
      let nested: unknown[] = [...values];
      for (const size of dimensions.slice(1).reverse()) {
        nested = Array.from({ length: nested.length / size }, (_, row) => nested.slice(row * size, (row + 1) * size));
      }
      const tensors = [output('x', 'I32', dimensions, values)];
      assert.deepEqual(JSON.parse(encodePredictResponse('row', tensors)), { predictions: nested });
      assert.deepEqual(JSON.parse(encodePredictResponse('column', tensors)), { outputs: nested });
      const twice = [...tensors, output('y', 'I32', dimensions, values)];
      assert.deepEqual(JSON.parse(encodePredictResponse('row', twice)), {
        predictions: nested.map((item) => ({ x: item, y: item })),
      });
      assert.deepEqual(JSON.parse(encodePredictResponse('column', twice)), { outputs: { x: nested, y: nested } });
    }),
  );
});
