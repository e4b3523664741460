import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CompileSpecification, InferRequestHandle } from '#src/native/binding.js';
import {
  writeAccumulatorModel,
  writeDenseModel,
  writeDummyModel,
  writeFullyConnectedModel,
  writeMaximumModel,
} from '../fixtures/ir.js';
import { binding, compile, newSlab, temporaryDirectory, type TestSlab } from './support.js';

const directory = temporaryDirectory();
const WIDTH = 16;

function describe(path: string, changes: Partial<CompileSpecification>): unknown {
  const model = compile(path, changes);
  const { inputs, outputs, mayFailInside } = binding.describeModel(model);
  binding.closeModel(model);
  return [inputs[0]!.dimensions, outputs[0]!.dimensions, mayFailInside];
}

test('joined rows: the description keeps the shapes that requests have', () => {
  const dense = writeDenseModel(`${directory}/dense`, { width: WIDTH });
  const served = [
    [1, 1],
    [WIDTH, WIDTH],
  ];
  assert.deepEqual(describe(dense, { joinedRows: null }), [served, served, false]);
  assert.deepEqual(describe(dense, { joinedRows: 8 }), [served, served, true]);
});

test('joined rows: shapes and batches of the configuration are what requests have', () => {
  const picture = writeFullyConnectedModel(`${directory}/picture`);
  const of = (batch: readonly [number, number]): unknown => describe(picture, { batch, joinedRows: 8 });
  const inside = [
    [2, 2],
    [4, 4],
    [4, 4],
  ];
  assert.deepEqual(of([2, 2]), [
    [[2, 2], ...inside],
    [
      [2, 2],
      [2, 2],
    ],
    true,
  ]);
  assert.deepEqual(of([1, -1]), [
    [[1, -1], ...inside],
    [
      [1, -1],
      [2, 2],
    ],
    true,
  ]);
});

for (const [name, write, joinedRows, text, code] of [
  ['state', (to: string) => writeAccumulatorModel(to), 8, /without state/, 'NOT_JOINED'],
  ['one row for all', (to: string) => writeMaximumModel(to), 8, /a row for each row of the inputs/, 'NOT_JOINED'],
  [
    'no room for two',
    (to: string) => writeDummyModel(to, { shape: [5, 10] }),
    8,
    /room for two requests/,
    'BATCHING_FAILED',
  ],
] as const) {
  test(`joined rows: refused is ${name}`, () => {
    const path = write(`${directory}/${name}`);
    assert.throws(() => compile(path, { joinedRows }), { code, message: text });
  });
}

/** Infers rows of the input that begin at `first`, into the second half of the slab. */
function infer(
  request: InferRequestHandle,
  slab: TestSlab,
  table: Float64Array,
  first: number,
  rows: number,
): number[] {
  const half = slab.floats.length / 2;
  const bytes = Float32Array.BYTES_PER_ELEMENT;
  table.set([slab.id, first * WIDTH * bytes, 2, rows, WIDTH], 0);
  table.set([slab.id, half * bytes, 2, rows, WIDTH], table.length / 2);
  assert.equal(binding.infer(request, 0), 0, binding.takeError(0));
  return Array.from(slab.floats.subarray(half, half + rows * WIDTH));
}

test('joined rows: any number of rows gives each row what it gives alone, bit for bit', () => {
  const path = writeDenseModel(`${directory}/rows`, { width: WIDTH, depth: 3 });
  const [single, joined] = [compile(path), compile(path, { joinedRows: 8 })];
  const slab = newSlab(2 * 8 * WIDTH * Float32Array.BYTES_PER_ELEMENT);
  slab.floats.set(Array.from({ length: 8 * WIDTH }, (_, index) => Math.sin(index)));
  const tables = [new Float64Array(22), new Float64Array(22)];
  const [alone, together] = [
    binding.createInferRequest(single, tables[0]!),
    binding.createInferRequest(joined, tables[1]!),
  ];
  const expected = Array.from({ length: 8 }, (_, row) => infer(alone, slab, tables[0]!, row, 1));
  for (const rows of [8, 1, 5, 2, 8, 3]) {
    assert.deepEqual(infer(together, slab, tables[1]!, 0, rows), expected.slice(0, rows).flat());
  }
  for (const request of [alone, together]) binding.closeInferRequest(request);
  for (const model of [single, joined]) binding.closeModel(model);
});
