import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ServingError } from '#src/errors.js';
import {
  decodeMetadataRequest,
  decodeMetadataResponse,
  encodeMetadataRequest,
  encodeMetadataResponse,
} from '#src/frontends/tfs/metadata-message.js';
import {
  decodePredictRequest,
  decodePredictResponse,
  encodePredictRequest,
  encodePredictResponse,
} from '#src/frontends/tfs/predict-message.js';
import {
  decodeStatusRequest,
  decodeStatusResponse,
  encodeStatusRequest,
  encodeStatusResponse,
} from '#src/frontends/tfs/status-message.js';
import { decodeMessage } from '#src/frontends/protobuf/wire-reader.js';
import { staticDimension } from '#src/tensors/shape.js';
import { covers } from '../../../contract/covers.js';
import { bytesField, contentBytes, hex, requestWithTensor } from './wire.js';

const info = { name: 'b', precision: 'FP32', shape: [staticDimension(2)], layout: 'N...' } as const;
const tensor = { name: 'b', precision: 'FP32', shape: [1, 2], bytes: new Uint8Array(8) } as const;

/** Each decoder with one good message. */
const DECODERS: readonly (readonly [string, (bytes: Uint8Array) => unknown, Uint8Array])[] = [
  ['PredictRequest', decodePredictRequest, encodePredictRequest('m', 3n, [tensor])],
  ['PredictResponse', decodePredictResponse, encodePredictResponse([tensor])],
  ['GetModelMetadataRequest', decodeMetadataRequest, encodeMetadataRequest('m', 3n)],
  [
    'GetModelMetadataResponse',
    decodeMetadataResponse,
    encodeMetadataResponse({ name: 'm', version: 3, inputs: [info], outputs: [info] }),
  ],
  ['GetModelStatusRequest', decodeStatusRequest, encodeStatusRequest({ name: 'm', version: 3n })],
  [
    'GetModelStatusResponse',
    decodeStatusResponse,
    encodeStatusResponse([{ version: 3, state: 'END', errorCode: 'OK' }]),
  ],
];

/** Decodes, and reads all contents too. Returns the error when there is one; anything but MESSAGE_MALFORMED escapes. */
function malformation(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): string | null {
  try {
    const result = decode(bytes);
    if (result instanceof Map) return null;
    if (typeof result === 'object' && result !== null && 'inputs' in result && result.inputs instanceof Map) {
      for (const input of (result as ReturnType<typeof decodePredictRequest>).inputs.values()) {
        if (input.precision !== null && input.content.kind !== 'strings') contentBytes(input);
      }
    }
    return null;
  } catch (error) {
    if (!(error instanceof ServingError) || error.code !== 'MESSAGE_MALFORMED') throw error;
    return error.message;
  }
}

for (const [name, decode, good] of DECODERS) {
  test(`malformed ${name}: random bytes never throw anything but MESSAGE_MALFORMED`, () => {
    covers('tfs-grpc.malformed');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void malformation(decode, bytes)),
      { numRuns: 1000 },
    );
  });

  test(`malformed ${name}: a good message with changed bytes never throws anything but MESSAGE_MALFORMED`, () => {
    const change = fc.tuple(fc.nat({ max: good.length - 1 }), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        malformation(decode, bytes);
      }),
      { numRuns: 1000 },
    );
  });

  test(`malformed ${name}: a message cut within a field names the message and the place`, () => {
    covers('tfs-grpc.malformed');
    const found = malformation(decode, good.subarray(0, good.length - 1));
    assert.match(found ?? '', new RegExp(`^Request message could not be parsed - ${name}, near byte \\d+: .+`));
  });

  test(`malformed ${name}: cutting it anywhere gives a message or MESSAGE_MALFORMED`, () => {
    for (let length = 0; length < good.length; length += 1) malformation(decode, good.subarray(0, length));
  });
}

const CASES: readonly (readonly [string, Buffer, RegExp])[] = [
  ['a length of 2 GiB', hex('0a ffffffff07'), /a field of 2147483647 bytes ends beyond its message/],
  ['a tensor_content of 1 GiB', requestWithTensor(hex('22 8080808004')), /index out of range/],
  ['a length beyond 32 bits', hex('0a ffffffffff01'), /invalid length encoding/],
  ['field number 0', hex('00'), /illegal tag: field number 0/],
  ['an end of a group that did not begin', hex('0c'), /invalid wire type 4/],
  ['wire type 7', hex('0f'), /invalid wire type 7/],
  ['a tag that does not end', hex('80'), /index out of range/],
  ['a group that does not end', hex('1b'), /index out of range/],
  ['groups within groups without end', Buffer.alloc(1000, 0x1b), /max depth exceeded/],
  ['a name that is not UTF-8', bytesField(1, bytesField(1, hex('ff'))), /not valid for encoding utf-8/],
  ['an inner field that reads into the outer message', hex('0a01 0a 05 6162636465'), /index out of range/],
  ['a varint of eleven bytes', bytesField(1, bytesField(2, hex('08 ffffffffffffffffffff01'))), /invalid varint/],
];
for (const [what, bytes, reason] of CASES) {
  test(`malformed PredictRequest: ${what}`, () => {
    assert.match(malformation(decodePredictRequest, bytes) ?? 'accepted', reason);
    assert.match(malformation(decodePredictRequest, new Uint8Array(bytes)) ?? 'accepted', reason);
  });
}

test('malformed GetModelMetadataResponse: an answer without serving_default', () => {
  const withOther = bytesField(2, bytesField(1, 'signature_def'), bytesField(2));
  for (const bytes of [new Uint8Array(0), withOther]) {
    assert.match(malformation(decodeMetadataResponse, bytes) ?? '', /without a signature serving_default$/);
  }
});

test('malformed message: a fault of our own code is not the sender’s', () => {
  const bug = new TypeError('undefined is not a function');
  assert.throws(
    () =>
      decodeMessage('Any', new Uint8Array(0), () => {
        throw bug;
      }),
    bug,
  );
});
