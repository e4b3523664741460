import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { covers } from '../contract/covers.js';
import { Server } from '#src/control/server.js';
import { writeArgmaxModel, writeDummyModel, writeNonZeroModel, writeReshapeModel } from '../fixtures/ir.js';
import { embeddedSettings } from '../helpers/embedded-server.js';
import { GrpcClient } from '../helpers/grpc-client.js';
import { modelNode, pipeline, TestRepository, type Pipeline } from '../helpers/repository.js';
import { restPredict } from '../helpers/rest-client.js';
import { floatsOf, floatTensor, integersOf } from '../helpers/tensors.js';

const add = (name: string, from: string, more: Parameters<typeof modelNode>[4] = {}) =>
  modelNode(name, 'row', { b: from }, ['a'], more);
const CHAIN = 20;
const names = Array.from({ length: CHAIN }, (_, index) => `n${index}`);

const PIPELINES: readonly Pipeline[] = [
  pipeline('one', ['x'], [add('only', 'request.x')], { y: 'only.a' }),
  pipeline(
    'series',
    ['x'],
    names.map((name, index) => add(name, index === 0 ? 'request.x' : `n${index - 1}.a`)),
    { y: `n${CHAIN - 1}.a`, inner: 'n4.a' },
  ),
  pipeline(
    'diamond',
    ['x', 'z'],
    [
      add('left', 'request.x'),
      add('right', 'request.z'),
      modelNode('top', 'argmax', { in1: 'left.a', in2: 'right.a' }, ['argmax']),
    ],
    { y: 'top.argmax', left: 'left.a' },
  ),
  pipeline(
    'twice_read',
    ['x'],
    [add('first', 'request.x'), modelNode('top', 'argmax', { in1: 'first.a', in2: 'first.a' }, ['argmax'])],
    { y: 'top.argmax', one: 'first.a', other: 'first.a' },
  ),
  pipeline('pinned', ['x'], [modelNode('old', 'versions', { b: 'request.x' }, ['a'], { version: 1 })], { y: 'old.a' }),
  pipeline('newest', ['x'], [modelNode('new', 'versions', { b: 'request.x' }, ['a'])], { y: 'new.a' }),
  pipeline('mapped_names', ['x'], [modelNode('named', 'mapped', { 'in/put': 'request.x' }, ['out:put'])], {
    'y/1': 'named.out:put',
  }),
  pipeline('misfit', ['d'], [modelNode('any', 'any', { b: 'request.d' }, ['a']), add('next', 'any.a')], {
    y: 'next.a',
  }),
  pipeline(
    'failing',
    ['r', 'x'],
    [modelNode('fails', 'reshape', { b: 'request.r' }, ['a']), add('waits', 'request.x'), add('more', 'waits.a')],
    {
      y: 'more.a',
      r: 'fails.a',
    },
  ),
  // Demultiplexers.
  pipeline(
    'three_levels',
    ['x'],
    [
      modelNode('outer', 'deep', { b: 'request.x' }, ['a'], { demultiply_count: 2 }),
      modelNode('middle', 'middle', { b: 'outer.a' }, ['a'], { demultiply_count: -1 }),
      modelNode('inner', 'flat', { b: 'middle.a' }, ['a'], { demultiply_count: 2 }),
      add('each', 'inner.a'),
    ],
    { y: 'each.a' },
  ),
  pipeline(
    'eight_bytes',
    ['x'],
    [
      modelNode('split', 'doubles', { b: 'request.x' }, ['a'], { demultiply_count: 2 }),
      modelNode('each', 'double', { b: 'split.a' }, ['a']),
    ],
    { y: 'each.a' },
  ),
  pipeline(
    'fixed_over_dynamic',
    ['x'],
    [modelNode('split', 'shards', { b: 'request.x' }, ['a'], { demultiply_count: 3 }), add('each', 'split.a')],
    { y: 'each.a' },
  ),
  pipeline(
    'uneven',
    ['x'],
    [modelNode('each', 'nonzero', { b: 'request.x' }, ['a'])],
    { y: 'each.a' },
    { demultiply_count: -1 },
  ),
  pipeline(
    'no_elements',
    ['x'],
    [
      modelNode('split', 'hollow', { b: 'request.x' }, ['a'], { demultiply_count: -1 }),
      modelNode('each', 'any', { b: 'split.a' }, ['a']),
    ],
    { y: 'each.a' },
  ),
];

