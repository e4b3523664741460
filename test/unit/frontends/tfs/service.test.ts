import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServingError, type ErrorCode } from '#src/errors.js';
import { METHOD } from '#src/frontends/tfs/method.js';
import { decodeMetadataResponse, encodeMetadataRequest } from '#src/frontends/tfs/metadata-message.js';
import { decodePredictResponse, encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { tensorflowServingMethods } from '#src/frontends/tfs/service.js';
import { decodeStatusResponse, encodeStatusRequest } from '#src/frontends/tfs/status-message.js';
import { wholeMessage, type RpcCall } from '#src/frontends/rpc.js';
import type { PredictRequest, ResponseTensor } from '#src/servables/predict-request.js';
import type { PredictResult, Serving, Timeline } from '#src/servables/serving.js';
import { bytesField, hex } from './wire.js';

const OUTPUT: ResponseTensor = { name: 'a', precision: 'U8', shape: [1], bytes: hex('07') };
const TIMELINE: Timeline = {
  totalMicros: 10,
  nodes: [
    {
      node: 'knöten\u007f',
      session: '',
      readyMicros: 1,
      startMicros: 2,
      endMicros: 3,
      queueMicros: 1,
      inferMicros: 1,
      copiedBytes: 0,
    },
  ],
};

/** Answers one output, counts releases, and knows one servable, `m`. */
class FakeServing implements Serving {
  readonly requests: PredictRequest[] = [];
  outputs: readonly ResponseTensor[] = [OUTPUT];
  timeline: Timeline | null = null;
  releases = 0;
  answers = 0;

  predict(request: PredictRequest): Promise<PredictResult> {
    this.requests.push(request);
    if (request.servable !== 'm') return Promise.reject(new ServingError('PIPELINE_NAME_MISSING'));
    const release = (): void => void (this.releases += 1);
    const encoded = (): void => void (this.answers += 1);
    const { outputs, timeline } = this;
    return Promise.resolve({ outputs, declaredOutputs: outputs.length, version: 1, timeline, encoded, release });
  }

  metadata(name: string, version: bigint | null): ReturnType<Serving['metadata']> {
    if (name !== 'm') throw new ServingError('MODEL_NAME_MISSING');
    return { name, version: Number(version ?? 5n), versions: [5], inputs: [], outputs: [], modelInfo: null };
  }

  ready(): never {
    throw new Error('not asked by this protocol');
  }

  status(name: string, version: bigint | null): ReturnType<Serving['status']> {
    if (name !== 'm') throw new ServingError('MODEL_NAME_MISSING');
    return [{ version: Number(version ?? 5n), state: 'AVAILABLE', errorCode: 'OK' }];
  }

  inputs(): Promise<never> {
    return Promise.reject(new Error('not asked by this protocol'));
  }

  refused(): void {
    throw new Error('not told by this protocol');
  }
}

class FakeCall implements RpcCall {
  readonly api = 'TensorFlowServing';
  readonly interface = 'gRPC';
  readonly arrived = 0;
  readonly signal = new AbortController().signal;
  readonly trailers = new Map<string, string>();

  constructor(readonly wantsTimeline = false) {}

  setTrailer(name: string, value: string): void {
    this.trailers.set(name, value);
  }
}

async function ask(serving: Serving, path: string, request: Uint8Array, call = new FakeCall()): Promise<Uint8Array> {
  return wholeMessage(await tensorflowServingMethods(serving).get(path)!(request, call));
}

function hasCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof ServingError && error.code === code;
}

const PREDICT_M = encodePredictRequest('m', 4n, [{ ...OUTPUT, name: 'b' }]);

test('service: knows the seven methods of the two services', () => {
  assert.deepEqual([...tensorflowServingMethods(new FakeServing()).keys()].sort(), [
    '/tensorflow.serving.ModelService/GetModelStatus',
    '/tensorflow.serving.ModelService/HandleReloadConfigRequest',
    '/tensorflow.serving.PredictionService/Classify',
    '/tensorflow.serving.PredictionService/GetModelMetadata',
    '/tensorflow.serving.PredictionService/MultiInference',
    '/tensorflow.serving.PredictionService/Predict',
    '/tensorflow.serving.PredictionService/Regress',
  ]);
});

test('service: Predict hands the request over and encodes the outputs', async () => {
  const serving = new FakeServing();
  const response = decodePredictResponse(await ask(serving, METHOD.PREDICT, PREDICT_M));
  assert.deepEqual([...response.keys()], ['a']);
  const [request] = serving.requests;
  assert.deepEqual([request!.servable, request!.version], ['m', 4n]);
  assert.deepEqual([...request!.inputs.keys()], ['b']);
});

test('service: Predict releases the outputs exactly once', async () => {
  const serving = new FakeServing();
  await ask(serving, METHOD.PREDICT, PREDICT_M);
  assert.deepEqual([serving.answers, serving.releases], [1, 1]);
});

