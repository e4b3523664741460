import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ServingError } from '#src/errors.js';
import { healthService, HEALTH_CHECK } from '#src/frontends/grpc/health.js';
import { REFLECTION_METHODS, reflectionService } from '#src/frontends/grpc/reflection.js';
import { decodeInferRequest, tensorsOf } from '#src/frontends/kserve/infer-request.js';
import { decodeModelQuestion } from '#src/frontends/kserve/server-messages.js';
import { placeInputs, requestTensors, splitBody } from '#src/frontends/rest/kserve/infer-body.js';
import { decodeInferJson } from '#src/frontends/rest/kserve/infer-json.js';
import { encodeKserve, rawInferRequest } from '../../helpers/kserve-messages.js';
import { fakeCall, messages } from './kserve/fake-serving.js';
import { bytesField, contentBytes } from './tfs/wire.js';

/** Runs a decoder; anything thrown but an error of the catalogue escapes. */
function survives(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    if (!(error instanceof ServingError)) throw error;
  }
}

function decodeAll(bytes: Uint8Array): void {
  const message = decodeInferRequest(bytes);
  for (const tensor of tensorsOf(message, message.inputs.length).values()) {
    if (tensor.content.kind === 'values' && tensor.precision !== null) contentBytes(tensor);
  }
}

const RAW = rawInferRequest('m', [{ name: 'b', precision: 'I16', shape: [1, 2], bytes: new Uint8Array(4) }], {
  id: 'n',
});
const TYPED = encodeKserve('ModelInferRequest', {
  model_name: 'm',
  inputs: [
    { name: 'a', datatype: 'INT8', shape: [3], contents: { int_contents: [1, -2, 3] } },
    { name: 'b', datatype: 'BYTES', shape: [2], contents: { bytes_contents: [Buffer.from('x'), Buffer.from('yz')] } },
    { name: 'c', datatype: 'FP64', shape: [1], contents: { fp64_contents: [0.5] } },
  ],
});
const QUESTION = encodeKserve('ModelReadyRequest', { name: 'm', version: '1' });

const MESSAGES: readonly (readonly [string, (bytes: Uint8Array) => unknown, Uint8Array])[] = [
  ['ModelInferRequest with raw contents', decodeAll, RAW],
  ['ModelInferRequest with typed contents', decodeAll, TYPED],
  ['ModelReadyRequest', (bytes) => decodeModelQuestion('ModelReadyRequest', bytes), QUESTION],
];
for (const [name, decode, good] of MESSAGES) {
  test(`garbage: a ${name} whose bytes were changed, or that was cut, gives errors of the catalogue only`, () => {
    const change = fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), fc.nat({ max: good.length }), (changes, length) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        survives(() => decode(bytes.subarray(0, length)));
      }),
      { numRuns: 1000 },
    );
    assert.doesNotThrow(() => decode(good));
  });
}

test('garbage: KServe bodies over REST whose bytes were changed give errors of the catalogue only', () => {
  const json = Buffer.from(
    JSON.stringify({
      id: 'n',
      inputs: [
        { name: 'a', shape: [2], datatype: 'INT16', parameters: { binary_data_size: 4 } },
        { name: 'b', shape: [2], datatype: 'BYTES', parameters: { binary_data_size: 11 } },
      ],
      outputs: [{ name: 'o', parameters: { binary_data: true } }],
    }),
  );
  const strings = Buffer.from([1, 0, 0, 0, 120, 2, 0, 0, 0, 121, 122]);
  const good = Buffer.concat([json, Buffer.alloc(4), strings]);
  const decode = (body: Uint8Array, header: string | undefined): void => {
    const split = splitBody(body, header);
    const placed = placeInputs(decodeInferJson(split.json), split.binary);
    requestTensors(placed, placed.length);
  };
  assert.doesNotThrow(() => decode(good, String(json.byteLength)));
  const headers = fc.oneof(
    fc.constant(String(json.byteLength)),
    fc.nat({ max: good.length + 9 }).map(String),
    fc.string(),
    fc.constant(undefined),
  );
  const change = fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 4 }), headers, (changes, header) => {
      const bytes = Buffer.from(good);
      for (const [at, value] of changes) bytes[at] = value;
      survives(() => decode(bytes, header));
    }),
    { numRuns: 1000 },
  );
});

test('garbage: bytes sent to health checks and reflection give errors of the catalogue only', async () => {
  const check = healthService(new Set(['a.B']), {
    isReady: () => true,
    ready: () => Promise.resolve(),
    version: '1',
  }).get(HEALTH_CHECK);
  const reflection = reflectionService(['a.B']).get(REFLECTION_METHODS[0]!);
  assert.ok(typeof check === 'function' && typeof reflection === 'object');
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.uint8Array({ maxLength: 20 }).map((text) => bytesField(4, text)),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (request) => {
      try {
        await check(request, fakeCall());
        for await (const answer of reflection.stream(messages(request), fakeCall())) assert.ok(answer.byteLength > 0);
      } catch (error) {
        if (!(error instanceof ServingError)) throw error;
      }
    }),
    { numRuns: 300 },
  );
});
