import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { METHOD as KSERVE } from '#src/frontends/kserve/method.js';
import { METHOD } from '#src/frontends/tfs/method.js';
import { writeDummyModel } from '../fixtures/ir.js';
import { covers } from '../contract/covers.js';
import type { RowId } from '../contract/rows/index.js';
import { addDummy, DUMMY_BODY, DUMMY_INPUT, pipelineOf, ZEROS } from '../helpers/dummy-servables.js';
import { FourApis, restText, rpcText, type Question } from '../helpers/four-apis.js';
import { decodeKserve, encodeKserve, type Fields } from '../helpers/kserve-messages.js';
import { type Model, TestRepository } from '../helpers/repository.js';
import { startServerProcess, type ServerProcess } from '../helpers/server.js';
import { decodeTfs, encodeTfs } from '../helpers/tfs-messages.js';

const RT_INFO = '<model_info><model_type value="ssd"/><resize><width value="640"/></resize></model_info>';

let server: ServerProcess;
let apis: FourApis;

before(async () => {
  const repository = new TestRepository();
  const addVersions = (policy: Model['model_version_policy']): Model => ({
    name: 'several',
    model_version_policy: policy!,
  });
  for (const version of [1, 2, 3]) writeDummyModel(repository.path('several', String(version)), { addend: version });
  writeDummyModel(repository.path('open', '1'), { shape: [-1, 10], rtInfo: RT_INFO });
  mkdirSync(repository.path('broken', '1'), { recursive: true });
  writeFileSync(repository.path('broken', '1', 'model.xml'), '<net');
  writeFileSync(repository.path('broken', '1', 'model.bin'), '');
  const stay = [addDummy(repository), { name: 'open' }, { name: 'broken' }];
  const pipelines = [pipelineOf('dummy_pipeline', 'dummy'), pipelineOf('broken_pipeline', 'broken')];
  const config = repository.writeConfig(
    [...stay, addVersions({ all: {} }), addDummy(repository, 'gone')],
    [...pipelines, pipelineOf('gone_pipeline', 'dummy')],
  );
  server = await startServerProcess(['--config_path', config, '--file_system_poll_wait_seconds', '0']);
  await server.line('ServableManagerModule started');
  apis = new FourApis(server);
  // Now version 3, a model and a pipeline leave.
  repository.writeConfig([...stay, addVersions({ specific: { versions: [1, 2] } })], pipelines);
  const { status } = await apis.post('/v1/config/reload', '');
  assert.equal(status, 500, 'the broken model is told with every reload');
});

after(async () => {
  apis.close();
  assert.equal(await server.stop(), 0);
});

const RAW = { inputs: [{ name: 'b', datatype: 'FP32', shape: [1, 10] }], raw_input_contents: [DUMMY_INPUT.bytes] };
const JSON_BODY = { inputs: [{ name: 'b', datatype: 'FP32', shape: [1, 10], data: ZEROS }] };
const GOOD: Question = { tfs: [DUMMY_INPUT], rest: DUMMY_BODY, kserve: RAW, infer: JSON_BODY };

interface Absence {
  readonly title: string;
  readonly covers: RowId | readonly RowId[];
  readonly servable: string;
  readonly version?: bigint;
  readonly code: string;
  readonly text: string;
}

const NO_VERSION = 'Model with requested version is not found';
const NOT_LOADED = 'Model with requested version is not loaded yet';

const ABSENCES: readonly Absence[] = [
  {
    title: 'a version that never was',
    covers: 'errors.unknown-version',
    servable: 'dummy',
    version: 7n,
    code: 'NOT_FOUND',
    text: NO_VERSION,
  },
  {
    title: 'the default version of a model that left',
    covers: 'errors.unknown-version',
    servable: 'gone',
    code: 'NOT_FOUND',
    text: NO_VERSION,
  },
  {
    title: 'the default version of a model that failed to load',
    covers: 'errors.unknown-version',
    servable: 'broken',
    code: 'NOT_FOUND',
    text: NO_VERSION,
  },
  {
    title: 'a version that was retired',
    covers: 'errors.version-retired',
    servable: 'several',
    version: 3n,
    code: 'NOT_FOUND',
    text: 'Model with requested version is retired',
  },
  {
    title: 'a version that failed to load',
    covers: ['errors.version-not-loaded', 'errors.version-failed'],
    servable: 'broken',
    version: 1n,
    code: 'UNAVAILABLE',
    text: NOT_LOADED,
  },
  {
    title: 'an invalid pipeline',
    covers: 'errors.pipeline-not-loaded',
    servable: 'broken_pipeline',
    code: 'UNAVAILABLE',
    text: 'Pipeline is not loaded yet',
  },
  {
    title: 'a pipeline that left',
    covers: 'errors.pipeline-retired',
    servable: 'gone_pipeline',
    code: 'NOT_FOUND',
    text: 'Pipeline is retired',
  },
];

