import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { TestRepository } from '../helpers/repository.js';
import { startServerProcess, type ServerProcess } from '../helpers/server.js';
import { curl, curlHas, curlVersion, runCurl } from './curl.js';
import { writeConformanceRepository } from './repository.js';
import { covers } from '../contract/covers.js';

const TEN = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const ROW = JSON.stringify({ instances: [TEN] });
const COLUMN = JSON.stringify({ inputs: { b: [TEN] } });
const ONE_MORE = '1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0';
const ROW_ANSWER = `{\n    "predictions": [[${ONE_MORE}]\n    ]\n}`;
const FROM_INPUT = ['--data-binary', '@-'];
const JSON_TYPE = 'application/json';

const version = curlVersion();
const config = writeConformanceRepository(new TestRepository());

describe(version ?? 'curl', { skip: version === null ? 'curl is not installed' : false }, () => {
  let server: ServerProcess;
  before(async () => {
    server = await startServerProcess(['--config_path', config]);
    await server.line('ServableManagerModule started');
  });
  after(() => server.stop());

  const url = (path: string): string => `http://127.0.0.1:${server.restPort}${path}`;
  const models = (path: string): string => url(`/v1/models/${path}`);

  describe('status', () => {
    test('of a model and of a pipeline', async () => {
      covers('clients.curl', 'clients.script-rest');
      for (const name of ['dummy', 'dummy_twice', 'dummy/versions/1', 'dummy/labels/stable']) {
        const { status, body } = await curl([models(name)]);
        assert.equal(status, 200);
        assert.deepEqual(JSON.parse(body), {
          model_version_status: [
            { version: '1', state: 'AVAILABLE', status: { error_code: 'OK', error_message: 'OK' } },
          ],
        });
      }
    });

    test('of a model that could not be loaded', async () => {
      const { body } = await curl([models('broken')]);
      assert.deepEqual(JSON.parse(body), {
        model_version_status: [
          { version: '1', state: 'LOADING', status: { error_code: 'UNKNOWN', error_message: 'UNKNOWN' } },
        ],
      });
    });

    test('of everything', async () => {
      const { status, body } = await curl([url('/v1/config')]);
      assert.equal(status, 200);
      const names = Object.keys(JSON.parse(body) as object);
      for (const name of ['dummy', 'versioned', 'broken', 'dummy_twice', 'ensemble']) assert.ok(names.includes(name));
    });
  });

  describe('metadata', () => {
    test('has the indentation of OVMS', async () => {
      covers('clients.script-rest');
      const { status, body } = await curl([models('dummy/metadata')]);
      assert.equal(status, 200);
      assert.equal(body, metadataText('dummy'));
    });

    test('of a pipeline', async () => {
      const { body } = await curl([models('dummy_twice/versions/7/metadata')]);
      assert.equal(body, metadataText('dummy_twice'));
    });
  });

  describe('predict', () => {
    test('in row format', async () => {
      const { status, body } = await curl([...FROM_INPUT, models('dummy:predict')], ROW);
      assert.deepEqual({ status, body }, { status: 200, body: ROW_ANSWER });
    });

    test('in row format with names', async () => {
      const named = JSON.stringify({ signature_name: 'serving_default', instances: [{ b: TEN }] });
      const { status, body } = await curl([...FROM_INPUT, models('dummy:predict')], named);
      assert.deepEqual({ status, body }, { status: 200, body: ROW_ANSWER });
    });

    test('in column format', async () => {
      covers('clients.curl', 'clients.script-rest');
      const { status, body } = await curl([...FROM_INPUT, models('dummy/versions/1:predict')], COLUMN);
      const values = ONE_MORE.replaceAll(', ', ',\n            ');
      const expected = `{\n    "outputs": [\n        [\n            ${values}\n        ]\n    ]\n}`;
      assert.deepEqual({ status, body }, { status: 200, body: expected });
    });

    test('through a pipeline', async () => {
      const { status, body } = await curl([...FROM_INPUT, models('dummy_twice:predict')], COLUMN);
      assert.equal(status, 200);
      assert.deepEqual(JSON.parse(body), { outputs: [TEN.map((value) => value + 2)] });
      const ensemble = await curl([...FROM_INPUT, models('ensemble:predict')], ROW);
      assert.deepEqual(JSON.parse(ensemble.body), { predictions: [9] });
    });

    test('with a name and a colon that are percent-encoded', async () => {
      const { status, body } = await curl([...FROM_INPUT, models('%64ummy%3Apredict')], ROW);
      assert.deepEqual({ status, body }, { status: 200, body: ROW_ANSWER });
    });
  });

  describe('errors', () => {
    const refused = async (expected: [number, string], args: readonly string[], input?: string): Promise<void> => {
      const { status, headers, body } = await curl(args, input);
      assert.deepEqual([status, body], [expected[0], JSON.stringify({ error: expected[1] })]);
      assert.equal(headers.get('content-type'), JSON_TYPE);
    };
    const notFound = 'Model with requested name is not found';

    test('of names and versions', async () => {
      await refused([404, notFound], [models('nobody')]);
      await refused([404, notFound], [models('nobody/metadata')]);
      await refused([404, notFound], [...FROM_INPUT, models('nobody:predict')], ROW);
      const noVersion = 'Model with requested version is not found';
      await refused([404, noVersion], [models('dummy/versions/9')]);
      await refused([404, noVersion], [models('dummy/versions/99999999999999999999')]);
      await refused([404, noVersion], [...FROM_INPUT, models('dummy/versions/9:predict')], ROW);
      await refused([404, 'Pipeline is not loaded yet'], [...FROM_INPUT, models('broken_pipeline:predict')], ROW);
    });

    test('of paths and methods', async () => {
      await refused([400, 'Invalid request URL'], [url('/nothing')]);
      await refused([400, 'Invalid request URL'], [url('/')]);
      await refused([406, 'Unsupported method'], ['--request', 'DELETE', models('dummy')]);
      await refused([406, 'Unsupported method'], [models('dummy:predict')]);
      await refused([406, 'Unsupported method'], [...FROM_INPUT, models('dummy')], ROW);
      await refused([404, 'Requested REST resource not found'], [...FROM_INPUT, models('dummy:classify')], ROW);
      const { status } = await curl(['--path-as-is', models('../../etc/passwd')]);
      assert.equal(status, 400);
    });

    test('of bodies', async () => {
      const predict = [...FROM_INPUT, models('dummy:predict')];
      const unordered = 'Invalid JSON structure. Could not detect row or column format';
      await refused([400, unordered], predict, '{}');
      await refused([400, 'Request body should be JSON object'], predict, '[]');
      const raggedRow = JSON.stringify({ instances: [[1, [2]]] });
      await refused([400, 'Could not parse instance content. Not valid ndarray detected'], predict, raggedRow);
      const { status, body } = await curl(predict, '{"instances": [');
      assert.equal(status, 412);
      assert.match(
        (JSON.parse(body) as { error: string }).error,
        /^The file is not valid json - Error: .+ Offset: \d+$/,
      );
    });

    test('of tensors', async () => {
      const texts = {
        'Invalid number of inputs - Expected: 1; Actual: 2': { b: [TEN], c: [TEN] },
        'Missing input with specific name - Required input: b': { c: [TEN] },
        'Invalid number of shape dimensions - Expected: (1,10); Actual: (10); input name: b': { b: TEN },
        'Invalid input batch size - Expected: 1; Actual: 2; input name: b': { b: [TEN, TEN] },
        'Invalid input shape - Expected: (1,10); Actual: (1,9); input name: b': { b: [TEN.slice(1)] },
      };
      for (const name of ['dummy', 'dummy_twice']) {
        for (const [text, inputs] of Object.entries(texts)) {
          await refused([400, text], [...FROM_INPUT, models(`${name}:predict`)], JSON.stringify({ inputs }));
        }
      }
    });
  });

  describe('HTTP', () => {
    const predict = (...args: readonly string[]): string[] => [...args, ...FROM_INPUT, models('dummy:predict')];
    const answered = (body: string, expected = ROW_ANSWER): void => assert.equal(body, expected);

    test('has the headers of OVMS and no others that tell of the server', async () => {
      const { version, headers } = await curl([models('dummy')]);
      assert.equal(version, '1.1');
      assert.equal(headers.get('content-type'), JSON_TYPE);
      assert.equal(headers.get('access-control-allow-origin'), '*');
      for (const name of ['server', 'date', 'x-powered-by']) assert.ok(!headers.has(name), name);
    });

    test('answers OPTIONS on any path', async () => {
      for (const path of ['/v1/models/dummy', '/nothing']) {
        const { status, headers } = await curl(['--request', 'OPTIONS', url(path)]);
        assert.equal(status, 200);
        assert.equal(headers.get('access-control-allow-origin'), '*');
      }
    });

    test('1.0', async () => {
      covers('clients.curl');
      const { status, headers, body } = await curl(predict('--http1.0'), ROW);
      assert.equal(status, 200);
      assert.ok(!headers.has('transfer-encoding'));
      answered(body);
      const status10 = await curl(['--http1.0', models('dummy')]);
      assert.equal(status10.status, 200);
    });

    test('chunked bodies', async () => {
      covers('clients.curl');
      const { status, body } = await curl(predict('--header', 'Transfer-Encoding: chunked'), ROW);
      assert.equal(status, 200);
      answered(body);
    });

    test('Expect: 100-continue', async () => {
      covers('clients.curl');
      const { status, interim, body } = await curl(predict('--header', 'Expect: 100-continue'), ROW);
      assert.deepEqual({ status, interim }, { status: 200, interim: [100] });
      answered(body);
    });

    test('long bodies', async () => {
      const long = JSON.stringify({ inputs: { in: [Array<number>(300_000).fill(0.5)] } });
      const { status, body } = await curl([...FROM_INPUT, models('passthrough_FP32:predict')], long);
      assert.equal(status, 200);
      assert.equal((JSON.parse(body) as { outputs: number[][] }).outputs[0]?.length, 300_000);
    });

    test(
      'an offer to upgrade to HTTP/2 is declined',
      { skip: !curlHas('HTTP2') && 'this curl has no HTTP/2' },
      async () => {
        covers('clients.curl-http2-offer');
        for (const args of [predict('--http2'), ['--http2', models('dummy')]]) {
          const { version, status, interim } = await curl(args, ROW);
          assert.deepEqual({ version, status, interim }, { version: '1.1', status: 200, interim: [] });
        }
      },
    );

    test('compressed bodies', async () => {
      const { status, body } = await curl(predict('--header', 'Content-Encoding: gzip'), gzipSync(ROW));
      assert.equal(status, 200);
      answered(body);
    });

    test('several requests on one connection, errors among them', async () => {
      covers('clients.curl');
      const connections = await runCurl([
        '--write-out',
        '%{http_code} %{num_connects}\n',
        ...[models('dummy'), models('nobody'), url('/nothing'), models('dummy/metadata')].flatMap((address) => [
          '--output',
          '/dev/null',
          address,
        ]),
      ]);
      assert.equal(connections, '200 1\n404 0\n400 0\n200 0\n');
    });
  });
});

function metadataText(name: string): string {
  const tensor = (tensorName: string): object => ({
    [tensorName]: {
      dtype: 'DT_FLOAT',
      tensorShape: { dim: [1, 10].map((size) => ({ size: String(size), name: '' })), unknownRank: false },
      name: tensorName,
    },
  });
  const metadata = {
    modelSpec: { name, signatureName: '', version: '1' },
    metadata: {
      signature_def: {
        '@type': 'type.googleapis.com/tensorflow.serving.SignatureDefMap',
        signatureDef: {
          serving_default: { inputs: tensor('b'), outputs: tensor('a'), methodName: '', defaults: {} },
        },
      },
    },
  };
  return `${JSON.stringify(metadata, null, 1)}\n`;
}
