import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { METHOD } from '#src/frontends/tfs/method.js';
import { covers } from '../../contract/covers.js';
import { writeReshapeRowsModel } from '../../fixtures/ir.js';
import { ALONE, answerOf, batchedRequest, ROWS, writeBatchedServables } from '../../helpers/batched-servables.js';
import { addDummy, DUMMY_BODY } from '../../helpers/dummy-servables.js';
import { withEmbeddedServer, embeddedSettings } from '../../helpers/embedded-server.js';
import { GrpcClient, withGrpcClient } from '../../helpers/grpc-client.js';
import { scrape } from '../../helpers/metrics-page.js';
import { TestRepository } from '../../helpers/repository.js';
import { restCall, restPredict } from '../../helpers/rest-client.js';
import { startServerProcess, withServerProcess, type ServerProcess } from '../../helpers/server.js';

const CLIENTS = 64;
const SERVABLES = Object.keys(ROWS);
const DELAY = { max_batch_size: 8, max_queue_delay_microseconds: 2000, preferred_batch_size: [4] };

/** An answer, or the code of the error. */
async function ask(client: GrpcClient, servable: string, seed: number, suffix = ''): Promise<unknown> {
  const rows = ROWS[servable]!.mayHaveMany ? 1 + (seed % 3) : 1;
  const { code, bytes } = await client.call(METHOD.PREDICT, batchedRequest(servable, rows, seed, suffix));
  return code === 'OK' ? answerOf(bytes) : code;
}

/** Sixty-four clients, each with a connection of its own, ask all servables at once, and once more one by one. */
async function assertOwnAnswers(grpcPort: number): Promise<void> {
  const clients = Array.from({ length: CLIENTS }, () => new GrpcClient(grpcPort));
  try {
    const asked = clients.flatMap((client, index) => SERVABLES.map((servable) => ({ client, servable, seed: index })));
    const got = await Promise.all(asked.map(({ client, servable, seed }) => ask(client, servable, seed)));
    for (const [index, { client, servable, seed }] of asked.entries()) {
      assert.deepEqual(got[index], await ask(client, servable, seed, ALONE), `${servable} ${seed}`);
    }
  } finally {
    for (const client of clients) client.close();
  }
}

for (const [executor, batching] of [
  ['async', { max_batch_size: 8 }],
  ['async', DELAY],
  ['adaptive', { max_batch_size: 8 }],
  ['piscina', { max_batch_size: 8 }],
] as const) {
  const delay = 'max_queue_delay_microseconds' in batching ? ', with a delay and a preferred size' : '';
  test(`batching: ${CLIENTS} clients get their own answers, --node_executor ${executor}${delay}`, async () => {
    covers('scheduling.batching');
    const repository = new TestRepository();
    const { models, pipelines } = writeBatchedServables(repository, batching);
    const flags = ['--node_executor', executor, '--metrics_enable'];
    const config = repository.writeConfig(models, pipelines);
    await withServerProcess(['--config_path', config, ...flags], async ({ grpcPort, restPort }) => {
      await assertOwnAnswers(grpcPort);
      const page = await scrape(restPort);
      const labels = { name: 'dense', version: '1' };
      const inferences = page.figure('vinery_batch_size_count', labels);
      const requests = page.figure('vinery_batched_requests_total', labels);
      assert.ok(inferences > 0 && inferences < requests, `${inferences} inferences for ${requests} requests`);
    });
  });
}

