import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeInferAnswer } from '#src/frontends/rest/kserve/infer-answer.js';
import type { BinaryOutputs } from '#src/frontends/rest/kserve/infer-json.js';
import type { ResponseTensor } from '#src/servables/predict-request.js';
import { covers } from '../../../../contract/covers.js';
import { floatTensor } from '../../../../helpers/tensors.js';
import { hex } from '../../tfs/wire.js';

const IN_JSON = binary(false);

function binary(byDefault: boolean, ...byName: readonly (readonly [string, boolean])[]): BinaryOutputs {
  return { byDefault, byName: new Map(byName) };
}

const HEAD = { modelName: 'model', version: 1, id: 'id' };
const FIRST = floatTensor('output1', [2, 1, 4], [5, 10, -3, 2.5, 9, 55.5, -0.5, -1.5]);
const SECOND: ResponseTensor = { name: 'output2', precision: 'I8', shape: [2], bytes: hex('01ff') };

const FIRST_JSON = `{
            "name": "output1",
            "shape": [2, 1, 4],
            "datatype": "FP32",
            "data": [5.0, 10.0, -3.0, 2.5, 9.0, 55.5, -0.5, -1.5]
        }`;

test('kserve answer: one output, to the last blank', () => {
  covers('kserve.answer-text');
  assert.deepEqual(encodeInferAnswer(HEAD, [FIRST], IN_JSON), {
    body: `{
    "model_name": "model",
    "id": "id",
    "model_version": "1",
    "outputs": [${FIRST_JSON}]
}`,
    jsonBytes: null,
  });
});

test('kserve answer: several outputs, and no id where none was given', () => {
  covers('kserve.answer-text');
  assert.equal(
    encodeInferAnswer({ ...HEAD, id: '' }, [FIRST, SECOND], IN_JSON).body,
    `{
    "model_name": "model",
    "model_version": "1",
    "outputs": [${FIRST_JSON}, {
            "name": "output2",
            "shape": [2],
            "datatype": "INT8",
            "data": [1, -1]
        }]
}`,
  );
});

test('kserve answer: binary outputs stand behind the JSON, in order, and say their sizes', () => {
  covers('kserve.binary-answer');
  const { body, jsonBytes } = encodeInferAnswer(
    HEAD,
    [FIRST, SECOND],
    binary(false, ['output2', true], ['other', true]),
  );
  assert.ok(body instanceof Buffer && jsonBytes !== null);
  assert.deepEqual(body.subarray(jsonBytes), hex('01ff'));
  assert.equal(
    body.subarray(0, jsonBytes).toString(),
    `{
    "model_name": "model",
    "id": "id",
    "model_version": "1",
    "outputs": [${FIRST_JSON}, {
            "name": "output2",
            "shape": [2],
            "datatype": "INT8",
            "parameters": {
                "binary_data_size": 2
            }
        }]
}`,
  );
  const both = encodeInferAnswer(HEAD, [FIRST, SECOND], binary(true));
  assert.ok(both.body instanceof Buffer && both.jsonBytes !== null);
  assert.deepEqual(both.body.subarray(both.jsonBytes), Buffer.concat([FIRST.bytes, hex('01ff')]));
  const first = encodeInferAnswer(HEAD, [FIRST, SECOND], binary(true, ['output2', false]));
  assert.ok(first.body instanceof Buffer && first.jsonBytes !== null);
  assert.deepEqual(first.body.subarray(first.jsonBytes), Buffer.from(FIRST.bytes));
});

test('kserve answer: floats have the digits of a double', () => {
  covers('kserve.float-text');
  const { body } = encodeInferAnswer(HEAD, [floatTensor('a', [2], [0.1, 1e-7])], IN_JSON);
  assert.match(String(body), /"data": \[0\.10000000149011612, 1\.0000000116860974e-7\]/);
});

test('kserve answer: halves, booleans and wide integers are answered exactly', () => {
  const outputs: readonly ResponseTensor[] = [
    { name: 'h', precision: 'FP16', shape: [1], bytes: hex('003e') },
    { name: 'o', precision: 'BOOL', shape: [2], bytes: hex('0100') },
    { name: 'u', precision: 'U64', shape: [1], bytes: hex('ffffffffffffffff') },
  ];
  const answer = String(encodeInferAnswer(HEAD, outputs, IN_JSON).body);
  for (const data of ['[1.5]', '[true, false]', '[18446744073709551615]'])
    assert.ok(answer.includes(`"data": ${data}`));
});

test('kserve answer: texts in U8 rows are BYTES', () => {
  const output: ResponseTensor = { name: 'a_string', precision: 'U8', shape: [2, 3], bytes: Buffer.from('ab\0"\0\0') };
  const answer = String(encodeInferAnswer(HEAD, [output], IN_JSON).body);
  assert.match(answer, /"shape": \[2\],\s+"datatype": "BYTES",\s+"data": \["ab", "\\""\]/);
});

test('kserve answer: values JSON cannot say are the words that JavaScript has for them', () => {
  covers('kserve.not-finite');
  const output = floatTensor('a', [3], [NaN, Infinity, -Infinity]);
  assert.match(String(encodeInferAnswer(HEAD, [output], IN_JSON).body), /"data": \[NaN, Infinity, -Infinity\]/);
});
