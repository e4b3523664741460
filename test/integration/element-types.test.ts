import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { METHOD } from '#src/frontends/tfs/method.js';
import { METHOD as KSERVE } from '#src/frontends/kserve/method.js';
import {
  PASSTHROUGH_PRECISIONS,
  writePassthroughModel,
  type PassthroughPrecision,
} from '../conformance/passthrough-model.js';
import { covers } from '../contract/covers.js';
import type { RowId } from '../contract/rows/index.js';
import { FourApis } from '../helpers/four-apis.js';
import { decodeKserve, encodeKserve, KSERVE_TYPES, type Fields } from '../helpers/kserve-messages.js';
import { modelNode, pipeline, TestRepository } from '../helpers/repository.js';
import { startServerProcess, type ServerProcess } from '../helpers/server.js';
import { decodeTfs, encodeTfs } from '../helpers/tfs-messages.js';

interface ElementType {
  readonly title: PassthroughPrecision;
  readonly covers: readonly RowId[];
  readonly dtype: string;
  /** Typed field of a TensorProto. */
  readonly field: string;
  /** Typed field of InferTensorContents; none for FP16. */
  readonly contents?: string;
  /** Two elements as typed fields have them. */
  readonly values: readonly unknown[];
  readonly bytes: Uint8Array;
  /** The two elements in a request in JSON, and in the answer. */
  readonly json: readonly [string, string];
}

const bytesOf = ({ buffer }: { readonly buffer: ArrayBufferLike }): Buffer => Buffer.from(new Uint8Array(buffer));

const TYPES: readonly ElementType[] = [
  {
    title: 'FP64',
    covers: ['tfs-grpc.double', 'kserve.double'],
    dtype: 'DT_DOUBLE',
    field: 'double_val',
    contents: 'fp64_contents',
    // The CPU of OpenVINO computes in FP32.
    values: [0.5, -3],
    bytes: bytesOf(Float64Array.of(0.5, -3)),
    json: ['0.5, -3', '0.5, -3.0'],
  },
  {
    title: 'FP32',
    covers: ['tfs-grpc.float', 'kserve.float'],
    dtype: 'DT_FLOAT',
    field: 'float_val',
    contents: 'fp32_contents',
    values: [0.5, -3],
    bytes: bytesOf(Float32Array.of(0.5, -3)),
    json: ['0.5, -3', '0.5, -3.0'],
  },
  {
    title: 'FP16',
    covers: ['tfs-grpc.half', 'tfs-grpc.half-content', 'tfs-rest.half', 'kserve.half-grpc', 'kserve.half-rest'],
    dtype: 'DT_HALF',
    field: 'half_val',
    values: [0x3800, 0xc200],
    bytes: bytesOf(Uint16Array.of(0x3800, 0xc200)),
    json: ['0.5, -3', '0.5, -3.0'],
  },
  {
    title: 'I64',
    covers: ['tfs-grpc.int64', 'kserve.int64'],
    dtype: 'DT_INT64',
    field: 'int64_val',
    contents: 'int64_contents',
    // The CPU of OpenVINO computes in 32 bits.
    values: [2147483647, -2147483648],
    bytes: bytesOf(BigInt64Array.of(2n ** 31n - 1n, -(2n ** 31n))),
    json: ['2147483647, -2147483648', '2147483647, -2147483648'],
  },
  {
    title: 'I32',
    covers: ['tfs-grpc.int32', 'kserve.int32'],
    dtype: 'DT_INT32',
    field: 'int_val',
    contents: 'int_contents',
    values: [2147483647, -2147483648],
    bytes: bytesOf(Int32Array.of(2147483647, -2147483648)),
    json: ['2147483647, -2147483648', '2147483647, -2147483648'],
  },
  {
    title: 'I16',
    covers: ['tfs-grpc.int16', 'kserve.int16'],
    dtype: 'DT_INT16',
    field: 'int_val',
    contents: 'int_contents',
    values: [32767, -32768],
    bytes: bytesOf(Int16Array.of(32767, -32768)),
    json: ['32767, -32768', '32767, -32768'],
  },
  {
    title: 'I8',
    covers: ['tfs-grpc.int8', 'kserve.int8', 'tfs-rest.casts', 'kserve.rest-integers'],
    dtype: 'DT_INT8',
    field: 'int_val',
    contents: 'int_contents',
    values: [44, -128],
    bytes: bytesOf(Int8Array.of(44, -128)),
    // 300 wraps.
    json: ['300, -128', '44, -128'],
  },
  {
    title: 'U64',
    covers: ['tfs-grpc.uint64', 'tfs-rest.wide-unsigned', 'kserve.uint64'],
    dtype: 'DT_UINT64',
    field: 'uint64_val',
    contents: 'uint64_contents',
    values: [2147483647, 0],
    bytes: bytesOf(BigUint64Array.of(2n ** 31n - 1n, 0n)),
    json: ['2147483647, 0', '2147483647, 0'],
  },
  {
    title: 'U32',
    covers: ['tfs-grpc.uint32', 'tfs-rest.wide-unsigned', 'kserve.uint32'],
    dtype: 'DT_UINT32',
    field: 'uint32_val',
    contents: 'uint_contents',
    values: [4294967295, 0],
    bytes: bytesOf(Uint32Array.of(4294967295, 0)),
    json: ['4294967295, 0', '4294967295, 0'],
  },
  {
    title: 'U16',
    covers: ['tfs-grpc.uint16', 'tfs-grpc.half-content', 'tfs-rest.uint16', 'kserve.uint16'],
    dtype: 'DT_UINT16',
    field: 'int_val',
    contents: 'uint_contents',
    values: [65535, 0],
    bytes: bytesOf(Uint16Array.of(65535, 0)),
    json: ['65535, 0', '65535, 0'],
  },
  {
    title: 'U8',
    covers: ['tfs-grpc.uint8', 'kserve.uint8'],
    dtype: 'DT_UINT8',
    field: 'int_val',
    contents: 'uint_contents',
    values: [255, 0],
    bytes: Buffer.of(255, 0),
    json: ['255, 0', '255, 0'],
  },
  {
    title: 'BOOL',
    covers: ['tfs-grpc.bool', 'tfs-rest.bool', 'kserve.bool'],
    dtype: 'DT_BOOL',
    field: 'bool_val',
    contents: 'bool_contents',
    values: [true, false],
    bytes: Buffer.of(1, 0),
    json: ['true, false', 'true, false'],
  },
];

