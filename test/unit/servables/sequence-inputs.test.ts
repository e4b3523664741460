import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServingError } from '#src/errors.js';
import type { RequestTensor, TensorContent } from '#src/servables/predict-request.js';
import { readSequenceRequest, sequenceIdOutput } from '#src/servables/stateful/sequence-inputs.js';
import type { Precision } from '#src/tensors/precision.js';
import { NO_STRINGS } from '#src/tensors/strings.js';

const RAW_ID: TensorContent = { kind: 'bytes', bytes: Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255) };
const RAW_START: TensorContent = { kind: 'bytes', bytes: Uint8Array.of(1, 0, 0, 0) };

function sent(precision: Precision | null, content: TensorContent, shape: readonly number[] = [1]): RequestTensor {
  return { precision, precisionText: String(precision), shape, content };
}

function values(...numbers: readonly number[]): TensorContent {
  return { kind: 'values', count: numbers.length, writeTo: (target) => target.set(numbers) };
}

function read(id: RequestTensor | null, control: RequestTensor | null): unknown {
  const inputs = new Map<string, RequestTensor>();
  if (id !== null) inputs.set('sequence_id', id);
  if (control !== null) inputs.set('sequence_control_input', control);
  try {
    return readSequenceRequest(inputs);
  } catch (error) {
    assert.ok(error instanceof ServingError);
    return error.detail === '' ? error.code : `${error.code} ${error.detail}`;
  }
}

test('sequence inputs: typed and raw elements are read, absent ones are zero', () => {
  const all = 2n ** 64n - 1n;
  assert.deepEqual(read(sent('U64', values(7)), sent('U32', values(2))), { sequenceId: 7n, control: 2 });
  assert.deepEqual(read(sent('U64', RAW_ID), sent('U32', RAW_START)), { sequenceId: all, control: 1 });
  assert.deepEqual(read(sent('U64', values(7)), null), { sequenceId: 7n, control: 0 });
  assert.deepEqual(read(null, sent('U32', RAW_START)), { sequenceId: 0n, control: 1 });
});

const REFUSED: readonly (readonly [string, RequestTensor | null, RequestTensor | null, string])[] = [
  ['nothing at all', null, null, 'SEQUENCE_ID_NOT_PROVIDED'],
  ['no id to end', null, sent('U32', values(2)), 'SEQUENCE_ID_NOT_PROVIDED'],
  ['control 3, and no id', null, sent('U32', values(3)), 'SEQUENCE_CONTROL_INVALID'],
  ['two ids', sent('U64', values(1, 2)), null, 'SEQUENCE_ID_BAD_TYPE'],
  ['half an id', sent('U64', RAW_START), null, 'SEQUENCE_ID_BAD_TYPE'],
  ['a signed id', sent('I64', values(1)), null, 'SEQUENCE_ID_BAD_TYPE'],
  ['an id of no type', sent(null, values(1)), null, 'SEQUENCE_ID_BAD_TYPE'],
  ['a control of 64 bits', sent('U64', values(1)), sent('U64', values(1)), 'SEQUENCE_CONTROL_BAD_TYPE'],
  ['a text for an id', sent('STRING', { kind: 'strings', strings: NO_STRINGS }), null, 'SEQUENCE_ID_BAD_TYPE'],
  ['an id without a shape', sent('U64', values(1), []), null, 'SPECIAL_INPUT_NO_SHAPE'],
  [
    'an id of rank 2, and a control without a shape',
    sent('U64', values(1), [1, 1]),
    sent('U32', values(1), []),
    'INVALID_NO_OF_SHAPE_DIMENSIONS Required shape for sequence_id is: (1)',
  ],
  [
    'a control of two elements',
    sent('U64', values(1)),
    sent('U32', values(1, 1), [2]),
    'INVALID_SHAPE Required shape for sequence_control_input is: (1)',
  ],
];

for (const [what, id, control, code] of REFUSED) {
  test(`sequence inputs: ${what} is ${code}`, () => assert.equal(read(id, control), code));
}

test('sequence inputs: the answer carries the id as one element', () => {
  const { name, precision, shape, bytes } = sequenceIdOutput(2n ** 64n - 2n);
  assert.deepEqual({ name, precision, shape }, { name: 'sequence_id', precision: 'U64', shape: [1] });
  assert.deepEqual([...bytes], [254, 255, 255, 255, 255, 255, 255, 255]);
});
