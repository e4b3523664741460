import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { PipelineConfig } from '#src/config/schema.js';
import type { ConditionTest } from '#src/config/settings.js';
import { passes } from '#src/dag/condition.js';
import { buildFromConfig, configNode, configPipeline, refusal, source } from './from-config.js';
import { catalogue, DUMMY, tensor } from './pipeline-fixture.js';

const LABEL = tensor('label', { precision: 'I64', shape: [1] });
const CATALOGUE = catalogue({
  dummy: DUMMY,
  classify: { inputs: [tensor('b')], outputs: [tensor('a'), LABEL] },
  shards: {
    inputs: [tensor('b')],
    outputs: [tensor('a', { shape: [3, 1, 10] }), tensor('label', { shape: [3, 1, 1] })],
  },
  merge: { inputs: [tensor('b', { shape: [3, 1, 10] })], outputs: [tensor('a')] },
});

const classify = configNode('classify', { b: 'request.x' }, ['a', 'label'], { model_name: 'classify' });
const isDog = { ...source('classify.label'), is: { equals: 3 } };
const isOther = { ...source('classify.label'), is: { not_equals: 3 } };
const dogs = configNode('dogs', { b: 'request.x' }, ['a'], { when: isDog });
const others = configNode('others', { b: 'request.x' }, ['a'], { when: isOther });
const either = configNode('either', { first: 'dogs.a', second: 'others.a' }, ['selected'], { type: 'select' });

for (const [tests, yes, no] of [
  [[{ operator: 'equals', operands: [3] }], [3, 3n], [2, 4n, NaN]],
  [[{ operator: 'notEquals', operands: [3] }], [2, 4n, NaN], [3, 3n]],
  [[{ operator: 'in', operands: [1, 5] }], [1, 5n], [3, 0n]],
  [[{ operator: 'notIn', operands: [1, 5] }], [3, 0n], [1, 5n]],
  [[{ operator: 'lessThan', operands: [0.5] }], [0.25, 0n], [0.5, 1n, NaN]],
  [[{ operator: 'atMost', operands: [2] }], [2, 2n, -1], [2.5, 3n, NaN]],
  [[{ operator: 'greaterThan', operands: [2] }], [2.5, 3n], [2, 2n, NaN]],
  [[{ operator: 'atLeast', operands: [2] }], [2, 3n], [1.5, 1n, NaN]],
  [
    [
      { operator: 'atLeast', operands: [1] },
      { operator: 'lessThan', operands: [5] },
    ],
    [1, 4n],
    [0, 5n],
  ],
] as readonly [ConditionTest[], (number | bigint)[], (number | bigint)[]][]) {
  test(`condition: ${tests.map(({ operator, operands }) => `${operator} ${operands.join()}`).join(' and ')}`, () => {
    for (const element of yes) assert.ok(passes(element, tests), `${element}`);
    for (const element of no) assert.ok(!passes(element, tests), `${element}`);
  });
}

test('condition: 64-bit integers are compared exactly, beyond what a double can hold', () => {
  const test53: ConditionTest[] = [{ operator: 'equals', operands: [2 ** 53] }];
  assert.ok(passes(2n ** 53n, test53));
  assert.ok(!passes(2n ** 53n + 1n, test53));
});

test('conditional node: waits for what its condition asks, and counts as a reader of it', () => {
  const graph = buildFromConfig(configPipeline([classify, dogs], { out: 'dogs.a' }), CATALOGUE);
  const [first, second] = graph.nodes;
  assert.deepEqual(first!.dependants, [1]);
  assert.equal(second!.dependencyCount, 1);
  assert.equal(graph.values[second!.condition!.value]!.uses, 1);
  assert.equal(graph.values[second!.condition!.value]!.info.name, 'label');
});

test('select node: needs no model and passes on what its sources give', () => {
  const graph = buildFromConfig(
    configPipeline([classify, dogs, others, either], { out: 'either.selected' }),
    CATALOGUE,
  );
  assert.equal(graph.nodes[3]!.program.kind, 'select');
  assert.deepEqual(graph.outputs[0]!.info, { ...tensor('a'), name: 'out' });
});

