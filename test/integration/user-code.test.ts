import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { covers } from '../contract/covers.js';
import { Server } from '#src/control/server.js';
import { compileCustomNode, Ledger } from '../fixtures/custom-node-library.js';
import { writeDummyModel } from '../fixtures/ir.js';
import { embeddedSettings } from '../helpers/embedded-server.js';
import { GrpcClient } from '../helpers/grpc-client.js';
import { modelNode, node, pipeline, TestRepository, type Pipeline } from '../helpers/repository.js';
import { restPredict } from '../helpers/rest-client.js';
import { floatsOf, floatTensor } from '../helpers/tensors.js';

const repository = new TestRepository();
const ledger = new Ledger(repository.directory, 'server');
writeFileSync(ledger.path, '');

const custom = (
  name: string,
  library: string,
  input: string,
  params: Record<string, string> = {},
  more: object = {},
) => {
  const [from, to] = library === 'split' ? ['whole', 'shards'] : ['number', 'sum'];
  return node(name, { [from]: input }, [to], {
    type: 'custom',
    library_name: library,
    params: { ledger: ledger.path, ...params },
    ...more,
  });
};
const js = (name: string, module: string, input: string, more: object = {}) =>
  node(name, { x: input }, ['y'], { type: 'js', module, ...more });

/** A module whose `execute` is given; FP32 [1,-1] in and out. */
function moduleText(execute: string): string {
  return `
export const inputs = () => [{ name: 'x', precision: 'FP32', shape: [1, -1] }];
export const outputs = () => [{ name: 'y', precision: 'FP32', shape: [1, -1] }];
${execute}
`;
}

const DOUBLE = `
export function execute({ x }: { x: { shape: number[]; data: Float32Array } }, context: any) {
  const y = context.allocate('y', x.shape);
  x.data.forEach((value, index) => (y.data[index] = value * FACTOR));
  return { y };
}
const FACTOR: number = 2;`;

const MODULES: Readonly<Record<string, string>> = {
  'double.ts': moduleText(DOUBLE),
  'throws.mjs': moduleText(`export function execute() { throw new RangeError('no such crop'); }`),
  'hangs.mjs': moduleText(`export function execute({ x }) { for (;;) if (x.data[0] === 0) return { y: x }; }`),
  'leaves.mjs': moduleText(`export function execute({ x }) { if (x.data[0] < 0) process.exit(3); return { y: x }; }`),
  'wrong.mjs': moduleText(`export function execute({ x }) { return { y: { ...x, shape: [2, 1] } }; }`),
  'broken.mjs': 'export const inputs = () => [{ name: "x" ;',
};

function addedPipeline(addend: string): Pipeline {
  return pipeline(
    'added',
    ['x'],
    [custom('add', 'add', 'request.x', { addend }), modelNode('net', 'row', { b: 'add.sum' }, ['a'])],
    {
      y: 'net.a',
      sum: 'add.sum',
    },
  );
}

const PIPELINES: readonly Pipeline[] = [
  addedPipeline('5'),
  pipeline(
    'custom_shards',
    ['x'],
    [
      custom('split', 'split', 'request.x', { shards: '5' }, { demultiply_count: -1 }),
      modelNode('each', 'pair', { b: 'split.shards' }, ['a']),
    ],
    { y: 'each.a' },
  ),
  pipeline(
    'no_shards',
    ['x'],
    [
      custom('split', 'split', 'request.x', { shards: '0' }, { demultiply_count: -1 }),
      modelNode('each', 'any', { b: 'split.shards' }, ['a']),
    ],
    { y: 'each.a' },
  ),
  pipeline(
    'no_shards_allowed',
    ['x'],
    [
      custom('split', 'split', 'request.x', { shards: '0' }, { demultiply_count: -1, on_empty: 'empty' }),
      modelNode('each', 'any', { b: 'split.shards' }, ['a']),
    ],
    { y: 'each.a' },
  ),
  pipeline('lost_library', ['x'], [custom('add', 'nowhere', 'request.x')], { y: 'add.sum' }),
  pipeline(
    'doubled',
    ['x'],
    [
      modelNode('net', 'any', { b: 'request.x' }, ['a']),
      js('twice', 'double.ts', 'net.a'),
      modelNode('again', 'any', { b: 'twice.y' }, ['a']),
    ],
    {
      y: 'again.a',
      between: 'twice.y',
    },
  ),
  pipeline('throwing', ['x'], [js('bad', 'throws.mjs', 'request.x')], { y: 'bad.y' }),
  pipeline('hanging', ['x'], [js('slow', 'hangs.mjs', 'request.x', { timeout_ms: 300 })], { y: 'slow.y' }),
  pipeline('leaving', ['x'], [js('gone', 'leaves.mjs', 'request.x')], { y: 'gone.y' }),
  pipeline('wrong', ['x'], [js('odd', 'wrong.mjs', 'request.x')], { y: 'odd.y' }),
  pipeline('broken', ['x'], [js('syntax', 'broken.mjs', 'request.x')], { y: 'syntax.y' }),
  pipeline(
    'per_shard',
    ['x'],
    [
      custom('split', 'split', 'request.x', { shards: '2' }, { demultiply_count: -1 }),
      js('twice', 'double.ts', 'split.shards'),
      modelNode('each', 'any', { b: 'twice.y' }, ['a']),
    ],
    { y: 'each.a' },
  ),
];

