import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../contract/covers.js';

import type { PipelineSettings } from '#src/config/settings.js';
import { buildPipelineGraph } from '#src/dag/build-graph.js';
import type { ServableCatalogue } from '#src/dag/definition.js';
import { CATALOGUE, ServingError, type ErrorCode } from '#src/errors.js';
import { catalogue, DUMMY, node, pipeline, SUM, tensor } from './pipeline-fixture.js';

const MODELS = catalogue({ dummy: DUMMY, sum: SUM });
const ONE = node('one', 'dummy', { b: ['request', 'image'] });

function assertRefused(
  settings: PipelineSettings,
  code: ErrorCode,
  where: string,
  models: ServableCatalogue = MODELS,
): void {
  assert.throws(
    () => buildPipelineGraph(settings, models),
    (error: unknown) => {
      assert.ok(error instanceof ServingError);
      assert.equal(error.code, code);
      assert.ok(error.message.startsWith(CATALOGUE[code].text));
      assert.ok(error.detail.includes(where), `${error.detail} does not name ${where}`);
      return true;
    },
  );
}

test('validation: a pipeline must not have the name of a model', () => {
  assertRefused({ ...pipeline([ONE], { out: ['one', 'a'] }), name: 'dummy' }, 'PIPELINE_NAME_OCCUPIED', 'dummy');
});

test('validation: node names are unique', () => {
  assertRefused(pipeline([ONE, ONE], { out: ['one', 'a'] }), 'PIPELINE_NODE_NAME_DUPLICATE', '/node/one/name');
});

for (const reserved of ['request', 'response']) {
  test(`validation: ${reserved} is not a name for a node`, () => {
    covers('pipelines.reserved-names');
    const settings = pipeline([node(reserved, 'dummy', { b: ['request', 'image'] })], { out: [reserved, 'a'] });
    assertRefused(settings, 'PIPELINE_NODE_NAME_DUPLICATE', reserved);
  });
}

test('validation: the model of a node must be available', () => {
  const settings = pipeline([node('one', 'lost', { b: ['request', 'image'] })], { out: ['one', 'a'] });
  assertRefused(settings, 'PIPELINE_MODEL_MISSING', 'lost (default version) at /node/one/model_name');
});

test('validation: a stateful model is forbidden: a pipeline has no sequence', () => {
  const stateful = { idleSequenceCleanup: true, lowLatencyTransformation: false, maxSequenceNumber: 1 };
  const where = 'dummy at /node/one/model_name';
  const settings = pipeline([ONE], { out: ['one', 'a'] });
  assertRefused(settings, 'PIPELINE_MODEL_STATEFUL', where, catalogue({ dummy: { ...DUMMY, stateful } }));
});

test('validation: a model that follows the shape of each request is forbidden, whatever else is wrong with its node', () => {
  const models = catalogue({ dummy: { ...DUMMY, isAuto: true } });
  const where = 'dummy at /node/one/model_name';
  assertRefused(pipeline([ONE], { out: ['one', 'a'] }), 'PIPELINE_MODEL_AUTO', where, models);
  const unfed = { ...node('one', 'dummy', { wrong: ['nowhere', 'x'] }), gatherFromNode: 'nowhere' };
  assertRefused(pipeline([unfed], { out: ['one', 'a'] }), 'PIPELINE_MODEL_AUTO', where, models);
  const lost = node('lost', 'lost', { b: ['request', 'image'] });
  assertRefused(pipeline([lost, ONE], { out: ['one', 'a'] }), 'PIPELINE_MODEL_MISSING', 'lost', models);
});

test('validation: nodes are checked in the order of the file', () => {
  covers('pipelines.v-order');
  const settings = pipeline(
    [node('one', 'dummy', { wrong: ['request', 'image'] }), node('two', 'lost', { b: ['one', 'a'] })],
    { out: ['two', 'a'] },
  );
  assertRefused(settings, 'PIPELINE_MODEL_INPUT_MISSING', 'wrong');
});

test('validation: a referenced node must exist', () => {
  const settings = pipeline([node('one', 'dummy', { b: ['nowhere', 'a'] })], { out: ['one', 'a'] });
  assertRefused(settings, 'PIPELINE_NODE_MISSING', 'nowhere at /node/one/b');
  assertRefused(pipeline([ONE], { out: ['nowhere', 'a'] }), 'PIPELINE_NODE_MISSING', '/outputs/out');
});