for (const { title, servable, version, code, text } of ABSENCES) {
  test(`${title} is refused alike by every API, metadata included`, async () => {
    const [rpc, http] = [`${code} ${text}`, `404 ${text}`];
    assert.deepEqual(await apis.ask(servable, GOOD, version), { tfs: rpc, rest: http, kserve: rpc, infer: http });
    assert.deepEqual(await metadataAnswers(servable, version), { tfs: rpc, rest: http, kserve: rpc, kserveRest: http });
  });
}

/** What the four calls for metadata answer: `OK` or `200`, else the error. */
async function metadataAnswers(name: string, version?: bigint): Promise<Record<string, string>> {
  const spec = { name, ...(version === undefined ? {} : { version: { value: Number(version) } }) };
  const request = encodeTfs('tensorflow.serving.GetModelMetadataRequest', {
    model_spec: spec,
    metadata_field: ['signature_def'],
  });
  const question = encodeKserve('ModelMetadataRequest', {
    name,
    version: version === undefined ? '' : String(version),
  });
  const place = version === undefined ? name : `${name}/versions/${version}`;
  return {
    tfs: rpcText(await apis.client.call(METHOD.GET_MODEL_METADATA, request)),
    rest: restText(await apis.get(`/v1/models/${place}/metadata`)),
    kserve: rpcText(await apis.client.call(KSERVE.MODEL_METADATA, question)),
    kserveRest: restText(await apis.get(`/v2/models/${place}`)),
  };
}

async function readyAnswers(name: string, version = ''): Promise<readonly unknown[]> {
  const question = encodeKserve('ModelReadyRequest', { name, version });
  const outcome = await apis.client.call(KSERVE.MODEL_READY, question);
  const ready = outcome.code === 'OK' ? decodeKserve('ModelReadyResponse', outcome.bytes)['ready'] : rpcText(outcome);
  return [ready, restText(await apis.get(`/v2/models/${name}${version === '' ? '' : `/versions/${version}`}/ready`))];
}

async function statusOf(name: string, version?: number): Promise<readonly unknown[]> {
  const spec = { name, ...(version === undefined ? {} : { version: { value: version } }) };
  const request = encodeTfs('tensorflow.serving.GetModelStatusRequest', { model_spec: spec });
  const { bytes, code, details } = await apis.client.call(METHOD.GET_MODEL_STATUS, request);
  assert.equal(code, 'OK', details);
  const { model_version_status } = decodeTfs('tensorflow.serving.GetModelStatusResponse', bytes);
  return (model_version_status as readonly Fields[]).map(({ version: number, state, status }) => {
    const { error_code, error_message } = status as Fields;
    return [number, state, error_code, error_message];
  });
}

