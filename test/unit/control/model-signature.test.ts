import assert from 'node:assert/strict';
import { test } from 'node:test';

import { servedPorts } from '#src/control/model-signature.js';
import { ServingError, type ErrorCode } from '#src/errors.js';
import type { ModelDescription, PortDescription } from '#src/native/binding.js';
import { formatPartialShape } from '#src/tensors/shape.js';

function port(name: string, options: Partial<PortDescription> = {}): PortDescription {
  return {
    name,
    names: [name],
    elementType: 'f32',
    dimensions: [
      [1, 1],
      [2, -1],
    ],
    layout: '',
    ...options,
  };
}

function model(inputs: readonly PortDescription[], outputs: readonly PortDescription[]): ModelDescription {
  return {
    inputs,
    outputs,
    optimalInferRequests: 1,
    streams: 1,
    mayFailInside: false,
    hasState: false,
    sharedConstants: 'untouched',
    loadedFromCache: false,
    modelInfo: null,
  };
}

function assertRefused(run: () => unknown, code: ErrorCode, detail: RegExp): void {
  assert.throws(run, (error: unknown) => {
    assert.ok(error instanceof ServingError);
    assert.equal(error.code, code);
    assert.match(error.detail, detail);
    return true;
  });
}

test('signature: names are those of the ports, in their order', () => {
  const { inputs, outputs } = servedPorts(model([port('z'), port('a')], [port('out')]));
  assert.deepEqual(
    inputs.map((input) => input.name),
    ['z', 'a'],
  );
  assert.deepEqual(
    outputs.map((output) => output.name),
    ['out'],
  );
});

test('signature: ranges and unbounded dimensions', () => {
  const { inputs } = servedPorts(
    model(
      [
        port('b', {
          dimensions: [
            [1, 1],
            [2, 5],
            [0, -1],
          ],
        }),
      ],
      [port('a')],
    ),
  );
  assert.equal(formatPartialShape(inputs[0]!.shape), '(1,[2~5],-1)');
});

test('signature: the layout is the model’s, else N..., for scalars ...', () => {
  const described = model([port('x', { layout: 'NHWC' }), port('y'), port('z', { dimensions: [] })], [port('a')]);
  assert.deepEqual(
    servedPorts(described).inputs.map((input) => input.layout),
    ['NHWC', 'N...', '...'],
  );
});

test('signature: element types no client can send are refused by name', () => {
  const described = model([port('b', { elementType: 'u4' })], [port('a')]);
  assertRefused(() => servedPorts(described), 'UNSUPPORTED_DESERIALIZATION_PRECISION', /u4 of tensor b/);
});

test('signature: a tensor of unknown rank is refused by name', () => {
  const described = model([port('b', { dimensions: null })], [port('a')]);
  assertRefused(() => servedPorts(described), 'NOT_IMPLEMENTED', /tensor b has no fixed rank/);
});
