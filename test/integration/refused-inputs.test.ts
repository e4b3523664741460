import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { stringList } from '#src/tensors/strings.js';
import type { WireTensor } from '#src/frontends/tfs/tensor-map.js';
import type { RowId } from '../contract/rows/index.js';
import { writeDummyModel } from '../fixtures/ir.js';
import { covers } from '../contract/covers.js';
import {
  addDummy,
  addPair,
  assertAnswers,
  DUMMY_BODY,
  DUMMY_INPUT,
  pipelineOf,
  ZEROS,
} from '../helpers/dummy-servables.js';
import { FourApis, type Answers, type Question } from '../helpers/four-apis.js';
import type { Fields } from '../helpers/kserve-messages.js';
import { modelNode, pipeline, TestRepository } from '../helpers/repository.js';
import { startServerProcess, type ServerProcess } from '../helpers/server.js';
import { bytesOf, floatTensor } from '../helpers/tensors.js';
import { encodeTfs } from '../helpers/tfs-messages.js';
import { METHOD } from '#src/frontends/tfs/method.js';

let server: ServerProcess;
let apis: FourApis;

before(async () => {
  const repository = new TestRepository();
  const models = [
    addDummy(repository),
    addPair(repository),
    { ...addDummy(repository, 'open'), shape: '(-1,-1)' },
    { name: 'picture' },
  ];
  writeDummyModel(repository.path('picture', '1'), { shape: [1, 2, 2, 3], layout: 'NHWC' });
  const config = repository.writeConfig(models, [
    pipelineOf('dummy_pipeline', 'dummy'),
    pipelineOf('open_pipeline', 'open'),
    pipeline(
      'pair_pipeline',
      ['in1', 'in2'],
      [modelNode('node', 'pair', { in1: 'request.in1', in2: 'request.in2' }, ['argmax'])],
      { argmax: 'node.argmax' },
    ),
  ]);
  server = await startServerProcess(['--config_path', config]);
  await server.line('ServableManagerModule started');
  apis = new FourApis(server);
});

after(async () => {
  apis.close();
  assert.equal(await server.stop(), 0);
});

/** An input of a KServe request whose elements are in `raw_input_contents`. */
interface RawInput {
  readonly name?: string;
  readonly datatype?: string;
  readonly shape?: readonly number[];
  readonly bytes?: Uint8Array;
}

const DUMMY_BYTES = DUMMY_INPUT.bytes;

function raw(...inputs: readonly RawInput[]): Fields {
  return {
    inputs: inputs.map(({ name = 'b', datatype = 'FP32', shape = [1, 10] }) => ({ name, datatype, shape })),
    raw_input_contents: inputs.map(({ bytes = DUMMY_BYTES }) => bytes),
  };
}

function typed(contents: Fields, input: Fields = {}): Fields {
  return { inputs: [{ name: 'b', datatype: 'FP32', shape: [1, 10], contents, ...input }] };
}

function json(...inputs: readonly Fields[]): Fields {
  return { inputs: inputs.map((input) => ({ name: 'b', datatype: 'FP32', shape: [1, 10], data: ZEROS, ...input })) };
}

const INTEGERS: WireTensor = { ...DUMMY_INPUT, precision: 'I32', bytes: bytesOf(Int32Array.from(ZEROS)) };
const TWO_ROWS = floatTensor('b', [2, 10], [...ZEROS, ...ZEROS]);
const ELEVEN = floatTensor('b', [1, 11], [...ZEROS, 0]);

interface Refusal extends Question {
  readonly title: string;
  readonly covers: RowId | readonly RowId[];
  /** Text in the words of TensorFlow Serving. */
  readonly text: string;
  /** In those of KServe, where more differs than `input name:` said twice. */
  readonly kserveText?: string;
}