const ROW = floatTensor('x', [1, 10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);

describe('nodes of users’ own code', () => {
  let server: Server;
  let client: GrpcClient;
  let libraries: Record<string, string>;

  before(async () => {
    writeDummyModel(repository.path('row', '1'), { shape: [1, 10] });
    writeDummyModel(repository.path('pair', '1'), { shape: [1, 2] });
    writeDummyModel(repository.path('any', '1'), { shape: [1, -1] });
    libraries = {
      add: compileCustomNode(repository.directory, 'add.c'),
      split: compileCustomNode(repository.directory, 'split.c'),
    };
    for (const [name, text] of Object.entries(MODULES)) repository.write(name, text);
    server = await Server.start(
      embeddedSettings(
        writeConfig(PIPELINES),
        '--file_system_poll_wait_seconds',
        '0',
        '--log_path',
        repository.path('log'),
      ),
    );
    await server.loaded;
    client = new GrpcClient(server.grpcPort!);
  });
  after(async () => {
    client.close();
    await server.stop();
  });

  function writeConfig(pipelines: readonly Pipeline[]): string {
    const models = ['row', 'pair', 'any'].map((name) => ({ name, nireq: 1 }));
    return repository.writeConfig(models, pipelines, 'config.json', libraries);
  }

  async function ask(name: string, tensor = ROW): Promise<number[]> {
    const { code, details, outputs } = await client.predict(name, [tensor]);
    if (code !== 'OK') throw new Error(`${code}: ${details}`);
    return floatsOf(outputs.get('y'));
  }

  test('custom node: a shared library of OVMS’s interface feeds a model, many requests at once', async () => {
    covers('pipelines.abi');
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask('added')));
    for (const answer of answers) assert.deepEqual(answer, [6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  });

  test('custom node: as a dynamic demultiplexer', async () => {
    const { outputs } = await client.predict('custom_shards', [ROW]);
    assert.deepEqual(outputs.get('y')!.shape, [5, 1, 2]);
    assert.deepEqual(floatsOf(outputs.get('y')), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('custom node: no shards abort the request over gRPC, are 204 over REST, and an empty answer where asked for', async () => {
    covers('pipelines.no-shards');
    await assert.rejects(ask('no_shards'), /ABORTED: Pipeline execution aborted due to no content from custom node/);
    const rest = await restPredict(server.restPort!, 'no_shards', { inputs: { x: [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]] } });
    assert.deepEqual([rest.status, rest.text], [204, '']);
    assert.deepEqual(await ask('no_shards_allowed'), []);
  });

  test('custom node: what a library took it gets back', async () => {
    covers('pipelines.abi-memory');
    await ask('added');
    // Outputs go back on a thread of their own, behind the answer.
    await ledger.has('release', ledger.events('allocate').length);
    assert.equal(ledger.liveAllocations(), 0);
  });

  test('custom node: a pipeline whose library is not in the file is refused, the others serve', async () => {
    covers('config.library-bad');
    covers('pipelines.v2-library');
    await assert.rejects(ask('lost_library'), /UNAVAILABLE: Pipeline is not loaded yet/);
  });

  test('js node: a TypeScript module between two models', async () => {
    const { outputs } = await client.predict('doubled', [floatTensor('x', [1, 3], [1, 2, 3])]);
    assert.deepEqual(floatsOf(outputs.get('between')), [4, 6, 8]);
    assert.deepEqual(floatsOf(outputs.get('y')), [5, 7, 9]);
  });

  test('js node: runs once a shard', async () => {
    assert.deepEqual(await ask('per_shard'), [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
  });

  test('js node: one that throws fails its request alone, with node, module and message', async () => {
    await assert.rejects(
      ask('throwing'),
      /UNKNOWN: .*Custom node failed during execution - .*throwing\/bad.*no such crop/,
    );
    assert.deepEqual(await ask('doubled', floatTensor('x', [1, 1], [0])), [3]);
  });

  test('js node: one that hangs past its time limit fails its request alone, and the pool heals', async () => {
    const [hung, fine] = await Promise.allSettled([
      ask('hanging', floatTensor('x', [1, 1], [1])),
      ask('doubled', floatTensor('x', [1, 1], [0])),
    ]);
    assert.match(String((hung as PromiseRejectedResult).reason), /hanging\/slow/);
    assert.equal(fine.status, 'fulfilled');
    assert.deepEqual(await ask('hanging', floatTensor('x', [1, 1], [0])), [0]);
  });

  test('js node: one that ends its thread fails its request alone, and the pool heals', async () => {
    await assert.rejects(ask('leaving', floatTensor('x', [1, 1], [-1])), /UNKNOWN: .*leaving\/gone/);
    assert.deepEqual(await ask('leaving', floatTensor('x', [1, 1], [7])), [7]);
  });

  test('js node: an output that does not fit its declaration fails the request', async () => {
    await assert.rejects(ask('wrong', floatTensor('x', [1, 2], [1, 2])), /UNKNOWN: .*wrong\/odd.*expected/);
  });

  test('js node: a module that cannot be read refuses its pipeline alone', async () => {
    await assert.rejects(ask('broken'), /UNAVAILABLE: Pipeline is not loaded yet/);
  });

  test('js node: a changed module is taken over while requests run, none of them fails', async () => {
    const load = new AbortController();
    const seen = new Set<number>();
    const loaded = (async () => {
      while (!load.signal.aborted) seen.add((await ask('doubled', floatTensor('x', [1, 1], [0])))[0]!);
    })();
    repository.write('double.ts', MODULES['double.ts']!.replace('= 2;', '= 10;'));
    await server.poll();
    assert.deepEqual(await ask('doubled', floatTensor('x', [1, 1], [0])), [11]);
    load.abort();
    await loaded;
    assert.ok(
      [...seen].every((value) => value === 3 || value === 11),
      [...seen].join(),
    );
  });

  test('js node: a change that does not build leaves the pipeline on what it has', async () => {
    repository.write('double.ts', 'export const inputs = ;');
    await server.poll();
    assert.deepEqual(await ask('doubled', floatTensor('x', [1, 1], [0])), [11]);
  });

  test('custom node: other params, a library that goes and comes back under load: old and new answers, documented codes', async () => {
    covers('pipelines.abi-reload', 'life-cycle.under-load');
    const load = new AbortController();
    const seen = new Set<string>();
    const loaded = (async () => {
      while (!load.signal.aborted) {
        const { code, outputs } = await client.predict('added', [ROW]);
        seen.add(code === 'OK' ? `OK ${floatsOf(outputs.get('y'))[0]}` : code);
      }
    })();
    const withAddend = PIPELINES.map((one) => (one.name === 'added' ? addedPipeline('7') : one));
    writeConfig(withAddend);
    await server.poll();
    assert.deepEqual((await ask('added'))[0], 8);
    const { add, ...rest } = libraries;
    libraries = rest;
    writeConfig(withAddend);
    await server.poll();
    await assert.rejects(ask('added'), /UNAVAILABLE: Pipeline is not loaded yet/);
    libraries = { ...rest, add: add! };
    writeConfig(PIPELINES);
    await server.poll();
    assert.deepEqual((await ask('added'))[0], 6);
    load.abort();
    await loaded;
    for (const end of seen) assert.ok(['OK 6', 'OK 8', 'UNAVAILABLE'].includes(end), end);
  });

  test('custom node: is deinitialized when its pipeline has left the file', async () => {
    covers('pipelines.abi-initialize');
    const before = ledger.events('deinitialize').length;
    writeConfig(PIPELINES.filter(({ name }) => name !== 'added'));
    await server.poll();
    await ledger.has('deinitialize', before + 1);
    await assert.rejects(ask('added'), /NOT_FOUND: Pipeline is retired/);
    assert.deepEqual((await client.predict('custom_shards', [ROW])).code, 'OK');
  });
});
