import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_MAPPING, NO_PREPROCESSING, type CompileSpecification, type MappedName } from '#src/native/binding.js';
import {
  writeColumnsModel,
  writeCopiesModel,
  writeDummyModel,
  writeTwinsModel,
  type ColumnsModelOptions,
} from '../fixtures/ir.js';
import { binding, compile, INLINE_PROPERTIES, newSlab, temporaryDirectory, TestRequest } from './support.js';

const directory = temporaryDirectory();
const copies = writeCopiesModel(directory, { name: 'copies' });

const CHANGES: Readonly<Record<string, Partial<CompileSpecification>>> = {
  'as it is': {},
  'on one thread': { properties: INLINE_PROPERTIES },
  'for throughput': { properties: { PERFORMANCE_HINT: 'THROUGHPUT' } },
  'with layouts': {
    layouts: [
      { name: 'x', tensor: 'NC', model: 'NC' },
      { name: 'y2', tensor: 'NC', model: 'NC' },
    ],
  },
  'with another shape': {
    shapes: [
      {
        name: 'x',
        dimensions: [
          [2, 2],
          [2, 2],
        ],
      },
    ],
  },
  'with a batch size': { batch: [1, 1] },
  'with a mean': { preprocessing: { mean: [0], scale: [], color: null, elementType: null } },
  'with loops taken apart': { stateful: { maxSequences: 1, lowLatency: true } },
  'with joined rows': { joinedRows: 4 },
};

for (const [name, changes] of Object.entries(CHANGES)) {
  test(`names: a tensor keeps the name that its model gives it, compiled ${name}`, () => {
    const model = compile(copies, changes);
    const { inputs, outputs } = binding.describeModel(model);
    assert.deepEqual(
      [...inputs, ...outputs].map((port) => port.names),
      [['x'], ['y1'], ['y2']],
    );
    const slab = newSlab(4096);
    slab.floats.set([-1, 2, -3, 4]);
    const shape = 'shapes' in changes ? [2, 2] : [1, 4];
    const request = new TestRequest(model, ...[0, 1024, 2048].map((offset) => ({ slab: slab.id, offset, shape })));
    for (let round = 0; round < 2; round += 1) {
      slab.floats.fill(7, 256);
      assert.equal(request.infer().status, 'OK');
      for (const start of [256, 512]) assert.deepEqual([...slab.floats.subarray(start, start + 4)], [0, 2, 0, 4]);
    }
  });
}

/** What clients call the ports, and what the tensors are called. */
function described(path: string, changes: Partial<CompileSpecification> = {}) {
  const { inputs, outputs } = binding.describeModel(compile(path, changes));
  return {
    inputs: inputs.map((port) => port.name),
    outputs: outputs.map((port) => port.name),
    tensors: [...inputs, ...outputs].map((port) => port.names),
  };
}

function columns(
  ports: ColumnsModelOptions,
  inputs: readonly MappedName[] = [],
  outputs: readonly MappedName[] = [],
): ReturnType<typeof described> {
  return described(writeColumnsModel(directory, { name: 'columns', ...ports }), { mapping: { inputs, outputs } });
}

test('names: a nameless port is called by its kind and place', () => {
  assert.deepEqual(columns({ inputs: ['', 'x', ''], outputs: ['', '', 'y'] }), {
    inputs: ['in_0', 'x', 'in_2'],
    outputs: ['out_0', 'out_1', 'y'],
    tensors: [[], ['x'], [], [], [], ['y']],
  });
});

test('names: a nameless port beside one that is called so gets the next name that no other place has', () => {
  const { inputs, outputs } = columns({ inputs: ['', 'in_0', ''], outputs: ['out_2', 'out_5', ''] });
  assert.deepEqual(inputs, ['in_3', 'in_0', 'in_2']);
  assert.deepEqual(outputs, ['out_2', 'out_5', 'out_8']);
});

test('names: mapped ones replace those of tensors, whichever of them is mapped, and those of nameless ports', () => {
  const ports = { inputs: ['first,second', ''], outputs: ['', 'y'] };
  const mapped = columns(
    ports,
    [
      ['second', 'image'],
      ['in_1', 'other'],
    ],
    [['out_0', 'label']],
  );
  assert.deepEqual(mapped.inputs, ['image', 'other']);
  assert.deepEqual(mapped.outputs, ['label', 'y']);
  assert.deepEqual(mapped.tensors, [['first', 'second'], [], [], ['y']]);
});

test('names: two outputs of one tensor have one of its names each, and are mapped one by one', () => {
  const path = writeTwinsModel(directory, { name: 'twins' });
  const outputs = (...mapped: readonly MappedName[]): readonly string[] =>
    described(path, { mapping: { inputs: [], outputs: mapped } }).outputs;
  assert.deepEqual(outputs(), ['p', 'q']);
  assert.deepEqual(outputs(['p', 'P'], ['q', 'Q']), ['P', 'Q']);
  assert.deepEqual(outputs(['p', 'q'], ['q', 'p']), ['q', 'p']);
  assert.deepEqual(outputs(['q', 'Q']), ['Q', 'p']);
});

test('names: a mapping of a tensor that is not there is refused with those that are', () => {
  const refused = { code: 'NAMES_FAILED', message: '/inputs: expected one of the tensors in_1, x, received lost' };
  assert.throws(() => columns({ inputs: ['x', ''], outputs: ['y', ''] }, [['lost', 'image']]), refused);
  assert.throws(() => columns({ inputs: ['x'], outputs: ['y'] }, [], [['x', 'image']]), { code: 'NAMES_FAILED' });
});

