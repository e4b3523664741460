import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CATALOGUE, ServingError, type ErrorCode } from '#src/errors.js';
import { errorAnswer } from '#src/frontends/rest/answer.js';
import { covers } from '../../contract/covers.js';

/** Texts that OVMS 2026.2.1 sends without anything that follows them. */
const WHOLE: readonly string[] = [
  'Pipeline with requested name is not found',
  'Model with requested name is not found',
  'Mediapipe graph definition with requested name is not found',
  'Model with requested version is not found',
  'Model with requested version is retired',
  'Model with requested version is not loaded yet',
  'Pipeline is not loaded yet',
  'Pipeline is retired',
  'invalid model version format in request',
  'model_spec missing in request',
  'Invalid signature name',
  'String val is empty',
  'Bytes contents is empty',
  'Received binary image input but resource not configured to accept NHWC layout',
  'Image parsing failed',
  'Invalid number of channels in binary input',
  'Binary input images for this endpoint are required to have the same resolution',
  'Functionality not implemented',
  'Unsupported deserialization precision',
  'Model could not be reshaped with requested shape',
  'Cannot compile model into target device',
  'Internal deserialization error',
  'Internal inference error',
  'Internal serialization error',
  'JSON nesting depth exceeds the allowed limit',
  'Request body should be JSON object',
  'Invalid JSON structure. Could not detect row or column format',
  'Invalid JSON structure. Nonamed instance is not an array.',
  'Invalid JSON structure. Missing instances in row format',
  'Invalid JSON structure. One of named instances is not a JSON object.',
  'Could not parse instance content. Not valid ndarray detected',
  'Could not parse input content. Not valid ndarray detected',
  'Invalid JSON structure. Request inputs have different batch sizes',
  'Inputs inside buffer does not match expected format.',
  'Invalid JSON structure, missing inputs',
  'Could not parse output content.',
  'Could not parse request parameters',
  "Inference-Header-Content-Length header is invalid and couldn't be parsed",
  'Inference-Header-Content-Length header exceeds actual payload length',
  'binary_data_size parameter is invalid and cannot be parsed',
  'Received buffer size is smaller than binary_data_size parameter indicates',
  'Request contains values both in binary data and in content value',
  'Response parsing to JSON error',
  'Requested REST resource not found',
  'Unsupported method',
  'Invalid request URL',
  'Pipeline execution aborted due to no content from custom node',
  'Too large dynamic demultiplication requested.',
  'Wrong dimension size. Should match demultiply count',
  'Wrong number of dimensions in a tensor to be sharded',
  'Demultiplication is not supported for string precision',
  'Gathered tensor shards dimensions are different',
  'Custom node failed during execution',
  'Custom node library has returned corrupted outputs handle',
  'Custom node output has invalid content size',
  'Custom node output is missing',
  'Config file not found or cannot open.',
  'Reloading config file failed. Check server logs for more info.',
  'Reloading models versions failed. Check server logs for more info.',
  'Retrieving all model statuses failed. Check server logs for more info.',
];

/** The error of a user's module, which OVMS does not know, has the text of a custom node's and says what was thrown. */
const OWN: readonly ErrorCode[] = ['JS_NODE_FAILED'];

function restText(error: ServingError): string {
  const { status, body } = errorAnswer(error);
  return status === 204 ? error.clientText : (JSON.parse(String(body)) as { error: string }).error;
}

for (const text of WHOLE) {
  test(`error text: nothing follows "${text}"`, () => {
    covers('errors.whole-texts');
    const codes = (Object.keys(CATALOGUE) as ErrorCode[]).filter((code) => CATALOGUE[code].text === text);
    assert.notEqual(codes.length, 0);
    for (const code of codes.filter((each) => !OWN.includes(each))) {
      const error = new ServingError(code, 'a detail');
      assert.equal(error.message, `${text} - a detail`, 'the log has the detail');
      assert.equal(restText(error), text);
      assert.equal(error.grpcStatus().details, CATALOGUE[code].grpc === null ? `Unknown error - ${text}` : text);
    }
  });
}

test('error text: where OVMS adds details they stand after the text', () => {
  covers('errors.whole-texts');
  for (const code of ['INVALID_SHAPE', 'INVALID_PRECISION', 'JSON_INVALID', ...OWN] as const) {
    const error = new ServingError(code, 'a detail');
    assert.equal(restText(error), `${CATALOGUE[code].text} - a detail`);
    assert.ok(error.grpcStatus().details.endsWith(`${CATALOGUE[code].text} - a detail`));
  }
});
