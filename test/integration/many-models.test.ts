import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { covers } from '../contract/covers.js';
import { assertServes, DUMMY_INPUT, pipelineOf } from '../helpers/dummy-servables.js';
import { withGrpcClient, type GrpcClient } from '../helpers/grpc-client.js';
import { addManyModels } from '../helpers/many-models.js';
import { TestRepository } from '../helpers/repository.js';
import { restCall } from '../helpers/rest-client.js';
import { startServerProcess } from '../helpers/server.js';

const MODELS = 500;
const MOST_THREADS = 250;
/** Answers that a client has had before the server is told to stop; others are in flight then. */
const ANSWERS = 200;

const repository = new TestRepository();

test('500 tiny models need few threads, each of them answers, and a signal under load loses no request', async () => {
  covers('life-cycle.stop', 'metrics.zeros');
  const models = addManyModels(repository, MODELS);
  const config = repository.writeConfig(models, [pipelineOf('pipe', models.at(-1)!.name)]);
  const server = await startServerProcess(['--config_path', config, '--metrics_enable']);
  try {
    await server.line('ServableManagerModule started');
    const threads = (): number => readdirSync(`/proc/${server.process.pid}/task`).length;
    assert.ok(threads() < MOST_THREADS, `${threads()} threads of ${MODELS} models`);
    await assertServes(server, 'pipe');
    const { text } = await restCall(server.restPort, 'GET', '/metrics');
    for (const { name } of [models[0]!, models.at(-1)!]) {
      assert.ok(text.includes(`ovms_streams{name="${name}",version="1"} 1\n`), name);
    }
    let answered = 0;
    let isStopping = false;
    const call = async (client: GrpcClient, first: number): Promise<void> => {
      for (let index = first; !isStopping; index += 16) {
        const { code, details } = await client.predict(models[index % MODELS]!.name, [DUMMY_INPUT]);
        assert.equal(code, 'OK', details);
        answered += 1;
        if (answered !== ANSWERS) continue;
        isStopping = true;
        assert.ok(threads() < MOST_THREADS, `${threads()} threads under load`);
        server.process.kill('SIGTERM');
      }
    };
    await withGrpcClient(server.grpcPort, (client) =>
      Promise.all(Array.from({ length: 16 }, (_, first) => call(client, first))),
    );
    assert.ok(answered >= ANSWERS);
    await server.line('Server stopped');
    assert.equal(await server.exited, 0);
  } finally {
    await server.stop();
  }
});
