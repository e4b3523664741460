import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CompileSpecification } from '#src/native/binding.js';
import { writeCopiesModel, writeDummyModel } from '../fixtures/ir.js';
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

test('names: a port without a name has none', () => {
  const path = writeDummyModel(directory, { name: 'nameless', input: '', output: '' });
  const { inputs, outputs } = binding.describeModel(compile(path));
  assert.deepEqual(
    [...inputs, ...outputs].map((port) => port.names),
    [[], []],
  );
});
