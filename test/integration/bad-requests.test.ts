import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { METHOD } from '#src/frontends/tfs/method.js';
import { encodeMetadataRequest } from '#src/frontends/tfs/metadata-message.js';
import { encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { encodeStatusRequest } from '#src/frontends/tfs/status-message.js';
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
import { TestRepository } from '../helpers/repository.js';
import { errorOf, restCall, restPredict } from '../helpers/rest-client.js';
import { startServerProcess, type ServerProcess } from '../helpers/server.js';

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
  test('an unknown name is not found, in the words for pipelines', async () => {
    const { code, details } = await client.predict('nobody', [DUMMY_INPUT]);
    assert.deepEqual([code, details], ['NOT_FOUND', 'Pipeline with requested name is not found']);
    await assertAnswers(client);
  });

  test('a request without model_spec asks for the empty name', async () => {
    const { code, details } = await client.call(METHOD.PREDICT, new Uint8Array(0));
    assert.deepEqual([code, details], ['NOT_FOUND', 'Pipeline with requested name is not found']);
  });

  test('an unknown version of a model is not found', async () => {
    const { code, details } = await client.predict('dummy', [DUMMY_INPUT], 99n);
    assert.deepEqual([code, details], ['NOT_FOUND', 'Model with requested version is not found']);
    await assertAnswers(client);
  });

  test('a version is ignored for a pipeline', async () => {
    assert.equal((await client.predict('dummy_pipeline', [DUMMY_INPUT], 99n)).code, 'OK');
  });

  const selections = [
    {
      title: 'status of an unknown name',
      path: METHOD.GET_MODEL_STATUS,
      request: encodeStatusRequest({ name: 'nobody', version: null }),
      expected: ['NOT_FOUND', 'Model with requested name is not found'],
    },
    {
      title: 'status of an unknown version',
      path: METHOD.GET_MODEL_STATUS,
      request: encodeStatusRequest({ name: 'dummy', version: 7n }),
      expected: ['NOT_FOUND', 'Model with requested version is not found'],
    },
    {
      title: 'metadata of an unknown name',
      path: METHOD.GET_MODEL_METADATA,
      request: encodeMetadataRequest('nobody', null),
      expected: ['NOT_FOUND', 'Model with requested name is not found'],
    },
    {
      title: 'metadata of an unknown version',
      path: METHOD.GET_MODEL_METADATA,
      request: encodeMetadataRequest('dummy', 7n),
      expected: ['NOT_FOUND', 'Model with requested version is not found'],
    },
    {
      title: 'metadata without model_spec',
      path: METHOD.GET_MODEL_METADATA,
      request: new Uint8Array(0),
      expected: ['INVALID_ARGUMENT', 'model_spec missing in request'],
    },
    {
      title: 'metadata without a field',
      path: METHOD.GET_MODEL_METADATA,
      // A predict request is a metadata request with the same model_spec and nothing else.
      request: encodePredictRequest('dummy', null, []),
      expected: ['INVALID_ARGUMENT', 'Invalid signature name'],
    },
    { title: 'Classify', path: METHOD.CLASSIFY, request: new Uint8Array(0), expected: ['UNIMPLEMENTED', ''] },
    { title: 'Regress', path: METHOD.REGRESS, request: new Uint8Array(0), expected: ['UNIMPLEMENTED', ''] },
    {
      title: 'MultiInference',
      path: METHOD.MULTI_INFERENCE,
      request: new Uint8Array(0),
      expected: ['UNIMPLEMENTED', ''],
    },
  ] as const;
  for (const { title, path, request, expected } of selections) {
    test(`${title} is refused as the reference refuses it`, async () => {
      const { code, details } = await client.call(path, request);
      assert.deepEqual([code, details], expected);
    });
  }

  for (const path of [METHOD.PREDICT, METHOD.GET_MODEL_METADATA, METHOD.GET_MODEL_STATUS]) {
    test(`${path}: a malformed message is an invalid argument`, async () => {
      for (const bytes of ['ff', '0aff', '120a0a', '08ffffffffffffffffffffff', '0b', '7f'.repeat(1000)]) {
        const { code, details } = await client.call(path, Buffer.from(bytes, 'hex'));
        assert.equal(code, 'INVALID_ARGUMENT', bytes);
        assert.match(details, /^Request message could not be parsed - /);
      }
      await assertAnswers(client);
    });
  }

  test('an unknown method is unimplemented', async () => {
    const { code } = await client.call('/tensorflow.serving.PredictionService/Nothing', new Uint8Array(0));
    assert.equal(code, 'UNIMPLEMENTED');
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

describe('REST selection', () => {
  const selections: readonly (readonly [string, string, number, string])[] = [
    ['POST', '/v1/models/nobody:predict', 404, 'Model with requested name is not found'],
    ['POST', '/v1/models/dummy/versions/99:predict', 404, 'Model with requested version is not found'],
    [
      'POST',
      '/v1/models/dummy/versions/99999999999999999999:predict',
      404,
      'Model with requested version is not found',
    ],
    ['POST', '/v1/models/dummy:classify', 404, 'Requested REST resource not found'],
    ['POST', '/v1/models/dummy:regress', 404, 'Requested REST resource not found'],
    ['GET', '/v1/models/nobody', 404, 'Model with requested name is not found'],
    ['GET', '/v1/models/dummy/versions/7', 404, 'Model with requested version is not found'],
    ['GET', '/v1/models/nobody/metadata', 404, 'Model with requested name is not found'],
    ['GET', '/v1/models/dummy/versions/7/metadata', 404, 'Model with requested version is not found'],
    ['GET', '/v1/models/dummy:predict', 406, 'Unsupported method'],
    ['DELETE', '/v1/models/dummy', 406, 'Unsupported method'],
    ['GET', '/nothing/here', 400, 'Invalid request URL'],
  ];
  for (const [method, path, status, error] of selections) {
    test(`${method} ${path} is refused with ${status}`, async () => {
      const outcome = await restCall(server.restPort, method, path, method === 'POST' ? DUMMY_BODY : undefined);
      assert.deepEqual([outcome.status, errorOf(outcome)], [status, error]);
    });
  }

  test('a version is ignored for a pipeline', async () => {
    const path = '/v1/models/dummy_pipeline/versions/99:predict';
    assert.equal((await restCall(server.restPort, 'POST', path, DUMMY_BODY)).status, 200);
  });

  test('instances of two inputs with different batches are refused', async () => {
    const body = { instances: [{ in1: ZEROS, in2: ZEROS }, { in1: ZEROS }] };
    const outcome = await restPredict(server.restPort, 'pair', body);
    const error = 'Invalid JSON structure. Request inputs have different batch sizes';
    assert.deepEqual([outcome.status, errorOf(outcome)], [400, error]);
  });

  test('unnamed data for two inputs is refused', async () => {
    const outcome = await restPredict(server.restPort, 'pair', { instances: [ZEROS] });
    const error = 'Inputs inside buffer does not match expected format.';
    assert.deepEqual([outcome.status, errorOf(outcome)], [400, error]);
  });
});
