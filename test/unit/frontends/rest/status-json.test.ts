import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../../contract/covers.js';
import { encodeAllStatuses, encodeConfigError, encodeError, encodeStatus } from '#src/frontends/rest/status-json.js';
import { encodeMetadata } from '#src/frontends/rest/metadata-json.js';

const AVAILABLE = { version: 1, state: 'AVAILABLE', errorCode: 'OK' } as const;

const STATUS = `{
 "model_version_status": [
  {
   "version": "1",
   "state": "AVAILABLE",
   "status": {
    "error_code": "OK",
    "error_message": "OK"
   }
  }
 ]
}`;

test('status of a model is protobuf JSON with one space of indentation and a line end', () => {
  covers('tfs-rest.status');
  assert.equal(encodeStatus([AVAILABLE]), `${STATUS}\n`);
});

test('the message of a status is the name of its code', () => {
  covers('life-cycle.error-message');
  const failed = JSON.parse(encodeStatus([{ version: 2, state: 'LOADING', errorCode: 'UNKNOWN' }])) as unknown;
  assert.deepEqual(failed, {
    model_version_status: [
      { version: '2', state: 'LOADING', status: { error_code: 'UNKNOWN', error_message: 'UNKNOWN' } },
    ],
  });
});

test('config lists all servables sorted by name, with the white space of the reference', () => {
  covers('life-cycle.config-text');
  const text = encodeAllStatuses([
    { name: 'image_classification_pipeline', versions: [AVAILABLE] },
    { name: 'googlenet', versions: [AVAILABLE] },
  ]);
  assert.equal(text, `{\n"googlenet" : \n${STATUS},\n"image_classification_pipeline" : \n${STATUS}\n}`);
});

test('config without servables is an empty object', () => {
  covers('life-cycle.config-text');
  assert.equal(encodeAllStatuses([]), '{}');
});

test('errors are compact JSON, those of config are indented with a tab', () => {
  covers('tfs-rest.error-body');
  covers('life-cycle.config-error-text');
  assert.equal(encodeError('say "no"'), '{"error":"say \\"no\\""}');
  assert.equal(encodeConfigError('text'), '{\n\t"error": "text"\n}');
});

test('metadata is the GetModelMetadata response in protobuf JSON, default values printed', () => {
  covers('tfs-rest.metadata');
  const text = encodeMetadata({
    name: 'resnet',
    version: 23,
    inputs: [{ name: 'image', precision: 'FP32', shape: [{ min: 1, max: 1 }], layout: 'N...' }],
    outputs: [{ name: 'class', precision: 'I64', shape: [], layout: 'N...' }],
  });
  assert.equal(
    text,
    `{
 "modelSpec": {
  "name": "resnet",
  "signatureName": "",
  "version": "23"
 },
 "metadata": {
  "signature_def": {
   "@type": "type.googleapis.com/tensorflow.serving.SignatureDefMap",
   "signatureDef": {
    "serving_default": {
     "inputs": {
      "image": {
       "dtype": "DT_FLOAT",
       "tensorShape": {
        "dim": [
         {
          "size": "1",
          "name": ""
         }
        ],
        "unknownRank": false
       },
       "name": "image"
      }
     },
     "outputs": {
      "class": {
       "dtype": "DT_INT64",
       "tensorShape": {
        "dim": [],
        "unknownRank": false
       },
       "name": "class"
      }
     },
     "methodName": "",
     "defaults": {}
    }
   }
  }
 }
}
`,
  );
});

test('metadata shows dimensions that are not fixed as -1', () => {
  const shape = [
    { min: 1, max: 8 },
    { min: 0, max: Infinity },
    { min: 3, max: 3 },
  ];
  const text = encodeMetadata({
    name: 'm',
    version: 1,
    inputs: [{ name: 'i', precision: 'U8', shape, layout: 'N...' }],
    outputs: [],
  });
  assert.deepEqual(
    [...text.matchAll(/"size": "(-?\d+)"/g)].map(([, size]) => size),
    ['-1', '-1', '3'],
  );
});
