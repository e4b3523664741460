import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client, credentials, status } from '@grpc/grpc-js';
import { HEALTH_CHECK, HEALTH_WATCH } from '#src/frontends/grpc/health.js';
import { REFLECTION_METHODS } from '#src/frontends/grpc/reflection.js';
import { METHOD } from '#src/frontends/kserve/method.js';
import { covers } from '../contract/covers.js';
import { addDummy, DUMMY_INPUT, ONES, pipelineOf, ZEROS } from '../helpers/dummy-servables.js';
import { GrpcClient } from '../helpers/grpc-client.js';
import { decodeKserve, encodeKserve, type Fields, rawInferRequest } from '../helpers/kserve-messages.js';
import { TestRepository } from '../helpers/repository.js';
import { errorOf, restCall } from '../helpers/rest-client.js';
import { startServerProcess, type ServerProcess } from '../helpers/server.js';
import { bytesOf } from '../helpers/tensors.js';

let server: ServerProcess;
let client: GrpcClient;

before(async () => {
  const repository = new TestRepository();
  const config = repository.writeConfig([addDummy(repository)], [pipelineOf('dummy_pipeline', 'dummy')]);
  server = await startServerProcess(['--config_path', config]);
  await server.line('ServableManagerModule started');
  client = new GrpcClient(server.grpcPort);
});

after(async () => {
  client.close();
  assert.equal(await server.stop(), 0);
});

const JSON_INPUT = { name: 'b', shape: [1, 10], datatype: 'FP32', data: ZEROS };
async function infer(request: Uint8Array): Promise<{ status: string; answer: Fields }> {
  const { code, details, bytes } = await client.call(METHOD.MODEL_INFER, request);
  return { status: `${code} ${details}`.trim(), answer: decodeKserve('ModelInferResponse', bytes) };
}

function restInfer(servable: string, body: unknown): ReturnType<typeof restCall> {
  return restCall(server.restPort, 'POST', `/v2/models/${servable}/infer`, body);
}

async function assertBareOk(path: string): Promise<void> {
  const { status, text } = await restCall(server.restPort, 'GET', path);
  assert.deepEqual([status, text], [200, '']);
}

for (const servable of ['dummy', 'dummy_pipeline']) {
  describe(`KServe on ${servable}`, () => {
    const ONES_BYTES = Buffer.from(bytesOf(Float32Array.from(ONES)));

    test('raw and typed contents are answered in raw contents', async () => {
      covers('kserve.raw-answer', 'kserve.answer-head');
      const typed = encodeKserve('ModelInferRequest', {
        model_name: servable,
        inputs: [{ name: 'b', datatype: 'FP32', shape: [1, 10], contents: { fp32_contents: ZEROS } }],
      });
      for (const request of [rawInferRequest(servable, [DUMMY_INPUT]), typed]) {
        const { status, answer } = await infer(request);
        assert.equal(status, 'OK');
        assert.deepEqual([answer['model_name'], answer['model_version']], [servable, '1']);
        assert.deepEqual(answer['raw_output_contents'], [ONES_BYTES]);
      }
    });

    test('JSON is answered in JSON', async () => {
      covers('kserve.answer-head', 'kserve.rest-fields');
      const { status, text } = await restInfer(servable, { id: 'x', inputs: [JSON_INPUT] });
      assert.equal(status, 200);
      const output = { name: 'a', shape: [1, 10], datatype: 'FP32', data: ONES };
      assert.deepEqual(JSON.parse(text), { model_name: servable, id: 'x', model_version: '1', outputs: [output] });
    });

    test('it is ready, and says what it takes and gives', async () => {
      covers('kserve.model-ready', 'kserve.model-metadata');
      const ready = await client.call(METHOD.MODEL_READY, encodeKserve('ModelReadyRequest', { name: servable }));
      assert.deepEqual(decodeKserve('ModelReadyResponse', ready.bytes), { ready: true });
      const { bytes } = await client.call(
        METHOD.MODEL_METADATA,
        encodeKserve('ModelMetadataRequest', { name: servable }),
      );
      const metadata = decodeKserve('ModelMetadataResponse', bytes);
      assert.deepEqual(metadata, {
        name: servable,
        versions: ['1'],
        platform: 'OpenVINO',
        inputs: [{ name: 'b', datatype: 'FP32', shape: [1, 10] }],
        outputs: [{ name: 'a', datatype: 'FP32', shape: [1, 10] }],
      });
      const path = `/v2/models/${servable}`;
      await assertBareOk(`${path}/ready`);
      for (const suffix of ['', '/', '/versions/1']) {
        assert.deepEqual(JSON.parse((await restCall(server.restPort, 'GET', path + suffix)).text), metadata);
      }
    });
  });
}

const NO_GRAPH = 'Mediapipe graph definition with requested name is not found';

