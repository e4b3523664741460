import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeMetadataRequest,
  decodeMetadataResponse,
  encodeMetadataRequest,
  encodeMetadataResponse,
} from '#src/frontends/tfs/metadata-message.js';
import {
  decodeStatusRequest,
  decodeStatusResponse,
  encodeStatusRequest,
  encodeStatusResponse,
} from '#src/frontends/tfs/status-message.js';
import type { TensorInfo } from '#src/tensors/tensor-info.js';
import { ANY_DIMENSION, staticDimension } from '#src/tensors/shape.js';
import { covers } from '../../../contract/covers.js';
import { bytesField, hex, varintField } from './wire.js';

const image: TensorInfo = {
  name: 'image',
  precision: 'FP32',
  shape: [staticDimension(1), { min: 200, max: 500 }, ANY_DIMENSION, staticDimension(0)],
  layout: 'NHWC',
};
const label: TensorInfo = { name: 'label', precision: 'I64', shape: [staticDimension(1)], layout: 'N...' };

test('metadata request: name, version and fields', () => {
  const { modelSpec, metadataFields } = decodeMetadataRequest(encodeMetadataRequest('m', 2n));
  assert.deepEqual([modelSpec?.name, modelSpec?.version], ['m', 2n]);
  assert.deepEqual(metadataFields, ['signature_def']);
});

test('metadata request: golden bytes', () => {
  assert.deepEqual(
    Buffer.from(encodeMetadataRequest('m', null)),
    Buffer.concat([hex('0a03 0a016d'), bytesField(2, 'signature_def')]),
  );
});

test('metadata request: without model_spec it is null, all fields are kept', () => {
  const message = Buffer.concat([bytesField(2, 'a'), bytesField(2, 'b')]);
  assert.deepEqual(decodeMetadataRequest(message), { modelSpec: null, metadataFields: ['a', 'b'] });
});

test('metadata response: a SignatureDefMap in an Any, ranges as -1', () => {
  covers('tfs-grpc.metadata-signature', 'tfs-grpc.metadata-tensors');
  const info = bytesField(1, 'image');
  const minusOne = bytesField(2, varintField(1, -1));
  const shape = bytesField(3, bytesField(2, varintField(1, 1)), minusOne, minusOne, bytesField(2));
  const input = bytesField(1, bytesField(1, 'image'), bytesField(2, info, varintField(2, 1), shape));
  const outputInfo = [bytesField(1, 'label'), varintField(2, 9), bytesField(3, bytesField(2, varintField(1, 1)))];
  const output = bytesField(2, bytesField(1, 'label'), bytesField(2, ...outputInfo));
  const signatures = bytesField(1, bytesField(1, 'serving_default'), bytesField(2, input, output));
  const url = bytesField(1, 'type.googleapis.com/tensorflow.serving.SignatureDefMap');
  const any = bytesField(2, url, bytesField(2, signatures));
  const spec = bytesField(1, bytesField(1, 'm'), bytesField(2, varintField(1, 7)));
  const expected = Buffer.concat([spec, bytesField(2, bytesField(1, 'signature_def'), any)]);
  const encoded = encodeMetadataResponse({ name: 'm', version: 7, inputs: [image], outputs: [label] });
  assert.deepEqual(Buffer.from(encoded), expected);
});

test('metadata response: decodes to names, types and shapes', () => {
  const encoded = encodeMetadataResponse({ name: 'm', version: 7, inputs: [image], outputs: [label] });
  assert.deepEqual(decodeMetadataResponse(encoded), {
    name: 'm',
    version: 7n,
    inputs: [{ name: 'image', dataType: 'DT_FLOAT', shape: [1, -1, -1, 0] }],
    outputs: [{ name: 'label', dataType: 'DT_INT64', shape: [1] }],
  });
});

test('metadata response: a type not known here is shown as its number', () => {
  const input = bytesField(1, bytesField(1, 'x'), bytesField(2, varintField(2, 20)));
  const signatures = bytesField(1, bytesField(1, 'serving_default'), bytesField(2, input));
  const url = bytesField(1, 'type.googleapis.com/tensorflow.serving.SignatureDefMap');
  const message = bytesField(2, bytesField(1, 'signature_def'), bytesField(2, url, bytesField(2, signatures)));
  assert.deepEqual(decodeMetadataResponse(message).inputs, [{ name: 'x', dataType: '20', shape: [] }]);
});

test('status request: name and version', () => {
  assert.deepEqual(decodeStatusRequest(encodeStatusRequest({ name: 'm', version: 9n })), { name: 'm', version: 9n });
  assert.deepEqual(decodeStatusRequest(encodeStatusRequest({ name: 'm', version: null })), {
    name: 'm',
    version: null,
  });
  assert.deepEqual(decodeStatusRequest(new Uint8Array(0)), { name: '', version: null });
});

test('status response: states, codes and a message that is never empty', () => {
  const encoded = encodeStatusResponse([
    { version: 1, state: 'END', errorCode: 'OK' },
    { version: 2, state: 'LOADING', errorCode: 'UNKNOWN' },
    { version: 3, state: 'LOADING', errorCode: 'FAILED_PRECONDITION' },
  ]);
  const first = bytesField(1, varintField(1, 1), varintField(2, 50), bytesField(3, bytesField(2, 'OK')));
  assert.deepEqual(Buffer.from(encoded).subarray(0, first.length), first);
  assert.deepEqual(decodeStatusResponse(encoded), [
    { version: 1n, state: 'END', errorCode: 0, errorMessage: 'OK' },
    { version: 2n, state: 'LOADING', errorCode: 2, errorMessage: 'UNKNOWN' },
    { version: 3n, state: 'LOADING', errorCode: 9, errorMessage: 'FAILED_PRECONDITION' },
  ]);
});

test('status response: a state not known here is shown as its number', () => {
  const [status] = decodeStatusResponse(bytesField(1, varintField(1, 1), varintField(2, 35)));
  assert.equal(status?.state, '35');
});