test('early exit: hangs on the node that gives the tensor', () => {
  const pipeline = configPipeline([classify, dogs], { out: 'classify.a', dogs: 'dogs.a' }, { exit_when: [isOther] });
  const graph = buildFromConfig(pipeline, CATALOGUE);
  assert.equal(graph.nodes[0]!.exits.length, 1);
  assert.equal(graph.nodes[1]!.exits.length, 0);
});

const split = configNode('split', { b: 'request.x' }, ['a', 'label'], { model_name: 'shards', demultiply_count: 3 });
const inShard = configNode('shard', { b: 'split.a' }, ['a'], {
  when: { ...source('split.label'), is: { at_least: 1 } },
});
const inOther = configNode('other', { b: 'split.a' }, ['a'], {
  when: { ...source('split.label'), is: { less_than: 1 } },
});

const REFUSED: readonly [string, PipelineConfig, string, string][] = [
  [
    'a condition on a tensor of many elements without an index',
    configPipeline([classify, { ...dogs, when: { ...source('classify.a'), is: { equals: 1 } } }], { out: 'dogs.a' }),
    'PIPELINE_CONDITION',
    'expected a tensor of one element, or an index "element", received (1,10) at /pipeline_config_list/0/nodes/1/when',
  ],
  [
    'an index beyond the last element',
    configPipeline([classify, { ...dogs, when: { ...isDog, element: 1 } }], { out: 'dogs.a' }),
    'PIPELINE_CONDITION',
    'expected more than 1 elements, received (1) at /pipeline_config_list/0/nodes/1/when',
  ],
  [
    'a condition on a node that is not there',
    configPipeline([{ ...dogs, when: { ...source('nobody.label'), is: { equals: 1 } } }], { out: 'dogs.a' }),
    'PIPELINE_NODE_MISSING',
    'received nobody at /pipeline_config_list/0/nodes/0/when',
  ],
  [
    'a condition on an alias that is not there',
    configPipeline([classify, { ...dogs, when: { ...source('classify.nothing'), is: { equals: 1 } } }], {
      out: 'dogs.a',
    }),
    'PIPELINE_DATA_SOURCE_MISSING',
    'expected one of a, label of node classify, received nothing at /pipeline_config_list/0/nodes/1/when',
  ],
  [
    'a condition on an input of the request that no node takes',
    configPipeline([{ ...dogs, when: { ...source('request.y'), is: { equals: 1 } } }], { out: 'dogs.a' }),
    'PIPELINE_CONDITION',
    'expected an input that a node takes, too, received y',
  ],
  [
    'a node whose condition waits for the node itself',
    configPipeline([{ ...dogs, when: { ...source('dogs.a'), element: 0, is: { equals: 1 } } }], { out: 'dogs.a' }),
    'PIPELINE_CYCLE',
    'dogs <- dogs',
  ],
  [
    'a condition from inside of a demultiplexer on a node outside',
    configPipeline([split, { ...dogs, when: { ...source('split.label'), is: { equals: 1 } } }], {
      out: 'dogs.a',
      all: 'split.a',
    }),
    'PIPELINE_DEMULTIPLEXER_ORDER',
    'received one from inside [split] at /pipeline_config_list/0/nodes/1/when',
  ],
  [
    'shards that a condition may skip, gathered in the response',
    configPipeline([split, inShard], { out: 'shard.a' }),
    'PIPELINE_CONDITION',
    'received those of shard, of which a condition may skip some (a select node joins branches) at /pipeline_config_list/0/outputs/0/out',
  ],
  [
    'shards that a condition may skip, gathered in the middle',
    configPipeline(
      [split, inShard, configNode('all', { b: 'shard.a' }, ['a'], { model_name: 'merge', gather_from_node: 'split' })],
      { out: 'all.a' },
    ),
    'PIPELINE_CONDITION',
    'received those of shard',
  ],
  [
    'a select node over different precisions',
    configPipeline(
      [classify, configNode('either', { a: 'classify.a', b: 'classify.label' }, ['selected'], { type: 'select' })],
      {
        out: 'either.selected',
      },
    ),
    'PIPELINE_INPUT_PRECISION',
    'Expected: FP32; Actual: I64 at /pipeline_config_list/0/nodes/1/inputs/1/b',
  ],
  [
    'a select node over the request',
    configPipeline(
      [classify, configNode('either', { a: 'classify.a', b: 'request.x' }, ['selected'], { type: 'select' })],
      {
        out: 'either.selected',
      },
    ),
    'PIPELINE_SELECT',
    'received the request at /pipeline_config_list/0/nodes/1/inputs/1/b',
  ],
  [
    'a select node with one input fed twice',
    configPipeline(
      [classify, { ...either, inputs: [{ same: source('classify.a') }, { same: source('classify.a') }] }],
      { out: 'either.selected' },
    ),
    'PIPELINE_MODEL_INPUT_FED_TWICE',
    'same at /pipeline_config_list/0/nodes/1/inputs/1/same',
  ],
  [
    'a select node without inputs',
    configPipeline([classify, configNode('either', {}, ['selected'], { type: 'select' })], { out: 'classify.a' }),
    'PIPELINE_SELECT',
    'expected an input at least at /pipeline_config_list/0/nodes/1/inputs',
  ],
  [
    'another output of a select node than the selected one',
    configPipeline([classify, dogs, others, { ...either, outputs: [{ data_item: 'x', alias: 'x' }] }], {
      out: 'either.x',
    }),
    'PIPELINE_MODEL_OUTPUT_MISSING',
    'expected one of selected, received x of node either',
  ],
  [
    'select nodes that read each other',
    configPipeline(
      [
        configNode('one', { a: 'two.selected' }, ['selected'], { type: 'select' }),
        configNode('two', { a: 'one.selected' }, ['selected'], { type: 'select' }),
      ],
      { out: 'one.selected' },
    ),
    'PIPELINE_CYCLE',
    'one <- two <- one',
  ],
  [
    'an early exit inside of a demultiplexer',
    configPipeline([split], { out: 'split.a' }, { exit_when: [{ ...source('split.label'), is: { equals: 1 } }] }),
    'PIPELINE_CONDITION',
    'received one from inside [split] at /pipeline_config_list/0/exit_when/0',
  ],
  [
    'an early exit on the request',
    configPipeline(
      [dogs, classify],
      { out: 'dogs.a' },
      { exit_when: [{ ...source('request.x'), element: 0, is: { equals: 1 } }] },
    ),
    'PIPELINE_CONDITION',
    'received the request at /pipeline_config_list/0/exit_when/0',
  ],
];

for (const [what, pipeline, code, detail] of REFUSED) {
  test(`conditions: ${what} is refused`, () => {
    const fault = refusal(pipeline, CATALOGUE);
    assert.equal(fault?.code, code);
    assert.ok(fault.detail.includes(detail), fault.detail);
  });
}

test('conditions: branches inside of a demultiplexer that a select node joins may be gathered', () => {
  const joined = configNode('either', { first: 'shard.a', second: 'other.a' }, ['selected'], { type: 'select' });
  const graph = buildFromConfig(
    configPipeline([split, inShard, inOther, joined], { out: 'either.selected' }),
    CATALOGUE,
  );
  assert.deepEqual(
    graph.outputs[0]!.info.shape.map(({ min }) => min),
    [3, 1, 10],
  );
});

test('conditions: a whole demultiplexer may be skipped, its shards are gathered where they are', () => {
  const skipped = { ...split, when: isDog };
  const each = configNode('each', { b: 'split.a' }, ['a']);
  assert.equal(refusal(configPipeline([classify, skipped, each], { out: 'each.a' }), CATALOGUE), null);
});