describe('names', () => {
  const NO_MODEL = 'Model with requested name is not found';
  const NO_PIPELINE = 'Pipeline with requested name is not found';
  const NO_GRAPH = 'Mediapipe graph definition with requested name is not found';

  test('one that is unknown is missed by each API in its own words', async () => {
    covers('errors.predict-unknown-name', 'errors.infer-unknown-name', 'errors.ask-unknown-name');
    assert.deepEqual(await apis.ask('nobody', GOOD), {
      tfs: `NOT_FOUND ${NO_PIPELINE}`,
      rest: `404 ${NO_MODEL}`,
      kserve: `NOT_FOUND ${NO_GRAPH}`,
      infer: `404 ${NO_GRAPH}`,
    });
    const [rpc, http] = [`NOT_FOUND ${NO_MODEL}`, `404 ${NO_MODEL}`];
    assert.deepEqual(await metadataAnswers('nobody'), { tfs: rpc, rest: http, kserve: rpc, kserveRest: http });
    assert.deepEqual(await readyAnswers('nobody'), [rpc, http]);
    assert.equal(restText(await apis.get('/v1/models/nobody')), http);
  });

  test('models and pipelines are found by every API, and tell their metadata', async () => {
    covers('tfs-grpc.lookup', 'tfs-grpc.predict', 'tfs-grpc.get-model-metadata');
    for (const servable of ['dummy', 'dummy_pipeline']) {
      assert.deepEqual(await apis.ask(servable, GOOD), { tfs: 'OK', rest: '200', kserve: 'OK', infer: '200' });
      assert.deepEqual(await metadataAnswers(servable), { tfs: 'OK', rest: '200', kserve: 'OK', kserveRest: '200' });
    }
  });

  test('the list of OpenAI has what answers, sorted, and each of it by its name', async () => {
    covers('tfs-rest.openai-models');
    for (const base of ['/v3', '/v3/v1']) {
      const { text } = await apis.get(`${base}/models`);
      const list = JSON.parse(text) as { readonly object: string; readonly data: readonly Fields[] };
      assert.equal(list.object, 'list');
      assert.deepEqual(
        list.data.map(({ id }) => id),
        ['dummy', 'dummy_pipeline', 'open', 'several'],
      );
      const one = JSON.parse((await apis.get(`${base}/models/dummy%5Fpipeline`)).text) as Fields;
      assert.deepEqual([one['id'], one['object'], one['owned_by']], ['dummy_pipeline', 'model', 'OVMS']);
      for (const name of ['nobody', 'broken', 'gone'])
        assert.equal(restText(await apis.get(`${base}/models/${name}`)), `404 ${NO_MODEL}`);
    }
  });
});

describe('versions', () => {
  test('none, and 0, ask every API for the highest that is available', async () => {
    covers('tfs-grpc.default-version', 'kserve.version');
    for (const [version, sum] of [
      [undefined, 2],
      [0n, 2],
      [1n, 1],
      [2n, 2],
    ] as const) {
      const rest = JSON.parse((await apis.restPredict('several', DUMMY_BODY, version)).text) as { outputs: number[][] };
      assert.equal(rest.outputs[0]![0], sum);
      const infer = JSON.parse((await apis.restInfer('several', JSON_BODY, version)).text) as Fields;
      assert.equal(infer['model_version'], String(sum));
      const { bytes } = await apis.infer('several', RAW, version);
      assert.equal(decodeKserve('ModelInferResponse', bytes)['model_version'], String(sum));
      const outcome = await apis.predict('several', [DUMMY_INPUT], version);
      const { outputs } = decodeTfs('tensorflow.serving.PredictResponse', outcome.bytes) as { outputs: Fields };
      assert.equal(((outputs['a'] as Fields)['tensor_content'] as Buffer).readFloatLE(), sum);
    }
  });

  test('that a pipeline is asked for are ignored by every API', async () => {
    covers('tfs-grpc.pipeline-version');
    const answers = await apis.ask('dummy_pipeline', GOOD, 99n);
    assert.deepEqual(answers, { tfs: 'OK', rest: '200', kserve: 'OK', infer: '200' });
    const metadata = await metadataAnswers('dummy_pipeline', 99n);
    assert.deepEqual(metadata, { tfs: 'OK', rest: '200', kserve: 'OK', kserveRest: '200' });
  });

  test('beyond 64 bits in a URL are not there, and leading zeros mean nothing', async () => {
    covers('errors.version-range');
    for (const version of ['9223372036854775808', '99999999999999999999999']) {
      for (const path of [`/v1/models/dummy/versions/${version}`, `/v2/models/dummy/versions/${version}/ready`])
        assert.equal(restText(await apis.get(path)), `404 ${NO_VERSION}`);
      assert.equal(
        restText(await apis.post(`/v1/models/dummy/versions/${version}:predict`, '{}')),
        `404 ${NO_VERSION}`,
      );
      assert.equal(restText(await apis.post(`/v2/models/dummy/versions/${version}/infer`, '{}')), `404 ${NO_VERSION}`);
    }
    assert.equal(restText(await apis.get('/v1/models/dummy/versions/01')), '200');
  });

  test('that are no numbers are refused', async () => {
    covers('errors.version-format', 'kserve.version');
    for (const version of ['one', '01', '-1', '1.0', '9223372036854775808']) {
      const request = encodeKserve('ModelInferRequest', { model_name: 'dummy', model_version: version, ...RAW });
      const text = 'INVALID_ARGUMENT invalid model version format in request';
      assert.equal(rpcText(await apis.client.call(KSERVE.MODEL_INFER, request)), text, version);
      const question = encodeKserve('ModelReadyRequest', { name: 'dummy', version });
      assert.equal(rpcText(await apis.client.call(KSERVE.MODEL_READY, question)), text, version);
      assert.equal(rpcText(await apis.client.call(KSERVE.MODEL_METADATA, question)), text, version);
    }
    assert.equal(restText(await apis.get('/v2/models/dummy/versions/one')), '400 Invalid request URL');
    assert.equal(restText(await apis.get('/v1/models/dummy/versions/one')), '400 Invalid request URL');
  });
});

