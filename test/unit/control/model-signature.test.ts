import assert from 'node:assert/strict';
import { test } from 'node:test';

import { servedPorts } from '#src/control/model-signature.js';
import { ServingError, type ErrorCode } from '#src/errors.js';
import type { ModelDescription, PortDescription } from '#src/native/binding.js';
import type { ModelMapping } from '#src/servables/model-mapping.js';
import { formatPartialShape } from '#src/tensors/shape.js';

const NO_MAPPING: ModelMapping = { inputs: new Map(), outputs: new Map() };

function port(names: readonly string[], options: Partial<PortDescription> = {}): PortDescription {
  return {
    names,
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
    limitedToOneStream: false,
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

test('signature: tensors keep their own names, in the order of the ports', () => {
  const { inputs, outputs } = servedPorts(model([port(['z']), port(['a'])], [port(['out'])]), NO_MAPPING);
  assert.deepEqual(
    inputs.map((input) => input.name),
    ['z', 'a'],
  );
  assert.deepEqual(
    outputs.map((output) => output.name),
    ['out'],
  );
});

test('signature: mapped names replace tensor names, whichever of a tensor’s names is mapped', () => {
  const mapping = { inputs: new Map([['second', 'image']]), outputs: new Map([['out', 'label']]) };
  const { inputs, outputs } = servedPorts(model([port(['first', 'second'])], [port(['out'])]), mapping);
  assert.equal(inputs[0]!.name, 'image');
  assert.equal(outputs[0]!.name, 'label');
});

test('signature: a nameless output is called by its place', () => {
  const { outputs } = servedPorts(model([port(['b'])], [port(['a']), port([])]), NO_MAPPING);
  assert.equal(outputs[1]!.name, 'out_1');
});

test('signature: ranges and unbounded dimensions', () => {
  const { inputs } = servedPorts(
    model(
      [
        port(['b'], {
          dimensions: [
            [1, 1],
            [2, 5],
            [0, -1],
          ],
        }),
      ],
      [port(['a'])],
    ),
    NO_MAPPING,
  );
  assert.equal(formatPartialShape(inputs[0]!.shape), '(1,[2~5],-1)');
});

test('signature: the layout is the model’s, else N..., for scalars ...', () => {
  const described = model(
    [port(['x'], { layout: 'NHWC' }), port(['y']), port(['z'], { dimensions: [] })],
    [port(['a'])],
  );
  assert.deepEqual(
    servedPorts(described, NO_MAPPING).inputs.map((input) => input.layout),
    ['NHWC', 'N...', '...'],
  );
});

test('signature: a mapping of a tensor that is not there is refused with those that are', () => {
  const mapping = { inputs: new Map([['lost', 'image']]), outputs: new Map<string, string>() };
  assertRefused(
    () => servedPorts(model([port(['b'])], [port(['a'])]), mapping),
    'MODEL_MAPPING_INVALID',
    /one of the tensors b, received lost/,
  );
});

test('signature: two tensors must not end up with one name', () => {
  const mapping = { inputs: new Map([['x', 'y']]), outputs: new Map<string, string>() };
  assertRefused(
    () => servedPorts(model([port(['x']), port(['y'])], [port(['a'])]), mapping),
    'MODEL_MAPPING_INVALID',
    /called y/,
  );
});

test('signature: element types no client can send are refused by name', () => {
  const described = model([port(['b'], { elementType: 'u4' })], [port(['a'])]);
  assertRefused(() => servedPorts(described, NO_MAPPING), 'UNSUPPORTED_DESERIALIZATION_PRECISION', /u4 of tensor b/);
});

test('signature: a tensor of unknown rank is refused by name', () => {
  const described = model([port(['b'], { dimensions: null })], [port(['a'])]);
  assertRefused(() => servedPorts(described, NO_MAPPING), 'NOT_IMPLEMENTED', /tensor b has no fixed rank/);
});