test('service: Predict releases the outputs exactly once when they cannot be encoded', async () => {
  const serving = new FakeServing();
  // No server packs strings like that.
  serving.outputs = [OUTPUT, { ...OUTPUT, precision: 'STRING', bytes: Uint8Array.of(9, 0, 0, 0, 1) }];
  await assert.rejects(ask(serving, METHOD.PREDICT, PREDICT_M), {
    message: 'output a: the string at byte 0 ends beyond the tensor',
  });
  assert.deepEqual([serving.answers, serving.releases], [0, 1]);
});

test('service: Predict without model_spec asks for the empty name', async () => {
  const serving = new FakeServing();
  await assert.rejects(ask(serving, METHOD.PREDICT, new Uint8Array(0)), hasCode('PIPELINE_NAME_MISSING'));
  assert.equal(serving.requests[0]?.servable, '');
  assert.equal(serving.releases, 0);
});

test('service: a malformed Predict never reaches the servables', async () => {
  const serving = new FakeServing();
  await assert.rejects(ask(serving, METHOD.PREDICT, hex('0aff')), hasCode('MESSAGE_MALFORMED'));
  assert.equal(serving.requests.length, 0);
});

test('service: the time line comes as printable ASCII in a trailer, when it was asked for', async () => {
  const serving = new FakeServing();
  serving.timeline = TIMELINE;
  const call = new FakeCall(true);
  await ask(serving, METHOD.PREDICT, PREDICT_M, call);
  const json = call.trailers.get('vinery-timeline')!;
  assert.match(json, /^[ -~]+$/);
  assert.deepEqual(JSON.parse(json), TIMELINE);

  const unasked = new FakeCall(false);
  await ask(serving, METHOD.PREDICT, PREDICT_M, unasked);
  assert.equal(unasked.trailers.size, 0);
});

test('service: GetModelMetadata answers name, version and signature', async () => {
  const request = encodeMetadataRequest('m', null);
  const response = decodeMetadataResponse(await ask(new FakeServing(), METHOD.GET_MODEL_METADATA, request));
  assert.deepEqual(response, { name: 'm', version: 5n, inputs: [], outputs: [] });
});

const BAD_METADATA: readonly (readonly [string, Uint8Array, ErrorCode])[] = [
  ['without model_spec', bytesField(2, 'signature_def'), 'MODEL_SPEC_MISSING'],
  ['without metadata_field', bytesField(1, bytesField(1, 'm')), 'INVALID_SIGNATURE'],
  ['for another metadata_field', Buffer.concat([bytesField(1), bytesField(2, 'signature')]), 'INVALID_SIGNATURE'],
  [
    'for two metadata_field',
    Buffer.concat([bytesField(1), bytesField(2, 'signature_def'), bytesField(2, 'signature_def')]),
    'INVALID_SIGNATURE',
  ],
  ['for an unknown name', encodeMetadataRequest('x', null), 'MODEL_NAME_MISSING'],
  ['that is malformed', hex('0aff'), 'MESSAGE_MALFORMED'],
];
for (const [what, request, code] of BAD_METADATA) {
  test(`service: GetModelMetadata ${what} is rejected with ${code}`, async () => {
    await assert.rejects(ask(new FakeServing(), METHOD.GET_MODEL_METADATA, request), hasCode(code));
  });
}

test('service: GetModelStatus answers the versions', async () => {
  const request = encodeStatusRequest({ name: 'm', version: 2n });
  const versions = decodeStatusResponse(await ask(new FakeServing(), METHOD.GET_MODEL_STATUS, request));
  assert.deepEqual(versions, [{ version: 2n, state: 'AVAILABLE', errorCode: 0, errorMessage: 'OK' }]);
});

test('service: GetModelStatus of an unknown name, and without model_spec, is MODEL_NAME_MISSING', async () => {
  const unknown = encodeStatusRequest({ name: 'x', version: null });
  for (const request of [unknown, new Uint8Array(0)]) {
    await assert.rejects(ask(new FakeServing(), METHOD.GET_MODEL_STATUS, request), hasCode('MODEL_NAME_MISSING'));
  }
});

test('service: what a method without waiting throws is a rejection', async () => {
  const method = tensorflowServingMethods(new FakeServing()).get(METHOD.GET_MODEL_STATUS)!;
  const answer = method(hex('0aff'), new FakeCall());
  assert.ok(answer instanceof Promise);
  await assert.rejects(answer, hasCode('MESSAGE_MALFORMED'));
});

test('service: HandleReloadConfigRequest is always OK, empty, and logged', async () => {
  const lines: string[] = [];
  const log = { info: (text: string) => lines.push(text) };
  const method = tensorflowServingMethods(new FakeServing(), log).get(METHOD.HANDLE_RELOAD_CONFIG_REQUEST)!;
  for (const request of [new Uint8Array(0), hex('0aff')])
    assert.equal(wholeMessage(await method(request, new FakeCall())).length, 0);
  assert.equal(lines.length, 2);
});

for (const path of [METHOD.CLASSIFY, METHOD.REGRESS, METHOD.MULTI_INFERENCE]) {
  test(`service: ${path} is UNIMPLEMENTED with an empty message`, async () => {
    await assert.rejects(ask(new FakeServing(), path, new Uint8Array(0)), (error) => {
      assert.ok(error instanceof ServingError);
      assert.deepEqual(error.grpcStatus(), { code: 12, details: '' });
      return true;
    });
  });
}
