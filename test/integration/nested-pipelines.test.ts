import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { covers } from '../contract/covers.js';
import { Server } from '#src/control/server.js';
import { writeDummyModel, writeHeavyModel } from '../fixtures/ir.js';
import { embeddedSettings, withEmbeddedServer } from '../helpers/embedded-server.js';
import { GrpcClient, withGrpcClient } from '../helpers/grpc-client.js';
import { modelNode, node, pipeline, source, TestRepository, type Pipeline } from '../helpers/repository.js';
import { restCall } from '../helpers/rest-client.js';
import { floatsOf, floatTensor } from '../helpers/tensors.js';

const add = (name: string, from: string) => modelNode(name, 'row', { b: from }, ['a']);
const inner = (name: string, pipelineName: string, from: string, more: object = {}) =>
  node(name, { x: from }, ['y'], { type: 'pipeline', pipeline_name: pipelineName, ...more });

const PIPELINES: readonly Pipeline[] = [
  // In front of what it uses: the order of the file is free.
  pipeline(
    'outer',
    ['x'],
    [inner('first', 'twice', 'request.x'), inner('second', 'twice', 'first.y'), add('last', 'second.y')],
    {
      y: 'last.a',
      middle: 'first.y',
    },
  ),
  pipeline('twice', ['x'], [add('one', 'request.x'), add('two', 'one.a')], { y: 'two.a' }),
  pipeline('batch', ['x'], [add('each', 'request.x')], { y: 'each.a' }, { demultiply_count: -1 }),
  pipeline('over_batch', ['x'], [inner('all', 'batch', 'request.x')], { y: 'all.y' }),
  pipeline('split_batch', ['x'], [inner('all', 'batch', 'request.x', { demultiply_count: -1 }), add('each', 'all.y')], {
    y: 'each.a',
  }),
  pipeline('inside', ['x'], [inner('each', 'twice', 'request.x')], { y: 'each.y' }, { demultiply_count: 2 }),
  pipeline(
    'partly',
    ['x'],
    [
      add('one', 'request.x'),
      modelNode('two', 'row', { b: 'one.a' }, ['a'], { when: { ...source('one.a'), element: 0, is: { at_least: 5 } } }),
    ],
    { y: 'two.a', z: 'one.a' },
  ),
  pipeline(
    'over_partly',
    ['x'],
    [node('in', { x: 'request.x' }, ['y', 'z'], { type: 'pipeline', pipeline_name: 'partly' }), add('after', 'in.y')],
    {
      y: 'after.a',
      z: 'in.z',
    },
  ),
  pipeline('cycle_one', ['x'], [inner('in', 'cycle_two', 'request.x')], { y: 'in.y' }),
  pipeline('cycle_two', ['x'], [inner('in', 'cycle_one', 'request.x')], { y: 'in.y' }),
  pipeline('itself', ['x'], [inner('in', 'itself', 'request.x')], { y: 'in.y' }),
  pipeline('as_model', ['x'], [modelNode('in', 'twice', { x: 'request.x' }, ['y'])], { y: 'in.y' }),
  pipeline('versioned', ['x'], [add('one', 'request.x')], { y: 'one.a' }, { version: 1 }),
  pipeline('versioned', ['x'], [add('one', 'request.x'), add('two', 'one.a')], { y: 'two.a' }, { version: 3 }),
  pipeline('over_newest', ['x'], [inner('in', 'versioned', 'request.x')], { y: 'in.y' }),
  pipeline('over_oldest', ['x'], [inner('in', 'versioned', 'request.x', { version: 1 })], { y: 'in.y' }),
];

let server: Server;
let client: GrpcClient;

before(async () => {
  const repository = new TestRepository();
  writeDummyModel(repository.path('row', '1'), { shape: [1, 2] });
  const config = repository.writeConfig([{ name: 'row', nireq: 1 }], PIPELINES);
  server = await Server.start(embeddedSettings(config, '--log_path', repository.path('log')));
  await server.loaded;
  client = new GrpcClient(server.grpcPort!);
});
after(async () => {
  client.close();
  await server.stop();
});

async function ask(
  name: string,
  values: readonly number[],
  version: bigint | null = null,
): Promise<Record<string, number[]>> {
  const shape = values.length > 2 ? [values.length / 2, 1, 2] : [1, 2];
  const { code, details, outputs } = await client.predict(name, [floatTensor('x', shape, values)], version);
  if (code !== 'OK') throw new Error(`${code}: ${details}`);
  return Object.fromEntries([...outputs].map(([output, tensor]) => [output, floatsOf(tensor)]));
}

test('nested pipeline: is one node, as often as it is used, with nireq 1', async () => {
  covers('pipelines.no-nesting');
  assert.deepEqual(await ask('outer', [0, 10]), { y: [5, 15], middle: [2, 12] });
  const many = await Promise.all(Array.from({ length: 50 }, (_, index) => ask('outer', [index, 0])));
  many.forEach(({ y }, index) => assert.deepEqual(y, [index + 5, 5]));
});

test('nested pipeline: demultiplexes inside and gives what it gathered', async () => {
  assert.deepEqual(await ask('over_batch', [0, 1, 2, 3, 4, 5]), { y: [1, 2, 3, 4, 5, 6] });
  assert.deepEqual(await ask('split_batch', [0, 1, 2, 3, 4, 5]), { y: [2, 3, 4, 5, 6, 7] });
});