test('KServe: an unknown name is not found', async () => {
  covers('errors.infer-unknown-name', 'errors.ask-unknown-name');
  assert.equal((await infer(rawInferRequest('nobody', [DUMMY_INPUT]))).status, `NOT_FOUND ${NO_GRAPH}`);
  const answer = await restInfer('nobody', { inputs: [JSON_INPUT] });
  assert.deepEqual([answer.status, errorOf(answer)], [404, NO_GRAPH]);
  const ready = await restCall(server.restPort, 'GET', '/v2/models/nobody/ready');
  assert.deepEqual([ready.status, errorOf(ready)], [404, 'Model with requested name is not found']);
});

test('KServe: an unknown version is not found, and one that is no number is refused', async () => {
  covers('errors.unknown-version', 'errors.version-format');
  const ask = (version: string): ReturnType<typeof infer> =>
    infer(rawInferRequest('dummy', [DUMMY_INPUT], { model_version: version }));
  assert.equal((await ask('7')).status, 'NOT_FOUND Model with requested version is not found');
  assert.equal((await ask('one')).status, 'INVALID_ARGUMENT invalid model version format in request');
  assert.equal((await restInfer('dummy/versions/7', { inputs: [JSON_INPUT] })).status, 404);
  assert.equal((await restInfer('dummy/versions/one', { inputs: [JSON_INPUT] })).status, 400);
});

test('KServe: the server is live, ready and tells its name on both ports', async () => {
  covers('kserve.server-live', 'kserve.server-ready', 'kserve.server-metadata');
  for (const [path, body] of [
    ['/v2/health/live', '{"live":true}'],
    ['/v2/health/ready', '{"ready":true}'],
  ] as const) {
    const { status, text, headers } = await restCall(server.restPort, 'GET', path);
    assert.deepEqual([status, text, headers['content-type']], [200, body, 'application/json']);
  }
  const { text } = await restCall(server.restPort, 'GET', '/v2');
  assert.equal((JSON.parse(text) as Fields)['name'], 'OpenVINO Model Server');
  const ready = await client.call(METHOD.SERVER_READY, new Uint8Array(0));
  assert.deepEqual(decodeKserve('ServerReadyResponse', ready.bytes), { ready: true });
});

test('gRPC health: the server serves, and an unknown service is not found', async () => {
  covers('tfs-grpc.discovery');
  const whole = await client.call(HEALTH_CHECK, new Uint8Array(0));
  assert.deepEqual([whole.code, Buffer.from(whole.bytes)], ['OK', Buffer.from([8, 1])]);
  const unknown = await client.call(HEALTH_CHECK, Buffer.from('\x0a\x01x'));
  assert.equal(unknown.code, 'NOT_FOUND');
});

/** Opens a stream of one message; resolves with the first answer, and then with how it ended. */
function openStream(
  port: number,
  path: string,
  message: Uint8Array,
): { first: Promise<Buffer>; ended: Promise<string> } {
  const identity = (bytes: Buffer): Buffer => bytes;
  const connection = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  });
  const call = connection.makeBidiStreamRequest(path, identity, identity);
  const first = new Promise<Buffer>((resolve) => call.once('data', resolve));
  const ended = new Promise<string>((resolve) => {
    call.on('error', () => undefined);
    call.once('status', ({ code, details }) => {
      connection.close();
      resolve(`${status[code]} ${details}`);
    });
  });
  call.end(Buffer.from(message));
  return { first, ended };
}

test('KServe: ModelStreamInfer finds no graph', async () => {
  covers('kserve.stream-infer');
  const { ended } = openStream(server.grpcPort, METHOD.MODEL_STREAM_INFER, rawInferRequest('dummy', [DUMMY_INPUT]));
  assert.equal(await ended, `NOT_FOUND ${NO_GRAPH}`);
});

test('gRPC reflection: every service is listed', async () => {
  covers('tfs-grpc.discovery', 'tfs-grpc.one-port');
  const [path] = REFLECTION_METHODS;
  const { first, ended } = openStream(server.grpcPort, path!, Buffer.from([0x3a, 0]));
  const text = (await first).toString('latin1');
  for (const service of [
    'tensorflow.serving.PredictionService',
    'tensorflow.serving.ModelService',
    'inference.GRPCInferenceService',
    'grpc.health.v1.Health',
    'grpc.reflection.v1.ServerReflection',
    'grpc.reflection.v1alpha.ServerReflection',
  ]) {
    assert.ok(text.includes(service), service);
  }
  assert.match(await ended, /^OK/);
});

test('gRPC health: a watch stays open until the server stops, and does not keep it from stopping', async () => {
  const repository = new TestRepository();
  const other = await startServerProcess(['--config_path', repository.writeConfig([addDummy(repository)])]);
  await other.line('ServableManagerModule started');
  const { first, ended } = openStream(other.grpcPort, HEALTH_WATCH, new Uint8Array(0));
  assert.deepEqual(await first, Buffer.from([8, 1]));
  const exit = other.stop();
  assert.equal(await ended, 'UNAVAILABLE Server is stopping');
  assert.equal(await exit, 0);
});
