import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { METHOD as KSERVE } from '#src/frontends/kserve/method.js';
import { METHOD } from '#src/frontends/tfs/method.js';
import { encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { covers } from '../contract/covers.js';
import type { RowId } from '../contract/rows/index.js';
import {
  addDummy,
  addPair,
  assertAnswers,
  assertServes,
  DUMMY_BODY,
  DUMMY_INPUT,
  ONES,
  pipelineOf,
  restAnswer,
  ZEROS,
} from '../helpers/dummy-servables.js';
import { GrpcClient } from '../helpers/grpc-client.js';
import { grpcFrame, http2Call } from '../helpers/http2-call.js';
import { TestRepository } from '../helpers/repository.js';
import { errorOf, restCall, restPredict } from '../helpers/rest-client.js';
import { startServerProcess, type ServerProcess } from '../helpers/server.js';
import { floatTensor } from '../helpers/tensors.js';

let server: ServerProcess;
let client: GrpcClient;

before(async () => {
  const repository = new TestRepository();
  const models = [addDummy(repository), addPair(repository)];
  const config = repository.writeConfig(models, [pipelineOf('dummy_pipeline', 'dummy')]);
  server = await startServerProcess(['--config_path', config]);
  await server.line('ServableManagerModule started');
  client = new GrpcClient(server.grpcPort);
});

after(async () => {
  client.close();
  assert.equal(await server.stop(), 0);
});

describe('gRPC selection', () => {
  test('a request without model_spec asks for the empty name', async () => {
    const { code, details } = await client.call(METHOD.PREDICT, new Uint8Array(0));
    assert.deepEqual([code, details], ['NOT_FOUND', 'Pipeline with requested name is not found']);
  });

  for (const path of [METHOD.CLASSIFY, METHOD.REGRESS, METHOD.MULTI_INFERENCE]) {
    test(`${path} is unimplemented, without a text`, async () => {
      covers('tfs-grpc.unimplemented');
      const { code, details } = await client.call(path, new Uint8Array(0));
      assert.deepEqual([code, details], ['UNIMPLEMENTED', '']);
    });
  }

  const PARSING = [
    METHOD.PREDICT,
    METHOD.GET_MODEL_METADATA,
    METHOD.GET_MODEL_STATUS,
    KSERVE.MODEL_INFER,
    KSERVE.MODEL_READY,
  ];
  for (const path of PARSING) {
    test(`${path}: a malformed message is an invalid argument`, async () => {
      covers('tfs-grpc.malformed', 'errors.isolation');
      for (const bytes of ['ff', '0aff', '120a0a', '08ffffffffffffffffffffff', '0b', '7f'.repeat(1000)]) {
        const { code, details } = await client.call(path, Buffer.from(bytes, 'hex'));
        assert.equal(code, 'INVALID_ARGUMENT', bytes);
        assert.match(details, /^Request message could not be parsed - /);
      }
      await assertAnswers(client);
    });
  }

  test('an unknown method is unimplemented', async () => {
    covers('tfs-grpc.unknown-method');
    for (const path of [
      '/tensorflow.serving.PredictionService/Nothing',
      '/inference.GRPCInferenceService/Nothing',
      '/a/b',
    ]) {
      assert.equal((await client.call(path, new Uint8Array(0))).code, 'UNIMPLEMENTED');
    }
    await assertAnswers(client);
  });

  test('a reload is asked for in vain, and the answer is OK', async () => {
    covers('tfs-grpc.handle-reload-config-request');
    for (const request of ['', '0a00', 'ff']) {
      const { code, bytes } = await client.call(METHOD.HANDLE_RELOAD_CONFIG_REQUEST, Buffer.from(request, 'hex'));
      assert.deepEqual([code, bytes.byteLength], ['OK', 0]);
    }
    await server.line('HandleReloadConfigRequest received');
  });

  test('a message compressed with gzip is read', async () => {
    covers('tfs-grpc.compression');
    const frame = grpcFrame(gzipSync(encodePredictRequest('dummy', null, [DUMMY_INPUT])));
    frame[0] = 1;
    assert.equal(
      await http2Call(server.grpcPort, METHOD.PREDICT, frame, { 'grpc-encoding': 'gzip' }),
      String(status.OK),
    );
  });

  test('a message of more than 1 GiB is refused for what its head says, one of megabytes is checked', async () => {
    covers('tfs-grpc.message-limit', 'tfs-grpc.large-message');
    const head = Buffer.alloc(5);
    head.writeUInt32BE(1024 ** 3 + 1, 1);
    for (const path of [METHOD.PREDICT, KSERVE.MODEL_INFER])
      assert.equal(await http2Call(server.grpcPort, path, head), String(status.RESOURCE_EXHAUSTED));
    const long = floatTensor('b', [1, 1_600_000], Array<number>(1_600_000).fill(0));
    const { code, details } = await client.predict('dummy', [long]);
    const text = 'Invalid input shape - Expected: (1,10); Actual: (1,1600000); input name: b';
    assert.deepEqual([code, details], ['INVALID_ARGUMENT', text]);
    await assertAnswers(client);
  });
});

interface BadBody {
  readonly title: string;
  readonly covers: RowId;
  /** Text, or what JSON makes of the value. */
  readonly body: unknown;
  readonly status: number;
  readonly error: string;
}

const INVALID_STRUCTURE = 'Invalid JSON structure.';
const NO_NDARRAY = 'Not valid ndarray detected';

const BAD_BODIES: readonly BadBody[] = [
  {
    title: 'ragged instances',
    covers: 'errors.no-ndarray',
    body: { instances: [[[1, 2], [3]]] },
    status: 400,
    error: `Could not parse instance content. ${NO_NDARRAY}`,
  },
  {
    title: 'ragged inputs',
    covers: 'errors.no-ndarray',
    body: { inputs: { b: [[1, 2], [3]] } },
    status: 400,
    error: `Could not parse input content. ${NO_NDARRAY}`,
  },
  {
    title: 'words for numbers',
    covers: 'errors.no-ndarray',
    body: { inputs: { b: [Array<string>(10).fill('one')] } },
    status: 400,
    error: `Could not parse input content. ${NO_NDARRAY}`,
  },
  {
    title: 'an empty object',
    covers: 'errors.unknown-order',
    body: {},
    status: 400,
    error: `${INVALID_STRUCTURE} Could not detect row or column format`,
  },
  {
    title: 'rows and columns together',
    covers: 'errors.unknown-order',
    body: { instances: [ZEROS], ...DUMMY_BODY },
    status: 400,
    error: `${INVALID_STRUCTURE} Could not detect row or column format`,
  },
  {
    title: 'a list',
    covers: 'errors.no-object',
    body: [ZEROS],
    status: 400,
    error: 'Request body should be JSON object',
  },
  {
    title: 'instances that are no list',
    covers: 'errors.instances-no-list',
    body: { instances: 1 },
    status: 400,
    error: `${INVALID_STRUCTURE} Nonamed instance is not an array.`,
  },
  {
    title: 'no instance',
    covers: 'errors.instances-empty',
    body: { instances: [] },
    status: 400,
    error: `${INVALID_STRUCTURE} Missing instances in row format`,
  },
  {
    title: 'named and unnamed instances together',
    covers: 'errors.instances-mixed',
    body: { instances: [{ b: ZEROS }, ZEROS] },
    status: 400,
    error: `${INVALID_STRUCTURE} One of named instances is not a JSON object.`,
  },
  {
    title: 'a null for the first instance',
    covers: 'errors.instances-no-format',
    body: { instances: [null] },
    status: 400,
    error: 'Could not detect neither named or nonamed format',
  },
  {
    title: 'a truth for the first instance',
    covers: 'errors.instances-no-format',
    body: { instances: [true] },
    status: 400,
    error: 'Could not detect neither named or nonamed format',
  },
  {
    title: 'no inputs',
    covers: 'errors.no-inputs',
    body: { inputs: {} },
    status: 400,
    error: 'Invalid JSON structure, missing inputs',
  },
  {
    title: 'inputs that are no object',
    covers: 'errors.inputs-no-object',
    body: { inputs: 5 },
    status: 400,
    error: `${INVALID_STRUCTURE} One of inputs is not a JSON object.`,
  },
  {
    title: 'nesting beyond the limit',
    covers: 'errors.nesting',
    body: `{"inputs": ${'['.repeat(200)}${']'.repeat(200)}}`,
    status: 500,
    error: 'JSON nesting depth exceeds the allowed limit',
  },
];

/** Texts that are no JSON, and what is said of each. */
const NO_JSON: readonly (readonly [string, string])[] = [
  ['', 'The document is empty. Offset: 0'],
  ['{', 'Missing a name for object member. Offset: 1'],
  ['{"inputs" 1}', 'Missing a colon after a name of object member. Offset: 10'],
  ['{"inputs": 1', 'Missing a comma or } after an object member. Offset: 12'],
  ['{"inputs": [1 2]}', 'Missing a comma or ] after an array element. Offset: 14'],
  ['{"inputs": [1,}', 'Invalid value. Offset: 14'],
  ['hello', 'Invalid value. Offset: 0'],
  ['{"inputs": {"b": [[nan]]}}', 'Invalid value. Offset: 20'],
  ['{} {}', 'The document root must not be followed by other values. Offset: 3'],
  ['{"inputs', 'Missing a closing quotation mark in string. Offset: 8'],
  ['{"\\x": 1}', 'Invalid escape character in string. Offset: 2'],
  ['{"\\u12": 1}', 'Incorrect hex digit after \\u escape in string. Offset: 2'],
  ['{"inputs": 1.}', 'Miss fraction part in number. Offset: 13'],
  ['{"inputs": 1e}', 'Miss exponent in number. Offset: 13'],
  ['{"inputs": 1e400}', 'Number too big to be stored in double. Offset: 11'],
];

const GOOD_INPUT = { name: 'b', shape: [1, 10], datatype: 'FP32', data: ZEROS };
const NO_DATA = { ...GOOD_INPUT, data: undefined };
const NO_INPUT_NDARRAY = `Could not parse input content. ${NO_NDARRAY}`;

interface BadKserveBody extends BadBody {
  /** Behind the JSON. */
  readonly binary?: string;
  /** What the header says of where the JSON ends, when that is not true. */
  readonly length?: string;
}

const KSERVE_BODIES: readonly BadKserveBody[] = [
  {
    title: 'nesting beyond the limit',
    covers: 'errors.nesting',
    body: `{"inputs": ${'['.repeat(200)}${']'.repeat(200)}}`,
    status: 500,
    error: 'JSON nesting depth exceeds the allowed limit',
  },
  { title: 'a list', covers: 'errors.no-object', body: [], status: 400, error: 'Request body should be JSON object' },
  {
    title: 'no inputs',
    covers: 'errors.no-inputs',
    body: { inputs: [] },
    status: 400,
    error: 'Invalid JSON structure, missing inputs',
  },
  {
    title: 'words for numbers',
    covers: 'errors.no-ndarray',
    body: { inputs: [{ ...GOOD_INPUT, data: Array<string>(10).fill('one') }] },
    status: 400,
    error: NO_INPUT_NDARRAY,
  },
  {
    title: 'a negative size',
    covers: 'errors.no-ndarray',
    body: { inputs: [{ ...GOOD_INPUT, shape: [1, -10] }] },
    status: 400,
    error: NO_INPUT_NDARRAY,
  },
  {
    title: 'an unknown type',
    covers: 'errors.kserve-type',
    body: { inputs: [{ ...GOOD_INPUT, datatype: 'FP8' }] },
    status: 400,
    error: 'Could not parse input content. Unsupported data precision detected',
  },
  {
    title: 'data of type BF16',
    covers: 'kserve.bf16',
    body: { inputs: [{ ...GOOD_INPUT, datatype: 'BF16' }] },
    status: 400,
    error: 'Could not parse input content. Unsupported data precision detected',
  },
  {
    title: 'an output without a name',
    covers: 'errors.kserve-output',
    body: { inputs: [GOOD_INPUT], outputs: [{}] },
    status: 400,
    error: 'Could not parse output content.',
  },
  {
    title: 'parameters that are a list',
    covers: 'errors.kserve-parameters',
    body: { inputs: [GOOD_INPUT], parameters: [] },
    status: 400,
    error: 'Could not parse request parameters',
  },
  {
    title: 'a header length that is no number',
    covers: 'errors.header-length',
    body: { inputs: [GOOD_INPUT] },
    length: 'many',
    status: 500,
    error: "Inference-Header-Content-Length header is invalid and couldn't be parsed",
  },
  {
    title: 'a negative header length',
    covers: 'errors.header-length',
    body: { inputs: [GOOD_INPUT] },
    length: '-1',
    status: 500,
    error: "Inference-Header-Content-Length header is invalid and couldn't be parsed",
  },
  {
    title: 'a header length beyond the body',
    covers: 'errors.header-length',
    body: { inputs: [GOOD_INPUT] },
    length: '100000',
    status: 500,
    error: 'Inference-Header-Content-Length header exceeds actual payload length',
  },
  {
    title: 'a binary_data_size that is text',
    covers: 'errors.binary-size',
    body: { inputs: [{ ...NO_DATA, parameters: { binary_data_size: '40' } }] },
    binary: '\0'.repeat(40),
    status: 400,
    error: 'binary_data_size parameter is invalid and cannot be parsed',
  },
  {
    title: 'less binary data than binary_data_size',
    covers: 'errors.binary-size',
    body: { inputs: [{ ...NO_DATA, parameters: { binary_data_size: 40 } }] },
    binary: '\0'.repeat(39),
    status: 400,
    error: 'Received buffer size is smaller than binary_data_size parameter indicates',
  },
  {
    title: 'data and binary data for one input',
    covers: 'errors.data-and-binary',
    body: { inputs: [{ ...GOOD_INPUT, parameters: { binary_data_size: 40 } }] },
    binary: '\0'.repeat(40),
    status: 500,
    error: 'Request contains values both in binary data and in content value',
  },
  {
    title: 'binary data of another size than the shape says',
    covers: 'errors.content-size',
    body: { inputs: [{ ...NO_DATA, parameters: { binary_data_size: 36 } }] },
    binary: '\0'.repeat(36),
    status: 400,
    error: 'Invalid content size of tensor proto - Expected: 40 bytes; Actual: 36 bytes; input name: input name: b',
  },
];

for (const servable of ['dummy', 'dummy_pipeline']) {
  describe(`REST predict on ${servable}`, () => {
    for (const { title, body, status, error } of BAD_BODIES) {
      test(`${title} is refused with ${status}, and the next request is answered`, async () => {
        const outcome = await restPredict(server.restPort, servable, body);
        assert.deepEqual([outcome.status, errorOf(outcome)], [status, error]);
        const good = await restPredict(server.restPort, servable, DUMMY_BODY);
        assert.deepEqual([good.status, good.text], [200, restAnswer(ONES)]);
      });
    }

    test('what is not JSON is refused with 412, the words of RapidJSON and the place of the fault, by both APIs', async () => {
      covers('errors.not-json');
      for (const [text, fault] of NO_JSON) {
        for (const path of [`/v1/models/${servable}:predict`, `/v2/models/${servable}/infer`]) {
          const outcome = await restCall(server.restPort, 'POST', path, text);
          assert.deepEqual([outcome.status, errorOf(outcome)], [412, `The file is not valid json - Error: ${fault}`]);
        }
      }
      await assertServes(server, servable);
    });

    for (const { title, body, status, error, binary = '', length } of KSERVE_BODIES) {
      test(`KServe: ${title} is refused with ${status}, and the next request is answered`, async () => {
        const json = typeof body === 'string' ? body : JSON.stringify(body);
        const outcome = await kserveInfer(servable, json, binary, length ?? json.length);
        assert.deepEqual([outcome.status, errorOf(outcome)], [status, error]);
        const good = await kserveInfer(servable, JSON.stringify({ inputs: [GOOD_INPUT] }), '', undefined);
        assert.equal(good.status, 200);
      });
    }
  });
}

/** @param length of the JSON in front of binary data, as the header says it; `undefined`: no header. */
function kserveInfer(
  servable: string,
  json: string,
  binary: string,
  length: number | string | undefined,
): ReturnType<typeof restCall> {
  const headers = length === undefined ? {} : { 'Inference-Header-Content-Length': String(length) };
  return restCall(server.restPort, 'POST', `/v2/models/${servable}/infer`, json + binary, undefined, headers);
}

interface RestPath {
  readonly title: string;
  readonly covers: RowId;
  readonly requests: readonly (readonly [method: string, path: string])[];
  readonly status: number;
  readonly error: string;
}

const REST_PATHS: readonly RestPath[] = [
  {
    title: 'classify and regress',
    covers: 'tfs-rest.classify',
    requests: [
      ['POST', '/v1/models/dummy:classify'],
      ['POST', '/v1/models/dummy/versions/1:regress'],
      ['POST', '/v1/models/dummy/labels/stable:regress'],
    ],
    status: 404,
    error: 'Requested REST resource not found',
  },
  {
    title: 'status of no name',
    covers: 'tfs-rest.no-name',
    requests: [['GET', '/v1/models']],
    status: 404,
    error: 'Model with requested name is not found',
  },
  {
    title: 'another method',
    covers: 'tfs-rest.wrong-method',
    requests: [
      ['GET', '/v1/models/dummy:predict'],
      ['DELETE', '/v1/models/dummy'],
      ['PUT', '/v1/models/dummy:predict'],
      ['PATCH', '/nowhere'],
      ['POST', '/v1/models/dummy'],
      ['POST', '/v1/models/dummy/metadata'],
      ['POST', '/v1/config'],
      ['GET', '/v1/config/reload'],
      ['POST', '/v2'],
      ['POST', '/v2/health/live'],
      ['POST', '/v2/health/ready'],
      ['POST', '/v2/models/dummy'],
      ['POST', '/v2/models/dummy/ready'],
      ['GET', '/v2/models/dummy/infer'],
      ['POST', '/metrics'],
    ],
    status: 406,
    error: 'Unsupported method',
  },
  {
    title: 'an unknown path',
    covers: 'tfs-rest.unknown-path',
    requests: [
      ['GET', '/'],
      ['GET', '/nothing/here'],
      ['POST', '/v1/models/dummy:explain'],
      ['GET', '/v1/models/dummy/'],
      ['GET', '/v1/config/'],
      ['GET', '/v2/'],
      ['GET', '/v2/health'],
      ['GET', '/v2/models/dummy/ready/'],
      ['POST', '/v2/models/dummy/infer/'],
      ['GET', '/v3/nothing'],
    ],
    status: 400,
    error: 'Invalid request URL',
  },
  {
    title: 'the page of metrics that are off',
    covers: 'tfs-rest.metrics-off',
    requests: [
      ['GET', '/metrics'],
      ['GET', '/metrics?name=x'],
    ],
    status: 400,
    error: 'Invalid request URL',
  },
  {
    title: 'a path that climbs',
    covers: 'tfs-rest.path-escape',
    requests: [
      ['GET', '/v1/models/../dummy'],
      ['GET', '/v1/models/%2e%2e/dummy'],
      ['POST', '/v1/models/..%2Fdummy:predict'],
      ['GET', '/v2/models/..'],
    ],
    status: 400,
    error: "The provided base path is invalid or doesn't exists",
  },
];

describe('REST selection', () => {
  for (const { title, requests, status, error } of REST_PATHS) {
    test(`${title} is refused with ${status}`, async () => {
      for (const [method, path] of requests) {
        const outcome = await restCall(server.restPort, method, path, method === 'POST' ? DUMMY_BODY : undefined);
        assert.deepEqual([outcome.status, errorOf(outcome)], [status, error], `${method} ${path}`);
      }
    });
  }

  test('names and colons may be percent-encoded, queries are ignored, a base URL may end in a slash', async () => {
    covers('tfs-rest.percent-encoding', 'tfs-rest.query');
    for (const path of [
      '/v1/models/%64ummy:predict',
      '/v1/models/dummy%3Apredict',
      '/v1/models/dummy:predict?a=b&c=/d:e',
      '//v1/models/dummy:predict',
    ]) {
      assert.equal((await restCall(server.restPort, 'POST', path, DUMMY_BODY)).status, 200, path);
    }
  });

  test('OPTIONS on any path is answered with 200 and the CORS headers, as every error has them', async () => {
    covers('tfs-rest.cors', 'tfs-rest.content-type', 'tfs-rest.headers', 'tfs-rest.error-body');
    for (const [method, path, status] of [
      ['OPTIONS', '/v1/models/dummy:predict', 200],
      ['OPTIONS', '/nowhere', 200],
      ['GET', '/nowhere', 400],
      ['GET', '/v1/models/dummy', 200],
    ] as const) {
      const { headers, status: received } = await restCall(server.restPort, method, path);
      assert.equal(received, status);
      assert.deepEqual(
        ['origin', 'methods', 'headers'].map((name) => headers[`access-control-allow-${name}`]),
        ['*', '*', '*'],
      );
      assert.equal(headers['content-type'], 'application/json');
      assert.deepEqual([headers.date, headers['server']], [undefined, undefined]);
    }
  });

  test('instances of two inputs with different batches are refused', async () => {
    covers('errors.row-batches');
    const body = { instances: [{ in1: ZEROS, in2: ZEROS }, { in1: ZEROS }] };
    const outcome = await restPredict(server.restPort, 'pair', body);
    const error = 'Invalid JSON structure. Request inputs have different batch sizes';
    assert.deepEqual([outcome.status, errorOf(outcome)], [400, error]);
  });

  test('unnamed data for two inputs is refused', async () => {
    covers('errors.bare-data');
    const outcome = await restPredict(server.restPort, 'pair', { instances: [ZEROS] });
    const error = 'Inputs inside buffer does not match expected format.';
    assert.deepEqual([outcome.status, errorOf(outcome)], [400, error]);
  });
});
