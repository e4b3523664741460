import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ServingError } from '#src/errors.js';
import { encodeInferAnswer } from '#src/frontends/rest/kserve/infer-answer.js';
import { placeInputs, requestTensors } from '#src/frontends/rest/kserve/infer-body.js';
import { decodeInferJson } from '#src/frontends/rest/kserve/infer-json.js';
import { decodePredictBody } from '#src/frontends/rest/predict-json.js';
import { encodePredictResponse } from '#src/frontends/rest/predict-response-json.js';
import type { RequestTensor, ResponseTensor } from '#src/servables/predict-request.js';
import { ELEMENT_BYTES, type Precision } from '#src/tensors/precision.js';
import { tensorInfo } from './fake-backend.js';

const PRECISIONS = ['FP64', 'FP32', 'FP16', 'I64', 'I32', 'I16', 'I8', 'U64', 'U32', 'U16', 'U8', 'BOOL'] as const;

/** Exponents of all ones are infinities and NaN, which JSON cannot say; and a BOOL is 0 or 1. */
function finite(precision: Precision, bytes: Buffer): Buffer {
  const size = ELEMENT_BYTES[precision];
  for (let at = 0; at < bytes.byteLength; at += size) {
    if (precision.startsWith('FP')) bytes[at + size - 1]! &= 0xbf;
    else if (precision === 'BOOL') bytes[at]! &= 1;
  }
  return bytes;
}

/** Tensors of any precision and shape, with any elements. */
function anyTensor(smallestSize: number): fc.Arbitrary<ResponseTensor> {
  const shape = fc.array(fc.integer({ min: smallestSize, max: 3 }), { minLength: 1, maxLength: 4 });
  return fc.tuple(fc.constantFrom(...PRECISIONS), shape).chain(([precision, dimensions]) => {
    const count = dimensions.reduce((product, size) => product * size, 1);
    const length = count * ELEMENT_BYTES[precision];
    return fc.uint8Array({ minLength: length, maxLength: length }).map((elements) => ({
      name: 'b',
      precision,
      shape: dimensions,
      bytes: finite(precision, Buffer.from(elements)),
    }));
  });
}

function contentOf({ content }: RequestTensor): Buffer {
  if (content.kind === 'bytes') return Buffer.from(content.bytes);
  assert.ok(content.kind === 'values');
  const bytes = Buffer.alloc(content.count * 8);
  content.writeTo(bytes);
  return bytes;
}

test('json grammar: what a row or a column answers can be sent as a row or a column, to the last bit', () => {
  fc.assert(
    fc.property(anyTensor(1), (tensor) => {
      const answers = [
        encodePredictResponse('row', [tensor]).replace('predictions', 'instances'),
        encodePredictResponse('row', [tensor], 2).replace('predictions', 'instances'),
        encodePredictResponse('column', [tensor]).replace('outputs', 'inputs'),
        encodePredictResponse('column', [tensor], 2).replace('outputs', 'inputs'),
      ];
      for (const answer of answers) {
        const { inputs } = decodePredictBody(Buffer.from(answer), [tensorInfo('b', tensor.precision)]);
        const received = inputs.get('b')!;
        assert.deepEqual([received.precision, received.shape], [tensor.precision, tensor.shape]);
        assert.deepEqual(contentOf(received), tensor.bytes);
      }
    }),
    { numRuns: 500 },
  );
});

test('json grammar: what KServe answers can be sent to KServe, in JSON and in binary, to the last bit', () => {
  fc.assert(
    fc.property(anyTensor(0), fc.boolean(), (tensor, isBinary) => {
      const head = { modelName: 'm', version: 1, id: '' };
      const { body, jsonBytes } = encodeInferAnswer(head, [tensor], { byDefault: isBinary, byName: new Map() });
      const answer = Buffer.from(body);
      const json = answer.toString('utf8', 0, jsonBytes ?? answer.byteLength).replace('outputs', 'inputs');
      const document = decodeInferJson(Buffer.from(json));
      const placed = placeInputs(document, answer.subarray(jsonBytes ?? answer.byteLength));
      const received = requestTensors(placed, 1).get('b')!;
      assert.deepEqual([received.precision, received.shape], [tensor.precision, tensor.shape]);
      assert.deepEqual(contentOf(received).subarray(0, tensor.bytes.byteLength), tensor.bytes);
    }),
    { numRuns: 500 },
  );
});

const BODIES: readonly string[] = [
  '{"signature_name": "serving_default", "instances": [{"b": [1, -2.5e3], "c": "\\u00e4\\n"}, {"b": [3, 4]}]}',
  '{"inputs": {"b": [[1, 2], [3, 4]], "other": {"b64": "AAAA"}}, "x": [null, true, false, 1e-7, {}]}',
  '{"id": "1", "inputs": [{"name": "b", "shape": [2], "datatype": "INT64", "data": [12345678901234567890, 1]}]}',
  '{"inputs": [{"name": "b", "shape": [2], "datatype": "FP32", "parameters": {"binary_data_size": 8}}], "outputs": []}',
];

const CHARACTERS = Array.from('{}[]",:.-+eE019tfn\\u \n\0é');

/** A body with some of its characters taken out, doubled or replaced by such as mean something in JSON. */
const mutated = fc
  .tuple(
    fc.constantFrom(...BODIES),
    fc.array(fc.tuple(fc.nat(200), fc.constantFrom(...CHARACTERS)), { minLength: 1, maxLength: 4 }),
    fc.constantFrom('replace', 'insert', 'remove'),
  )
  .map(([body, places, change]) => {
    const characters = Array.from(body);
    for (const [place, character] of places) {
      const at = place % characters.length;
      if (change === 'insert') characters.splice(at, 0, character);
      else if (change === 'remove') characters.splice(at, 1);
      else characters[at] = character;
    }
    return characters.join('');
  });

test('json grammar: mutated bodies are decoded or refused by the catalogue, as no JSON exactly when they are none', () => {
  const decoders = [
    (body: Buffer): unknown => decodePredictBody(body, [tensorInfo('b', 'I64'), tensorInfo('c')]),
    (body: Buffer): unknown => decodePredictBody(body, [tensorInfo('b')]),
    decodeInferJson,
  ];
  let [valid, invalid] = [0, 0];
  fc.assert(
    fc.property(mutated, (text) => {
      const isJson = parses(text);
      if (isJson) valid += 1;
      else invalid += 1;
      for (const decode of decoders) {
        const fault = faultOf(() => decode(Buffer.from(text)));
        assert.equal(fault === 'JSON_INVALID', !isJson, `${text}: ${fault}`);
      }
    }),
    { numRuns: 3000 },
  );
  assert.ok(valid > 100 && invalid > 100, `${valid} valid, ${invalid} invalid`);
});

/** Whether a text is JSON; a number that no double holds is none for the server. */
function parses(text: string): boolean {
  let isFinite = true;
  try {
    JSON.parse(text, (_, value: unknown) => {
      if (value === Infinity || value === -Infinity) isFinite = false;
      return value;
    });
    return isFinite;
  } catch {
    return false;
  }
}

function faultOf(decode: () => unknown): string {
  try {
    decode();
    return 'none';
  } catch (error) {
    assert.ok(error instanceof ServingError, String(error));
    return error.code;
  }
}
