import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ServingError, type ErrorCode } from '#src/errors.js';
import { METHOD } from '#src/frontends/kserve/method.js';
import { kserveMethods } from '#src/frontends/kserve/service.js';
import { wholeMessage } from '#src/frontends/rpc.js';
import type { ServerState } from '#src/frontends/server-state.js';
import type { ResponseTensor } from '#src/servables/predict-request.js';
import { ELEMENT_BYTES } from '#src/tensors/precision.js';
import { covers } from '../../../contract/covers.js';
import { decodeKserve, encodeKserve, type Fields, KSERVE_TYPES } from '../../../helpers/kserve-messages.js';
import { hex } from '../tfs/wire.js';
import { fakeCall, FakeServing, messages, NO_EXTENSIONS } from './fake-serving.js';

const SERVER: ServerState = { version: '1.2.3', isReady: () => false, ready: () => Promise.resolve() };

async function ask(serving: FakeServing, path: string, bytes: Uint8Array, server = SERVER): Promise<Uint8Array> {
  const method = kserveMethods(serving, server, NO_EXTENSIONS).get(path);
  assert.ok(typeof method === 'function');
  return wholeMessage(await method(bytes, fakeCall()));
}

const INPUT = { name: 'b', datatype: 'FP32', shape: [1], contents: { fp32_contents: [1] } };

async function infer(serving: FakeServing, more: Fields = {}): Promise<Record<string, unknown>> {
  const request = encodeKserve('ModelInferRequest', { model_name: 'm', inputs: [INPUT], ...more });
  return decodeKserve('ModelInferResponse', await ask(serving, METHOD.MODEL_INFER, request));
}

function says(code: ErrorCode, message: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ServingError);
    assert.deepEqual([error.code, error.message], [code, message]);
    return true;
  };
}

test('kserve: the server is live, and ready when it is', async () => {
  const serving = new FakeServing();
  const live = await ask(serving, METHOD.SERVER_LIVE, new Uint8Array(0));
  assert.deepEqual(decodeKserve('ServerLiveResponse', live), { live: true });
  for (const ready of [false, true]) {
    const answer = await ask(serving, METHOD.SERVER_READY, new Uint8Array(0), { ...SERVER, isReady: () => ready });
    assert.deepEqual(decodeKserve('ServerReadyResponse', answer), { ready });
  }
});

test('kserve: ServerMetadata has the name clients of OVMS look for, and no extensions', async () => {
  const answer = await ask(new FakeServing(), METHOD.SERVER_METADATA, new Uint8Array(0));
  const metadata = {
    name: 'OpenVINO Model Server',
    version: '1.2.3',
    extensions: ['binary_tensor_data', 'model_configuration', 'statistics'],
  };
  assert.deepEqual(decodeKserve('ServerMetadataResponse', answer), metadata);
});

test('kserve: ModelMetadata has the available versions and -1 for sizes that are not fixed', async () => {
  const request = encodeKserve('ModelMetadataRequest', { name: 'm', version: '3' });
  assert.deepEqual(
    decodeKserve('ModelMetadataResponse', await ask(new FakeServing(), METHOD.MODEL_METADATA, request)),
    {
      name: 'm',
      versions: ['1', '3'],
      platform: 'OpenVINO',
      inputs: [{ name: 'b', datatype: 'FP32', shape: [-1] }],
      outputs: [{ name: 'a', datatype: 'INT64', shape: [1, -1] }],
    },
  );
});

test('kserve: ModelReady answers the flag', async () => {
  const serving = new FakeServing();
  for (const ready of [true, false]) {
    serving.isReady = ready;
    const answer = await ask(serving, METHOD.MODEL_READY, encodeKserve('ModelReadyRequest', { name: 'm' }));
    assert.deepEqual(decodeKserve('ModelReadyResponse', answer), { ready });
  }
});

