import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { METHOD as KSERVE } from '#src/frontends/kserve/method.js';
import { METHOD as TFS } from '#src/frontends/tfs/method.js';
import type { WireTensor } from '#src/frontends/tfs/tensor-map.js';
import { MOST_STRINGS, stringList, toViews } from '#src/tensors/strings.js';
import { covers } from '../contract/covers.js';
import { compileCustomNode, Ledger } from '../fixtures/custom-node-library.js';
import { writeDummyModel, writeStringModel, writeStringPackModel, writeStringUnpackModel } from '../fixtures/ir.js';
import { pipelineOf } from '../helpers/dummy-servables.js';
import { GrpcClient, type PredictOutcome } from '../helpers/grpc-client.js';
import { decodeKserve, encodeKserve, type Fields } from '../helpers/kserve-messages.js';
import { modelNode, node, pipeline, TestRepository, type Model } from '../helpers/repository.js';
import { errorOf, restCall, restPredict, type RestOutcome } from '../helpers/rest-client.js';
import { startServerProcess, type ServerProcess } from '../helpers/server.js';

const TEXTS = ['grüße', '', 'a string that is too long for the place inside std::string'];
const SERVABLES = ['text', 'through', 'joined'];

let server: ServerProcess;
let client: GrpcClient;

function repositoryConfig(): string {
  const repository = new TestRepository();
  const ledger = new Ledger(repository.directory, 'upper');
  writeFileSync(ledger.path, '');
  const path = (name: string): string => repository.path(name, '1');
  writeStringModel(path('text'));
  writeStringModel(path('raw'), { output: 'a_bytes' });
  writeStringModel(path('pairs'), { shape: [-1, 2] });
  writeStringModel(path('two'), { shape: [2] });
  writeStringUnpackModel(path('unpack'));
  writeStringPackModel(path('pack'));
  writeDummyModel(path('rows'), { shape: [-1, -1], precision: 'u8' });
  const models: Model[] = ['text', 'raw', 'pairs', 'two', 'unpack', 'pack', 'rows'].map((name) => ({ name }));
  const parts = { begins: 'apart.begins', ends: 'apart.ends', bytes: 'apart.bytes' };
  const apart = modelNode('apart', 'unpack', { b: 'request.b' }, Object.keys(parts));
  const first = modelNode('first', 'text', { b: 'request.b' }, ['a']);
  const upper = node('upper', { in: 'request.b' }, ['out'], {
    type: 'custom',
    library_name: 'upper',
    params: { ledger: ledger.path },
  });
  const libraries = { upper: compileCustomNode(repository.directory, 'upper.c') };
  const pipelines = [
    pipeline('upper', ['b'], [upper], { a_string: 'upper.out' }),
    pipelineOf('through', 'text'),
    pipeline('joined', ['b'], [apart, modelNode('together', 'pack', parts, ['a'])], { a: 'together.a' }),
    pipeline('between', ['b'], [first, modelNode('second', 'text', { b: 'first.a' }, ['a'])], { a: 'second.a' }),
    { ...pipelineOf('split', 'text'), demultiply_count: -1 },
  ];
  return repository.writeConfig(models, pipelines, 'config.json', libraries);
}

before(async () => {
  server = await startServerProcess(['--config_path', repositoryConfig()]);
  await server.line('ServableManagerModule started');
  client = new GrpcClient(server.grpcPort);
});

after(async () => {
  client.close();
  assert.equal(await server.stop(), 0);
});

type Element = string | Uint8Array;

function tensor(values: readonly Element[], shape: readonly number[] = [values.length]): WireTensor {
  return { name: 'b', precision: 'STRING', shape, bytes: new Uint8Array(0), strings: stringList(values) };
}

function stringsOf({ details, outputs }: PredictOutcome, name = 'a'): [shape: readonly number[], strings: string[]] {
  assert.equal(details, '');
  const { shape, content } = outputs.get(name)!;
  assert.ok(content.kind === 'strings');
  return [shape, toViews(content.strings).map((view) => Buffer.from(view).toString())];
}

async function predict(
  servable: string,
  values: readonly Element[],
  shape?: readonly number[],
): Promise<PredictOutcome> {
  return client.predict(servable, [tensor(values, shape)]);
}

function jsonOf({ status, text }: RestOutcome): Record<string, unknown> {
  assert.equal(status, 200, text);
  return JSON.parse(text) as Record<string, unknown>;
}

async function rest(servable: string, body: unknown): Promise<Record<string, unknown>> {
  return jsonOf(await restPredict(server.restPort, servable, body));
}