test('nested pipeline: runs once a shard of the demultiplexer around it', async () => {
  assert.deepEqual(await ask('inside', [0, 1, 2, 3]), { y: [2, 3, 4, 5] });
});

test('nested pipeline: what it skipped is skipped outside', async () => {
  assert.deepEqual(await ask('over_partly', [0, 0]), { z: [1, 1] });
  assert.deepEqual(await ask('over_partly', [4, 0]), { y: [7, 3], z: [5, 1] });
});

test('nested pipeline: one that contains itself is refused, through others, too', async () => {
  for (const name of ['cycle_one', 'cycle_two', 'itself']) {
    await assert.rejects(ask(name, [0, 0]), /^Error: UNAVAILABLE: Pipeline is not loaded yet/);
  }
});

test('nested pipeline: a DL model node that names a pipeline stays an error, as in the reference', async () => {
  covers('pipelines.no-nesting');
  await assert.rejects(ask('as_model', [0, 0]), /UNAVAILABLE: Pipeline is not loaded yet/);
});

test('pipeline versions: the highest answers unless one is asked for', async () => {
  assert.deepEqual(await ask('versioned', [0, 0]), { y: [2, 2] });
  assert.deepEqual(await ask('versioned', [0, 0], 1n), { y: [1, 1] });
  assert.deepEqual(await ask('versioned', [0, 0], 3n), { y: [2, 2] });
  await assert.rejects(ask('versioned', [0, 0], 2n), /NOT_FOUND: Model with requested version is not found/);
});

test('pipeline versions: a pipeline without versions ignores what is asked, as in the reference', async () => {
  covers('pipelines.request-check');
  assert.deepEqual(await ask('twice', [0, 0], 7n), { y: [2, 2] });
});

test('pipeline versions: a node may name one', async () => {
  assert.deepEqual(await ask('over_newest', [0, 0]), { y: [2, 2] });
  assert.deepEqual(await ask('over_oldest', [0, 0]), { y: [1, 1] });
});

test('pipeline versions: the status lists them', async () => {
  const { text } = await restCall(server.restPort!, 'GET', '/v1/models/versioned');
  const { model_version_status: versions } = JSON.parse(text) as {
    model_version_status: { version: string; state: string }[];
  };
  assert.deepEqual(
    versions.map(({ version, state }) => `${version} ${state}`),
    ['1 AVAILABLE', '3 AVAILABLE'],
  );
});

test('nested pipeline: the time line names its nodes behind the node it is, shards included', async () => {
  const nodes = async (name: string, inputs: unknown): Promise<string[]> => {
    const path = `/v1/models/${name}:predict`;
    const asked = { 'vinery-timeline': '1' };
    const { headers } = await restCall(server.restPort!, 'POST', path, { inputs }, undefined, asked);
    const timeline = JSON.parse(String(headers['vinery-timeline'])) as {
      nodes: { node: string; session: string }[];
    };
    return timeline.nodes.map(({ node: name, session }) => `${name} ${session}`.trim()).sort();
  };
  assert.deepEqual(await nodes('outer', [[0, 0]]), [
    'first',
    'first/one',
    'first/two',
    'last',
    'second',
    'second/one',
    'second/two',
  ]);
  assert.deepEqual(await nodes('inside', [[[0, 0]], [[0, 0]]]), [
    'each request_0',
    'each request_1',
    'each/one request_0',
    'each/one request_1',
    'each/two request_0',
    'each/two request_1',
  ]);
});

test('nested pipeline: what runs on inside after an early exit is waited for at the end of the server', async () => {
  const repository = new TestRepository();
  writeDummyModel(repository.path('row', '1'), { shape: [1, 2] });
  writeHeavyModel(repository.path('heavy', '1'), { depth: 60 });
  const exit = { ...source('one.a'), element: 0, is: { at_least: 0 } };
  const heavy = modelNode('heavy', 'heavy', { b: 'request.h' }, ['a']);
  const config = repository.writeConfig(
    [{ name: 'row' }, { name: 'heavy' }],
    [
      pipeline(
        'exits',
        ['x', 'h'],
        [add('one', 'request.x'), heavy],
        { y: 'one.a', z: 'heavy.a' },
        { exit_when: [exit] },
      ),
      pipeline(
        'over',
        ['x', 'h'],
        [
          inner('in', 'exits', 'request.x', {
            inputs: node('in', { x: 'request.x', h: 'request.h' }, [], { type: 'pipeline' }).inputs,
          }),
        ],
        { y: 'in.y' },
      ),
    ],
  );
  const log = repository.path('server.log');
  await withEmbeddedServer(embeddedSettings(config, '--log_path', log), async ({ grpcPort }) => {
    await withGrpcClient(grpcPort, async (own) => {
      const tensors = [
        floatTensor('x', [1, 2], [0, 0]),
        floatTensor('h', [512, 512], Array<number>(512 * 512).fill(0)),
      ];
      assert.equal((await own.predict('over', tensors)).code, 'OK');
    });
  });
  assert.doesNotMatch(readFileSync(log, 'utf8'), /never given back/);
});
