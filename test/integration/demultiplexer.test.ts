import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { covers } from '../contract/covers.js';
import { isStatic } from '#src/tensors/shape.js';
import { configureLogging } from '#src/observability/logger.js';
import type { PredictResult } from '#src/servables/serving.js';
import { writeDummyModel } from '../fixtures/ir.js';
import { openInProcessServing, type InProcessServing } from '../helpers/in-process-serving.js';
import { modelNode, pipeline, TestRepository, type Pipeline } from '../helpers/repository.js';
import { floatTensor } from '../helpers/tensors.js';

/** Models that add one to every element, by shape; one infer request each, so that shards queue. */
const MODELS = { row: [1, 2], shards: [3, 1, 2], nested: [2, 3, 1, 2], any: [-1, 1, 2] } as const;

function add(name: string, model: string, input: string, options: Partial<Pipeline['nodes'][number]> = {}) {
  return { ...modelNode(name, model, { b: input }, ['a']), ...options };
}

const PIPELINES: readonly Pipeline[] = [
  { ...pipeline('fixed_request', ['b'], [add('each', 'row', 'request.b')], { a: 'each.a' }), demultiply_count: 3 },
  { ...pipeline('dynamic_request', ['b'], [add('each', 'row', 'request.b')], { a: 'each.a' }), demultiply_count: -1 },
  { ...pipeline('zero_is_dynamic', ['b'], [add('each', 'row', 'request.b')], { a: 'each.a' }), demultiply_count: 0 },
  {
    ...pipeline('empty_request', ['b'], [add('each', 'row', 'request.b')], { a: 'each.a', echo: 'each.a' }),
    demultiply_count: -1,
    on_empty: 'empty',
  },
  pipeline(
    'empty_node',
    ['b'],
    [add('split', 'any', 'request.b', { demultiply_count: -1, on_empty: 'empty' }), add('inner', 'row', 'split.a')],
    { a: 'inner.a' },
  ),
  pipeline(
    'at_node',
    ['b'],
    [add('split', 'shards', 'request.b', { demultiply_count: 3 }), add('each', 'row', 'split.a')],
    {
      a: 'each.a',
      shards: 'split.a',
    },
  ),
  pipeline(
    'dynamic_node',
    ['b'],
    [add('split', 'any', 'request.b', { demultiply_count: -1 }), add('each', 'row', 'split.a')],
    {
      a: 'each.a',
    },
  ),
  pipeline(
    'gathered_inside',
    ['b'],
    [
      add('split', 'shards', 'request.b', { demultiply_count: 3 }),
      add('each', 'row', 'split.a'),
      add('all', 'shards', 'each.a', { gather_from_node: 'split' }),
    ],
    { a: 'all.a' },
  ),
  {
    ...pipeline('gathered_request', ['b'], [add('all', 'shards', 'request.b', { gather_from_node: 'request' })], {
      a: 'all.a',
    }),
    demultiply_count: -1,
  },
  pipeline(
    'two_levels',
    ['b'],
    [
      add('outer', 'nested', 'request.b', { demultiply_count: 2 }),
      add('inner', 'shards', 'outer.a', { demultiply_count: 3 }),
      add('each', 'row', 'inner.a'),
    ],
    { a: 'each.a' },
  ),
  pipeline(
    'two_dynamic',
    ['b'],
    [
      add('outer', 'nested', 'request.b', { demultiply_count: -1 }),
      add('inner', 'any', 'outer.a', { demultiply_count: -1 }),
      add('each', 'row', 'inner.a'),
      add('middle', 'any', 'each.a', { gather_from_node: 'inner' }),
    ],
    { a: 'middle.a' },
  ),
];

let served: InProcessServing;

before(async () => {
  configureLogging({ level: 'ERROR', path: null });
  const repository = new TestRepository();
  const models = Object.entries(MODELS).map(([name, shape]) => {
    writeDummyModel(repository.path(name, '1'), { shape });
    return { name, nireq: 1 };
  });
  served = await openInProcessServing(repository.writeConfig(models, PIPELINES));
});

const CALLER = { api: 'TensorFlowServing', interface: 'gRPC' } as const;

async function ask(
  servable: string,
  shape: readonly number[],
): Promise<{ shape: readonly number[]; values: number[] }[]> {
  const count = shape.reduce((product, size) => product * size, 1);
  const { shape: sent, bytes } = floatTensor(
    'b',
    shape,
    Array.from({ length: count }, (_, index) => index),
  );
  const tensor = { precision: 'FP32', precisionText: 'FP32', shape: sent, content: { kind: 'bytes', bytes } } as const;
  const call = {
    ...CALLER,
    arrived: performance.now(),
    signal: new AbortController().signal,
    wantsTimeline: false,
  } as const;
  const result: PredictResult = await served.serving.predict(
    { servable, version: null, inputs: new Map([['b', tensor]]) },
    call,
  );
  const outputs = result.outputs.map((output) => ({
    shape: output.shape,
    values: Array.from(new Float32Array(Uint8Array.from(output.bytes).buffer)),
  }));
  result.release();
  return outputs;
}