function packed(values: readonly Element[]): Buffer {
  const parts = values.map((value) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(Buffer.from(value).byteLength);
    return [length, Buffer.from(value)];
  });
  return Buffer.concat(parts.flat());
}

async function infer(servable: string, shape: readonly number[], more: Fields, contents: Fields = {}) {
  const inputs = [{ name: 'b', datatype: 'BYTES', shape, ...contents }];
  const { code, details, bytes } = await client.call(
    KSERVE.MODEL_INFER,
    encodeKserve('ModelInferRequest', { model_name: servable, inputs, ...more }),
  );
  return { status: `${code} ${details}`.trim(), answer: decodeKserve('ModelInferResponse', bytes) };
}

function restInfer(servable: string, input: Fields, more: Fields = {}): Promise<RestOutcome> {
  const inputs = [{ name: 'b', datatype: 'BYTES', ...input }];
  return restCall(server.restPort, 'POST', `/v2/models/${servable}/infer`, { inputs, ...more });
}

for (const servable of SERVABLES) {
  describe(`strings of ${servable}`, () => {
    test('TensorFlow Serving over gRPC carries them in string_val', async () => {
      covers('strings.native', 'strings.native-output', 'strings.native-empty', 'strings.tfs-grpc', 'strings.pipeline');
      assert.deepEqual(stringsOf(await predict(servable, TEXTS)), [[3], TEXTS]);
      const bytes = Buffer.of(0, 0xff, 0x80);
      const { outputs } = await predict(servable, [bytes]);
      const { content } = outputs.get('a')!;
      assert.ok(content.kind === 'strings');
      assert.deepEqual(Buffer.from(toViews(content.strings)[0]!), bytes);
    });

    test('TensorFlow Serving over REST carries them in rows and columns, as text and as base64', async () => {
      covers('strings.tfs-rest', 'strings.tfs-rest-answer');
      const base64 = TEXTS.map((text) => ({ b64: Buffer.from(text).toString('base64') }));
      for (const values of [TEXTS, base64]) {
        assert.deepEqual(await rest(servable, { inputs: values }), { outputs: TEXTS });
        assert.deepEqual(await rest(servable, { inputs: { b: values } }), { outputs: TEXTS });
        assert.deepEqual(await rest(servable, { instances: values }), { predictions: TEXTS });
        const named = values.map((b) => ({ b }));
        assert.deepEqual(await rest(servable, { instances: named }), { predictions: TEXTS });
      }
    });

    test('KServe over gRPC takes them raw and typed, and answers raw', async () => {
      covers('strings.kserve-raw', 'strings.kserve-typed');
      const raw = { raw_input_contents: [packed(TEXTS)] };
      const typed = { contents: { bytes_contents: TEXTS.map((text) => Buffer.from(text)) } };
      for (const { status, answer } of [await infer(servable, [3], raw), await infer(servable, [3], {}, typed)]) {
        assert.equal(status, 'OK');
        const [{ name, datatype, shape }] = answer['outputs'] as readonly [Fields];
        assert.deepEqual({ name, datatype, shape }, { name: 'a', datatype: 'BYTES', shape: [3] });
        assert.deepEqual(answer['raw_output_contents'], [packed(TEXTS)]);
      }
    });

    test('KServe over REST carries them in the JSON and behind it', async () => {
      covers('strings.kserve-json', 'strings.kserve-binary');
      const json = jsonOf(await restInfer(servable, { shape: [3], data: TEXTS }));
      assert.deepEqual(json['outputs'], [{ name: 'a', shape: [3], datatype: 'BYTES', data: TEXTS }]);
      const listed = { outputs: [{ name: 'a', parameters: { binary_data: true } }] };
      const binary = await restInfer(servable, { shape: [3], data: TEXTS }, listed);
      const length = Number(binary.headers['inference-header-content-length']);
      assert.equal(Buffer.from(binary.text).subarray(length).toString(), packed(TEXTS).toString());
    });

    test('metadata names them', async () => {
      covers('strings.metadata');
      const path = `/v1/models/${servable}/metadata`;
      const { text } = await restCall(server.restPort, 'GET', path);
      assert.match(text, /"b": \{\s+"dtype": "DT_STRING",\s+"tensorShape": \{\s+"dim": \[\s+\{\s+"size": "-1"/);
      const { inputs, outputs } = jsonOf(await restCall(server.restPort, 'GET', `/v2/models/${servable}`));
      assert.deepEqual(inputs, [{ name: 'b', datatype: 'BYTES', shape: [-1] }]);
      assert.deepEqual(outputs, [{ name: 'a', datatype: 'BYTES', shape: [-1] }]);
    });
  });
}

test('strings: behind the JSON of KServe over REST, with their size', async () => {
  covers('strings.kserve-binary');
  const content = packed(TEXTS);
  const parameters = { binary_data_size: content.byteLength };
  const json = JSON.stringify({ inputs: [{ name: 'b', shape: [3], datatype: 'BYTES', parameters }] });
  const headers = { 'Inference-Header-Content-Length': String(json.length) };
  const body = `${json}${content.toString()}`;
  const answer = await restCall(server.restPort, 'POST', '/v2/models/text/infer', body, undefined, headers);
  const [{ data }] = jsonOf(answer)['outputs'] as readonly [Fields];
  assert.deepEqual(data, TEXTS);
});

test('strings: a model that takes them apart gives numbers', async () => {
  const { outputs, details } = await predict('unpack', ['ab', 'c']);
  assert.equal(details, '');
  const bytes = outputs.get('bytes')!.content;
  assert.ok(bytes.kind === 'bytes');
  assert.equal(Buffer.from(bytes.bytes).toString(), 'abc');
});

test('strings: custom nodes get them as rows of bytes and give them back so', async () => {
  covers('strings.custom-node', 'strings.rows', 'strings.row-output');
  const texts = ['abc', '', 'Hello, grüße'];
  const expected = texts.map((text) => text.replace(/[a-z]/g, (letter) => letter.toUpperCase()));
  assert.deepEqual(stringsOf(await predict('upper', texts), 'a_string'), [[3], expected]);
  assert.deepEqual(await rest('upper', { instances: texts }), { predictions: expected });
  const { outputs } = jsonOf(await restInfer('upper', { shape: [3], data: texts }));
  assert.deepEqual(outputs, [{ name: 'a_string', shape: [3], datatype: 'BYTES', data: expected }]);
});

test('strings: an output called _bytes comes as base64 over TensorFlow Serving REST', async () => {
  covers('strings.tfs-rest-bytes');
  const values = [{ b64: '/wA=' }, { b64: '' }];
  assert.deepEqual(await rest('raw', { instances: values }), { predictions: values });
  assert.deepEqual(await rest('raw', { inputs: values }), { outputs: values });
});

test('strings: they have the shape of the model', async () => {
  covers('strings.native', 'strings.native-shape');
  const values = ['a', 'b', 'c', 'd'];
  assert.deepEqual(stringsOf(await predict('pairs', values, [2, 2])), [[2, 2], values]);
  const nested = [
    ['a', 'b'],
    ['c', 'd'],
  ];
  assert.deepEqual(await rest('pairs', { instances: nested }), { predictions: nested });
});

interface Refusal {
  readonly title: string;
  readonly servable: string;
  readonly values: readonly string[];
  readonly shape: readonly number[];
  readonly text: string;
  /** Where KServe says it in other words. */
  readonly kserve?: string;
  readonly covers: 'strings.native-shape' | 'strings.native-count' | 'strings.overflow';
}

const AT = '; input name: b';
const REFUSALS: readonly Refusal[] = [
  {
    title: 'another rank',
    servable: 'text',
    values: ['a'],
    shape: [1, 1],
    text: `Invalid number of shape dimensions - Expected: (-1); Actual: (1,1)${AT}`,
    covers: 'strings.native-shape',
  },
  {
    title: 'another batch',
    servable: 'two',
    values: ['a'],
    shape: [1],
    text: `Invalid input batch size - Expected: 2; Actual: 1${AT}`,
    covers: 'strings.native-shape',
  },
  {
    title: 'another shape',
    servable: 'pairs',
    values: ['a'],
    shape: [1, 1],
    text: `Invalid input shape - Expected: (-1,2); Actual: (1,1)${AT}`,
    covers: 'strings.native-shape',
  },
  {
    title: 'too few strings',
    servable: 'text',
    values: ['a', 'b'],
    shape: [3],
    text: `Invalid number of values in tensor proto container - Expected: 3; Actual: 2${AT}`,
    kserve:
      'Invalid number of values in tensor proto container - Expected: 3 values; Actual: 2 values; input name: input name: b',
    covers: 'strings.native-count',
  },
  {
    title: 'a product of sizes that overflows',
    servable: 'pairs',
    values: ['a'],
    shape: [2 ** 62, 2],
    text: `Invalid content size of tensor proto - Shape dimensions are too large${AT}`,
    covers: 'strings.overflow',
  },
];

for (const { title, servable, values, shape, text, kserve, ...row } of REFUSALS) {
  test(`strings: ${title} is refused alike by both protocols`, async () => {
    covers(row.covers);
    const { code, details } = await predict(servable, values, shape);
    assert.deepEqual({ code, details }, { code: 'INVALID_ARGUMENT', details: text });
    const inTheirs = kserve ?? text.replace('; input name', '; input name: input name');
    const { status } = await infer(servable, shape, { raw_input_contents: [packed(values)] });
    assert.equal(status, `INVALID_ARGUMENT ${inTheirs}`);
  });
}

test('strings: an input of precision STRING takes nothing else, and raw contents must be whole', async () => {
  covers('strings.native-shape', 'strings.kserve-overrun');
  const numbers = { name: 'b', precision: 'FP32', shape: [1], bytes: new Uint8Array(4) } as const;
  const { details } = await client.predict('text', [numbers]);
  assert.equal(details, 'Invalid input precision - Expected: STRING; Actual: FP32; input name: b');
  const answer = await restPredict(server.restPort, 'text', { inputs: [1] });
  assert.equal(answer.status, 400);
  assert.match(errorOf(answer), /^Could not parse input content. Not valid ndarray detected/);
  const raw = { raw_input_contents: [Buffer.of(9, 0, 0, 0, 65)] };
  assert.match(
    (await infer('text', [1], raw)).status,
    /^INVALID_ARGUMENT Invalid content size of tensor proto - Batch length metadata exceeded buffer size/,
  );
});

test('strings: between two nodes and behind a demultiplexer they make a pipeline invalid', async () => {
  covers('strings.pipeline-between', 'strings.pipeline-split');
  const between = await server.line('Functionality not implemented');
  assert.match(between, /between/);
  assert.match(await server.line('Demultiplication is not supported for string precision'), /split/);
  for (const servable of ['between', 'split']) {
    const { code, details } = await predict(servable, ['a']);
    assert.deepEqual({ code, details }, { code: 'UNAVAILABLE', details: 'Pipeline is not loaded yet' });
  }
});

/** A PredictRequest with `content` as the fields of the tensor `b`. */
function requestOf(servable: string, content: Buffer): Buffer {
  const field = (tag: number, bytes: Buffer): Buffer => {
    const length: number[] = [];
    let rest = bytes.byteLength;
    for (; rest > 127; rest = Math.floor(rest / 128)) length.push((rest % 128) | 128);
    return Buffer.concat([Buffer.of(tag, ...length, rest), bytes]);
  };
  const entry = Buffer.concat([field(0x0a, Buffer.from('b')), field(0x12, content)]);
  return Buffer.concat([field(0x0a, field(0x0a, Buffer.from(servable))), field(0x12, entry)]);
}

test('strings: more than a tensor may have are refused, and rows that would take more than a gibibyte', async () => {
  covers('strings.native-limit', 'strings.rows-limit');
  const content = Buffer.alloc(2 + 2 * (MOST_STRINGS + 1));
  content.write('\x08\x07');
  for (let at = 2; at < content.byteLength; at += 2) content[at] = 0x42;
  const many = await client.call(TFS.PREDICT, requestOf('text', content));
  assert.equal(many.code, 'INVALID_ARGUMENT');
  assert.match(many.details, /^String max size exceeded - Expected: at most 33554432 strings/);
  const wide = ['x'.repeat(2 ** 20), ...Array<string>(1024).fill('')];
  const { code, details } = await predict('rows', wide);
  assert.equal(code, 'INVALID_ARGUMENT');
  assert.match(details, /^String max size exceeded - Expected: at most 1073741824 bytes; Actual: 1074791425/);
  assert.deepEqual(stringsOf(await predict('text', TEXTS)), [[3], TEXTS]);
});

test('strings: a long one, and very many', async () => {
  const long = Buffer.alloc(64 * 1024 * 1024, 'long ');
  const { outputs, details } = await predict('text', [long]);
  assert.equal(details, '');
  const { content } = outputs.get('a')!;
  assert.ok(content.kind === 'strings');
  assert.ok(long.equals(toViews(content.strings)[0]!));
  const many = Array.from({ length: 200_000 }, (_, index) => String(index));
  assert.deepEqual(stringsOf(await predict('text', many)), [[200_000], many]);
});

test('strings: they go through the piscina executor as well', async () => {
  const other = await startServerProcess(['--config_path', repositoryConfig(), '--node_executor', 'piscina']);
  try {
    await other.line('ServableManagerModule started');
    for (const servable of SERVABLES) {
      const answer = await restPredict(other.restPort, servable, { inputs: TEXTS });
      assert.deepEqual(jsonOf(answer), { outputs: TEXTS });
    }
  } finally {
    assert.equal(await other.stop(), 0);
  }
});
