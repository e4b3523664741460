import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { METHOD as KSERVE } from '#src/frontends/kserve/method.js';
import { METHOD as TFS } from '#src/frontends/tfs/method.js';
import { encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import type { Timeline } from '#src/servables/serving.js';
import { covers } from '../contract/covers.js';
import { addDummy, assertServes, DUMMY_INPUT, pipelineOf, ZEROS } from '../helpers/dummy-servables.js';
import { GrpcClient } from '../helpers/grpc-client.js';
import { grpcFrame, http2Outcome } from '../helpers/http2-call.js';
import { encodeKserve, type Fields, rawInferRequest } from '../helpers/kserve-messages.js';
import { modelNode, pipeline, TestRepository } from '../helpers/repository.js';
import { restCall } from '../helpers/rest-client.js';
import { startServerProcess, type ServerProcess, withServerProcess } from '../helpers/server.js';
import { encodeTfs } from '../helpers/tfs-messages.js';

/** More than a header frame, a header list or a log line should hold. */
const LETTERS = 70_000;
const LONG = 'x'.repeat(LETTERS);
const WIDE = '漢'.repeat(LETTERS);
/** Two UTF-16 code units a letter. */
const FACES = '😀'.repeat(LETTERS / 2);
const MANY_SIZES = new Array<number>(9_000).fill(1);
/** Bytes of a text in the header `grpc-message`: nginx has twice as much for all headers of an answer. */
const MOST_BYTES = 2_048;
/** Node.js takes no longer target of a request. */
const LONG_PATH = 'x'.repeat(12_000);

function headerBytes(text: string): number {
  return Buffer.from(text).reduce((sum, byte) => sum + (byte >= 0x20 && byte <= 0x7e && byte !== 0x25 ? 1 : 3), 0);
}

const HEALTH = '/grpc.health.v1.Health/Check';

/** `name` as the only field of a message: its first. */
function named(name: string): Uint8Array {
  return encodeKserve('ModelReadyRequest', { name });
}

function infer(input: Fields, more: Fields = {}): Uint8Array {
  const whole = { name: 'b', datatype: 'FP32', shape: [1, 10], contents: { fp32_contents: ZEROS }, ...input };
  return encodeKserve('ModelInferRequest', { model_name: 'dummy', inputs: [whole], ...more });
}

function predict(name: string, shape: readonly number[]): Uint8Array {
  const dim = shape.map((size) => ({ size }));
  return encodeTfs('tensorflow.serving.PredictRequest', {
    model_spec: { name: 'dummy' },
    inputs: { [name]: { dtype: 'DT_FLOAT', tensor_shape: { dim }, float_val: ZEROS } },
  });
}

interface Call {
  readonly title: string;
  readonly path: string;
  readonly request: Uint8Array;
  readonly code: string;
  /** What the text has of what was sent, if it has it. */
  readonly said?: string;
}

const PLACE = { shared_memory_region: { string_param: LONG }, shared_memory_byte_size: { int64_param: 40 } };
const QUOTED = `${'x'.repeat(128)}… (${LETTERS} characters)`;

const CALLS: readonly Call[] = [
  {
    title: 'TFS, name',
    path: TFS.PREDICT,
    request: encodePredictRequest(LONG, null, [DUMMY_INPUT]),
    code: 'NOT_FOUND',
  },
  { title: 'TFS, input', path: TFS.PREDICT, request: predict(LONG, [1, 10]), code: 'INVALID_ARGUMENT' },
  {
    title: 'TFS, dimensions',
    path: TFS.PREDICT,
    request: predict('b', MANY_SIZES),
    code: 'INVALID_ARGUMENT',
    said: '1,1,… 9000 dimensions)',
  },
  {
    title: 'TFS, metadata',
    path: TFS.GET_MODEL_METADATA,
    request: metadataOf(LONG, 'signature_def'),
    code: 'NOT_FOUND',
  },
  { title: 'TFS, field', path: TFS.GET_MODEL_METADATA, request: metadataOf('dummy', LONG), code: 'INVALID_ARGUMENT' },
  { title: 'TFS, status', path: TFS.GET_MODEL_STATUS, request: statusOf(LONG), code: 'NOT_FOUND' },
  { title: 'KServe, name', path: KSERVE.MODEL_INFER, request: rawInferRequest(LONG, [DUMMY_INPUT]), code: 'NOT_FOUND' },
  { title: 'KServe, input', path: KSERVE.MODEL_INFER, request: infer({ name: LONG }), code: 'INVALID_ARGUMENT' },
  {
    title: 'KServe, version',
    path: KSERVE.MODEL_INFER,
    request: infer({}, { model_version: LONG }),
    code: 'INVALID_ARGUMENT',
  },
  {
    title: 'KServe, datatype',
    path: KSERVE.MODEL_INFER,
    request: infer({ datatype: LONG }),
    code: 'INVALID_ARGUMENT',
    said: QUOTED,
  },
  {
    title: 'KServe, datatype of other letters',
    path: KSERVE.MODEL_INFER,
    request: infer({ datatype: WIDE }),
    code: 'INVALID_ARGUMENT',
    said: `漢… (${LETTERS} characters)`,
  },
  {
    title: 'KServe, dimensions',
    path: KSERVE.MODEL_INFER,
    request: infer({ shape: MANY_SIZES }),
    code: 'INVALID_ARGUMENT',
    said: '1,1,… 9000 dimensions)',
  },
  {
    title: 'KServe, 70,000 dimensions',
    path: KSERVE.MODEL_INFER,
    request: infer({ shape: new Array<number>(LETTERS).fill(2 ** 31) }),
    code: 'INVALID_ARGUMENT',
    said: '… 70000 dimensions)',
  },
  {
    title: 'KServe, contents twice',
    path: KSERVE.MODEL_INFER,
    request: infer({ name: LONG }, { raw_input_contents: [Buffer.alloc(40)] }),
    code: 'INVALID_ARGUMENT',
    said: QUOTED,
  },
  {
    title: 'KServe, shared memory of an input',
    path: KSERVE.MODEL_INFER,
    request: infer({ contents: null, parameters: PLACE }),
    code: 'NOT_FOUND',
    said: `Unable to find shared memory region: '${QUOTED}'`,
  },
  {
    title: 'KServe, shared memory of an output',
    path: KSERVE.MODEL_INFER,
    request: infer({}, { outputs: [{ name: LONG, parameters: { shared_memory_region: { string_param: 'r' } } }] }),
    code: 'INVALID_ARGUMENT',
    said: QUOTED,
  },
  { title: 'KServe, ready', path: KSERVE.MODEL_READY, request: named(LONG), code: 'NOT_FOUND' },
  { title: 'KServe, metadata', path: KSERVE.MODEL_METADATA, request: named(LONG), code: 'NOT_FOUND' },
  { title: 'KServe, config', path: KSERVE.MODEL_CONFIG, request: named(LONG), code: 'NOT_FOUND' },
  { title: 'KServe, statistics', path: KSERVE.MODEL_STATISTICS, request: named(LONG), code: 'NOT_FOUND' },
  { title: 'KServe, stream', path: KSERVE.MODEL_STREAM_INFER, request: infer({ datatype: LONG }), code: 'NOT_FOUND' },
  {
    title: 'region, status',
    path: KSERVE.SYSTEM_SHARED_MEMORY_STATUS,
    request: named(LONG),
    code: 'NOT_FOUND',
    said: QUOTED,
  },
  {
    title: 'region, register by other letters',
    path: KSERVE.SYSTEM_SHARED_MEMORY_REGISTER,
    request: encodeKserve('SystemSharedMemoryRegisterRequest', { name: `x${FACES}`, key: '/', byte_size: 8 }),
    code: 'INVALID_ARGUMENT',
    said: `region 'x${'😀'.repeat(63)}… (${LETTERS + 1} characters)'`,
  },
  {
    title: 'region, register',
    path: KSERVE.SYSTEM_SHARED_MEMORY_REGISTER,
    request: encodeKserve('SystemSharedMemoryRegisterRequest', { name: LONG, key: WIDE, byte_size: 8 }),
    code: 'INVALID_ARGUMENT',
    said: `failed to register shared memory region '${QUOTED}': invalid args: `,
  },
  { title: 'health', path: HEALTH, request: named(LONG), code: 'NOT_FOUND', said: QUOTED },
  { title: 'an unknown method', path: `/a/${'x'.repeat(6_000)}`, request: named('x'), code: 'UNIMPLEMENTED' },
];

function metadataOf(name: string, field: string): Uint8Array {
  return encodeTfs('tensorflow.serving.GetModelMetadataRequest', { model_spec: { name }, metadata_field: [field] });
}

function statusOf(name: string): Uint8Array {
  return encodeTfs('tensorflow.serving.GetModelStatusRequest', { model_spec: { name, version_label: LONG } });
}

interface RestRequest {
  readonly title: string;
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  readonly said?: string;
}

const PREDICT = '/v1/models/dummy:predict';
const INFER = '/v2/models/dummy/infer';
const JSON_INPUT = { name: 'b', shape: [1, 10], datatype: 'FP32', data: ZEROS };
const inferBody = (input: Fields, more: Fields = {}): Fields => ({ inputs: [{ ...JSON_INPUT, ...input }], ...more });

const REQUESTS: readonly RestRequest[] = [
  { title: 'TFS, name', path: `/v1/models/${LONG_PATH}:predict`, body: {}, status: 404 },
  { title: 'TFS, version', path: `/v1/models/dummy/versions/${'9'.repeat(12_000)}:predict`, body: {}, status: 404 },
  { title: 'TFS, input', path: PREDICT, body: { inputs: { [LONG]: [ZEROS] } }, status: 400 },
  { title: 'TFS, string', path: PREDICT, body: { inputs: { b: [LONG] } }, status: 400 },
  { title: 'TFS, text that is no JSON', path: PREDICT, body: LONG, status: 412 },
  { title: 'TFS, status', method: 'GET', path: `/v1/models/${LONG_PATH}`, status: 404 },
  { title: 'TFS, metadata', method: 'GET', path: `/v1/models/${LONG_PATH}/metadata`, status: 404 },
  { title: 'an unknown path', method: 'GET', path: `/${LONG_PATH}`, status: 400 },
  {
    title: 'encoding',
    path: PREDICT,
    body: '{}',
    headers: { 'content-encoding': LONG_PATH },
    status: 412,
    said: '… (12000',
  },
  { title: 'KServe, name', path: `/v2/models/${LONG_PATH}/infer`, body: inferBody({}), status: 404 },
  { title: 'KServe, input', path: INFER, body: inferBody({ name: LONG }), status: 400 },
  {
    title: 'KServe, datatype',
    path: INFER,
    body: inferBody({ datatype: LONG, data: undefined, parameters: { binary_data_size: 0 } }),
    status: 400,
    said: QUOTED,
  },
  { title: 'KServe, dimensions', path: INFER, body: inferBody({ shape: MANY_SIZES }), status: 400, said: '… 9000' },
  {
    title: 'KServe, parameter',
    path: INFER,
    body: inferBody({}, { parameters: { binary_data_output: LONG } }),
    status: 400,
  },
  {
    title: 'KServe, place',
    path: INFER,
    body: inferBody({ name: LONG, parameters: { shared_memory_region: 'r', shared_memory_byte_size: LONG } }),
    status: 400,
    said: QUOTED,
  },
  {
    title: 'KServe, header',
    path: INFER,
    body: '{}',
    headers: { 'inference-header-content-length': 'x'.repeat(12_000) },
    status: 500,
  },
  { title: 'KServe, ready', method: 'GET', path: `/v2/models/${LONG_PATH}/ready`, status: 404 },
  { title: 'KServe, statistics', method: 'GET', path: `/v2/models/${LONG_PATH}/stats`, status: 404 },
  {
    title: 'region, status',
    method: 'GET',
    path: `/v2/systemsharedmemory/region/${LONG_PATH}/status`,
    status: 404,
    said: '… (12000 characters)',
  },
  {
    title: 'region, key',
    path: `/v2/systemsharedmemory/region/${LONG_PATH}/register`,
    body: { key: LONG, byte_size: 8 },
    status: 400,
  },
  {
    title: 'region, offset',
    path: '/v2/systemsharedmemory/region/r/register',
    body: { key: 'k', offset: LONG, byte_size: 8 },
    status: 400,
    said: `(${LETTERS} characters)`,
  },
];

describe('what a client sends is repeated shortened', () => {
  let server: ServerProcess;
  let client: GrpcClient;

  before(async () => {
    const repository = new TestRepository();
    const config = repository.writeConfig([addDummy(repository)], [pipelineOf('dummy_pipeline', 'dummy')]);
    server = await startServerProcess(['--config_path', config, '--log_level', 'DEBUG']);
    await server.line('ServableManagerModule started');
    client = new GrpcClient(server.grpcPort);
  });

  after(async () => {
    await assertServes(server);
    client.close();
    assert.equal(await server.stop(), 0);
    const longest = server.lines.reduce((length, line) => Math.max(length, line.length), 0);
    assert.ok(longest < MOST_BYTES, `a line of ${longest} characters in the log`);
  });

  for (const { title, path, request, code, said = '' } of CALLS) {
    test(`gRPC: ${title}`, async () => {
      covers('errors.bounded');
      const outcome = await client.call(path, request);
      assert.equal(outcome.code, code, outcome.details.slice(0, 200));
      assert.ok(headerBytes(outcome.details) <= MOST_BYTES, `${headerBytes(outcome.details)} bytes`);
      assert.ok(outcome.details.includes(said), outcome.details);
    });
  }

  for (const name of ['grpc-timeout', 'grpc-encoding']) {
    test(`gRPC: ${name}`, async () => {
      covers('errors.bounded');
      const frame = Buffer.concat([Buffer.of(1), grpcFrame(named('x')).subarray(1)]);
      const { status, message } = await http2Outcome(server.grpcPort, TFS.PREDICT, frame, {
        [name]: 'x'.repeat(6_000),
      });
      assert.notEqual(status, '0');
      assert.ok(status !== '' && message.length <= MOST_BYTES, `${status} ${message.length} bytes`);
    });
  }

  for (const { title, method = 'POST', path, body, headers, status, said = '' } of REQUESTS) {
    test(`REST: ${title}`, async () => {
      covers('errors.bounded');
      const outcome = await restCall(server.restPort, method, path, body, undefined, headers);
      assert.equal(outcome.status, status, outcome.text.slice(0, 200));
      assert.ok(outcome.text.length <= MOST_BYTES, `${outcome.text.length} characters`);
      assert.ok(outcome.text.includes(said), outcome.text);
    });
  }
});

test('the time line of many nodes leaves room for the other headers of its answer', async () => {
  const repository = new TestRepository();
  const chain = Array.from({ length: 40 }, (_, index) =>
    modelNode(`node ${index}`, 'dummy', { b: index === 0 ? 'request.b' : `node ${index - 1}.a` }, ['a']),
  );
  const config = repository.writeConfig([addDummy(repository)], [pipeline('long', ['b'], chain, { a: 'node 39.a' })]);
  await withServerProcess(['--config_path', config], async ({ restPort, grpcPort }) => {
    const headers = { 'vinery-timeline': '1' };
    const body = { inputs: { b: [ZEROS] } };
    const answer = await restCall(restPort, 'POST', '/v1/models/long:predict', body, undefined, headers);
    assert.equal(answer.status, 200);
    const { trailers } = await http2Outcome(
      grpcPort,
      KSERVE.MODEL_INFER,
      grpcFrame(rawInferRequest('long', [DUMMY_INPUT])),
      headers,
    );
    assert.equal(trailers['grpc-status'], '0');
    for (const received of [answer.headers, trailers]) {
      const { nodes, leftOutNodes } = JSON.parse(String(received['vinery-timeline'])) as Timeline;
      assert.ok(nodes.length > 5);
      assert.equal(nodes.length + leftOutNodes!, 40);
      // nginx has 4 KiB for all of them.
      const bytes = Object.entries(received).reduce(
        (sum, [name, value]) => sum + `${name}: ${String(value)}\r\n`.length,
        0,
      );
      assert.ok(bytes < 3_000, `${bytes} bytes`);
    }
  });
});

test('what config.json says is repeated shortened in the log, and the good models are served', async () => {
  covers('errors.bounded');
  const repository = new TestRepository();
  const config = repository.writeConfig(
    [
      addDummy(repository),
      { name: LONG, base_path: '/nowhere' },
      { name: 'shape', base_path: repository.path('dummy'), shape: LONG },
      { name: 'layout', base_path: repository.path('dummy'), layout: LONG },
      { name: 'path', base_path: `../${LONG}` },
    ],
    [pipelineOf(WIDE, LONG)],
  );
  const server = await startServerProcess(['--config_path', config, '--log_level', 'DEBUG']);
  try {
    await server.line('ServableManagerModule started');
    await assertServes(server);
  } finally {
    assert.equal(await server.stop(), 0);
  }
  const longest = server.lines.reduce((length, line) => Math.max(length, line.length), 0);
  assert.ok(longest < 17_000, `a line of ${longest} characters in the log`);
});