let server: ServerProcess;
let apis: FourApis;

before(async () => {
  const repository = new TestRepository();
  for (const precision of [...PASSTHROUGH_PRECISIONS, 'BF16'] as const)
    writePassthroughModel(repository.path(precision, '1'), precision);
  const config = repository.writeConfig(
    [...PASSTHROUGH_PRECISIONS, 'BF16'].map((name) => ({ name })),
    [
      ...PASSTHROUGH_PRECISIONS.map((precision) =>
        pipeline(`${precision}_pipeline`, ['in'], [modelNode('node', precision, { in: 'request.in' }, ['out'])], {
          out: 'node.out',
        }),
      ),
      twoOutputs(),
    ],
  );
  server = await startServerProcess(['--config_path', config]);
  await server.line('ServableManagerModule started');
  apis = new FourApis(server);
});

function twoOutputs(): ReturnType<typeof pipeline> {
  const nodes = [modelNode('node', 'U8', { in: 'request.in' }, ['out'])];
  return pipeline('two_outputs', ['in'], nodes, { z: 'node.out', a: 'node.out' });
}

after(async () => {
  apis.close();
  assert.equal(await server.stop(), 0);
});

test('every element type that models have is here', () => {
  assert.deepEqual(TYPES.map(({ title }) => title).sort(), [...PASSTHROUGH_PRECISIONS].sort());
});

for (const type of TYPES) {
  const datatype = KSERVE_TYPES[type.title];
  const { bytes } = type;
  for (const servable of [type.title, `${type.title}_pipeline`]) {
    describe(`${servable} comes back as it was sent`, () => {
      test('by TensorFlow Serving over gRPC, from tensor_content and from its typed field', async () => {
        for (const elements of [{ tensor_content: bytes }, { [type.field]: type.values }]) {
          const answer = await predict(servable, { dtype: type.dtype, ...elements });
          assert.deepEqual(answer, { dtype: type.dtype, size: [1, 2], content: bytes });
        }
      });

      test('by TensorFlow Serving over REST, in rows and in columns', async () => {
        const [sent, received] = type.json;
        const row = await apis.restPredict(servable, `{"instances": [[${sent}]]}`);
        assert.deepEqual([row.status, row.text], [200, `{\n    "predictions": [[${received}]\n    ]\n}`]);
        const column = await apis.restPredict(servable, `{"inputs": {"in": [[${sent}]]}}`);
        const lines = received.replace(', ', ',\n            ');
        const text = `{\n    "outputs": [\n        [\n            ${lines}\n        ]\n    ]\n}`;
        assert.deepEqual([column.status, column.text], [200, text]);
      });

      test('by KServe over gRPC, from raw contents and from its typed field', async () => {
        const raw = { inputs: [{ name: 'in', datatype, shape: [1, 2] }], raw_input_contents: [bytes] };
        const typed = {
          inputs: [{ name: 'in', datatype, shape: [1, 2], contents: { [type.contents ?? '']: type.values } }],
        };
        for (const request of type.contents === undefined ? [raw] : [raw, typed]) {
          const outcome = await apis.infer(servable, request);
          assert.equal(outcome.code, 'OK', outcome.details);
          const { outputs, raw_output_contents } = decodeKserve('ModelInferResponse', outcome.bytes);
          const [{ name, datatype: answered, shape } = assert.fail('no output')] = outputs as readonly Fields[];
          assert.deepEqual([name, answered, shape], ['out', datatype, [1, 2]]);
          assert.deepEqual(raw_output_contents, [bytes]);
        }
      });

      test('by KServe over REST, as JSON and as binary data', async () => {
        const [sent, received] = type.json;
        const json = `{"inputs": [{"name": "in", "shape": [1, 2], "datatype": "${datatype}", "data": [[${sent}]]}]}`;
        const answer = await apis.restInfer(servable, json);
        assert.equal(answer.status, 200, answer.text);
        assert.ok(
          answer.text.includes(
            `"shape": [1, 2],\n            "datatype": "${datatype}",\n            "data": [${received}]`,
          ),
          answer.text,
        );
        assert.deepEqual(await binaryInfer(servable, datatype, bytes), bytes);
      });
    });
  }
}