const REFUSALS: readonly Refusal[] = [
  {
    title: 'no input',
    covers: 'errors.input-count',
    text: 'Invalid number of inputs - Expected: 1; Actual: 0',
    tfs: [],
    kserve: raw(),
  },
  {
    title: 'an input too many, whatever is wrong with it',
    covers: ['errors.input-count', 'tfs-grpc.order-count', 'tfs-rest.unknown-inputs'],
    text: 'Invalid number of inputs - Expected: 1; Actual: 2',
    tfs: [INTEGERS, { ...DUMMY_INPUT, name: 'c' }],
    rest: { inputs: { b: [ZEROS], c: [1.5] } },
    kserve: raw({ datatype: 'INT32' }, { name: 'c' }),
    infer: json({}, { name: 'c' }),
  },
  {
    title: 'an unknown input',
    covers: ['errors.missing-input', 'tfs-grpc.order-names'],
    text: 'Missing input with specific name - Required input: b',
    tfs: [{ ...DUMMY_INPUT, name: 'c' }],
    rest: { inputs: { c: [ZEROS] } },
    kserve: raw({ name: 'c' }),
    infer: json({ name: 'c' }),
  },
  {
    title: 'a negative size, before its type is looked at',
    covers: ['errors.negative-size', 'tfs-grpc.order-checks'],
    text: 'Invalid input shape - Negative or zero dimension size is not acceptable: (1,-3); input name: b',
    tfs: [{ ...INTEGERS, shape: [1, -3] }],
    kserve: raw({ datatype: 'INT32', shape: [1, -3] }),
  },
  {
    title: 'another type, before its rank is looked at',
    covers: ['errors.precision', 'errors.kserve-words', 'tfs-grpc.no-casts', 'tfs-grpc.order-checks'],
    text: 'Invalid input precision - Expected: FP32; Actual: I32; input name: b',
    kserveText: 'Invalid input precision - Expected: FP32; Actual: INT32; input name: input name: b',
    tfs: [{ ...INTEGERS, shape: [10] }],
    kserve: raw({ datatype: 'INT32', shape: [10] }),
    infer: json({ datatype: 'INT32', shape: [10] }),
  },
  {
    title: 'a type that no model has',
    covers: ['tfs-grpc.other-types', 'kserve.bf16'],
    text: 'Invalid input precision - Expected: FP32; Actual: INVALID; input name: b',
    kserveText: 'Invalid input precision - Expected: FP32; Actual: BF16; input name: input name: b',
    tfs: [{ ...DUMMY_INPUT, precision: 'BF16', bytes: new Uint8Array(20) }],
    kserve: raw({ datatype: 'BF16', bytes: new Uint8Array(20) }),
  },
  {
    title: 'another rank, before its sizes are looked at',
    covers: ['errors.rank', 'tfs-grpc.order-checks'],
    text: 'Invalid number of shape dimensions - Expected: (1,10); Actual: (2,10,1); input name: b',
    tfs: [{ ...DUMMY_INPUT, shape: [2, 10, 1] }],
    rest: { inputs: { b: [ZEROS.map((zero) => [zero]), ZEROS.map((zero) => [zero])] } },
    kserve: raw({ shape: [2, 10, 1] }),
    infer: json({ shape: [2, 10, 1] }),
  },
  {
    title: 'another batch, before its other sizes are looked at',
    covers: ['errors.batch', 'tfs-grpc.batch-or-shape', 'tfs-grpc.order-checks'],
    text: 'Invalid input batch size - Expected: 1; Actual: 2; input name: b',
    tfs: [{ ...TWO_ROWS, shape: [2, 7] }],
    rest: { instances: [[1], [2]] },
    kserve: raw({ shape: [2, 7] }),
    infer: json({ shape: [2, 7] }),
  },
  {
    title: 'another size, before its content is looked at',
    covers: ['errors.shape', 'tfs-grpc.batch-or-shape', 'tfs-grpc.order-checks'],
    text: 'Invalid input shape - Expected: (1,10); Actual: (1,11); input name: b',
    tfs: [{ ...ELEVEN, bytes: new Uint8Array(1) }],
    rest: { instances: [[...ZEROS, 0]] },
    kserve: raw({ shape: [1, 11], bytes: new Uint8Array(1) }),
    infer: json({ shape: [1, 11], data: [1] }),
  },
  {
    title: 'a content that is too short',
    covers: 'errors.content-size',
    text: 'Invalid content size of tensor proto - Expected: 40 bytes; Actual: 36 bytes; input name: b',
    tfs: [{ ...DUMMY_INPUT, bytes: DUMMY_BYTES.subarray(0, 36) }],
    kserve: raw({ bytes: DUMMY_BYTES.subarray(0, 36) }),
  },
  {
    title: 'a content that is too long',
    covers: 'errors.content-size',
    text: 'Invalid content size of tensor proto - Expected: 40 bytes; Actual: 44 bytes; input name: b',
    tfs: [{ ...ELEVEN, shape: [1, 10] }],
    kserve: raw({ bytes: ELEVEN.bytes }),
  },
  {
    title: 'no content',
    covers: 'errors.content-size',
    text: 'Invalid content size of tensor proto - Expected: 40 bytes; Actual: 0 bytes; input name: b',
    tfs: [{ ...DUMMY_INPUT, bytes: new Uint8Array(0) }],
    kserve: raw({ bytes: new Uint8Array(0) }),
  },
  {
    title: 'a wrong number of typed values',
    covers: 'errors.value-count',
    text: 'Invalid number of values in tensor proto container - Expected: 10; Actual: 3; input name: b',
    kserveText:
      'Invalid number of values in tensor proto container - Expected: 10 values; Actual: 3 values; input name: input name: b',
    kserve: typed({ fp32_contents: [1, 2, 3] }),
    infer: json({ data: [1, [2, 3]] }),
  },
  {
    title: 'values in the field of another type',
    covers: 'errors.value-count',
    text: '',
    kserveText:
      'Invalid number of values in tensor proto container - Expected: 10 values; Actual: 0 values; input name: input name: b',
    kserve: typed({ fp64_contents: ZEROS }),
  },
  {
    title: 'raw and typed contents together',
    covers: ['errors.raw-and-typed', 'kserve.raw-or-typed'],
    text: '',
    kserveText:
      'Passing buffers both in ModelInferRequest::InferInputTensor::contents and in ModelInferRequest::raw_input_contents is not allowed - ' +
      'Passing buffers both in ModelInferRequest::InferInputTensor::contents and in ModelInferRequest::raw_input_contents is not allowed for input: b',
    kserve: { ...typed({ fp32_contents: ZEROS }), raw_input_contents: [DUMMY_BYTES] },
  },
  {
    title: 'BYTES whose length leads beyond the content',
    covers: 'errors.bytes-length',
    text: '',
    kserveText:
      'Invalid content size of tensor proto - Batch length metadata exceeded buffer size, buffer size: 6, batch length: 9; input name: input name: b',
    kserve: raw({ datatype: 'BYTES', shape: [1], bytes: Uint8Array.of(9, 0, 0, 0, 1, 2) }),
  },
];

