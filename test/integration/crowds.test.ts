import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { writeHeavyModel } from '../fixtures/ir.js';
import { GrpcClient } from '../helpers/grpc-client.js';
import { modelNode, pipeline, TestRepository, type Model } from '../helpers/repository.js';
import { withServerProcess, type ServerProcess } from '../helpers/server.js';
import { floatsOf, floatTensor } from '../helpers/tensors.js';

const SIZE = 256;
const COMPILED = 'compiled for throughput, too';
const input = floatTensor(
  'b',
  [SIZE, SIZE],
  Array.from({ length: SIZE ** 2 }, (_, index) => Math.sin(index)),
);
const oneCore = availableParallelism() < 2 ? 'one core has no streams to choose from' : false;

/** Two models that are far too slow for inline inference, and a pipeline of both. */
function writeRepository(repository: TestRepository, settings: Partial<Model> = {}): string {
  const models = [4, 12].map((depth) => {
    const name = `depth${depth}`;
    writeHeavyModel(repository.path(name, '1'), { size: SIZE, depth: depth * 10 });
    return { name, ...settings };
  });
  const nodes = models.map(({ name }) => modelNode(name, name, { b: 'request.b' }, ['a']));
  return repository.writeConfig(models, [pipeline('both', ['b'], nodes, { a: 'depth4.a', c: 'depth12.a' })]);
}

/** Asks over and over, six at a time, until the server has printed `count` such lines. @returns what all of them were answered. */
async function crowdUntil(server: ServerProcess, line: string, count: number): Promise<readonly string[]> {
  const client = new GrpcClient(server.grpcPort);
  const answers: string[] = [];
  let isOver = false;
  const loops = Array.from({ length: 6 }, async () => {
    while (!isOver) answers.push(await ask(client));
  });
  try {
    await server.linesWith(line, count);
  } finally {
    isOver = true;
    await Promise.all(loops);
    client.close();
  }
  return answers;
}

/** Both outputs, as far as different ways to add up the same numbers agree. */
async function ask(client: GrpcClient): Promise<string> {
  const { code, outputs } = await client.predict('both', [input]);
  return [code, ...['a', 'c'].map((name) => rounded(floatsOf(outputs.get(name))))].join(' ');
}

function rounded(values: readonly number[]): string {
  return values
    .slice(0, 8)
    .map((value) => value.toFixed(2))
    .join(',');
}

test('models that requests wait for are compiled for throughput, and answer as before', { skip: oneCore }, async () => {
  const repository = new TestRepository();
  await withServerProcess(['--config_path', writeRepository(repository)], async (server) => {
    const client = new GrpcClient(server.grpcPort);
    const alone = await ask(client);
    const crowded = await crowdUntil(server, COMPILED, 2);
    const later = await Promise.all(Array.from({ length: 30 }, () => ask(client)));
    // One at a time again, as it began.
    const last: string[] = [];
    for (let index = 0; index < 20; index += 1) last.push(await ask(client));
    assert.match(alone, /^OK /);
    assert.deepEqual(new Set([...crowded, ...later, ...last]), new Set([alone]));
    client.close();
    assert.equal(await server.stop(), 0);
  });
});

test('models whose infer requests were chosen are left as they are', async () => {
  const repository = new TestRepository();
  const config = writeRepository(repository, { nireq: 1 });
  await withServerProcess(['--config_path', config, '--log_level', 'DEBUG'], async (server) => {
    await crowdUntil(server, 'Total gRPC request processing time', 40);
    assert.equal(
      server.lines.find((line) => line.includes(COMPILED)),
      undefined,
    );
  });
});