async function predict(servable: string, tensor: Fields): Promise<unknown> {
  const shaped = { tensor_shape: { dim: [{ size: 1 }, { size: 2 }] }, ...tensor };
  const request = encodeTfs('tensorflow.serving.PredictRequest', {
    model_spec: { name: servable },
    inputs: { in: shaped },
  });
  const { code, details, bytes } = await apis.client.call(METHOD.PREDICT, request);
  assert.equal(code, 'OK', details);
  const { outputs, model_spec } = decodeTfs('tensorflow.serving.PredictResponse', bytes);
  assert.equal(model_spec, null);
  const { dtype, tensor_shape, tensor_content } = (outputs as Record<string, Fields>)['out']!;
  const dim = (tensor_shape as { readonly dim: readonly { readonly size: number }[] }).dim;
  return { dtype, size: dim.map(({ size }) => size), content: tensor_content };
}

/** Sends and asks for binary data. */
async function binaryInfer(
  servable: string,
  datatype: string,
  bytes: Uint8Array,
  asking: Fields = { outputs: [{ name: 'out', parameters: { binary_data: true } }] },
): Promise<Buffer> {
  const head = JSON.stringify({
    inputs: [{ name: 'in', shape: [1, 2], datatype, parameters: { binary_data_size: bytes.byteLength } }],
    ...asking,
  });
  const response = await fetch(`http://127.0.0.1:${apis.restPort}/v2/models/${servable}/infer`, {
    method: 'POST',
    headers: { 'Inference-Header-Content-Length': String(head.length) },
    body: Buffer.concat([Buffer.from(head), bytes]),
  });
  const body = Buffer.from(await response.arrayBuffer());
  assert.equal(response.status, 200, body.toString());
  assert.equal(response.headers.get('content-type'), 'application/json');
  const length = Number(response.headers.get('inference-header-content-length'));
  const answer = JSON.parse(body.toString('utf8', 0, length)) as { readonly outputs: readonly Fields[] };
  assert.deepEqual(answer.outputs[0]!['parameters'], { binary_data_size: bytes.byteLength });
  return body.subarray(length);
}

test('fields and parameters that nobody reads change nothing, and every output is answered', async () => {
  covers('tfs-grpc.ignored-fields', 'tfs-grpc.output-names', 'kserve.ignored', 'kserve.unlisted-outputs');
  const request = encodeTfs('tensorflow.serving.PredictRequest', {
    model_spec: { name: 'U8', signature_name: 'other', version_label: 'canary' },
    inputs: {
      in: { dtype: 'DT_UINT8', tensor_shape: { dim: [{ size: 1 }, { size: 1 }] }, tensor_content: Buffer.of(7) },
    },
    output_filter: ['nothing'],
  });
  const { bytes } = await apis.client.call(METHOD.PREDICT, request);
  const { outputs } = decodeTfs('tensorflow.serving.PredictResponse', bytes);
  assert.deepEqual(Object.keys(outputs as Fields), ['out']);
  const parameters = { priority: { int64_param: 3 } };
  const infer = encodeKserve('ModelInferRequest', {
    model_name: 'U8',
    id: 'seven',
    parameters,
    inputs: [{ name: 'in', datatype: 'UINT8', shape: [1, 1], parameters }],
    outputs: [{ name: 'nothing', parameters }],
    raw_input_contents: [Buffer.of(7)],
  });
  const outcome = await apis.client.call(KSERVE.MODEL_INFER, infer);
  const answer = decodeKserve('ModelInferResponse', outcome.bytes);
  assert.deepEqual([answer['model_name'], answer['model_version'], answer['id']], ['U8', '1', 'seven']);
  assert.deepEqual(answer['raw_output_contents'], [Buffer.of(7)]);
  const inputs = [{ name: 'in', datatype: 'UINT8', shape: [1, 1], data: [7] }];
  const json = await apis.restInfer('U8', { inputs, outputs: [{ name: 'nothing' }] });
  assert.match(json.text, /"name": "out",/);
});

