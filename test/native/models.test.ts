import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NO_PREPROCESSING, type CompileSpecification } from '#src/native/binding.js';
import { covers } from '../contract/covers.js';
import { writeArgmaxModel, writeDummyModel, writeNonZeroModel } from '../fixtures/ir.js';
import { binding, compile, newSlab, specification, temporaryDirectory, TestRequest } from './support.js';

const directory = temporaryDirectory();
const dummy = writeDummyModel(directory, { name: 'dummy' });

test('models: a compiled model describes its ports', () => {
  const { inputs, outputs, optimalInferRequests, streams } = binding.describeModel(compile(dummy));
  const dimensions = [
    [1, 1],
    [10, 10],
  ];
  assert.deepEqual(inputs, [{ name: 'b', names: ['b'], elementType: 'f32', dimensions, layout: '' }]);
  assert.deepEqual(outputs, [{ name: 'a', names: ['a'], elementType: 'f32', dimensions, layout: '' }]);
  assert.ok(optimalInferRequests >= 1);
  assert.ok(streams >= 1);
});

test('models: what the model says of itself is described, every value as text', () => {
  const rtInfo = '<model_info><type value="ssd"/><limit value="0.5"/><resize><width value="3"/></resize></model_info>';
  const path = writeDummyModel(directory, { name: 'info', rtInfo: `<other value="1"/>${rtInfo}` });
  const { modelInfo } = binding.describeModel(compile(path));
  assert.deepEqual(modelInfo, { limit: '0.5', resize: { width: '3' }, type: 'ssd' });
});

test('models: a model that says nothing of itself, or no more than one value, has no description of that', () => {
  assert.equal(binding.describeModel(compile(dummy)).modelInfo, null);
  const path = writeDummyModel(directory, { name: 'bare-info', rtInfo: '<model_info value="1"/>' });
  assert.equal(binding.describeModel(compile(path)).modelInfo, null);
});

test('models: dynamic dimensions are described as [min, -1]', () => {
  const path = writeDummyModel(directory, { name: 'dynamic', shape: [-1, 10] });
  assert.deepEqual(binding.describeModel(compile(path)).inputs[0]!.dimensions, [
    [0, -1],
    [10, 10],
  ]);
});

test('models: the layout that the model states is described', () => {
  const path = writeDummyModel(directory, { name: 'layout', shape: [1, 2, 3, 4], layout: 'NCHW' });
  const description = binding.describeModel(compile(path));
  assert.deepEqual([description.inputs[0]!.layout, description.outputs[0]!.layout], ['NCHW', 'NCHW']);
});

test('models: properties may be strings, booleans and whole numbers', () => {
  const properties = { NUM_STREAMS: 2, INFERENCE_NUM_THREADS: '2', ENABLE_CPU_PINNING: false };
  assert.equal(binding.describeModel(compile(dummy, { properties })).streams, 2);
});

test('models: a reshape changes the described and the accepted shape', () => {
  const shapes = [
    {
      name: 'b',
      dimensions: [
        [3, 3],
        [10, 10],
      ],
    },
  ] as const;
  const model = compile(dummy, { shapes });
  assert.deepEqual(binding.describeModel(model).outputs[0]!.dimensions, [
    [3, 3],
    [10, 10],
  ]);
  const slab = newSlab(4096);
  const input = { slab: slab.id, offset: 0, shape: [3, 10] };
  assert.equal(new TestRequest(model, input, { ...input, offset: 1024 }).infer().status, 'OK');
});

test('models: a tensor layout unlike the model layout puts a transpose in between', () => {
  covers('config.layout-transpose');
  const path = writeDummyModel(directory, { name: 'transposed', shape: [1, 2, 3, 4], layout: 'NCHW' });
  const model = compile(path, { layouts: [{ name: 'b', tensor: 'NHWC', model: null }] });
  const description = binding.describeModel(model);
  assert.equal(description.inputs[0]!.layout, 'NHWC');
  assert.deepEqual(
    description.inputs[0]!.dimensions?.map(([min]) => min),
    [1, 3, 4, 2],
  );
  const slab = newSlab(4096);
  slab.floats.set(Array.from({ length: 24 }, (_, index) => index));
  const request = new TestRequest(
    model,
    { slab: slab.id, offset: 0, shape: [1, 3, 4, 2] },
    { slab: slab.id, offset: 1024, shape: [1, 2, 3, 4] },
  );
  assert.equal(request.infer().status, 'OK');
  const evenThenOdd = [0, 1].flatMap((channel) => Array.from({ length: 12 }, (_, pixel) => pixel * 2 + channel + 1));
  assert.deepEqual([...slab.floats.subarray(256, 280)], evenThenOdd);
});

