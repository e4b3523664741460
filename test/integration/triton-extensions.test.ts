import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { METHOD } from '#src/frontends/kserve/method.js';
import { covers } from '../contract/covers.js';
import { addDummy, DUMMY_INPUT, pipelineOf } from '../helpers/dummy-servables.js';
import { GrpcClient } from '../helpers/grpc-client.js';
import { decodeKserve, encodeKserve, type Fields, rawInferRequest } from '../helpers/kserve-messages.js';
import { TestRepository } from '../helpers/repository.js';
import { errorOf, restCall, type RestOutcome } from '../helpers/rest-client.js';
import { startServerProcess, type ServerProcess } from '../helpers/server.js';

let server: ServerProcess;
let client: GrpcClient;

before(async () => {
  const repository = new TestRepository();
  const models = [addDummy(repository), addDummy(repository, 'stats'), { name: 'broken' }];
  const config = repository.writeConfig(models, [pipelineOf('dummy_pipeline', 'dummy')]);
  server = await startServerProcess(['--config_path', config, '--grpc_workers', '2']);
  await server.line('ServableManagerModule started');
  client = new GrpcClient(server.grpcPort);
});

after(async () => {
  client.close();
  assert.equal(await server.stop(), 0);
});

function get(path: string): Promise<RestOutcome> {
  return restCall(server.restPort, 'GET', path);
}

async function ask(path: string, kind: string, fields: Fields): Promise<{ status: string; answer: Fields }> {
  const { code, details, bytes } = await client.call(path, encodeKserve(`${kind}Request`, fields));
  return { status: `${code} ${details}`.trim(), answer: decodeKserve(`${kind}Response`, bytes) };
}

interface Statistics extends Fields {
  readonly name: string;
  readonly inference_stats: Readonly<Record<string, { readonly count: number; readonly ns: number }>>;
}

async function grpcStatistics(name: string, version = ''): Promise<readonly Statistics[]> {
  const { status, answer } = await ask(METHOD.MODEL_STATISTICS, 'ModelStatistics', { name, version });
  assert.equal(status, 'OK');
  return answer['model_stats'] as readonly Statistics[];
}

test('statistics: counts and times of requests, the same over both APIs', async () => {
  covers('kserve.statistics');
  for (const servable of ['dummy', 'dummy_pipeline']) {
    const [before] = await grpcStatistics(servable);
    for (let round = 0; round < 3; round += 1)
      assert.equal((await client.call(METHOD.MODEL_INFER, rawInferRequest(servable, [DUMMY_INPUT]))).code, 'OK');
    const wrong = { ...DUMMY_INPUT, shape: [1, 9], bytes: DUMMY_INPUT.bytes.subarray(4) };
    assert.equal((await client.call(METHOD.MODEL_INFER, rawInferRequest(servable, [wrong]))).code, 'INVALID_ARGUMENT');
    const [after] = await grpcStatistics(servable, '1');
    const grown = (kind: string): number => after!.inference_stats[kind]!.count - before!.inference_stats[kind]!.count;
    assert.deepEqual(
      ['success', 'fail', 'queue', 'compute_input', 'compute_infer', 'compute_output', 'cache_hit'].map(grown),
      [3, 1, 3, 3, 3, 3, 0],
    );
    assert.equal(Number(after!['inference_count']) - Number(before!['inference_count']), 3);
    assert.ok(after!.inference_stats['success']!.ns > before!.inference_stats['success']!.ns);
    for (const version of ['', '/versions/1']) {
      const { status, text } = await get(`/v2/models/${servable}${version}/stats`);
      assert.equal(status, 200);
      assert.deepEqual((JSON.parse(text) as Fields)['model_stats'], [after]);
    }
  }
  const all = await grpcStatistics('');
  assert.deepEqual(
    all.map(({ name }) => name),
    ['dummy', 'dummy_pipeline', 'stats'],
  );
});

test('statistics: names and versions that are not there are not found', async () => {
  covers('kserve.statistics');
  const missing = 'Model with requested name is not found';
  const { status } = await ask(METHOD.MODEL_STATISTICS, 'ModelStatistics', { name: 'nobody' });
  assert.equal(status, `NOT_FOUND ${missing}`);
  const answer = await get('/v2/models/nobody/stats');
  assert.deepEqual([answer.status, errorOf(answer)], [404, missing]);
  assert.equal((await get('/v2/models/dummy/versions/7/stats')).status, 404);
});

test('statistics of all have the address of the metadata of a servable of that name, which goes first', async () => {
  covers('kserve.statistics', 'kserve.model-metadata');
  assert.equal((JSON.parse((await get('/v2/models/stats')).text) as Fields)['name'], 'stats');
  assert.equal((await get('/v2/models/stats/stats')).status, 200);
});

test('configuration: the tensors of models and pipelines', async () => {
  covers('kserve.model-config');
  for (const name of ['dummy', 'dummy_pipeline']) {
    const tensor = (name: string): Fields => ({ name, data_type: 'TYPE_FP32', dims: [1, 10] });
    const config = {
      name,
      platform: 'OpenVINO',
      backend: 'openvino',
      max_batch_size: 0,
      input: [tensor('b')],
      output: [tensor('a')],
    };
    const { status, answer } = await ask(METHOD.MODEL_CONFIG, 'ModelConfig', { name, version: '' });
    const inNumbers = JSON.parse(JSON.stringify(config).replaceAll('"TYPE_FP32"', '11')) as Fields;
    assert.deepEqual([status, answer['config']], ['OK', inNumbers]);
    assert.deepEqual(JSON.parse((await get(`/v2/models/${name}/config`)).text), config);
  }
  assert.equal((await get('/v2/models/nobody/config')).status, 404);
});

test('index: every version with its state', async () => {
  covers('kserve.repository-index');
  const ready = ['dummy', 'dummy_pipeline', 'stats'].map((name) => ({
    name,
    version: '1',
    state: 'READY',
    reason: '',
  }));
  const whole = await ask(METHOD.REPOSITORY_INDEX, 'RepositoryIndex', {});
  assert.deepEqual(whole, { status: 'OK', answer: { models: ready } });
  const onlyReady = await ask(METHOD.REPOSITORY_INDEX, 'RepositoryIndex', { ready: true });
  assert.deepEqual(onlyReady.answer['models'], ready);
  for (const body of ['', { ready: true }]) {
    const { status, text } = await restCall(server.restPort, 'POST', '/v2/repository/index', body);
    assert.deepEqual([status, JSON.parse(text)], [200, ready]);
  }
});

test('extensions: the metadata of the server names them', async () => {
  covers('kserve.server-metadata');
  const extensions = ['binary_tensor_data', 'model_configuration', 'statistics', 'system_shared_memory'];
  assert.deepEqual((JSON.parse((await get('/v2')).text) as Fields)['extensions'], extensions);
  assert.deepEqual((await ask(METHOD.SERVER_METADATA, 'ServerMetadata', {})).answer['extensions'], extensions);
});