test('validation: response is nobody’s source', () => {
  const settings = pipeline([node('one', 'dummy', { b: ['response', 'a'] })], { out: ['one', 'a'] });
  assertRefused(settings, 'PIPELINE_RESPONSE_AS_DEPENDENCY', '/node/one/b');
});

test('validation: a connected input must exist on the model', () => {
  const settings = pipeline([node('one', 'dummy', { c: ['request', 'image'] })], { out: ['one', 'a'] });
  assertRefused(settings, 'PIPELINE_MODEL_INPUT_MISSING', 'expected one of b, received c');
});

test('validation: an input is fed once', () => {
  const twice = node('one', 'dummy', [
    ['b', 'request', 'image'],
    ['b', 'request', 'image'],
  ]);
  assertRefused(pipeline([twice], { out: ['one', 'a'] }), 'PIPELINE_MODEL_INPUT_FED_TWICE', 'b at /node/one/b');
});

test('validation: an alias must exist on its node, and a pipeline input on the pipeline', () => {
  const second = node('two', 'dummy', { b: ['one', 'unknown'] });
  assertRefused(pipeline([ONE, second], { out: ['two', 'a'] }), 'PIPELINE_DATA_SOURCE_MISSING', 'received unknown');
  const lost = node('one', 'dummy', { b: ['request', 'picture'] });
  assertRefused(pipeline([lost], { out: ['one', 'a'] }), 'PIPELINE_DATA_SOURCE_MISSING', 'received picture');
  assertRefused(pipeline([ONE], { out: ['one', 'unknown'] }), 'PIPELINE_DATA_SOURCE_MISSING', '/outputs/out');
});

test('validation: the tensor behind an alias must exist on the model', () => {
  const settings = pipeline([node('one', 'dummy', { b: ['request', 'image'] }, { missing: 'a' })], {
    out: ['one', 'a'],
  });
  assertRefused(settings, 'PIPELINE_MODEL_OUTPUT_MISSING', 'received missing of node one');
});

test('validation: connected shapes must overlap in every dimension', () => {
  const models = catalogue({
    dummy: DUMMY,
    wide: { inputs: [tensor('b', { shape: [1, 11] })], outputs: [tensor('a')] },
  });
  const settings = pipeline([ONE, node('two', 'wide', { b: ['one', 'a'] })], { out: ['two', 'a'] });
  assertRefused(settings, 'PIPELINE_INPUT_SHAPE', 'Expected: (1,11); Actual: (1,10)', models);
});

test('validation: connected shapes must have the same rank', () => {
  const models = catalogue({
    dummy: DUMMY,
    deep: { inputs: [tensor('b', { shape: [1, 10, 1] })], outputs: [tensor('a')] },
  });
  const settings = pipeline([ONE, node('two', 'deep', { b: ['one', 'a'] })], { out: ['two', 'a'] });
  assertRefused(settings, 'PIPELINE_INPUT_SHAPE', '(1,10,1)', models);
});

test('validation: connected precisions must be equal', () => {
  const models = catalogue({
    dummy: DUMMY,
    whole: { inputs: [tensor('b', { precision: 'I32' })], outputs: [tensor('a')] },
  });
  const settings = pipeline([ONE, node('two', 'whole', { b: ['one', 'a'] })], { out: ['two', 'a'] });
  assertRefused(settings, 'PIPELINE_INPUT_PRECISION', 'Expected: I32; Actual: FP32', models);
});

test('validation: every input of a model is fed', () => {
  const settings = pipeline([node('one', 'sum', { left: ['request', 'image'] }, { sum: 'a' })], { out: ['one', 'a'] });
  assertRefused(settings, 'PIPELINE_MODEL_INPUT_UNFED', 'missing right at /node/one/inputs');
});

test('validation: a node must not depend on itself', () => {
  const settings = pipeline([node('one', 'sum', { left: ['request', 'image'], right: ['one', 'a'] }, { sum: 'a' })], {
    out: ['one', 'a'],
  });
  assertRefused(settings, 'PIPELINE_CYCLE', 'one <- one');
});

test('validation: a cycle of several nodes is named', () => {
  const settings = pipeline(
    [
      node('one', 'sum', { left: ['request', 'image'], right: ['three', 'a'] }, { sum: 'a' }),
      node('two', 'dummy', { b: ['one', 'a'] }),
      node('three', 'dummy', { b: ['two', 'a'] }),
    ],
    { out: ['three', 'a'] },
  );
  assertRefused(settings, 'PIPELINE_CYCLE', 'three <- two <- one <- three');
});