describe('status', () => {
  test('of all versions ever seen, the retired ones among them, or of the one that is asked for', async () => {
    covers('tfs-grpc.status-all', 'tfs-grpc.status-version', 'tfs-grpc.get-model-status');
    const [first, second, third] = [
      [1, 'AVAILABLE', 'OK', 'OK'],
      [2, 'AVAILABLE', 'OK', 'OK'],
      [3, 'END', 'OK', 'OK'],
    ];
    assert.deepEqual(await statusOf('several'), [first, second, third]);
    assert.deepEqual(await statusOf('several', 0), [first, second, third]);
    assert.deepEqual(await statusOf('several', 3), [third]);
    assert.deepEqual(await statusOf('gone'), [[1, 'END', 'OK', 'OK']]);
    const unknown = encodeTfs('tensorflow.serving.GetModelStatusRequest', {
      model_spec: { name: 'several', version: { value: 4 } },
    });
    assert.equal(rpcText(await apis.client.call(METHOD.GET_MODEL_STATUS, unknown)), `NOT_FOUND ${NO_VERSION}`);
    assert.equal(restText(await apis.get('/v1/models/several/versions/4')), `404 ${NO_VERSION}`);
  });

  test('of what failed has a code, and the name of the code as its message', async () => {
    covers('tfs-grpc.status-message');
    assert.deepEqual(await statusOf('broken'), [[1, 'LOADING', 'UNKNOWN', 'UNKNOWN']]);
    assert.deepEqual(await statusOf('broken_pipeline'), [[1, 'LOADING', 'FAILED_PRECONDITION', 'FAILED_PRECONDITION']]);
  });

  test('of a pipeline is version 1, whatever is asked for', async () => {
    covers('tfs-grpc.status-pipeline');
    for (const version of [undefined, 1, 99])
      assert.deepEqual(await statusOf('dummy_pipeline', version), [[1, 'AVAILABLE', 'OK', 'OK']]);
  });

  test('over REST has the white space of OVMS, and labels are ignored', async () => {
    covers('tfs-rest.status');
    const expected = `{
 "model_version_status": [
  {
   "version": "1",
   "state": "AVAILABLE",
   "status": {
    "error_code": "OK",
    "error_message": "OK"
   }
  }
 ]
}
`;
    for (const place of [
      'dummy',
      'dummy/versions/1',
      'dummy/labels/stable',
      'dummy_pipeline',
      'dummy_pipeline/versions/9',
    ])
      assert.equal((await apis.get(`/v1/models/${place}`)).text, expected);
  });
});

describe('readiness', () => {
  test('of what answers, by name and by version', async () => {
    covers('kserve.model-ready');
    for (const [name, version] of [
      ['dummy', ''],
      ['dummy', '1'],
      ['dummy_pipeline', ''],
      ['dummy_pipeline', '5'],
      ['several', '2'],
    ] as const)
      assert.deepEqual(await readyAnswers(name, version), [true, '200'], `${name} ${version}`);
  });

  test('of what is known and does not answer is false, over REST 404', async () => {
    covers('kserve.model-not-ready');
    assert.deepEqual(await readyAnswers('several', '3'), [false, `404 ${NOT_LOADED}`]);
    assert.deepEqual(await readyAnswers('broken', '1'), [false, `404 ${NOT_LOADED}`]);
    assert.deepEqual(await readyAnswers('broken_pipeline'), [false, `404 ${NOT_LOADED}`]);
  });

  test('of the server does not mind models that failed', async () => {
    covers('kserve.server-ready');
    const { bytes } = await apis.client.call(KSERVE.SERVER_READY, new Uint8Array(0));
    assert.deepEqual(decodeKserve('ServerReadyResponse', bytes), { ready: true });
    assert.equal(restText(await apis.get('/v2/health/ready')), '200');
  });
});