/** What each API answers to an input that is wrong. */
function expected({ tfs, rest, kserve, infer, text, kserveText }: Refusal): Answers {
  const twice = kserveText ?? text.replace('; input name: ', '; input name: input name: ');
  return {
    ...(tfs === undefined ? {} : { tfs: `INVALID_ARGUMENT ${text}` }),
    ...(rest === undefined ? {} : { rest: `400 ${text}` }),
    ...(kserve === undefined ? {} : { kserve: `INVALID_ARGUMENT ${twice}` }),
    ...(infer === undefined ? {} : { infer: `400 ${twice}` }),
  };
}

const GOOD: Question = { tfs: [DUMMY_INPUT], rest: DUMMY_BODY, kserve: raw({}), infer: json({}) };
const ALL_WELL: Answers = { tfs: 'OK', rest: '200', kserve: 'OK', infer: '200' };

for (const servable of ['dummy', 'dummy_pipeline']) {
  describe(`a request to ${servable} with`, () => {
    for (const refusal of REFUSALS) {
      test(`${refusal.title} is refused alike by every API`, async () => {
        covers('errors.text');
        assert.deepEqual(await apis.ask(servable, refusal), expected(refusal));
        await assertAnswers(apis.client, servable);
      });
    }

    test('strings, which nothing of it takes, is an unknown error over gRPC and 500 over REST', async () => {
      covers('errors.strings-unfit', 'errors.unknown');
      const strings = { ...DUMMY_INPUT, precision: 'STRING', shape: [1], bytes: new Uint8Array(0) } as const;
      const answers = await apis.ask(servable, {
        tfs: [{ ...strings, strings: stringList([Buffer.from('picture')]) }],
        rest: { instances: [{ b64: 'AAAA' }] },
        kserve: typed({ bytes_contents: [Buffer.from('picture')] }, { datatype: 'BYTES', shape: [1] }),
        infer: json({ datatype: 'BYTES', shape: [1], data: ['picture'] }),
      });
      const text = 'Functionality not implemented';
      assert.match(answers.tfs!, new RegExp(`^UNKNOWN Unknown error - ${text}`));
      assert.match(answers.rest!, new RegExp(`^500 ${text}`));
      assert.match(answers.kserve!, new RegExp(`^UNKNOWN Unknown error - ${text}`));
      assert.match(answers.infer!, new RegExp(`^500 ${text}`));
    });

    test('nothing wrong, after all those, is answered by every API', async () => {
      covers('errors.isolation');
      assert.deepEqual(await apis.ask(servable, GOOD), ALL_WELL);
    });
  });
}