test('validation: a node no output depends on is refused', () => {
  const settings = pipeline([ONE, node('idle', 'dummy', { b: ['request', 'image'] })], { out: ['one', 'a'] });
  assertRefused(settings, 'PIPELINE_UNCONNECTED_NODES', 'idle');
});

test('validation: a cycle no output depends on is an unconnected part', () => {
  const settings = pipeline([ONE, node('x', 'dummy', { b: ['y', 'a'] }), node('y', 'dummy', { b: ['x', 'a'] })], {
    out: ['one', 'a'],
  });
  assertRefused(settings, 'PIPELINE_UNCONNECTED_NODES', 'x, y');
});

test('validation: readers of one pipeline input agree on its precision, rank and sizes', () => {
  const wide = { inputs: [tensor('b', { shape: [1, 11] })], outputs: [tensor('a')] };
  const settings = pipeline([ONE, node('two', 'wide', { b: ['request', 'image'] })], {
    x: ['one', 'a'],
    y: ['two', 'a'],
  });
  assertRefused(settings, 'PIPELINE_INPUTS_DIFFER', '/node/two/b', catalogue({ dummy: DUMMY, wide }));
});

test('validation: readers of one pipeline input agree on its layout', () => {
  covers('pipelines.layout-between');
  const nchw = { inputs: [tensor('b', { shape: [1, 3, 8, 8], layout: 'NCHW' })], outputs: [tensor('a')] };
  const nhwc = { inputs: [tensor('b', { shape: [1, 3, 8, 8], layout: 'NHWC' })], outputs: [tensor('a')] };
  const settings = pipeline(
    [node('one', 'nchw', { b: ['request', 'image'] }), node('two', 'nhwc', { b: ['request', 'image'] })],
    { x: ['one', 'a'], y: ['two', 'a'] },
  );
  assertRefused(settings, 'PIPELINE_INPUTS_DIFFER', 'NHWC', catalogue({ nchw, nhwc }));
});

test('validation: an output that is an input of the pipeline is refused, not served wrongly', () => {
  covers('pipelines.echo');
  assertRefused(pipeline([ONE], { out: ['one', 'a'], echo: ['request', 'image'] }), 'NOT_IMPLEMENTED', '/outputs/echo');
});

test('validation: a custom node whose library is not there is refused', () => {
  const custom = { ...ONE, type: 'custom' as const, modelName: null };
  assertRefused(pipeline([custom], { out: ['one', 'a'] }), 'PIPELINE_LIBRARY_INVALID', 'node one at /node/one');
});

const SHARDS = { inputs: [tensor('b')], outputs: [tensor('a', { shape: [3, 1, 10] })] };
const DEMULTIPLEXING = catalogue({
  dummy: DUMMY,
  sum: SUM,
  shards: SHARDS,
  text: { inputs: [tensor('b', { precision: 'STRING' })], outputs: [tensor('a')] },
});

test('validation: a demultiplexer’s outputs have three dimensions at least', () => {
  const settings = pipeline([{ ...ONE, demultiplyCount: -1 }], { out: ['one', 'a'] });
  assertRefused(settings, 'PIPELINE_NOT_ENOUGH_DIMENSIONS', 'output a (1,10)', DEMULTIPLEXING);
});

test('validation: a demultiply_count fits the first dimension', () => {
  const split = { ...node('one', 'shards', { b: ['request', 'image'] }), demultiplyCount: 2 };
  assertRefused(
    pipeline([split], { out: ['one', 'a'] }),
    'PIPELINE_DEMULTIPLY_COUNT',
    'expected 2 shards, received output a (3,1,10)',
    DEMULTIPLEXING,
  );
});

test('validation: strings are not demultiplexed', () => {
  covers('pipelines.v7-strings');
  const settings = {
    ...pipeline([node('one', 'text', { b: ['request', 'image'] })], { out: ['one', 'a'] }),
    demultiplyCount: -1,
  };
  assertRefused(settings, 'DEMULTIPLY_STRING', 'input b of node one', DEMULTIPLEXING);
});

test('validation: strings do not go from node to node', () => {
  covers('pipelines.v16-strings');
  const text = { inputs: [tensor('b', { precision: 'STRING' })], outputs: [tensor('a', { precision: 'STRING' })] };
  const settings = pipeline(
    [node('one', 'text', { b: ['request', 'image'] }), node('two', 'text', { b: ['one', 'a'] })],
    {
      out: ['two', 'a'],
    },
  );
  assert.throws(() => buildPipelineGraph(settings, catalogue({ text })), {
    code: 'NOT_IMPLEMENTED',
    message: /^Functionality not implemented - a tensor of strings between two nodes at /,
  });
});