/** `first, first + 1, ...`: what counting from 0 becomes when so many nodes have added one. */
function counting(length: number, first: number): number[] {
  return Array.from({ length }, (_, index) => index + first);
}

test('demultiplexer: a request of n times the input runs the graph n times and is gathered under n', async () => {
  covers('pipelines.any-batch', 'pipelines.shards', 'pipelines.demultiply-count');
  assert.deepEqual(await ask('fixed_request', [3, 1, 2]), [{ shape: [3, 1, 2], values: counting(6, 1) }]);
  assert.deepEqual(await ask('dynamic_request', [5, 1, 2]), [{ shape: [5, 1, 2], values: counting(10, 1) }]);
  assert.deepEqual(await ask('zero_is_dynamic', [1, 1, 2]), [{ shape: [1, 1, 2], values: counting(2, 1) }]);
});

test('demultiplexer: at a node, and its own output gathered again', async () => {
  assert.deepEqual(await ask('at_node', [3, 1, 2]), [
    { shape: [3, 1, 2], values: counting(6, 2) },
    { shape: [3, 1, 2], values: counting(6, 1) },
  ]);
  assert.deepEqual(await ask('dynamic_node', [4, 1, 2]), [{ shape: [4, 1, 2], values: counting(8, 2) }]);
});

test('gather: in the middle of a pipeline', async () => {
  covers('pipelines.gather');
  assert.deepEqual(await ask('gathered_inside', [3, 1, 2]), [{ shape: [3, 1, 2], values: counting(6, 3) }]);
});

test('gather: shards of the request that do not fit who joins them are refused as those of a node', async () => {
  assert.deepEqual(await ask('gathered_request', [3, 1, 2]), [{ shape: [3, 1, 2], values: counting(6, 1) }]);
  await assert.rejects(ask('gathered_request', [2, 1, 2]), {
    message: 'Invalid input batch size - Node: all input: b Invalid batch size - Expected: (3,1,2); Actual: (2,1,2)',
  });
});

test('gather: two levels at the response, outermost first', async () => {
  covers('pipelines.gather', 'pipelines.metadata-outputs');
  assert.deepEqual(await ask('two_levels', [2, 3, 1, 2]), [{ shape: [2, 3, 1, 2], values: counting(12, 3) }]);
});

test('demultiplexer: several dynamic ones in one pipeline, which the reference refuses', async () => {
  covers('pipelines.v3-one-dynamic');
  assert.deepEqual(await ask('two_dynamic', [2, 3, 1, 2]), [{ shape: [2, 3, 1, 2], values: counting(12, 4) }]);
});

test('demultiplexer: no shard aborts the request', async () => {
  covers('pipelines.no-shards');
  await assert.rejects(ask('dynamic_request', [0, 1, 2]), { code: 'NO_CONTENT' });
});

test('demultiplexer: where the configuration asks for it, no shard gives tensors without elements', async () => {
  const empty = { shape: [0, 1, 2], values: [] };
  assert.deepEqual(await ask('empty_request', [0, 1, 2]), [empty, empty]);
  assert.deepEqual(await ask('empty_request', [1, 1, 2]), Array(2).fill({ shape: [1, 1, 2], values: [1, 2] }));
  assert.deepEqual(await ask('empty_node', [0, 1, 2]), [empty]);
});

test('demultiplexer: 10,000 shards run, 10,001 are refused', async () => {
  covers('pipelines.too-many-shards');
  const [answer] = await ask('dynamic_request', [10_000, 1, 2]);
  assert.deepEqual(answer!.shape, [10_000, 1, 2]);
  assert.equal(answer!.values.at(-1), 20_000);
  await assert.rejects(ask('dynamic_request', [10_001, 1, 2]), { code: 'DEMULTIPLY_TOO_LARGE' });
});

test('demultiplexer: a fixed count is the batch of the request', async () => {
  await assert.rejects(ask('fixed_request', [2, 1, 2]), {
    message: 'Invalid input batch size - Expected: 3; Actual: 2; input name: b',
  });
});

test('demultiplexer: metadata shows the shards in front, -1 where the request tells', () => {
  covers('pipelines.metadata-request', 'pipelines.metadata-outputs');
  const [fixed, dynamic] = ['fixed_request', 'dynamic_request'].map((name) =>
    served.serving.metadata(name, null, CALLER),
  );
  assert.deepEqual(
    fixed!.inputs[0]!.shape.map(({ min }) => min),
    [3, 1, 2],
  );
  assert.deepEqual(
    fixed!.outputs[0]!.shape.map(({ min }) => min),
    [3, 1, 2],
  );
  assert.equal(fixed!.inputs[0]!.layout, 'N?...');
  assert.ok(!isStatic(dynamic!.inputs[0]!.shape) && !isStatic(dynamic!.outputs[0]!.shape));
});

test('demultiplexer: every region is back after shards, failures and refusals', () => {
  assert.equal(served.arena.leasedRegions, 0);
});