let server: Server;
let client: GrpcClient;

before(async () => {
  const repository = new TestRepository();
  const write = (name: string, options: Parameters<typeof writeDummyModel>[1], version = 1) =>
    writeDummyModel(repository.path(name, String(version)), options);
  write('row', { shape: [1, 4] });
  write('versions', { shape: [1, 4] });
  write('versions', { shape: [1, 4], addend: 100 }, 2);
  write('mapped', { shape: [1, 4] });
  repository.write('mapped/1/mapping_config.json', '{"inputs": {"b": "in/put"}, "outputs": {"a": "out:put"}}');
  write('any', { shape: [1, -1] });
  write('deep', { shape: [2, 3, 2, 1, 4], addend: 0 });
  write('middle', { shape: [3, 2, 1, 4], addend: 0 });
  write('flat', { shape: [2, 1, 4], addend: 0 });
  write('doubles', { shape: [2, 1, 2], precision: 'f64' });
  write('double', { shape: [1, 2], precision: 'f64' });
  write('shards', { shape: [-1, 1, 4], addend: 0 });
  write('hollow', { shape: [-1, 1, -1], addend: 0 });
  writeArgmaxModel(repository.path('argmax', '1'), { classes: 4 });
  writeNonZeroModel(repository.path('nonzero', '1'), { shape: [1, 4] });
  writeReshapeModel(repository.path('reshape', '1'));
  const models = ['row', 'mapped', 'any', 'deep', 'middle', 'flat', 'doubles', 'double', 'shards', 'hollow'];
  const config = repository.writeConfig(
    [
      ...[...models, 'argmax', 'nonzero', 'reshape'].map((name) => ({ name, nireq: 1 })),
      { name: 'versions', model_version_policy: { all: {} } },
    ],
    PIPELINES,
  );
  server = await Server.start(embeddedSettings(config));
  await server.loaded;
  client = new GrpcClient(server.grpcPort!);
});
after(async () => {
  client.close();
  await server.stop();
});

const ROW = floatTensor('x', [1, 4], [0, 1, 2, 3]);

test('happy path: one model', async () => {
  assert.deepEqual(floatsOf((await client.predict('one', [ROW])).outputs.get('y')), [1, 2, 3, 4]);
});

test('happy path: a series of nodes over one model with one infer request, and an output from the middle', async () => {
  covers('pipelines.same-model', 'pipelines.shared-output');
  const { outputs } = await client.predict('series', [ROW]);
  assert.deepEqual(floatsOf(outputs.get('y')), [20, 21, 22, 23]);
  assert.deepEqual(floatsOf(outputs.get('inner')), [5, 6, 7, 8]);
});

test('happy path: two parallel nodes into one', async () => {
  const { outputs } = await client.predict('diamond', [ROW, floatTensor('z', [1, 4], [9, 0, 0, 0])]);
  assert.deepEqual(integersOf(outputs.get('y')), [0]);
  assert.deepEqual(floatsOf(outputs.get('left')), [1, 2, 3, 4]);
});

test('happy path: an output that a node reads twice and the response returns twice', async () => {
  covers('pipelines.shared-output');
  const { outputs } = await client.predict('twice_read', [ROW]);
  assert.deepEqual(integersOf(outputs.get('y')), [3]);
  assert.deepEqual(floatsOf(outputs.get('one')), [1, 2, 3, 4]);
  assert.deepEqual(floatsOf(outputs.get('other')), [1, 2, 3, 4]);
});

test('happy path: a pinned version beside the default one', async () => {
  covers('pipelines.default-version');
  assert.deepEqual(floatsOf((await client.predict('pinned', [ROW])).outputs.get('y')), [1, 2, 3, 4]);
  assert.deepEqual(floatsOf((await client.predict('newest', [ROW])).outputs.get('y')), [100, 101, 102, 103]);
});

test('happy path: mapped names, with characters that mean something elsewhere', async () => {
  covers('pipelines.mapped-names');
  assert.deepEqual(floatsOf((await client.predict('mapped_names', [ROW])).outputs.get('y/1')), [1, 2, 3, 4]);
});