const FAULTS: readonly [string, string, Partial<CompileSpecification>, RegExp][] = [
  ['a missing file', 'READ_FAILED', { path: '/nowhere/model.xml' }, /\/nowhere\/model\.xml/],
  ['an unknown device', 'COMPILE_FAILED', { device: 'ABACUS' }, /ABACUS/],
  ['an unknown property', 'COMPILE_FAILED', { properties: { NO_SUCH_PROPERTY: 1 } }, /NO_SUCH_PROPERTY/],
  ['a reshape of an unknown input', 'RESHAPE_FAILED', { shapes: [{ name: 'nobody', dimensions: [[1, 1]] }] }, /nobody/],
  [
    'a layout of an unknown tensor',
    'LAYOUT_FAILED',
    { layouts: [{ name: 'nobody', tensor: 'NC', model: null }] },
    /nobody/,
  ],
  ['a layout of another rank', 'LAYOUT_FAILED', { layouts: [{ name: 'b', tensor: 'NHWC', model: 'NCHW' }] }, /./],
];

for (const [what, code, changes, text] of FAULTS) {
  test(`models: ${what} is ${code}, in one clean sentence`, () => {
    const modelId = binding.reserveModel();
    assert.throws(
      () => binding.compileModel(modelId, specification(dummy, changes)),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, code);
        assert.match(error.message, text);
        assert.doesNotMatch(error.message, /Exception from|failed at|\n/);
        return true;
      },
    );
  });
}

test('models: truncated weights and an unknown operation are READ_FAILED', () => {
  const path = writeArgmaxModel(directory, { name: 'truncated' });
  truncateSync(join(directory, 'truncated.bin'), 4);
  const unknown = join(directory, 'unknown.xml');
  writeFileSync(unknown, readFileSync(dummy, 'utf8').replace('type="Add"', 'type="Press"'));
  copyFileSync(join(directory, 'dummy.bin'), join(directory, 'unknown.bin'));
  for (const file of [path, unknown]) {
    assert.throws(() => compile(file), { code: 'READ_FAILED' });
  }
});

test('models: shapes that do not go together are RESHAPE_FAILED', () => {
  const path = writeArgmaxModel(directory, { name: 'argmax', classes: 7 });
  const dimensions = [
    [1, 1],
    [5, 5],
  ] as const;
  assert.throws(() => compile(path, { shapes: [{ name: 'in1', dimensions }] }), { code: 'RESHAPE_FAILED' });
});

test('models: an entry can be compiled after a failure, but not twice', () => {
  const modelId = binding.reserveModel();
  assert.throws(() => binding.openModel(modelId), { code: 'NOT_COMPILED' });
  assert.throws(() => binding.compileModel(modelId, specification('/nowhere.xml')), { code: 'READ_FAILED' });
  binding.compileModel(modelId, specification(dummy));
  assert.throws(() => binding.compileModel(modelId, specification(dummy)), { code: 'NOT_COMPILED' });
});

test('models: a released entry is unknown, while its requests go on', () => {
  const modelId = binding.reserveModel();
  binding.compileModel(modelId, specification(dummy));
  const model = binding.openModel(modelId);
  const slab = newSlab(4096);
  const request = new TestRequest(
    model,
    { slab: slab.id, offset: 0, shape: [1, 10] },
    { slab: slab.id, offset: 64, shape: [1, 10] },
  );
  binding.releaseModel(modelId);
  binding.closeModel(model);
  assert.throws(() => binding.openModel(modelId), { code: 'NOT_COMPILED' });
  assert.throws(() => binding.releaseModel(modelId), TypeError);
  assert.equal(request.infer().status, 'OK');
});

test('models: wrong fields of a specification are named by their path', () => {
  const modelId = binding.reserveModel();
  const wrong: readonly [unknown, string][] = [
    [undefined, 'specification: expected an object, received undefined'],
    [{ ...specification(dummy), path: 7 }, 'specification.path: expected a string, received 7'],
    [
      { ...specification(dummy), shapes: [{ name: 'b', dimensions: [[1]] }] },
      'specification.shapes[0].dimensions[0]: expected two numbers, received another kind of value',
    ],
    [
      { ...specification(dummy), layouts: [{ name: 'b', tensor: 'NC' }] },
      'specification.layouts[0].model: expected a string, received undefined',
    ],
    [
      { ...specification(dummy), mapping: { inputs: [['b']], outputs: [] } },
      'specification.mapping.inputs[0]: expected a key and a value, received another kind of value',
    ],
    [{ ...specification(dummy), batch: 4 }, 'specification.batch: expected an array, received 4'],
    [
      { ...specification(dummy), preprocessing: { ...NO_PREPROCESSING, mean: ['1'] } },
      'specification.preprocessing.mean[0]: expected a number, received a string',
    ],
    [
      { ...specification(dummy), preprocessing: { ...NO_PREPROCESSING, color: { tensor: 'RGB' } } },
      'specification.preprocessing.color.model: expected a string, received undefined',
    ],
    [
      { ...specification(dummy), properties: { A: null } },
      'specification.properties.A: expected a string, a boolean or a number, received null',
    ],
  ];
  for (const [value, message] of wrong) {
    assert.throws(() => binding.compileModel(modelId, value as CompileSpecification), { name: 'TypeError', message });
  }
});

test('models: an output whose shape only the inference tells is described as far as it is known', () => {
  const description = binding.describeModel(compile(writeNonZeroModel(directory, { name: 'nonzero' })));
  assert.deepEqual(description.outputs[0]!.dimensions, [
    [1, 1],
    [0, 10],
  ]);
});
