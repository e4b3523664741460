import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ServingError } from '#src/errors.js';
import { checkRequest } from '#src/servables/check-request.js';
import type { RequestTensor } from '#src/servables/predict-request.js';
import type { TensorInfo } from '#src/tensors/tensor-info.js';
import { NO_STRINGS } from '#src/tensors/strings.js';
import { covers } from '../../contract/covers.js';
import { tensor } from '../dag/pipeline-fixture.js';

const INPUT = tensor('b');

function sent(options: Partial<RequestTensor> = {}): RequestTensor {
  return {
    precision: 'FP32',
    precisionText: 'FP32',
    shape: [1, 10],
    content: { kind: 'bytes', bytes: new Uint8Array(40) },
    ...options,
  };
}

function messageOf(inputs: Readonly<Record<string, RequestTensor>>, expected: readonly TensorInfo[] = [INPUT]): string {
  try {
    checkRequest({ servable: 'm', version: null, inputs: new Map(Object.entries(inputs)) }, expected, false);
  } catch (error) {
    assert.ok(error instanceof ServingError);
    assert.equal(error.grpcStatus().code, error.code === 'NOT_IMPLEMENTED' ? 2 : 3);
    return error.message;
  }
  return 'accepted';
}

test('request check: a tensor that fits is accepted', () => {
  assert.equal(messageOf({ b: sent() }), 'accepted');
});

test('request check: the number of inputs comes first', () => {
  assert.equal(messageOf({}), 'Invalid number of inputs - Expected: 1; Actual: 0');
  assert.equal(messageOf({ b: sent({ shape: [-1] }), c: sent() }), 'Invalid number of inputs - Expected: 1; Actual: 2');
});

test('request check: an unknown name is reported as the expected one that is missing', () => {
  assert.equal(messageOf({ c: sent() }), 'Missing input with specific name - Required input: b');
});

test('request check: inputs are checked in the order of their names', () => {
  const wrong = sent({ precision: 'I32', precisionText: 'I32' });
  assert.match(messageOf({ z: wrong, a: wrong }, [tensor('a'), tensor('z')]), /input name: a$/);
});

test('request check: a negative size comes before the precision', () => {
  assert.equal(
    messageOf({ b: sent({ shape: [1, -3], precision: 'I32' }) }),
    'Invalid input shape - Negative or zero dimension size is not acceptable: (1,-3); input name: b',
  );
});

test('request check: the precision comes before the rank', () => {
  covers('tfs-grpc.order-checks');
  assert.equal(
    messageOf({ b: sent({ precision: 'I32', precisionText: 'I32', shape: [1] }) }),
    'Invalid input precision - Expected: FP32; Actual: I32; input name: b',
  );
});

test('request check: rank', () => {
  assert.equal(
    messageOf({ b: sent({ shape: [1, 10, 1] }) }),
    'Invalid number of shape dimensions - Expected: (1,10); Actual: (1,10,1); input name: b',
  );
});

test('request check: the first dimension of the default layout is the batch', () => {
  covers('tfs-grpc.batch-or-shape');
  assert.equal(
    messageOf({ b: sent({ shape: [2, 10] }) }),
    'Invalid input batch size - Expected: 1; Actual: 2; input name: b',
  );
});

test('request check: other dimensions are the shape', () => {
  assert.equal(
    messageOf({ b: sent({ shape: [1, 11] }) }),
    'Invalid input shape - Expected: (1,10); Actual: (1,11); input name: b',
  );
});

test('request check: a layout without a batch has only a shape', () => {
  assert.equal(
    messageOf({ b: sent({ shape: [2, 10] }) }, [tensor('b', { layout: '...' })]),
    'Invalid input shape - Expected: (1,10); Actual: (2,10); input name: b',
  );
});

test('request check: dynamic and ranged dimensions print as -1 and [min~max]', () => {
  const input = tensor('b', { shape: [-1, [2, 4]] });
  assert.equal(
    messageOf({ b: sent({ shape: [7, 5] }) }, [input]),
    'Invalid input shape - Expected: (-1,[2~4]); Actual: (7,5); input name: b',
  );
});

test('request check: the size of the content', () => {
  const content = { kind: 'bytes', bytes: new Uint8Array(36) } as const;
  assert.equal(
    messageOf({ b: sent({ content }) }),
    'Invalid content size of tensor proto - Expected: 40 bytes; Actual: 36 bytes; input name: b',
  );
});

test('request check: the number of values in typed fields', () => {
  const content = { kind: 'values', count: 9, writeTo: () => undefined } as const;
  assert.equal(
    messageOf({ b: sent({ content }) }),
    'Invalid number of values in tensor proto container - Expected: 10; Actual: 9; input name: b',
  );
});

test('request check: a zero size that the model allows needs no content', () => {
  const content = { kind: 'bytes', bytes: new Uint8Array(0) } as const;
  assert.equal(messageOf({ b: sent({ shape: [0, 10], content }) }, [tensor('b', { shape: [-1, 10] })]), 'accepted');
});

test('request check: a shape whose product overflows is refused, not computed', () => {
  const input = tensor('b', { shape: [-1, -1, -1] });
  assert.equal(
    messageOf({ b: sent({ shape: [2 ** 31, 2 ** 31, 2 ** 31] }) }, [input]),
    'Invalid content size of tensor proto - Shape dimensions are too large; input name: b',
  );
});

test('request check: strings are checked as strings, whatever precision they say', () => {
  const content = { kind: 'strings', strings: NO_STRINGS } as const;
  assert.equal(
    messageOf({ b: sent({ content, precision: 'STRING', shape: [1] }) }),
    'Functionality not implemented - strings or encoded pictures; input name: b',
  );
});
