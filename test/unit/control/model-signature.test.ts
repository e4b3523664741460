import assert from 'node:assert/strict';
import { test } from 'node:test';

import { servedPorts } from '#src/control/model-signature.js';
import { ServingError, type ErrorCode } from '#src/errors.js';
import type { ModelDescription, PortDescription } from '#src/native/binding.js';
import type { ModelMapping } from '#src/servables/model-mapping.js';
import { formatPartialShape } from '#src/tensors/shape.js';
import type { TensorInfo } from '#src/tensors/tensor-info.js';

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

const nameOf = ({ name }: TensorInfo): string => name;

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

test('signature: a nameless port is called by its kind and place', () => {
  const { inputs, outputs } = servedPorts(model([port([]), port([])], [port(['a']), port([])]), NO_MAPPING);
  assert.deepEqual(inputs.map(nameOf), ['in_0', 'in_1']);
  assert.deepEqual(outputs.map(nameOf), ['a', 'out_1']);
});

test('signature: two outputs of one tensor each have one of its names', () => {
  const both = ['probabilities', 'scores'];
  const { outputs } = servedPorts(model([port(['b'])], [port(both), port(both)]), NO_MAPPING);
  assert.deepEqual(outputs.map(nameOf), both);
});

test('signature: two outputs of one tensor are mapped one by one', () => {
  const both = ['probabilities', 'scores'];
  const all = new Map(both.map((name) => [name, name.toUpperCase()]));
  const mapped = (outputs: ReadonlyMap<string, string>): string[] =>
    servedPorts(model([port(['b'])], [port(both), port(both)]), { inputs: new Map(), outputs }).outputs.map(nameOf);
  assert.deepEqual(mapped(all), ['PROBABILITIES', 'SCORES']);
  assert.deepEqual(mapped(new Map([['scores', 'SCORES']])), ['SCORES', 'probabilities']);
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