test('bare values are taken for the only input of a pipeline, in rows and in columns', async () => {
  covers('tfs-rest.pipeline-bare');
  for (const body of ['{"instances": [[1]]}', '{"inputs": [[1]]}'])
    assert.equal((await apis.restPredict('I32_pipeline', body)).status, 200);
});

test('of two inputs with one name in JSON the later one counts', async () => {
  covers('tfs-rest.duplicate-keys');
  const { text } = await apis.restPredict('I32', '{"inputs": {"in": [[1]], "in": [[2]]}}');
  assert.deepEqual(JSON.parse(text), { outputs: [[2]] });
});

test('several outputs are sorted by name, whichever API is asked', async () => {
  covers('tfs-rest.output-order', 'kserve.raw-answer', 'tfs-rest.row-answer-named', 'tfs-rest.column-answer-named');
  const row = await apis.restPredict('two_outputs', '{"instances": [{"in": [7]}]}');
  const instance = '        {\n            "a": [7],\n            "z": [7]\n        }';
  assert.equal(row.text, `{\n    "predictions": [\n${instance}\n    ]\n}`);
  const column = await apis.restPredict('two_outputs', '{"inputs": {"in": [[7]]}}');
  const tensor = '[\n            [\n                7\n            ]\n        ]';
  assert.equal(column.text, `{\n    "outputs": {\n        "a": ${tensor},\n        "z": ${tensor}\n    }\n}`);
  const inputs = [{ name: 'in', datatype: 'UINT8', shape: [1, 1] }];
  const { bytes } = await apis.infer('two_outputs', { inputs, raw_input_contents: [Buffer.of(7)] });
  const { outputs } = decodeKserve('ModelInferResponse', bytes) as { outputs: readonly Fields[] };
  assert.deepEqual(
    outputs.map(({ name }) => name),
    ['a', 'z'],
  );
});

test('each output that asks for binary data gets it, or all that do not say otherwise, the others are JSON', async () => {
  covers('kserve.binary-outputs');
  const inputs = [{ name: 'in', datatype: 'UINT8', shape: [1, 1], data: [65] }];
  const binary = { binary_data: true };
  const ask = async (body: object): Promise<string> =>
    (await apis.restInfer('two_outputs', { inputs, ...body })).text.replace(/[^]*}/, '');
  assert.equal(await ask({ outputs: [{ name: 'a', parameters: binary }, { name: 'z' }] }), 'A');
  const both = [
    { name: 'a', parameters: binary },
    { name: 'z', parameters: binary },
  ];
  assert.equal(await ask({ outputs: both }), 'AA');
  const byDefault = { parameters: { binary_data_output: true } };
  assert.equal(
    await ask({ ...byDefault, outputs: [{ name: 'a', parameters: { binary_data: false } }, { name: 'z' }] }),
    'A',
  );
  assert.equal(await ask(byDefault), 'AA');
  assert.equal(await ask({ ...byDefault, outputs: [{ name: 'z', parameters: { binary_data: false } }] }), 'A');
  assert.equal(await ask({ parameters: { binary_data_output: false } }), '');
});

test('BF16 comes back as it was sent, except in JSON', async () => {
  covers('tfs-grpc.bfloat16', 'kserve.bf16', 'errors.unsupported-precision');
  const bytes = Buffer.of(0x80, 0x3f, 0x00, 0xc0);
  const dtype = 'DT_BFLOAT16';
  for (const elements of [{ tensor_content: bytes }, { half_val: [0x3f80, 0xc000] }])
    assert.deepEqual(await predict('BF16', { dtype, ...elements }), { dtype, size: [1, 2], content: bytes });
  const input = { name: 'in', datatype: 'BF16', shape: [1, 2] };
  const outcome = await apis.infer('BF16', { inputs: [input], raw_input_contents: [bytes] });
  assert.deepEqual(decodeKserve('ModelInferResponse', outcome.bytes)['raw_output_contents'], [bytes]);
  assert.deepEqual(await binaryInfer('BF16', 'BF16', bytes), bytes);
  const byDefault = { parameters: { binary_data_output: true } };
  assert.deepEqual(await binaryInfer('BF16', 'BF16', bytes, byDefault), bytes);
  const answers = await apis.ask('BF16', {
    rest: { instances: [[1, 2]] },
    infer: { inputs: [{ ...input, data: [1, 2] }] },
  });
  const text = '400 Could not parse input content. Unsupported data precision detected';
  for (const answer of [answers.rest, answers.infer]) assert.ok(answer!.startsWith(text), answer);
});
