import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { METHOD } from '#src/frontends/tfs/method.js';
import { decodePredictResponse, encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { covers } from '../contract/covers.js';
import { addDummy, addHeavy, HEAVY_BODY, HEAVY_INPUT, pipelineOf, ZEROS } from '../helpers/dummy-servables.js';
import { GrpcClient, type RunningCall } from '../helpers/grpc-client.js';
import { grpcFrame, http2Call } from '../helpers/http2-call.js';
import { TestRepository } from '../helpers/repository.js';
import { restCall } from '../helpers/rest-client.js';
import { startServerProcess, type ServerProcess } from '../helpers/server.js';
import { floatsOf, floatTensor } from '../helpers/tensors.js';

const DEADLINE_EXCEEDED = '4';
/** Calls that are in front in the queue of the one infer request. */
const IN_FRONT = 4;

let server: ServerProcess;
let client: GrpcClient;

before(async () => {
  const repository = new TestRepository();
  const config = repository.writeConfig(
    [addDummy(repository), addHeavy(repository)],
    [pipelineOf('heavy_pipeline', 'heavy')],
  );
  server = await startServerProcess(['--config_path', config, '--log_level', 'DEBUG']);
  await server.line('ServableManagerModule started');
  client = new GrpcClient(server.grpcPort);
});

after(async () => {
  client.close();
  assert.equal(await server.stop(), 0);
});

test('256 calls at once over one connection are all answered, each with its own result', async () => {
  covers('tfs-grpc.concurrent-streams');
  const outcomes = await Promise.all(
    Array.from({ length: 256 }, (_, index) => {
      const values = ZEROS.map((_, position) => index * 10 + position);
      return client.predict('dummy', [floatTensor('b', [1, 10], values)]);
    }),
  );
  outcomes.forEach(({ code, details, outputs }, index) => {
    assert.equal(code, 'OK', details);
    const expected = ZEROS.map((_, position) => index * 10 + position + 1);
    assert.deepEqual(floatsOf(outputs.get('a')), expected);
  });
});

for (const servable of ['heavy', 'heavy_pipeline']) {
  const request = encodePredictRequest(servable, null, [HEAVY_INPUT]);

  test(`${servable}: a call whose deadline passes in the queue is refused by the server and never runs`, async () => {
    covers('tfs-grpc.deadline');
    await assertLeavesOthersAlone(servable, async () => {
      const timeout = { 'grpc-timeout': '20m' };
      const status = await http2Call(server.grpcPort, METHOD.PREDICT, grpcFrame(request), timeout);
      assert.equal(status, DEADLINE_EXCEEDED);
    });
  });

  test(`${servable}: a client's own deadline ends its call alone`, async () => {
    await assertLeavesOthersAlone(servable, async () => {
      assert.equal((await client.begin(METHOD.PREDICT, request, 20).outcome).code, 'DEADLINE_EXCEEDED');
    });
  });

  test(`${servable}: a call that is cancelled in the queue never runs`, async () => {
    await assertLeavesOthersAlone(servable, async (queued) => {
      const call = client.begin(METHOD.PREDICT, request);
      await queued('gRPC');
      call.cancel();
      assert.equal((await call.outcome).code, 'CANCELLED');
    });
  });

  test(`${servable}: a REST client that leaves takes only its own request with it`, async () => {
    await assertLeavesOthersAlone(servable, async (queued) => {
      const abort = new AbortController();
      const path = `/v1/models/${servable}:predict`;
      const outcome = assert.rejects(restCall(server.restPort, 'POST', path, HEAVY_BODY, abort.signal), {
        name: 'AbortError',
      });
      await queued('REST');
      abort.abort();
      await outcome;
    });
  });

  test(`${servable}: a call that is cancelled while it runs disturbs nobody`, async () => {
    const counted = processed(servable, 'gRPC');
    const calls = Array.from({ length: IN_FRONT }, () => client.begin(METHOD.PREDICT, request));
    await server.linesWith(processing(servable, 'gRPC'), counted + IN_FRONT);
    calls[0]!.cancel();
    assert.equal((await calls[0]!.outcome).code, 'CANCELLED');
    await assertAnswered(calls.slice(1));
  });
}

/**
 * Fills the queue, lets `leave` join it and leave it, and checks that those in front were answered and that nobody else's inference
 * ran: one more request, behind them all, is the last that the log counts.
 * @param leave gets a wait for its own request to have been received over an interface.
 */
async function assertLeavesOthersAlone(
  servable: string,
  leave: (queued: (port: 'gRPC' | 'REST') => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const request = encodePredictRequest(servable, null, [HEAVY_INPUT]);
  const before = { inferences: count(INFERENCE[servable]!), rest: processed(servable, 'REST') };
  const counted = processed(servable, 'gRPC');
  const calls = Array.from({ length: IN_FRONT }, () => client.begin(METHOD.PREDICT, request));
  await server.linesWith(processing(servable, 'gRPC'), counted + IN_FRONT);
  await leave((port) => {
    const earlier = port === 'REST' ? before.rest : counted + IN_FRONT;
    return server.linesWith(processing(servable, port), earlier + 1);
  });
  await assertAnswered(calls);
  await assertAnswered([client.begin(METHOD.PREDICT, request)]);
  await server.linesWith(INFERENCE[servable]!, before.inferences + IN_FRONT + 1);
  assert.equal(count(INFERENCE[servable]!), before.inferences + IN_FRONT + 1);
}

/** One line an inference. */
const INFERENCE: Readonly<Record<string, string>> = {
  heavy: 'Prediction duration in model heavy',
  heavy_pipeline: 'Inference processing time for node node; model name: heavy',
};

function processing(servable: string, port: 'gRPC' | 'REST'): string {
  return `Processing ${port} request for model: ${servable};`;
}

function processed(servable: string, port: 'gRPC' | 'REST'): number {
  return count(processing(servable, port));
}

function count(text: string): number {
  return server.lines.filter((line) => line.includes(text)).length;
}

async function assertAnswered(calls: readonly RunningCall[]): Promise<void> {
  for (const { code, details, bytes } of await Promise.all(calls.map((call) => call.outcome))) {
    assert.equal(code, 'OK', details);
    assert.deepEqual(decodePredictResponse(bytes).get('a')?.shape, HEAVY_INPUT.shape);
  }
}