for (const servable of ['open', 'open_pipeline']) {
  test(`${servable}: sizes whose product overflows are refused by every API, and not computed`, async () => {
    covers('errors.overflow');
    for (const shape of [
      [2 ** 31 - 1, 2 ** 40],
      [2 ** 62, 2 ** 62],
    ]) {
      const text = 'Invalid content size of tensor proto - Shape dimensions are too large; input name: ';
      const answers = await apis.ask(servable, {
        tfs: [{ ...DUMMY_INPUT, shape }],
        kserve: raw({ shape }),
      });
      assert.deepEqual(answers, {
        tfs: `INVALID_ARGUMENT ${text}b`,
        kserve: `INVALID_ARGUMENT ${text}input name: b`,
      });
    }
    // JSON takes sizes of 32 bits only.
    const inJson = await apis.ask(servable, { infer: json({ shape: [2 ** 31 - 1, 2 ** 31 - 1] }) });
    assert.match(inJson.infer!, /^400 Invalid content size of tensor proto - Shape dimensions are too large/);
  });

  test(`${servable}: sizes of 0 need no content`, async () => {
    covers('tfs-grpc.zero-dimension');
    const answers = await apis.ask(servable, {
      tfs: [floatTensor('b', [0, 3], [])],
      kserve: raw({ shape: [0, 3], bytes: new Uint8Array(0) }),
      infer: json({ shape: [0, 3], data: [] }),
    });
    assert.deepEqual(answers, { tfs: 'OK', kserve: 'OK', infer: '200' });
  });
}

for (const servable of ['pair', 'pair_pipeline']) {
  test(`${servable}: of several inputs that are wrong the first by name is told`, async () => {
    covers('tfs-grpc.order-names');
    const wrong = [floatTensor('in2', [1], [0]), floatTensor('in1', [1], [0])];
    const answers = await apis.ask(servable, {
      tfs: wrong,
      rest: { inputs: { in2: [0], in1: [0] } },
      kserve: raw({ name: 'in2', shape: [1] }, { name: 'in1', shape: [1] }),
      infer: json({ name: 'in2', shape: [1] }, { name: 'in1', shape: [1] }),
    });
    const text = 'Invalid number of shape dimensions - Expected: (1,10); Actual: (1); input name: ';
    assert.deepEqual(answers, {
      tfs: `INVALID_ARGUMENT ${text}in1`,
      rest: `400 ${text}in1`,
      kserve: `INVALID_ARGUMENT ${text}input name: in1`,
      infer: `400 ${text}input name: in1`,
    });
  });

  test(`${servable}: JSON data for one input and binary data for another are refused`, async () => {
    covers('kserve.mixed');
    const inputs = [
      { name: 'in1', shape: [1, 10], datatype: 'FP32', data: ZEROS },
      { name: 'in2', shape: [1, 10], datatype: 'FP32', parameters: { binary_data_size: 40 } },
    ];
    const head = JSON.stringify({ inputs });
    const body = head + '\0'.repeat(40);
    const length = { 'Inference-Header-Content-Length': String(head.length) };
    const { status, text } = await apis.post(`/v2/models/${servable}/infer`, body, length);
    assert.equal(status, 400);
    assert.match(text, /^{"error":"Passing buffers both in .* for input: in1"}$/);
  });
}

test('an empty picture is refused by each API in its words', async () => {
  covers('errors.bytes-empty');
  const strings = { ...DUMMY_INPUT, precision: 'STRING', shape: [1], bytes: new Uint8Array(0) } as const;
  const answers = await apis.ask('picture', {
    tfs: [{ ...strings, strings: stringList([new Uint8Array(0)]) }],
    kserve: typed({ bytes_contents: [new Uint8Array(0)] }, { datatype: 'BYTES', shape: [1] }),
    infer: json({ datatype: 'BYTES', shape: [1], data: [''] }),
  });
  assert.match(answers.tfs!, /^INVALID_ARGUMENT String val is empty/);
  assert.match(answers.kserve!, /^INVALID_ARGUMENT Bytes contents is empty/);
  assert.match(answers.infer!, /^500 Bytes contents is empty/);
});

test('arrays of one element, as TensorFlow makes them, are read from their typed field', async () => {
  covers('tfs-grpc.typed-values');
  const tensor = {
    dtype: 'DT_FLOAT',
    tensor_shape: { dim: [{ size: 1 }, { size: 1 }] },
    float_val: [2],
  };
  const request = encodeTfs('tensorflow.serving.PredictRequest', {
    model_spec: { name: 'open' },
    inputs: { b: tensor },
  });
  assert.equal((await apis.client.call(METHOD.PREDICT, request)).code, 'OK');
});