describe('metadata', () => {
  test('over gRPC has the version that answers and its signature, open sizes as -1', async () => {
    covers('tfs-grpc.metadata-spec', 'tfs-grpc.metadata-signature', 'tfs-grpc.metadata-tensors');
    for (const [name, version, rows] of [
      ['open', 1, -1],
      ['several', 2, 1],
      ['dummy_pipeline', 1, 1],
    ] as const) {
      const request = { model_spec: { name }, metadata_field: ['signature_def'] };
      const { bytes } = await apis.client.call(
        METHOD.GET_MODEL_METADATA,
        encodeTfs('tensorflow.serving.GetModelMetadataRequest', request),
      );
      const { model_spec, metadata } = decodeTfs('tensorflow.serving.GetModelMetadataResponse', bytes);
      const spec = model_spec as Fields;
      assert.deepEqual([spec['name'], spec['version']], [name, { value: version }]);
      assert.deepEqual(Object.keys(metadata as Fields), ['signature_def']);
      const any = (metadata as Fields)['signature_def'] as { readonly type_url: string; readonly value: Buffer };
      assert.equal(any.type_url, 'type.googleapis.com/tensorflow.serving.SignatureDefMap');
      const map = decodeTfs('tensorflow.serving.SignatureDefMap', any.value);
      const tensor = (of: string): unknown => {
        const dim = [rows, 10].map((size) => ({ size, name: '' }));
        return { name: of, dtype: 'DT_FLOAT', tensor_shape: { dim, unknown_rank: false } };
      };
      const signature = (map['signature_def'] as Fields)['serving_default'] as Fields;
      assert.deepEqual(signature['inputs'], { b: tensor('b') });
      assert.deepEqual(signature['outputs'], { a: tensor('a') });
      assert.equal(signature['method_name'], '');
    }
  });

  test('of anything but the one field signature_def is refused', async () => {
    covers('errors.metadata-field', 'tfs-grpc.metadata-field', 'errors.metadata-spec');
    for (const metadata_field of [[], ['signature'], ['signature_def', 'signature_def']]) {
      const request = { model_spec: { name: 'dummy' }, metadata_field };
      const bytes = encodeTfs('tensorflow.serving.GetModelMetadataRequest', request);
      const outcome = await apis.client.call(METHOD.GET_MODEL_METADATA, bytes);
      assert.equal(rpcText(outcome), 'INVALID_ARGUMENT Invalid signature name');
    }
    const nameless = encodeTfs('tensorflow.serving.GetModelMetadataRequest', { metadata_field: ['signature_def'] });
    const outcome = await apis.client.call(METHOD.GET_MODEL_METADATA, nameless);
    assert.equal(rpcText(outcome), 'INVALID_ARGUMENT model_spec missing in request');
  });

  test('of KServe over REST has what the model says of itself, over gRPC not', async () => {
    covers('kserve.rt-info', 'kserve.model-metadata');
    const tensor = (name: string): Fields => ({ name, datatype: 'FP32', shape: [-1, 10] });
    const metadata = {
      name: 'open',
      versions: ['1'],
      platform: 'OpenVINO',
      inputs: [tensor('b')],
      outputs: [tensor('a')],
    };
    const { bytes } = await apis.client.call(
      KSERVE.MODEL_METADATA,
      encodeKserve('ModelMetadataRequest', { name: 'open' }),
    );
    assert.deepEqual(decodeKserve('ModelMetadataResponse', bytes), metadata);
    const info = { rt_info: { model_info: { model_type: 'ssd', resize: { width: '640' } } } };
    for (const place of ['open', 'open/', 'open/versions/1', 'open/versions/1/'])
      assert.equal((await apis.get(`/v2/models/${place}`)).text, JSON.stringify({ ...metadata, ...info }));
    assert.doesNotMatch((await apis.get('/v2/models/dummy')).text, /rt_info/);
    assert.deepEqual((JSON.parse((await apis.get('/v2/models/several')).text) as Fields)['versions'], ['1', '2']);
  });
});