test('validation: gather_from_node names a demultiplexer', () => {
  const gathering = (from: string) =>
    pipeline([ONE, { ...node('two', 'dummy', { b: ['one', 'a'] }), gatherFromNode: from }], { out: ['two', 'a'] });
  assertRefused(gathering('lost'), 'PIPELINE_GATHER_NODE_MISSING', 'lost', DEMULTIPLEXING);
  assertRefused(gathering('one'), 'PIPELINE_GATHER_NO_DEMULTIPLEXER', 'one', DEMULTIPLEXING);
});

test('validation: a demultiplexer’s reader takes a shard, a gathering node all of them', () => {
  const split = { ...node('split', 'shards', { b: ['request', 'image'] }), demultiplyCount: 3 };
  const each = node('each', 'dummy', { b: ['split', 'a'] });
  assert.doesNotThrow(() => buildPipelineGraph(pipeline([split, each], { out: ['each', 'a'] }), DEMULTIPLEXING));
  const all = { ...node('all', 'dummy', { b: ['each', 'a'] }), gatherFromNode: 'split' };
  assertRefused(
    pipeline([split, each, all], { out: ['all', 'a'] }),
    'PIPELINE_INPUT_SHAPE',
    'Expected: (1,10); Actual: (3,1,10)',
    DEMULTIPLEXING,
  );
});

/** Splits `[count,1,10]` and joins the shards at `gather`, whose input has this first dimension. */
function gatheringInto(first: number | readonly [number, number], count: number) {
  const wide = { shape: [first, 1, 10] };
  const models = catalogue({
    split: { inputs: [tensor('b')], outputs: [tensor('a', { shape: [-1, 1, 10] })] },
    dummy: DUMMY,
    gather: { inputs: [tensor('b', wide)], outputs: [tensor('a', wide)] },
  });
  const split = { ...node('split', 'split', { b: ['request', 'image'] }), demultiplyCount: count };
  const each = node('each', 'dummy', { b: ['split', 'a'] });
  const gather = { ...node('gather', 'gather', { b: ['each', 'a'] }), gatherFromNode: 'split' };
  return { models, split, each, gather, settings: pipeline([split, each, gather], { out: ['gather', 'a'] }) };
}

test('validation: as many shards are gathered as the first dimension of the input holds', () => {
  covers('pipelines.v14a-gather');
  for (const first of [3, 1, [3, 8]] as const) {
    const { settings, models } = gatheringInto(first, 2);
    const { min, max } = typeof first === 'number' ? { min: first, max: first } : { min: first[0], max: first[1] };
    const expected = min === max ? String(min) : `[${min}~${max}]`;
    const where = `Expected: (${expected},1,10); Actual: (2,1,10) at /node/gather/b`;
    assertRefused(settings, 'PIPELINE_INPUT_SHAPE', where, models);
  }
});

test('validation: an input of as many shards, of any or of unknown many is gathered into', () => {
  covers('pipelines.v14a-gather');
  for (const [first, count] of [
    [2, 2],
    [-1, 2],
    [[1, 2], 2],
    [3, -1],
  ] as const) {
    const { settings, models } = gatheringInto(first, count);
    assert.doesNotThrow(() => buildPipelineGraph(settings, models), `${String(first)} of ${count}`);
  }
});

test('validation: a node gathers as many shards from the request as its input holds', () => {
  covers('pipelines.v14a-gather');
  const { gather, models } = gatheringInto(3, 2);
  const direct = { ...gather, inputs: node('gather', 'gather', { b: ['request', 'image'] }).inputs };
  const settings = pipeline([{ ...direct, gatherFromNode: 'request' }], { out: ['gather', 'a'] });
  const where = 'Expected: (3,1,10); Actual: (2,1,10) at /node/gather/b';
  assertRefused({ ...settings, demultiplyCount: 2 }, 'PIPELINE_INPUT_SHAPE', where, models);
  assert.doesNotThrow(() => buildPipelineGraph({ ...settings, demultiplyCount: 3 }, models));
  assert.doesNotThrow(() => buildPipelineGraph({ ...settings, demultiplyCount: -1 }, models));
});

