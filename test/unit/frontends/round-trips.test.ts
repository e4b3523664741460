import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeInferResponse } from '#src/frontends/kserve/infer-response.js';
import { decodeInferRequest, tensorsOf } from '#src/frontends/kserve/infer-request.js';
import { encodeInferAnswer } from '#src/frontends/rest/kserve/infer-answer.js';
import { placeInputs, requestTensors, splitBody } from '#src/frontends/rest/kserve/infer-body.js';
import { decodeInferJson } from '#src/frontends/rest/kserve/infer-json.js';
import { decodePredictBody } from '#src/frontends/rest/predict-json.js';
import { encodePredictResponse as encodeRestAnswer } from '#src/frontends/rest/predict-response-json.js';
import {
  decodePredictRequest,
  decodePredictResponse,
  encodePredictRequest,
  encodePredictResponse,
} from '#src/frontends/tfs/predict-message.js';
import type { RequestTensor, ResponseTensor } from '#src/servables/predict-request.js';
import { decodeKserve, KSERVE_TYPES, rawInferRequest } from '../../helpers/kserve-messages.js';
import { PASSTHROUGH_PRECISIONS, type PassthroughPrecision } from '../../conformance/passthrough-model.js';
import { tensors } from './random-tensors.js';
import { contentBytes } from './tfs/wire.js';
import { tensorInfo } from './rest/fake-backend.js';

/** Whatever one side has encoded, the other decodes to the same names, precisions, shapes and bits. */
function same(decoded: ReadonlyMap<string, RequestTensor>, encoded: readonly ResponseTensor[]): void {
  assert.deepEqual([...decoded.keys()].sort(), encoded.map(({ name }) => name).sort());
  for (const { name, precision, shape, bytes } of encoded) {
    const tensor = decoded.get(name)!;
    assert.deepEqual([tensor.precision, tensor.shape], [precision, shape], name);
    assert.deepEqual(contentBytes(tensor), Buffer.from(bytes), `${name}: ${precision}`);
  }
}

/** Turns an answer in JSON into a request with the same tensors. */
function asRequest(answer: string, from: string, to: string): Buffer {
  return Buffer.from(answer.replace(`"${from}":`, `"${to}":`));
}

const infos = (encoded: readonly ResponseTensor[]): ReturnType<typeof tensorInfo>[] =>
  encoded.map(({ name, precision }) => tensorInfo(name, precision));

const IN_JSON = { byDefault: false, byName: new Map<string, boolean>() };
const IN_BINARY = { ...IN_JSON, byDefault: true };

test('round trip: random tensors of TensorFlow Serving requests', () => {
  fc.assert(
    fc.property(tensors(), (encoded) => {
      const decoded = decodePredictRequest(encodePredictRequest('m', 7n, encoded));
      assert.deepEqual([decoded.servable, decoded.version], ['m', 7n]);
      same(decoded.inputs, encoded);
    }),
  );
});

test('round trip: random tensors of TensorFlow Serving answers', () => {
  fc.assert(fc.property(tensors(), (encoded) => same(decodePredictResponse(encodePredictResponse(encoded)), encoded)));
});

test('round trip: random tensors of KServe requests', () => {
  fc.assert(
    fc.property(tensors(), (encoded) =>
      same(tensorsOf(decodeInferRequest(rawInferRequest('m', encoded)), encoded.length), encoded),
    ),
  );
});

test('round trip: random tensors of KServe answers', () => {
  fc.assert(
    fc.property(tensors(), (encoded) => {
      const bytes = encodeInferResponse({ modelName: 'm', version: 7, id: 'n' }, encoded);
      const answer = decodeKserve('ModelInferResponse', bytes);
      assert.deepEqual([answer.model_name, answer.model_version, answer.id], ['m', '7', 'n']);
      const outputs = answer.outputs as readonly { name: string; datatype: string; shape: readonly number[] }[];
      assert.deepEqual(
        outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
        encoded.map(({ name, precision, shape }) => ({
          name,
          datatype: KSERVE_TYPES[precision as PassthroughPrecision],
          shape,
        })),
      );
      assert.deepEqual(
        answer.raw_output_contents,
        encoded.map((output) => Buffer.from(output.bytes)),
      );
    }),
  );
});

test('round trip: random tensors of KServe over REST as JSON', () => {
  fc.assert(
    fc.property(tensors({ finite: true }), (encoded) => {
      const { body } = encodeInferAnswer({ modelName: 'm', version: 7, id: 'n' }, encoded, IN_JSON);
      const { json, binary } = splitBody(asRequest(body as string, 'outputs', 'inputs'), undefined);
      same(requestTensors(placeInputs(decodeInferJson(json), binary), encoded.length), encoded);
    }),
  );
});

test('round trip: random tensors of KServe over REST as binary data', () => {
  fc.assert(
    fc.property(tensors(), (encoded) => {
      const { body, jsonBytes } = encodeInferAnswer({ modelName: 'm', version: 7, id: 'n' }, encoded, IN_BINARY);
      assert.ok(body instanceof Buffer && jsonBytes !== null);
      const head = asRequest(body.subarray(0, jsonBytes).toString(), 'outputs', 'inputs');
      const whole = Buffer.concat([head, body.subarray(jsonBytes)]);
      const { json, binary } = splitBody(whole, String(head.byteLength));
      same(requestTensors(placeInputs(decodeInferJson(json), binary), encoded.length), encoded);
    }),
  );
});

/**
 * Of lists JSON tells no shape beyond an empty dimension, a scalar without a name is no request, and over REST TensorFlow Serving has
 * no true and false.
 */
const LISTS = {
  ranks: [1, 4],
  finite: true,
  leastSize: 1,
  precisions: PASSTHROUGH_PRECISIONS.filter((precision) => precision !== 'BOOL'),
} as const;

test('round trip: random tensors of TensorFlow Serving over REST in columns', () => {
  fc.assert(
    fc.property(tensors(LISTS), (encoded) => {
      const request = asRequest(encodeRestAnswer('column', encoded), 'outputs', 'inputs');
      same(decodePredictBody(request, infos(encoded)).inputs, encoded);
    }),
  );
});

test('round trip: random tensors of TensorFlow Serving over REST in rows', () => {
  const rows = fc.integer({ min: 1, max: 4 }).chain((batch) =>
    tensors({ ...LISTS, ranks: [1, 3] }).map((encoded) =>
      encoded.map(({ bytes, shape: [first = 1, ...rest], ...tensor }) => {
        const row = bytes.subarray(0, bytes.byteLength / first);
        return { ...tensor, shape: [batch, ...rest], bytes: Buffer.concat(Array<Uint8Array>(batch).fill(row)) };
      }),
    ),
  );
  fc.assert(
    fc.property(rows, (encoded) => {
      const request = asRequest(encodeRestAnswer('row', encoded), 'predictions', 'instances');
      same(decodePredictBody(request, infos(encoded)).inputs, encoded);
    }),
  );
});
