import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Data, Precision } from '#src/nodes/js/api.js';
import { elementArray, NUMERIC_PRECISIONS } from '#src/tensors/elements.js';
import { NodeOutputs } from '#src/nodes/js/node-outputs.js';
import { viewInputs } from '#src/nodes/js/node-inputs.js';
import type { ExecuteTask, OutputPlace, OutputTarget, TaskInput } from '#src/nodes/js/protocol.js';
import { parseDeclarations } from '#src/nodes/js/signature.js';
import { ELEMENT_BYTES } from '#src/tensors/precision.js';

const slab = new SharedArrayBuffer(1024);
const input: TaskInput = { buffer: slab, byteOffset: 64, precision: 'U8', shape: [16] };

/** The outputs of an execution with that one input and fixed outputs of 8 bytes, at bytes 256, 320, ... of its slab. */
function outputsOf(targets: readonly OutputTarget[], shape: readonly number[] = [8]): NodeOutputs {
  const infos = parseDeclarations(
    targets.map((_, index) => ({ name: `y${index}`, precision: 'U8', shape })),
    'outputs',
  );
  const task: ExecuteTask = { kind: 'execute', node: 0, description: null, slot: 0, inputs: [input], outputs: targets };
  return new NodeOutputs(task, infos);
}

const leased = (index = 0): OutputTarget => ({ buffer: slab, byteOffset: 256 + 64 * index });

function placeOne(outputs: NodeOutputs, data: Data, shape: readonly number[] = [8]): OutputPlace {
  return outputs.place({ y0: { shape, data } })[0]!;
}

test('inputs: views of the memory they lie in, in every precision', () => {
  const bits = new Uint8Array(slab, 0, 64).map((_, index) => index);
  new Uint8Array(slab).set(bits);
  for (const precision of NUMERIC_PRECISIONS) {
    const bytes = ELEMENT_BYTES[precision];
    const [info] = parseDeclarations([{ name: 'x', precision, shape: [-1] }], 'inputs');
    const aligned = viewInputs([{ buffer: slab, byteOffset: bytes, precision, shape: [2] }], [info!]);
    const { data } = aligned.tensors['x']!;
    assert.deepEqual([data.buffer, data.byteOffset, data.length], [slab, bytes, 2], precision);
    assert.equal(aligned.copiedBytes, 0);
    if (bytes === 1) continue;
    const odd = viewInputs([{ buffer: slab, byteOffset: 1, precision, shape: [2] }], [info!]);
    assert.equal(odd.copiedBytes, 2 * bytes, precision);
    const copy = odd.tensors['x']!.data;
    assert.deepEqual(new Uint8Array(copy.buffer), bits.slice(1, 1 + 2 * bytes));
  }
});

test('inputs: a name may be one that objects have', () => {
  const [info] = parseDeclarations([{ name: '__proto__', precision: 'U8', shape: [16] }], 'inputs');
  const { tensors } = viewInputs([input], [info!]);
  assert.deepEqual(Object.keys(tensors), ['__proto__']);
});

test('outputs: what lies in an input is told by its place', () => {
  const outputs = outputsOf([leased()]);
  assert.deepEqual(placeOne(outputs, new Uint8Array(slab, 64, 8)), { from: 'input', index: 0, start: 0, shape: [8] });
  assert.deepEqual(placeOne(outputs, new Uint8Array(slab, 72, 8)), { from: 'input', index: 0, start: 8, shape: [8] });
  assert.equal(outputs.copiedBytes, 0);
});

test('outputs: what reaches beyond an input, or only lies in its slab, is copied', () => {
  for (const start of [60, 73, 512]) {
    const outputs = outputsOf([leased()]);
    new Uint8Array(slab, start, 8).fill(start % 256);
    assert.deepEqual(placeOne(outputs, new Uint8Array(slab, start, 8)), {
      from: 'target',
      index: 0,
      start: 0,
      shape: [8],
    });
    assert.equal(outputs.copiedBytes, 8);
    assert.deepEqual(new Uint8Array(slab, 256, 8), new Uint8Array(8).fill(start % 256));
  }
});

test('outputs: shared memory of an earlier execution is copied, because its thread may write it again', () => {
  const outputs = outputsOf(['allocate'], [-1]);
  const place = placeOne(outputs, new Uint8Array(new SharedArrayBuffer(8)));
  assert.deepEqual([place.from, outputs.copiedBytes, outputs.fresh.length], ['fresh', 8, 1]);
});

test('outputs: the region leased for one output may be returned under the name of another', () => {
  const outputs = outputsOf([leased(0), leased(1)]);
  const { data } = outputs.allocate('y0', undefined);
  data.fill(7 as never);
  const places = outputs.place({ y0: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), y1: data });
  assert.deepEqual(places[1], { from: 'target', index: 0, start: 0, shape: [8] });
  assert.equal(places[0]!.from, 'fresh', 'the copy must not go over it');
  assert.deepEqual(new Uint8Array(slab, 256, 8), new Uint8Array(8).fill(7));
  assert.deepEqual(new Uint8Array(outputs.fresh[0]!), Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
});

test('outputs: only fresh memory that is returned crosses to the owner, once', () => {
  const outputs = outputsOf(['allocate', 'allocate'], [-1]);
  outputs.allocate('y0', [100]);
  const { data } = outputs.allocate('y0', [8]);
  const places = outputs.place({
    y0: { shape: [8], data },
    y1: { shape: [4], data: (data as Uint8Array).subarray(4) },
  });
  assert.deepEqual(places, [
    { from: 'fresh', index: 0, start: 0, shape: [8] },
    { from: 'fresh', index: 0, start: 4, shape: [4] },
  ]);
  assert.deepEqual([outputs.fresh, outputs.copiedBytes], [[data.buffer], 0]);
});

test('outputs: an empty tensor lies nowhere', () => {
  assert.equal(placeOne(outputsOf(['allocate'], [-1]), new Uint8Array(0), [0]).from, 'nothing');
});

test('outputs: a Buffer is bytes', () => {
  assert.equal(placeOne(outputsOf([leased()]), Buffer.from('12345678')).from, 'target');
  assert.equal(Buffer.from(new Uint8Array(slab, 256, 8)).toString(), '12345678');
});

test('outputs: every precision has memory of its size', () => {
  for (const precision of NUMERIC_PRECISIONS satisfies readonly Precision[]) {
    const infos = parseDeclarations([{ name: 'y', precision, shape: [3] }], 'outputs');
    const task: ExecuteTask = { kind: 'execute', node: 0, description: null, slot: 0, inputs: [], outputs: [leased()] };
    const { data } = new NodeOutputs(task, infos).allocate('y', undefined);
    assert.deepEqual(data, elementArray(precision, slab, 256, 3));
    assert.equal(data.byteLength, 3 * ELEMENT_BYTES[precision]);
  }
});