test('names: two ports of one name are refused', () => {
  const refused = (key: string, name: string) => ({
    code: 'NAMES_FAILED',
    message: `/${key}: expected different names, received two tensors that are called ${name}`,
  });
  const ports = { inputs: ['x', 'y'], outputs: ['v', 'w'] };
  assert.throws(() => columns(ports, [['x', 'y']]), refused('inputs', 'y'));
  assert.throws(() => columns(ports, [], [['w', 'v']]), refused('outputs', 'v'));
});

test('names: planes of a picture are mapped each', () => {
  const path = writeDummyModel(directory, { name: 'planes', shape: [1, 3, 4, 4], layout: 'NCHW' });
  const preprocessing = {
    ...NO_PREPROCESSING,
    color: { tensor: 'NV12_2', model: 'RGB' },
    elementType: { tensor: 'u8', model: 'f32' },
  } as const;
  const mapping = { inputs: [['b/y', 'luma']], outputs: [] } as const;
  assert.deepEqual(described(path, { mapping, preprocessing }).inputs, ['luma', 'b/uv']);
});

/** The pictures that come out of the twins for one in the layout of the model, which a layout of `img` turns to that of clients. */
function twins(layouts: readonly string[], mapping = NO_MAPPING) {
  const model = compile(writeTwinsModel(directory, { name: 'twins' }), {
    mapping,
    layouts: layouts.map((name) => ({ name, tensor: 'NHWC', model: 'NCHW' })),
  });
  const { inputs, outputs } = binding.describeModel(model);
  const slab = newSlab(4096);
  const shapes = [...inputs, ...outputs].map(({ dimensions }) => dimensions!.map(([size]) => size));
  slab.floats.set(shapes[0]![1] === 3 ? PLANES : PIXELS);
  const request = new TestRequest(
    model,
    ...shapes.map((shape, port) => ({ slab: slab.id, offset: 1024 * port, shape })),
  );
  assert.deepEqual(request.infer(), { status: 'OK', text: '' });
  return Object.fromEntries(
    outputs.map(({ name }, port) => {
      const start = 256 * (port + 1);
      return [name, [shapes[port + 1], [...slab.floats.subarray(start, start + 6)]]];
    }),
  );
}

const PLANES = [1, 2, 3, 4, 5, 6];
const PIXELS = [1, 3, 5, 2, 4, 6];
const AS_MODEL = [[1, 3, 1, 2], PLANES];
const AS_CLIENTS = [[1, 1, 2, 3], PIXELS];

for (const [layouts, p, q] of [
  [[], AS_MODEL, AS_MODEL],
  [['p'], AS_CLIENTS, AS_MODEL],
  [['q'], AS_MODEL, AS_CLIENTS],
  [['p', 'q'], AS_CLIENTS, AS_CLIENTS],
  [['img', 'q'], AS_MODEL, AS_CLIENTS],
] as const) {
  test(`names: of two outputs of one tensor each has its own layout, with layouts of ${layouts.join(' and ') || 'none'}`, () => {
    assert.deepEqual(twins(layouts), { p, q });
  });
}

test('names: the layout of a mapped output is that of the output which has the name', () => {
  const swapped = {
    inputs: [],
    outputs: [
      ['p', 'q'],
      ['q', 'p'],
    ],
  } as const;
  assert.deepEqual(twins(['q'], swapped), { q: AS_CLIENTS, p: AS_MODEL });
});

const ROWS = [
  [3, 3],
  [4, 4],
] as const;

test('names: a nameless port has its shape and its layout by the name that clients use', () => {
  const path = writeColumnsModel(directory, { name: 'nameless', inputs: ['', ''], outputs: ['', ''] });
  const { inputs, outputs } = binding.describeModel(
    compile(path, {
      mapping: { inputs: [['in_1', 'second']], outputs: [] },
      shapes: [{ name: 'second', dimensions: ROWS }],
      layouts: ['in_0', 'out_1'].map((name) => ({ name, tensor: 'CN', model: 'NC' })),
    }),
  );
  const seen = [...inputs, ...outputs].map(({ name, dimensions, layout }) => [
    name,
    dimensions!.map(([size]) => size),
    layout,
  ]);
  assert.deepEqual(seen, [
    ['in_0', [4, 1], 'CN'],
    ['second', [3, 4], ''],
    ['out_0', [1, 4], ''],
    ['out_1', [4, 3], 'CN'],
  ]);
});

for (const [what, name] of [
  ['its tensor, where that is mapped', 'x'],
  ['its tensor, where clients use another one of it', 'z'],
] as const) {
  test(`names: a port has no shape and no layout by a name of ${what}`, () => {
    const path = writeColumnsModel(directory, { name: 'mapped', inputs: ['x', 'y,z'], outputs: ['v', 'w'] });
    const mapping = { inputs: [['x', 'in_x']], outputs: [] } as const;
    assert.throws(() => compile(path, { mapping, shapes: [{ name, dimensions: ROWS }] }), {
      code: 'RESHAPE_FAILED',
      message: `expected one of the inputs in_x, y, received ${name}`,
    });
    assert.throws(() => compile(path, { mapping, layouts: [{ name, tensor: null, model: 'NC' }] }), {
      code: 'LAYOUT_FAILED',
      message: `expected one of the inputs in_x, y or of the outputs v, w, received ${name}`,
    });
  });
}

test('names: a layout is for the input and the output that both have its name', () => {
  const path = writeColumnsModel(directory, { name: 'alike', inputs: ['x'], outputs: ['y'] });
  const { inputs, outputs } = binding.describeModel(
    compile(path, {
      mapping: { inputs: [], outputs: [['y', 'x']] },
      layouts: [{ name: 'x', tensor: 'CN', model: 'NC' }],
    }),
  );
  const turned = [
    [4, 4],
    [1, 1],
  ];
  assert.deepEqual([inputs[0]!.dimensions, outputs[0]!.dimensions], [turned, turned]);
});