describe('batching: a server', () => {
  let repository: TestRepository;
  let server: ServerProcess;

  before(async () => {
    repository = new TestRepository();
    const { models, pipelines } = writeBatchedServables(repository);
    const config = repository.writeConfig(models, pipelines);
    // Whoever reloads the config here wants to be the one who does it, not the server's own look at the file.
    const flags = ['--metrics_enable', '--file_system_poll_wait_seconds', '0'];
    server = await startServerProcess(['--config_path', config, ...flags]);
    await server.line('ServableManagerModule started');
  });

  after(async () => {
    assert.equal(await server.stop(), 0);
  });

  test('counts rows an inference, requests, and copies, of batched models alone', async () => {
    covers('metrics.own-families');
    const of = async () => {
      const page = await scrape(server.restPort);
      const labels = { name: 'any', version: '1' };
      return {
        page,
        inferences: page.figure('vinery_batch_size_count', labels),
        rows: page.figure('vinery_batch_size_sum', labels),
        requests: page.figure('vinery_batched_requests_total', labels),
        copied: page.figure('vinery_tensor_bytes_copied_total', { reason: 'batch' }),
        inferenceTimes: page.figure('ovms_inference_time_us_count', labels),
        waits: page.figure('ovms_wait_for_infer_req_time_us_count', labels),
      };
    };
    const earlier = await of();
    await withGrpcClient(server.grpcPort, (client) =>
      Promise.all(Array.from({ length: 30 }, (_, seed) => ask(client, 'any', seed))),
    );
    const later = await of();
    assert.equal(later.requests - earlier.requests, 30);
    // One, two or three rows a request.
    assert.equal(later.rows - earlier.rows, 60);
    assert.equal(later.inferenceTimes, later.inferences);
    assert.equal(later.waits, later.requests);
    assert.ok(later.inferences - earlier.inferences < 30);
    assert.ok(later.copied > earlier.copied);
    const { page } = later;
    assert.equal(page.figure('ovms_current_requests', { name: 'any', version: '1' }), 0);
    assert.deepEqual(page.series('vinery_batched_requests_total', ALONE), []);
    const bounds = page.series('vinery_batch_size_bucket', 'name="any"').map(([key]) => /le="([^"]+)"/.exec(key)![1]);
    assert.deepEqual(bounds.slice(0, 4), ['1', '2', '3', '4']);
    assert.equal(bounds.at(-1), '+Inf');
  });

  test('calls that are cancelled, and such whose deadline passes, leave the others their answers', async () => {
    await withGrpcClient(server.grpcPort, async (client) => {
      const calls = Array.from({ length: 200 }, (_, seed) => {
        const servable = SERVABLES[seed % SERVABLES.length]!;
        const call = client.begin(METHOD.PREDICT, batchedRequest(servable, 1, seed), seed % 5 === 1 ? 1 : undefined);
        if (seed % 5 === 0) setImmediate(() => call.cancel());
        return { servable, seed, call };
      });
      for (const { servable, seed, call } of calls) {
        const { code, bytes } = await call.outcome;
        const mayEnd = ['OK', ...(seed % 5 === 0 ? ['CANCELLED'] : seed % 5 === 1 ? ['DEADLINE_EXCEEDED'] : [])];
        assert.ok(mayEnd.includes(code), `${code} of call ${seed}`);
        if (code !== 'OK') continue;
        const alone = await client.call(METHOD.PREDICT, batchedRequest(servable, 1, seed, ALONE));
        assert.deepEqual(answerOf(bytes), answerOf(alone.bytes));
      }
    });
    const page = await scrape(server.restPort);
    for (const name of ['dense', 'any', 'convolution']) {
      assert.equal(page.figure('ovms_current_requests', { name, version: '1' }), 0);
    }
  });

  test('a REST client is joined with the others', async () => {
    const values = Array.from({ length: 16 }, (_, index) => index);
    const outcomes = await Promise.all(
      ['any', 'any', `any${ALONE}`].map((name) => restPredict(server.restPort, name, { inputs: { b: [values] } })),
    );
    assert.equal(outcomes[0]!.status, 200);
    assert.deepEqual([outcomes[1]!.text, outcomes[1]!.text], [outcomes[0]!.text, outcomes[2]!.text]);
  });

  test('a reload while batches wait and run fails nobody', async () => {
    let isOver = false;
    const clients = Array.from({ length: 8 }, () => new GrpcClient(server.grpcPort));
    const loops = clients.map(async (client, index) => {
      let answers = 0;
      for (let seed = index; !isOver; seed += clients.length) {
        const servable = SERVABLES[seed % SERVABLES.length]!;
        assert.equal(typeof (await ask(client, servable, seed)), 'object', servable);
        answers += 1;
      }
      return answers;
    });
    for (const batching of [{ max_batch_size: 4 }, null, DELAY, { max_batch_size: 8 }]) {
      const { models, pipelines } = writeBatchedServables(repository);
      const changed = models.map(({ dynamic_batching: had, ...model }) =>
        had === undefined || batching === null ? model : { ...model, dynamic_batching: batching },
      );
      repository.writeConfig(changed, pipelines);
      const { status, text } = await restCall(server.restPort, 'POST', '/v1/config/reload');
      assert.equal(status, 201, text);
    }
    isOver = true;
    for (const answers of await Promise.all(loops)) assert.ok(answers > 0);
    for (const client of clients) client.close();
  });
});

test('batching: shapes that the model refuses fail each request of the batch, and nobody else', async () => {
  const repository = new TestRepository();
  writeReshapeRowsModel(repository.path('open', '1'));
  const config = repository.writeConfig([{ name: 'open', nireq: 1, dynamic_batching: { max_batch_size: 8 } }]);
  await withEmbeddedServer(embeddedSettings(config), async ({ restPort }) => {
    const call = (width: number) =>
      restPredict(restPort, 'open', { inputs: { b: [Array.from({ length: width }, () => 0.5)] } });
    const outcomes = await Promise.all([10, 9, 10, 9, 9, 10].map(call));
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      [200, 412, 200, 412, 412, 200],
    );
    for (const { status, text } of outcomes) if (status === 412) assert.match(text, /Model could not be reshaped/);
  });
});

test('batching: a single model takes it from the command line', async () => {
  covers('cli.dynamic-batching');
  const repository = new TestRepository();
  addDummy(repository);
  const flags = ['--model_name', 'dummy', '--model_path', repository.path('dummy'), '--metrics_enable'];
  const batching = ['--dynamic_batching', '{"max_batch_size": 4}'];
  await withServerProcess([...flags, ...batching], async ({ restPort }) => {
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => restPredict(restPort, 'dummy', DUMMY_BODY)));
    assert.ok(outcomes.every(({ status }) => status === 200));
    const page = await scrape(restPort);
    assert.equal(page.figure('vinery_batched_requests_total', { name: 'dummy', version: '1' }), 8);
  });
});
