import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { writeArgmaxModel, writeDummyModel, writeHeavyModel } from '../fixtures/ir.js';
import { embeddedSettings } from '../helpers/embedded-server.js';
import { GrpcClient } from '../helpers/grpc-client.js';
import { modelNode, pipeline, selectNode, source, TestRepository, type Pipeline } from '../helpers/repository.js';
import { restPredict } from '../helpers/rest-client.js';
import { floatsOf, floatTensor, integersOf } from '../helpers/tensors.js';
import { Server } from '#src/control/server.js';

/** `argmax` of `x` over four classes decides; `plus1` and `plus10` are the branches. */
const classify = modelNode('classify', 'argmax', { in1: 'request.x', in2: 'request.x' }, ['argmax']);
const label = source('classify.argmax');
const isThree = { ...label, is: { equals: 3 } };
const isOther = { ...label, is: { not_equals: 3 } };
const plus1 = modelNode('plus1', 'plus1', { b: 'request.x' }, ['a'], { when: isThree });
const plus10 = modelNode('plus10', 'plus10', { b: 'request.x' }, ['a'], { when: isOther });
const behind = modelNode('behind', 'plus1', { b: 'plus1.a' }, ['a']);
const heavy = modelNode('heavy', 'heavy', { b: 'request.h' }, ['a']);

const split = modelNode('split', 'split', { b: 'request.s' }, ['a'], { demultiply_count: -1 });
const small = modelNode('small', 'row', { b: 'split.a' }, ['a'], {
  when: { ...source('split.a'), element: 0, is: { less_than: 10 } },
});
const large = modelNode('large', 'row10', { b: 'split.a' }, ['a'], {
  when: { ...source('split.a'), element: 0, is: { at_least: 10, less_than: 100 } },
});
const joined = selectNode('joined', { first: 'small.a', second: 'large.a' });

const PIPELINES: readonly Pipeline[] = [
  pipeline('branches', ['x'], [classify, plus1, plus10, behind], {
    label: 'classify.argmax',
    three: 'plus1.a',
    after: 'behind.a',
    other: 'plus10.a',
  }),
  pipeline('only', ['x'], [classify, plus1], { three: 'plus1.a' }),
  pipeline('switch', ['x'], [classify, plus1, plus10, selectNode('either', { three: 'plus1.a', other: 'plus10.a' })], {
    a: 'either.selected',
  }),
  pipeline('shards', ['s'], [split, small, large, joined], { a: 'joined.selected' }),
  pipeline(
    'asks',
    ['d'],
    [
      modelNode('any', 'any', { b: 'request.d' }, ['a']),
      modelNode('sixth', 'any', { b: 'any.a' }, ['a'], {
        when: { ...source('any.a'), element: 5, is: { at_least: 1 } },
      }),
    ],
    { a: 'sixth.a' },
  ),
  pipeline(
    'exits',
    ['x', 'h'],
    [classify, heavy, modelNode('late', 'heavy', { b: 'heavy.a' }, ['a'])],
    { label: 'classify.argmax', late: 'late.a' },
    { exit_when: [isThree] },
  ),
];

let server: Server;
let client: GrpcClient;

before(async () => {
  const repository = new TestRepository();
  writeArgmaxModel(repository.path('argmax', '1'), { classes: 4 });
  writeDummyModel(repository.path('plus1', '1'), { shape: [1, 4] });
  writeDummyModel(repository.path('plus10', '1'), { shape: [1, 4], addend: 10 });
  writeDummyModel(repository.path('split', '1'), { shape: [-1, 1, 2], addend: 0 });
  writeDummyModel(repository.path('any', '1'), { shape: [1, -1] });
  writeDummyModel(repository.path('row', '1'), { shape: [1, 2] });
  writeDummyModel(repository.path('row10', '1'), { shape: [1, 2], addend: 10 });
  writeHeavyModel(repository.path('heavy', '1'), { size: 256, depth: 20 });
  const models = ['argmax', 'plus1', 'plus10', 'split', 'row', 'row10', 'any', 'heavy'].map((name) => ({
    name,
    nireq: 1,
  }));
  server = await Server.start(embeddedSettings(repository.writeConfig(models, PIPELINES)));
  await server.loaded;
  client = new GrpcClient(server.grpcPort!);
});
after(async () => {
  client.close();
  await server.stop();
});

