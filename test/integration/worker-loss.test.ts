import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Server } from '#src/control/server.js';
import { METHOD } from '#src/frontends/tfs/method.js';
import { encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import {
  addDummy,
  addHeavy,
  assertAnswers,
  assertServes,
  HEAVY_BODY,
  HEAVY_INPUT,
  pipelineOf,
} from '../helpers/dummy-servables.js';
import { embeddedSettings, withEmbeddedServer } from '../helpers/embedded-server.js';
import { GrpcClient, withGrpcClient } from '../helpers/grpc-client.js';
import { LogFile } from '../helpers/log-file.js';
import { TestRepository } from '../helpers/repository.js';
import { restPredict, type RestOutcome } from '../helpers/rest-client.js';

const repository = new TestRepository();
const config = repository.writeConfig(
  [addDummy(repository), addHeavy(repository)],
  [pipelineOf('dummy_pipeline', 'dummy'), pipelineOf('heavy_pipeline', 'heavy')],
);
const HEAVY_REQUEST = encodePredictRequest('heavy_pipeline', null, [HEAVY_INPUT]);
/** The line before an inference of the pipeline starts. */
const RUNNING = 'Starting infer async for node name: node';
const LOST = 'An owner worker ended before it was told to';

function settingsWithLog(name: string, ...flags: readonly string[]): [LogFile, ReturnType<typeof embeddedSettings>] {
  const log = new LogFile(repository.path(name));
  const settings = embeddedSettings(config, '--log_level', 'DEBUG', '--log_path', log.path, ...flags);
  return [log, settings];
}

async function terminate(server: Server, index: number): Promise<void> {
  await server.ownerThreads[index]!.terminate();
}

/** So many that most still wait for the one infer request whenever the worker ends, however slowly the test notices that one runs. */
const CALLS = 20;

function callHeavy(client: GrpcClient): Promise<{ readonly code: string }[]> {
  return Promise.all(Array.from({ length: CALLS }, () => client.call(METHOD.PREDICT, HEAVY_REQUEST)));
}

/** Calls that were answered before the worker ended are as good as any; the others end with an error, none hangs. */
async function assertLost(calls: Promise<{ readonly code: string }[]>): Promise<void> {
  const codes = new Set((await calls).map(({ code }) => code));
  codes.delete('OK');
  assert.deepEqual([...codes], ['UNAVAILABLE']);
}

async function assertRequestsLost(requests: Promise<PromiseSettledResult<RestOutcome>[]>): Promise<void> {
  const outcomes = await requests;
  for (const outcome of outcomes) if (outcome.status === 'fulfilled') assert.equal(outcome.value.status, 200);
  assert.ok(outcomes.some((outcome) => outcome.status === 'rejected'));
}

for (const executor of ['async', 'piscina']) {
  describe(`an owner worker that ends during an inference, --node_executor ${executor}`, () => {
    test('its calls end with an error, the next connections are served by its replacement', async () => {
      const [log, settings] = settingsWithLog(`one-${executor}.log`, '--node_executor', executor);
      await withEmbeddedServer(settings, async ({ server, grpcPort, restPort }) => {
        await withGrpcClient(grpcPort, async (client) => {
          const requests = Promise.allSettled(
            Array.from({ length: CALLS }, () => restPredict(restPort, 'heavy_pipeline', HEAVY_BODY)),
          );
          const calls = callHeavy(client);
          await log.has('request for model: heavy_pipeline', 2 * CALLS);
          await log.has(RUNNING);
          await terminate(server, 0);
          await assertLost(calls);
          await assertRequestsLost(requests);
        });
        await log.has(LOST);
        await assertServes({ grpcPort, restPort }, 'dummy');
        await assertServes({ grpcPort, restPort }, 'dummy_pipeline');
        await withGrpcClient(grpcPort, async (client) => {
          assert.equal((await client.call(METHOD.PREDICT, HEAVY_REQUEST)).code, 'OK');
        });
      });
    });
  });
}

test('an owner worker that ends again and again is replaced each time', async () => {
  const [log, settings] = settingsWithLog('again.log');
  await withEmbeddedServer(settings, async ({ server, grpcPort, restPort }) => {
    for (let round = 1; round <= 3; round += 1) {
      await withGrpcClient(grpcPort, async (client) => {
        const calls = callHeavy(client);
        await log.has('Processing gRPC request for model: heavy_pipeline', round * CALLS);
        await terminate(server, 0);
        await assertLost(calls);
      });
      await log.has(LOST, round);
      await assertServes({ grpcPort, restPort });
    }
  });
});

test('a server can be stopped right after it has lost a worker', async () => {
  const [log, settings] = settingsWithLog('stopped.log');
  await withEmbeddedServer(settings, async ({ server, grpcPort }) => {
    const client = new GrpcClient(grpcPort);
    const calls = callHeavy(client);
    await log.has('Processing gRPC request for model: heavy_pipeline', CALLS);
    await log.has(RUNNING);
    await terminate(server, 0);
    await server.stop();
    await assertLost(calls);
    client.close();
  });
});

test('of two owner workers one ends: the other keeps its connections, new ones are served by both', async () => {
  const [log, settings] = settingsWithLog('two.log', '--grpc_workers', '2');
  await withEmbeddedServer(settings, async ({ server, grpcPort, restPort }) => {
    assert.equal(server.ownerThreads.length, 2);
    const clients = Array.from({ length: 8 }, () => new GrpcClient(grpcPort));
    const calls = clients.map((client) => client.call(METHOD.PREDICT, HEAVY_REQUEST));
    await log.has('Processing gRPC request for model: heavy_pipeline', calls.length);
    await terminate(server, 0);
    const codes = (await Promise.all(calls)).map(({ code }) => code);
    assert.deepEqual(
      codes.filter((code) => code !== 'OK' && code !== 'UNAVAILABLE'),
      [],
    );
    await log.has(LOST);
    for (const client of clients) {
      // Those of the lost worker connect anew by themselves.
      await assertAnswers(client);
      client.close();
    }
    await Promise.all(Array.from({ length: 8 }, () => assertServes({ grpcPort, restPort })));
    assert.equal(server.ownerThreads.length, 2);
  });
});