for (const [path, message] of [
  [METHOD.MODEL_READY, 'ModelReadyRequest'],
  [METHOD.MODEL_METADATA, 'ModelMetadataRequest'],
] as const) {
  test(`kserve: ${message} for an unknown name is not found, in the words for models`, async () => {
    const answer = ask(new FakeServing(), path, encodeKserve(message, { name: 'x' }));
    await assert.rejects(answer, says('MODEL_NAME_MISSING', 'Model with requested name is not found'));
  });

  test(`kserve: ${message} that is malformed is refused`, async () => {
    await assert.rejects(ask(new FakeServing(), path, hex('0aff')), /Request message could not be parsed - .*Request/);
  });
}

const VERSION_FORMAT = 'invalid model version format in request';
for (const version of ['01', 'one', '-1', '1.0', ' 1', '9223372036854775808', '00']) {
  test(`kserve: "${version}" is no version`, async () => {
    covers('errors.version-format', 'kserve.version');
    const serving = new FakeServing();
    await assert.rejects(infer(serving, { model_version: version }), says('MODEL_VERSION_FORMAT', VERSION_FORMAT));
    for (const [path, message] of [
      [METHOD.MODEL_READY, 'ModelReadyRequest'],
      [METHOD.MODEL_METADATA, 'ModelMetadataRequest'],
    ] as const) {
      const answer = ask(serving, path, encodeKserve(message, { name: 'm', version }));
      await assert.rejects(answer, says('MODEL_VERSION_FORMAT', VERSION_FORMAT));
    }
    assert.equal(serving.requests.length, 0);
  });
}

test('kserve: no version and "0" ask for the default version, a number for that one', async () => {
  const serving = new FakeServing();
  for (const version of ['', '0', '7', '9223372036854775807']) await infer(serving, { model_version: version });
  assert.deepEqual(
    serving.requests.map(({ version }) => version),
    [null, null, 7n, 2n ** 63n - 1n],
  );
});

test('kserve: ModelInfer answers name, the version that ran, and the id as it came', async () => {
  const serving = new FakeServing();
  const bare = await infer(serving);
  assert.deepEqual([bare['model_name'], bare['model_version'], bare['id']], ['m', '3', '']);
  assert.deepEqual([bare['outputs'], bare['raw_output_contents']], [[], []]);
  assert.equal((await infer(serving, { id: 'tag ü' }))['id'], 'tag ü');
  assert.deepEqual([serving.encodings, serving.releases], [2, 2]);
});

test('kserve: ModelInfer answers every output in raw content, in order', async () => {
  const types = Object.keys(KSERVE_TYPES).filter((each) => each !== 'STRING') as (keyof typeof KSERVE_TYPES)[];
  const output = fc.record({
    name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 9 }),
    precision: fc.constantFrom(...types),
    shape: fc.array(fc.nat(5), { maxLength: 3 }),
    salt: fc.nat(255),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(output, { maxLength: 4 }), async (drawn) => {
      const serving = new FakeServing();
      const outputs = drawn.map(({ name, precision, shape, salt }): ResponseTensor => {
        const size = shape.reduce((product, each) => product * each, 1) * ELEMENT_BYTES[precision];
        return { name, precision, shape, bytes: new Uint8Array(size).fill(salt) };
      });
      serving.outputs = outputs;
      const answer = await infer(serving);
      const heads = (answer['outputs'] as Fields[]).map(({ name, datatype, shape }) => ({ name, datatype, shape }));
      assert.deepEqual(
        heads,
        outputs.map(({ name, precision, shape }) => ({
          name,
          datatype: KSERVE_TYPES[precision as (typeof types)[number]],
          shape,
        })),
      );
      assert.deepEqual(
        answer['raw_output_contents'],
        outputs.map(({ bytes }) => Buffer.from(bytes)),
      );
    }),
  );
});