const picture = (top: number) =>
  floatTensor(
    'x',
    [1, 4],
    [0, 1, 2, 3].map((index) => (index === top ? 5 : 0)),
  );

test('conditional node: runs where its condition holds; what it would have given is missing where not', async () => {
  const three = await client.predict('branches', [picture(3)]);
  assert.deepEqual([...three.outputs.keys()].sort(), ['after', 'label', 'three']);
  assert.deepEqual(integersOf(three.outputs.get('label')), [3]);
  assert.deepEqual(floatsOf(three.outputs.get('three')), [1, 1, 1, 6]);
  assert.deepEqual(floatsOf(three.outputs.get('after')), [2, 2, 2, 7]);
  const other = await client.predict('branches', [picture(1)]);
  assert.deepEqual([...other.outputs.keys()].sort(), ['label', 'other']);
  assert.deepEqual(floatsOf(other.outputs.get('other')), [10, 15, 10, 10]);
});

test('conditional node: over REST a response of some of several outputs names them', async () => {
  const { status, text } = await restPredict(server.restPort!, 'branches', { inputs: { x: [[0, 5, 0, 0]] } });
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(text), { outputs: { label: [1], other: [[10, 15, 10, 10]] } });
});

test('conditional node: a response without any output is an answer', async () => {
  const { code, outputs } = await client.predict('only', [picture(0)]);
  assert.equal(code, 'OK');
  assert.equal(outputs.size, 0);
  const column = await restPredict(server.restPort!, 'only', { inputs: { x: [[5, 0, 0, 0]] } });
  assert.deepEqual(JSON.parse(column.text), { outputs: {} });
  const row = await restPredict(server.restPort!, 'only', { instances: [{ x: [5, 0, 0, 0] }] });
  assert.deepEqual(JSON.parse(row.text), { predictions: [] });
});

test('switch: a select node passes on the branch that was taken', async () => {
  assert.deepEqual(floatsOf((await client.predict('switch', [picture(3)])).outputs.get('a')), [1, 1, 1, 6]);
  assert.deepEqual(floatsOf((await client.predict('switch', [picture(2)])).outputs.get('a')), [10, 10, 15, 10]);
});

test('switch: inside of a demultiplexer every shard takes its own branch, and they are gathered in order', async () => {
  const shards = floatTensor('s', [4, 1, 2], [1, 2, 20, 21, 3, 4, 50, 51]);
  const { outputs } = await client.predict('shards', [shards]);
  assert.deepEqual(floatsOf(outputs.get('a')), [2, 3, 30, 31, 4, 5, 60, 61]);
});

test('switch: a shard for which no branch is taken fails the request', async () => {
  const { code, details } = await client.predict('shards', [floatTensor('s', [3, 1, 2], [1, 2, 500, 0, 500, 1])]);
  assert.equal(code, 'UNKNOWN');
  assert.equal(details, 'Unknown error - Gathered tensor shards dimensions are different');
});

test('conditional node: a condition on an element that the tensor does not have fails the request', async () => {
  const { code, details } = await client.predict('asks', [floatTensor('d', [1, 3], [1, 2, 3])]);
  assert.equal(code, 'INVALID_ARGUMENT');
  assert.equal(details, 'Condition of a node cannot be asked - expected more than 5 elements, received (1,3)');
});

test('early exit: answers with what is there, and the infer requests of what still runs come back', async () => {
  const matrix = floatTensor('h', [256, 256], Array<number>(256 * 256).fill(0.001));
  const early = await client.predict('exits', [picture(3), matrix]);
  assert.deepEqual([...early.outputs.keys()], ['label']);
  const whole = await client.predict('exits', [picture(1), matrix]);
  assert.deepEqual([...whole.outputs.keys()].sort(), ['label', 'late']);
});