test('validation: each gather of several counts the shards of its own demultiplexer', () => {
  covers('pipelines.v14a-gather');
  const gathering = (shape: readonly number[]) => ({
    inputs: [tensor('b', { shape })],
    outputs: [tensor('a', { shape })],
  });
  const nested = (inner: number, outer: number) => {
    const models = catalogue({
      outer: { inputs: [tensor('b')], outputs: [tensor('a', { shape: [2, 3, 1, 10] })] },
      inner: gathering([3, 1, 10]),
      dummy: DUMMY,
      join: gathering([inner, 1, 10]),
      all: gathering([outer, inner, 1, 10]),
    });
    const split = { ...node('outer', 'outer', { b: ['request', 'image'] }), demultiplyCount: 2 };
    const again = { ...node('inner', 'inner', { b: ['outer', 'a'] }), demultiplyCount: 3 };
    const each = node('each', 'dummy', { b: ['inner', 'a'] });
    const join = { ...node('join', 'join', { b: ['each', 'a'] }), gatherFromNode: 'inner' };
    const all = { ...node('all', 'all', { b: ['join', 'a'] }), gatherFromNode: 'outer' };
    return { settings: pipeline([split, again, each, join, all], { out: ['all', 'a'] }), models };
  };
  const good = nested(3, 2);
  assert.doesNotThrow(() => buildPipelineGraph(good.settings, good.models));
  const innerWrong = nested(2, 2);
  assertRefused(innerWrong.settings, 'PIPELINE_INPUT_SHAPE', 'Expected: (2,1,10); Actual: (3,1,10)', innerWrong.models);
  const outerWrong = nested(3, 3);
  assertRefused(
    outerWrong.settings,
    'PIPELINE_INPUT_SHAPE',
    'Expected: (3,3,1,10); Actual: (2,3,1,10)',
    outerWrong.models,
  );
});

test('validation: shards are counted for nested pipelines and users’ own nodes, too', () => {
  covers('pipelines.v14a-gather');
  const { split, each, gather, models } = gatheringInto(3, 2);
  const signature = models.signature('gather', null)!;
  const nested = { ...gather, type: 'pipeline', modelName: null, pipelineName: 'other' } as const;
  const where = 'Expected: (3,1,10); Actual: (2,1,10) at /node/gather/b';
  const out = { out: ['gather', 'a'] } as const;
  assertRefused(pipeline([split, each, nested], out), 'PIPELINE_INPUT_SHAPE', where, {
    ...models,
    pipeline: () => signature,
  });
  const custom = { customNodeId: 1, signature };
  const reference = { key: 'own', title: 'own', signature, kind: 'custom', custom } as const;
  const own = { ...gather, type: 'custom', modelName: null, libraryName: 'library' } as const;
  assertRefused(pipeline([split, each, own], out), 'PIPELINE_INPUT_SHAPE', where, {
    ...models,
    userNodes: new Map([['gather', { reference, signature }]]),
  });
});

test('validation: demultiplexers and gathers nest like brackets', () => {
  covers('pipelines.v20-order');
  const deep = catalogue({
    deep: { inputs: [tensor('b', { shape: [-1, -1, -1] })], outputs: [tensor('a', { shape: [-1, -1, -1, -1] })] },
    flat: { inputs: [tensor('b', { shape: [-1, -1, -1, -1] })], outputs: [tensor('a', { shape: [-1, -1, -1] })] },
  });
  const outer = { ...node('outer', 'deep', { b: ['request', 'image'] }), demultiplyCount: -1 };
  const inner = { ...node('inner', 'deep', { b: ['outer', 'a'] }), demultiplyCount: -1 };
  const wrong = { ...node('wrong', 'flat', { b: ['inner', 'a'] }), gatherFromNode: 'outer' };
  assertRefused(
    pipeline([outer, inner, wrong], { out: ['wrong', 'a'] }),
    'PIPELINE_DEMULTIPLEXER_ORDER',
    'expected to gather from inner, received outer',
    deep,
  );
});

test('validation: inputs of one node come from the same depth', () => {
  covers('pipelines.v20-order');
  const models = catalogue({ shards: SHARDS, dummy: DUMMY, sum: SUM });
  const split = { ...node('split', 'shards', { b: ['request', 'image'] }), demultiplyCount: 3 };
  const mixed = node('mixed', 'sum', { left: ['split', 'a'], right: ['request', 'image'] }, { sum: 'a' });
  assertRefused(
    pipeline([split, mixed], { out: ['mixed', 'a'] }),
    'PIPELINE_DEMULTIPLEXER_ORDER',
    '[split] and []',
    models,
  );
});