test('kserve: a large output in shared memory is copied whole, wherever it begins', async () => {
  const serving = new FakeServing();
  for (let start = 0; start < 9; start += 1) {
    const bytes = new Uint8Array(new SharedArrayBuffer(10_000), start, 8192).map((_, index) => index);
    serving.outputs = [{ name: 'a', precision: 'U8', shape: [8192], bytes }];
    assert.deepEqual((await infer(serving))['raw_output_contents'], [Buffer.from(bytes)]);
  }
});

test('kserve: a U8 output of two dimensions named ..._string is BYTES, each row up to its first NUL', async () => {
  const serving = new FakeServing();
  const bytes = Buffer.from('ab\0x\0\0\0\0abcd');
  serving.outputs = [{ name: 'label_string', precision: 'U8', shape: [3, 4], bytes }];
  const answer = await infer(serving);
  assert.deepEqual((answer['outputs'] as Fields[])[0]!['datatype'], 'BYTES');
  assert.deepEqual((answer['outputs'] as Fields[])[0]!['shape'], [3]);
  assert.deepEqual(answer['raw_output_contents'], [Buffer.from('\x02\0\0\0ab\0\0\0\0\x04\0\0\0abcd', 'latin1')]);
});

test('kserve: an unknown name is missed as a graph, before its inputs are looked at', async () => {
  const answer = infer(new FakeServing(), { model_name: 'x', inputs: [] });
  await assert.rejects(
    answer,
    says('GRAPH_NAME_MISSING', 'Mediapipe graph definition with requested name is not found'),
  );
});

test('kserve: inputs that do not go with the servable count as a request that failed', async () => {
  const serving = new FakeServing();
  await assert.rejects(
    infer(serving, { inputs: [] }),
    says('INVALID_NO_OF_INPUTS', 'Invalid number of inputs - Expected: 1; Actual: 0'),
  );
  assert.deepEqual([serving.refusals, serving.requests.length], [1, 0]);
});

const WORDS: readonly (readonly [ErrorCode, string, string])[] = [
  [
    'INVALID_CONTENT_SIZE',
    'Expected: 40 bytes; Actual: 36 bytes; input name: b',
    'Invalid content size of tensor proto - Expected: 40 bytes; Actual: 36 bytes; input name: input name: b',
  ],
  [
    'INVALID_VALUE_COUNT',
    'Expected: 10; Actual: 3; input name: b',
    'Invalid number of values in tensor proto container - Expected: 10 values; Actual: 3 values; input name: input name: b',
  ],
  ['INVALID_MISSING_INPUT', 'Required input: b', 'Missing input with specific name - Required input: b'],
  ['MODEL_VERSION_RETIRED', '', 'Model with requested version is retired'],
  ['STRING_EMPTY', 'element 0; input name: b', 'Bytes contents is empty - element 0; input name: input name: b'],
];
for (const [code, detail, message] of WORDS) {
  test(`kserve: ${code} is said in KServe's words`, async () => {
    const serving = new FakeServing();
    serving.fault = new ServingError(code, detail);
    await assert.rejects(infer(serving), says(code === 'STRING_EMPTY' ? 'BYTES_EMPTY' : code, message));
  });
}

test('kserve: ModelStreamInfer finds no graph, whatever the first message asks for', async () => {
  const method = kserveMethods(new FakeServing(), SERVER, NO_EXTENSIONS).get(METHOD.MODEL_STREAM_INFER);
  assert.ok(typeof method === 'object');
  const request = encodeKserve('ModelInferRequest', { model_name: 'm' });
  for (const requests of [messages(request), messages()]) {
    const answers = method.stream(requests, fakeCall())[Symbol.asyncIterator]();
    await assert.rejects(
      answers.next(),
      says('GRAPH_NAME_MISSING', 'Mediapipe graph definition with requested name is not found'),
    );
  }
  const malformed = method.stream(messages(hex('0aff')), fakeCall())[Symbol.asyncIterator]();
  await assert.rejects(malformed.next(), /Request message could not be parsed/);
});
