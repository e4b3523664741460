import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { METHOD } from '#src/frontends/tfs/method.js';
import { encodeMetadataRequest } from '#src/frontends/tfs/metadata-message.js';
import { encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { encodeStatusRequest } from '#src/frontends/tfs/status-message.js';
import type { ResponseTensor } from '#src/servables/predict-request.js';
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
import { bytesOf, floatTensor } from '../helpers/tensors.js';

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

interface BadInputs {
  readonly title: string;
  readonly covers?: RowId;
  readonly inputs: readonly ResponseTensor[];
  readonly details: string;
}

const INTEGERS: ResponseTensor = { ...DUMMY_INPUT, precision: 'I32', bytes: bytesOf(Int32Array.from(ZEROS)) };

const BAD_INPUTS: readonly BadInputs[] = [
  {
    title: 'no input',
    covers: 'errors.input-count',
    inputs: [],
    details: 'Invalid number of inputs - Expected: 1; Actual: 0',
  },
  {
    title: 'an input too many',
    inputs: [DUMMY_INPUT, { ...DUMMY_INPUT, name: 'c' }],
    details: 'Invalid number of inputs - Expected: 1; Actual: 2',
  },
  {
    title: 'an unknown input',
    inputs: [{ ...DUMMY_INPUT, name: 'c' }],
    details: 'Missing input with specific name - Required input: b',
  },
  {
    title: 'a wrong type',
    inputs: [INTEGERS],
    details: 'Invalid input precision - Expected: FP32; Actual: I32; input name: b',
  },
  {
    title: 'a type no servable has',
    inputs: [{ ...DUMMY_INPUT, precision: 'BF16' }],
    details: 'Invalid input precision - Expected: FP32; Actual: INVALID; input name: b',
  },
  {
    title: 'a wrong rank',
    inputs: [{ ...DUMMY_INPUT, shape: [1, 10, 1] }],
    details: 'Invalid number of shape dimensions - Expected: (1,10); Actual: (1,10,1); input name: b',
  },
  {
    title: 'a wrong batch',
    inputs: [floatTensor('b', [2, 10], [...ZEROS, ...ZEROS])],
    details: 'Invalid input batch size - Expected: 1; Actual: 2; input name: b',
  },
  {
    title: 'a wrong dimension',
    inputs: [floatTensor('b', [1, 11], [...ZEROS, 0])],
    details: 'Invalid input shape - Expected: (1,10); Actual: (1,11); input name: b',
  },
  {
    title: 'a negative dimension',
    inputs: [{ ...DUMMY_INPUT, shape: [1, -3] }],
    details: 'Invalid input shape - Negative or zero dimension size is not acceptable: (1,-3); input name: b',
  },
  {
    title: 'a wrong content size',
    inputs: [{ ...DUMMY_INPUT, bytes: DUMMY_INPUT.bytes.subarray(0, 36) }],
    details: 'Invalid content size of tensor proto - Expected: 40 bytes; Actual: 36 bytes; input name: b',
  },
  {
    title: 'no content',
    inputs: [{ ...DUMMY_INPUT, bytes: new Uint8Array(0) }],
    details: 'Invalid content size of tensor proto - Expected: 40 bytes; Actual: 0 bytes; input name: b',
  },
];

for (const servable of ['dummy', 'dummy_pipeline']) {
  describe(`gRPC predict on ${servable}`, () => {
    for (const { title, inputs, details } of BAD_INPUTS) {
      test(`${title} is an invalid argument, and the next request is answered`, async () => {
        const outcome = await client.predict(servable, inputs);
        assert.deepEqual([outcome.code, outcome.details], ['INVALID_ARGUMENT', details]);
        await assertAnswers(client, servable);
      });
    }
  });
}

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
  /** Text, or what JSON makes of the value. */
  readonly body: unknown;
  readonly status: number;
  readonly error: string;
}

const INVALID_STRUCTURE = 'Invalid JSON structure.';
const NO_NDARRAY = 'Not valid ndarray detected';

const BAD_BODIES: readonly BadBody[] = [
  {
    title: 'an input too many',
    body: { inputs: { b: [ZEROS], c: [ZEROS] } },
    status: 400,
    error: 'Invalid number of inputs - Expected: 1; Actual: 2',
  },
  {
    title: 'an unknown input',
    body: { inputs: { c: [ZEROS] } },
    status: 400,
    error: 'Missing input with specific name - Required input: b',
  },
  {
    title: 'a wrong rank',
    body: { inputs: { b: ZEROS } },
    status: 400,
    error: 'Invalid number of shape dimensions - Expected: (1,10); Actual: (10); input name: b',
  },
  {
    title: 'a wrong batch',
    body: { instances: [ZEROS, ZEROS] },
    status: 400,
    error: 'Invalid input batch size - Expected: 1; Actual: 2; input name: b',
  },
  {
    title: 'a wrong dimension',
    body: { instances: [{ b: [...ZEROS, 0] }] },
    status: 400,
    error: 'Invalid input shape - Expected: (1,10); Actual: (1,11); input name: b',
  },
  {
    title: 'ragged instances',
    body: { instances: [[[1, 2], [3]]] },
    status: 400,
    error: `Could not parse instance content. ${NO_NDARRAY}`,
  },
  {
    title: 'ragged inputs',
    body: { inputs: { b: [[1, 2], [3]] } },
    status: 400,
    error: `Could not parse input content. ${NO_NDARRAY}`,
  },
  {
    title: 'words for numbers',
    body: { inputs: { b: [Array<string>(10).fill('one')] } },
    status: 400,
    error: `Could not parse input content. ${NO_NDARRAY}`,
  },
  {
    title: 'an empty object',
    body: {},
    status: 400,
    error: `${INVALID_STRUCTURE} Could not detect row or column format`,
  },
  {
    title: 'rows and columns together',
    body: { instances: [ZEROS], ...DUMMY_BODY },
    status: 400,
    error: `${INVALID_STRUCTURE} Could not detect row or column format`,
  },
  { title: 'a list', body: [ZEROS], status: 400, error: 'Request body should be JSON object' },
  {
    title: 'instances that are no list',
    body: { instances: 1 },
    status: 400,
    error: `${INVALID_STRUCTURE} Nonamed instance is not an array.`,
  },
  {
    title: 'no instance',
    body: { instances: [] },
    status: 400,
    error: `${INVALID_STRUCTURE} Missing instances in row format`,
  },
  {
    title: 'named and unnamed instances together',
    body: { instances: [{ b: ZEROS }, ZEROS] },
    status: 400,
    error: `${INVALID_STRUCTURE} One of named instances is not a JSON object.`,
  },
  { title: 'no inputs', body: { inputs: {} }, status: 400, error: 'Invalid JSON structure, missing inputs' },
  {
    title: 'inputs that are no object',
    body: { inputs: 5 },
    status: 400,
    error: `${INVALID_STRUCTURE} One of inputs is not a JSON object.`,
  },
  {
    title: 'nesting beyond the limit',
    body: `{"inputs": ${'['.repeat(200)}${']'.repeat(200)}}`,
    status: 500,
    error: 'JSON nesting depth exceeds the allowed limit',
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

    test('what is not JSON is refused with 412 and the place of the fault', async () => {
      for (const text of ['', '{', '{"inputs": [1,}', 'hello', '{"inputs": {"b": [[nan]]}}']) {
        const outcome = await restPredict(server.restPort, servable, text);
        assert.equal(outcome.status, 412, text);
        assert.match(errorOf(outcome), /^The file is not valid json - Error: .+ Offset: \d+$/);
      }
      await assertServes(server, servable);
    });
  });
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
