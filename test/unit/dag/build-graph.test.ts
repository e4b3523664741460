import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../contract/covers.js';

import { buildPipelineGraph } from '#src/dag/build-graph.js';
import { modelGraph } from '#src/dag/graph.js';
import { formatPartialShape } from '#src/tensors/shape.js';
import { catalogue, DUMMY, node, pipeline, SUM, tensor } from './pipeline-fixture.js';

const MODELS = catalogue({ dummy: DUMMY, sum: SUM });

test('graph: the demo’s shape, two branches into one node', () => {
  const graph = buildPipelineGraph(
    pipeline(
      [
        node('left', 'dummy', { b: ['request', 'image'] }, { a: 'p' }),
        node('right', 'dummy', { b: ['request', 'image'] }, { a: 'p' }),
        node('both', 'sum', { left: ['left', 'p'], right: ['right', 'p'] }, { sum: 's' }),
      ],
      { label: ['both', 's'] },
    ),
    MODELS,
  );
  assert.deepEqual(
    graph.nodes.map((each) => each.dependencyCount),
    [0, 0, 2],
  );
  assert.deepEqual(
    graph.nodes.map((each) => each.dependants),
    [[2], [2], []],
  );
  const [image] = graph.inputs;
  assert.equal(graph.values[image!.value]!.uses, 2);
  assert.deepEqual(
    graph.nodes[2]!.inputs.map((input) => input.value),
    [graph.nodes[0]!.outputs[0]!.value, graph.nodes[1]!.outputs[0]!.value],
  );
  assert.equal(graph.outputs[0]!.info.name, 'label');
});

test('graph: an output that is read twice by one node and returned has three readers and one value', () => {
  covers('pipelines.shared-output');
  const graph = buildPipelineGraph(
    pipeline(
      [
        node('one', 'dummy', { b: ['request', 'image'] }),
        node('two', 'sum', { left: ['one', 'a'], right: ['one', 'a'] }, { sum: 'a' }),
      ],
      { inner: ['one', 'a'], outer: ['two', 'a'] },
    ),
    MODELS,
  );
  assert.equal(graph.values[graph.nodes[0]!.outputs[0]!.value]!.uses, 3);
  assert.equal(graph.nodes[1]!.dependencyCount, 1);
  assert.deepEqual(graph.nodes[0]!.dependants, [1]);
});

test('graph: two aliases of one output are one value; of one alias the last definition counts', () => {
  covers('pipelines.alias');
  const twoOutputs = { inputs: [tensor('b')], outputs: [tensor('a'), tensor('c')] };
  const source = {
    ...node('one', 'two', { b: ['request', 'image'] }),
    outputs: [
      { dataItem: 'a', alias: 'x', jsonPath: '' },
      { dataItem: 'a', alias: 'y', jsonPath: '' },
      { dataItem: 'c', alias: 'x', jsonPath: '' },
    ],
  };
  const graph = buildPipelineGraph(
    pipeline([source], { x: ['one', 'x'], y: ['one', 'y'] }),
    catalogue({ two: twoOutputs }),
  );
  assert.deepEqual(graph.nodes[0]!.outputs.map((output) => output.name).sort(), ['a', 'c']);
  const byName = new Map(graph.outputs.map((port) => [port.info.name, port.value]));
  assert.notEqual(byName.get('x'), byName.get('y'));
});

test('metadata: an input with several readers is what all of them accept', () => {
  covers('pipelines.metadata-inputs');
  const range = {
    inputs: [
      tensor('b', {
        shape: [
          [1, 5],
          [2, 20],
        ],
      }),
    ],
    outputs: [tensor('a')],
  };
  const any = { inputs: [tensor('b', { shape: [-1, [10, 30]], layout: 'NC' })], outputs: [tensor('a')] };
  const graph = buildPipelineGraph(
    pipeline([node('one', 'range', { b: ['request', 'image'] }), node('two', 'any', { b: ['request', 'image'] })], {
      x: ['one', 'a'],
      y: ['two', 'a'],
    }),
    catalogue({ range, any }),
  );
  assert.equal(formatPartialShape(graph.inputs[0]!.info.shape), '([1~5],[10~20])');
  assert.equal(graph.inputs[0]!.info.layout, 'NC');
});

test('metadata: a declared input that nobody reads is left out', () => {
  covers('pipelines.metadata-inputs');
  const graph = buildPipelineGraph(
    pipeline([node('one', 'dummy', { b: ['request', 'image'] })], { out: ['one', 'a'] }, ['image', 'unused']),
    MODELS,
  );
  assert.deepEqual(
    graph.inputs.map((port) => port.info.name),
    ['image'],
  );
});

test('metadata: inputs and outputs are sorted by name', () => {
  const graph = modelGraph('m', 1, [tensor('z'), tensor('a')], [tensor('y'), tensor('B')]);
  assert.deepEqual(
    graph.inputs.map((port) => port.info.name),
    ['a', 'z'],
  );
  assert.deepEqual(
    graph.outputs.map((port) => port.info.name),
    ['B', 'y'],
  );
});

test('graph: an edge is handed over in place unless shards are joined for its reader', () => {
  const shards = { inputs: [tensor('b')], outputs: [tensor('a', { shape: [3, 1, 10] })] };
  const whole = { inputs: [tensor('b', { shape: [3, 1, 10] })], outputs: [tensor('a')] };
  const split = { ...node('split', 'shards', { b: ['request', 'image'] }), demultiplyCount: 3 };
  const each = node('each', 'dummy', { b: ['split', 'a'] });
  const all = { ...node('all', 'whole', { b: ['each', 'a'] }), gatherFromNode: 'split' };
  const graph = buildPipelineGraph(
    pipeline([split, each, all], { out: ['all', 'a'] }),
    catalogue({ shards, whole, dummy: DUMMY }),
  );
  assert.deepEqual(
    graph.nodes.map(({ name, inputs }) => [name, inputs[0]!.isInPlace]),
    [
      ['split', true],
      ['each', true],
      ['all', false],
    ],
  );
});