test('happy path: a direct call and a pipeline call give equal results, over gRPC and REST', async () => {
  const direct = await client.predict('row', [{ ...ROW, name: 'b' }]);
  const piped = await client.predict('one', [ROW]);
  assert.deepEqual(floatsOf(direct.outputs.get('a')), floatsOf(piped.outputs.get('y')));
  const rest = await Promise.all(
    [['row', 'b'] as const, ['one', 'x'] as const].map(([name, input]) =>
      restPredict(server.restPort!, name, { inputs: { [input]: [[0, 1, 2, 3]] } }),
    ),
  );
  assert.equal(rest[0]!.status, 200);
  assert.equal(rest[0]!.text, rest[1]!.text);
});

test('intermediate tensor: one that does not fit the next model names node, tensor, expected and actual shape', async () => {
  covers('pipelines.misfit', 'pipelines.dynamic');
  const { code, details } = await client.predict('misfit', [floatTensor('d', [1, 3], [1, 2, 3])]);
  assert.equal(code, 'INVALID_ARGUMENT');
  assert.equal(details, 'Invalid input shape - Node: next input: b Invalid shape - Expected: (1,4); Actual: (1,3)');
});

test('failing node: fails its request alone, also while other nodes wait for the same infer request', async () => {
  covers('pipelines.first-error');
  const calls = Array.from({ length: 40 }, (_, index) =>
    client.predict('failing', [
      floatTensor('r', [index % 2 === 0 ? 10 : 9], Array<number>(index % 2 === 0 ? 10 : 9).fill(1)),
      ROW,
    ]),
  );
  for (const [index, { code, outputs }] of (await Promise.all(calls)).entries()) {
    assert.equal(code, index % 2 === 0 ? 'OK' : 'FAILED_PRECONDITION');
    if (index % 2 === 0) assert.deepEqual(floatsOf(outputs.get('y')), [2, 3, 4, 5]);
  }
});

test('demultiplexer: three levels, one of them dynamic, gathered outermost first', async () => {
  covers('pipelines.gather', 'pipelines.v3-one-dynamic');
  const values = Array.from({ length: 48 }, (_, index) => index);
  const { outputs } = await client.predict('three_levels', [floatTensor('x', [2, 3, 2, 1, 4], values)]);
  const y = outputs.get('y');
  assert.deepEqual(y!.shape, [2, 3, 2, 1, 4]);
  assert.deepEqual(
    floatsOf(y),
    values.map((value) => value + 1),
  );
});

test('demultiplexer: shards of eight-byte elements', async () => {
  const sent = Float64Array.of(0.5, 1.5, 2.5, 3.5);
  const { code, details, outputs } = await client.predict('eight_bytes', [
    { name: 'x', precision: 'FP64', shape: [2, 1, 2], bytes: new Uint8Array(sent.buffer) },
  ]);
  assert.equal(code, 'OK', details);
  const { content } = outputs.get('y')!;
  assert.ok(content.kind === 'bytes');
  assert.deepEqual(Array.from(new Float64Array(new Uint8Array(content.bytes).buffer)), [2.5, 3.5, 4.5, 5.5]);
});

test('demultiplexer: a fixed count that the tensor does not have at run time', async () => {
  covers('pipelines.count-at-run-time');
  const { code, details } = await client.predict('fixed_over_dynamic', [
    floatTensor('x', [2, 1, 4], Array<number>(8).fill(0)),
  ]);
  assert.equal(code, 'UNKNOWN');
  assert.match(details, /Wrong dimension size\. Should match demultiply count$/);
});

test('gather: shards of different shapes', async () => {
  covers('pipelines.uneven-shards');
  const shards = floatTensor('x', [2, 1, 4], [1, 1, 1, 1, 1, 0, 0, 0]);
  const { code, details } = await client.predict('uneven', [shards]);
  assert.equal(code, 'UNKNOWN');
  assert.match(details, /Gathered tensor shards dimensions are different$/);
});

test('demultiplexer: shards without elements', async () => {
  const { code, details, outputs } = await client.predict('no_elements', [floatTensor('x', [3, 1, 0], [])]);
  assert.equal(code, 'OK', details);
  assert.deepEqual(outputs.get('y')!.shape, [3, 1, 0]);
});
