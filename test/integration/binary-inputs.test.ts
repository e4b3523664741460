import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import type { WireTensor } from '#src/frontends/tfs/tensor-map.js';
import { elementArray, elementValue } from '#src/tensors/elements.js';
import { stringList, toViews, type StringList } from '#src/tensors/strings.js';
import type { Precision } from '#src/tensors/precision.js';
import { METHOD } from '#src/frontends/kserve/method.js';
import { DECODE_OFF_LOOP_BYTES } from '#src/frontends/rest/tfs-endpoints.js';
import { covers } from '../contract/covers.js';
import { writeDummyModel, type DummyModelOptions } from '../fixtures/ir.js';
import { bmp, colorBmp, pnm } from '../helpers/bitmaps.js';
import { pipelineOf } from '../helpers/dummy-servables.js';
import { GrpcClient, type PredictOutcome } from '../helpers/grpc-client.js';
import { encodeKserve } from '../helpers/kserve-messages.js';
import { blueFirst, png, somePixels, type Pixels } from '../helpers/pictures.js';
import { TestRepository, type Model } from '../helpers/repository.js';
import { errorOf, restCall, restPredict, type RestOutcome } from '../helpers/rest-client.js';
import { startServerProcess, type ServerProcess } from '../helpers/server.js';

const HEIGHT = 3;
const WIDTH = 4;
const SHAPE = [1, HEIGHT, WIDTH, 3];

/** Models that add one to every element. */
const MODELS: Readonly<Record<string, DummyModelOptions>> = {
  f32: { shape: SHAPE, precision: 'f32', layout: 'NHWC' },
  f64: { shape: SHAPE, precision: 'f64', layout: 'NHWC' },
  i32: { shape: SHAPE, precision: 'i32', layout: 'NHWC' },
  u8: { shape: SHAPE, precision: 'u8', layout: 'NHWC' },
  i64: { shape: SHAPE, precision: 'i64', layout: 'NHWC' },
  grey: { shape: [1, HEIGHT, WIDTH, 1], layout: 'NHWC' },
  alpha: { shape: [1, HEIGHT, WIDTH, 4], layout: 'NHWC' },
  two: { shape: [2, HEIGHT, WIDTH, 3], layout: 'NHWC' },
  vague: { shape: [2, HEIGHT, WIDTH, 3] },
  any: { shape: [-1, -1, -1, 3], layout: 'NHWC' },
  nchw: { shape: [1, 3, HEIGHT, WIDTH], layout: 'NCHW' },
  rank2: { shape: [1, 10] },
  text: { shape: [-1, -1], precision: 'u8', input: 'b', output: 'a_string' },
  narrow: { shape: [2, 4], precision: 'u8' },
};

let server: ServerProcess;
let client: GrpcClient;

before(async () => {
  const repository = new TestRepository();
  const models: Model[] = Object.entries(MODELS).map(([name, options]) => {
    writeDummyModel(repository.path(name, '1'), options);
    return { name };
  });
  writeDummyModel(repository.path('ranged', '1'), { shape: [1, -1, -1, 3], layout: 'NHWC' });
  models.push({ name: 'transposed', base_path: 'nchw', layout: { b: 'NHWC:NCHW' } });
  models.push({ name: 'ranged', shape: '(1,2:5,3:6,3)' });
  const pipelines = [
    pipelineOf('pipeline', 'f32'),
    pipelineOf('nchw_pipeline', 'nchw'),
    { ...pipelineOf('each', 'f32'), demultiply_count: -1 },
    { ...pipelineOf('both', 'f32'), demultiply_count: 2 },
    { ...pipelineOf('rows_each', 'text_row'), demultiply_count: 2 },
  ];
  writeDummyModel(repository.path('text_row', '1'), { shape: [1, 4], precision: 'u8' });
  models.push({ name: 'text_row' });
  server = await startServerProcess(['--config_path', repository.writeConfig(models, pipelines)]);
  await server.line('ServableManagerModule started');
  client = new GrpcClient(server.grpcPort);
});

after(async () => {
  client.close();
  assert.equal(await server.stop(), 0);
});

function strings(values: readonly (Uint8Array | string)[], shape: readonly number[] = [values.length]): WireTensor {
  return { name: 'b', precision: 'STRING', shape, bytes: new Uint8Array(0), strings: stringList(values) };
}

function send(servable: string, ...values: readonly (Uint8Array | string)[]): Promise<PredictOutcome> {
  return client.predict(servable, [strings(values)]);
}

interface Numbers {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

function numbersOf({ code, details, outputs }: PredictOutcome, name = 'a'): Numbers {
  assert.deepEqual({ code, details }, { code: 'OK', details: '' });
  const { precision, shape, content } = outputs.get(name)!;
  assert.equal(content.kind, 'bytes');
  const { buffer } = new Uint8Array((content as { readonly bytes: Uint8Array }).bytes);
  const count = shape.reduce((product, size) => product * size, 1);
  const elements = elementArray(precision as Exclude<Precision, 'STRING'>, buffer, 0, count);
  return { shape, values: Array.from({ length: count }, (_, at) => Number(elementValue(precision!, elements, at))) };
}

/** What the models answer to pixels that reach them as they are. */
function plusOne(...pictures: readonly Pixels[]): number[] {
  return pictures.flatMap(blueFirst).map((value) => value + 1);
}

const PICTURE = somePixels(HEIGHT, WIDTH, 3);
const OTHER = somePixels(HEIGHT, WIDTH, 3, 2);

function base64(encoded: Uint8Array): { readonly b64: string } {
  return { b64: Buffer.from(encoded).toString('base64') };
}

async function restNumbers(servable: string, body: unknown): Promise<unknown> {
  const { status, text } = await restPredict(server.restPort, servable, body);
  assert.equal(status, 200, text);
  const { outputs, predictions } = JSON.parse(text) as { readonly outputs?: unknown; readonly predictions?: unknown };
  return ((outputs ?? predictions) as unknown[]).flat(Infinity);
}

async function assertRefused(
  servable: string,
  values: readonly Uint8Array[],
  expected: readonly [string, number, string],
) {
  const [code, status, text] = expected;
  const overGrpc = await send(servable, ...values);
  assert.equal(overGrpc.code, code);
  assertText(overGrpc.details, code === 'UNKNOWN' ? `Unknown error - ${text}` : text);
  const overRest = await restPredict(server.restPort, servable, { inputs: { b: values.map(base64) } });
  assert.equal(overRest.status, status);
  assertText(errorOf(overRest), text);
}

/** A text without details must come alone. */
function assertText(received: string, expected: string): void {
  if (expected.includes(': ')) assert.ok(received.startsWith(expected), received);
  else assert.equal(received, expected);
}

for (const [servable, precision] of [
  ['f32', 'FP32'],
  ['f64', 'FP64'],
  ['i32', 'I32'],
  ['u8', 'U8'],
  ['pipeline', 'FP32'],
] as const) {
  test(`picture inputs: ${servable} gets the pixels as ${precision}, blue first`, async () => {
    covers('pictures.decoded');
    const encoded = await png(PICTURE);
    const outcome = await send(servable, encoded);
    assert.deepEqual(numbersOf(outcome), { shape: SHAPE, values: plusOne(PICTURE) });
    assert.equal(outcome.outputs.get('a')!.precision, precision);
    assert.deepEqual(await restNumbers(servable, { inputs: { b: [base64(encoded)] } }), plusOne(PICTURE));
    assert.deepEqual(await restNumbers(servable, { instances: [{ b: base64(encoded) }] }), plusOne(PICTURE));
    assert.deepEqual(await restNumbers(servable, { instances: [base64(encoded)] }), plusOne(PICTURE));
  });
}

test('picture inputs: every format is the same pixels', async () => {
  covers('pictures.formats', 'pictures.decoded');
  const { height, width, channels, elements } = PICTURE;
  const picture = sharp(elements, { raw: { height, width, channels } });
  const formats = {
    PNG: await png(PICTURE),
    WebP: await picture.webp({ lossless: true }).toBuffer(),
    TIFF: await picture.tiff({ compression: 'lzw' }).toBuffer(),
    BMP: colorBmp(PICTURE),
    PPM: pnm(PICTURE),
  };
  for (const [format, encoded] of Object.entries(formats)) {
    const { values } = numbersOf(await send('f32', encoded));
    assert.deepEqual(values, plusOne(PICTURE), format);
  }
  // This one says that one of its colours is transparent, though no pixel has it.
  const gif = numbersOf(await send('alpha', await picture.gif({ dither: 0 }).toBuffer())).values;
  const opaque = plusOne(PICTURE).flatMap((value, at) => (at % 3 === 2 ? [value, 256] : [value]));
  assert.deepEqual(gif, opaque, 'GIF');
  const flat = sharp({ create: { height, width, channels: 3, background: { r: 10, g: 100, b: 200 } } });
  const pixel = numbersOf(await send('f32', await flat.jpeg({ quality: 100 }).toBuffer())).values.slice(0, 3);
  [201, 101, 11].forEach((expected, channel) => assert.ok(Math.abs(pixel[channel]! - expected) < 4, String(pixel)));
  const grey = somePixels(HEIGHT, WIDTH, 1);
  assert.deepEqual(numbersOf(await send('grey', pnm(grey))).values, plusOne(grey));
});

test('picture inputs: an orientation that a camera has noted is not applied', async () => {
  covers('pictures.unchanged');
  const { height, width, channels, elements } = PICTURE;
  const turned = sharp(elements, { raw: { height, width, channels } }).withMetadata({ orientation: 6 });
  assert.deepEqual(numbersOf(await send('f32', await turned.png().toBuffer())).values, plusOne(PICTURE));
});

test('picture inputs: grey stays one channel and alpha is the fourth', async () => {
  covers('pictures.unchanged', 'pictures.channels');
  const grey = somePixels(HEIGHT, WIDTH, 1);
  const alpha = somePixels(HEIGHT, WIDTH, 4);
  assert.deepEqual(numbersOf(await send('grey', await png(grey))).values, plusOne(grey));
  assert.deepEqual(numbersOf(await send('alpha', await png(alpha))).values, plusOne(alpha));
  const text = 'Invalid number of channels in binary input';
  await assertRefused('grey', [await png(PICTURE)], ['INVALID_ARGUMENT', 400, text]);
  await assertRefused('f32', [await png(grey)], ['INVALID_ARGUMENT', 400, text]);
  await assertRefused('any', [await png(grey)], ['INVALID_ARGUMENT', 400, text]);
});

test('picture inputs: 16 bits are not scaled, and kept within the range of the precision', async () => {
  covers('pictures.unchanged');
  const elements = Uint16Array.from({ length: HEIGHT * WIDTH * 3 }, (_, at) => at * 1001);
  const wide: Pixels = { ...PICTURE, elements };
  assert.deepEqual(numbersOf(await send('f32', await png(wide))).values, plusOne(wide));
  const limited: Pixels = { ...PICTURE, elements: elements.map((value) => Math.min(value, 255)) };
  assert.deepEqual(
    numbersOf(await send('u8', await png(wide))).values,
    plusOne(limited).map((value) => Math.min(value, 255)),
  );
});

test('picture inputs: other sizes are resized bilinearly', async () => {
  covers('pictures.resized');
  const flat: Pixels = { height: 50, width: 7, channels: 3, elements: new Uint8Array(50 * 7 * 3).fill(90) };
  assert.deepEqual(numbersOf(await send('f32', await png(flat))), { shape: SHAPE, values: Array(36).fill(91) });
  const twice: Pixels = { ...flat, height: 6, width: 8, elements: new Uint8Array(6 * 8 * 3) };
  // Columns of 0, 20, 40, ... in every channel: the middle of two is their mean.
  twice.elements.forEach((_, at) => (twice.elements[at] = 20 * (Math.floor(at / 3) % 8)));
  const row = [11, 51, 91, 131].flatMap((value) => [value, value, value]);
  assert.deepEqual(numbersOf(await send('u8', await png(twice))).values, [...row, ...row, ...row]);
});

test('picture inputs: a range of sizes keeps what is in it and takes the nearer end of it otherwise', async () => {
  covers('pictures.ranges');
  const shapeFor = async (height: number, width: number): Promise<readonly number[]> =>
    numbersOf(await send('ranged', await png(somePixels(height, width, 3)))).shape;
  assert.deepEqual(await shapeFor(4, 5), [1, 4, 5, 3]);
  assert.deepEqual(await shapeFor(1, 5), [1, 2, 5, 3]);
  assert.deepEqual(await shapeFor(9, 1), [1, 5, 3, 3]);
  assert.deepEqual(numbersOf(await send('ranged', await png(PICTURE))).values, plusOne(PICTURE));
});

test('picture inputs: sizes that the model leaves open are the pictures own', async () => {
  covers('pictures.open');
  const outcome = await send('any', await png(PICTURE), await png(OTHER));
  assert.deepEqual(numbersOf(outcome), { shape: [2, HEIGHT, WIDTH, 3], values: plusOne(PICTURE, OTHER) });
});

test('picture inputs: without resizing all pictures have one size, that of the model where it has one', async () => {
  covers('pictures.sizes-differ');
  const [same, small] = [await png(PICTURE), await png(somePixels(2, 2, 3))];
  const differ = 'Binary input images for this endpoint are required to have the same resolution';
  await assertRefused('any', [same, small], ['INVALID_ARGUMENT', 400, differ]);
  assert.deepEqual(numbersOf(await send('vague', same, same)).values, plusOne(PICTURE, PICTURE));
  await assertRefused('vague', [same, small], ['INVALID_ARGUMENT', 400, differ]);
  await assertRefused('vague', [small, small], ['INVALID_ARGUMENT', 400, 'Invalid input shape - Expected: height 3']);
});

test('picture inputs: a batch holds the pictures in their order', async () => {
  covers('pictures.count');
  const outcome = await send('two', await png(PICTURE), await png(OTHER));
  assert.deepEqual(numbersOf(outcome), { shape: [2, HEIGHT, WIDTH, 3], values: plusOne(PICTURE, OTHER) });
  const batch = 'Invalid input batch size - Expected: 2; Actual: 1; input name: b';
  await assertRefused('two', [await png(PICTURE)], ['INVALID_ARGUMENT', 400, batch]);
});

test('picture inputs: pictures of a long REST request, whose text is decoded on another thread', async () => {
  const instances = [base64(await png(PICTURE)), base64(await png(OTHER))];
  const body = { comment: ' '.repeat(DECODE_OFF_LOOP_BYTES), instances };
  assert.deepEqual(await restNumbers('two', body), plusOne(PICTURE, OTHER));
});

test('picture inputs: a demultiplexer at the entry runs once a picture', async () => {
  covers('pictures.demultiplexed', 'pictures.count');
  const values = plusOne(PICTURE, OTHER, PICTURE);
  const encoded = [await png(PICTURE), await png(OTHER), await png(PICTURE)];
  assert.deepEqual(numbersOf(await send('each', ...encoded)), { shape: [3, ...SHAPE], values });
  assert.deepEqual(await restNumbers('each', { instances: encoded.map(base64) }), values);
  const resized = await send('both', await png(somePixels(9, 9, 3)), encoded[0]!);
  assert.deepEqual(numbersOf(resized).values.slice(36), plusOne(PICTURE));
  const batch = 'Invalid input batch size - Expected: 2; Actual: 3; input name: b';
  await assertRefused('both', encoded, ['INVALID_ARGUMENT', 400, batch]);
});

test('picture inputs: what is no picture cannot be parsed', async () => {
  covers('pictures.undecodable');
  const text = 'Image parsing failed';
  const cut = (await png(PICTURE)).subarray(0, 60);
  const bitmap = bmp({ width: WIDTH, height: HEIGHT, depth: 24, pixels: new Uint8Array(8) });
  const drawing = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"/>');
  for (const encoded of [Buffer.from('no picture'), cut, drawing, bitmap, Buffer.from('P6 4 3 255 ')]) {
    await assertRefused('f32', [encoded], ['UNKNOWN', 500, text]);
    await assertRefused('any', [encoded], ['UNKNOWN', 500, text]);
  }
  assert.deepEqual(numbersOf(await send('f32', await png(PICTURE))).values, plusOne(PICTURE));
});

test('picture inputs: the layout must be N...HWC', async () => {
  covers('pictures.layout');
  const text = 'Received binary image input but resource not configured to accept NHWC layout';
  await assertRefused('nchw', [await png(PICTURE)], ['INVALID_ARGUMENT', 400, text]);
});

for (const [title, [model, pipeline], code, status, text, picture] of [
  ['what is no picture', ['f32', 'pipeline'], 'UNKNOWN', 500, 'Image parsing failed', 'no picture'],
  [
    'a layout that is not N...HWC',
    ['nchw', 'nchw_pipeline'],
    'INVALID_ARGUMENT',
    400,
    'Received binary image input but resource not configured to accept NHWC layout',
    'no picture',
  ],
  [
    'a grey picture for colours',
    ['f32', 'pipeline'],
    'INVALID_ARGUMENT',
    400,
    'Invalid number of channels in binary input',
    'P2 1 1 255 7',
  ],
] as const) {
  for (const servable of [model, pipeline]) {
    test(`picture inputs: ${title} is refused with the text alone over every API: ${servable}`, async () => {
      covers('errors.whole-texts');
      const details = code === 'UNKNOWN' ? `Unknown error - ${text}` : text;
      const input = { name: 'b', datatype: 'BYTES', shape: [1] };
      const element = Buffer.concat([Buffer.from([picture.length, 0, 0, 0]), Buffer.from(picture)]);
      const infer = { model_name: servable, inputs: [input], raw_input_contents: [element] };
      const overGrpc = [
        await send(servable, picture),
        await client.call(METHOD.MODEL_INFER, encodeKserve('ModelInferRequest', infer)),
      ];
      for (const outcome of overGrpc) assert.deepEqual([outcome.code, outcome.details], [code, details]);
      const overRest = [
        await restPredict(server.restPort, servable, { inputs: { b: [base64(Buffer.from(picture))] } }),
        await restPredict(server.restPort, servable, { instances: [base64(Buffer.from(picture))] }),
        await restCall(server.restPort, 'POST', `/v2/models/${servable}/infer`, {
          inputs: [{ ...input, data: [picture] }],
        }),
      ];
      for (const outcome of overRest) assert.deepEqual([outcome.status, errorOf(outcome)], [status, text]);
    });
  }
}

test('picture inputs: a layout that the configuration puts before the model counts', async () => {
  const { shape, values } = numbersOf(await send('transposed', await png(PICTURE)));
  assert.deepEqual(shape, [1, 3, HEIGHT, WIDTH]);
  const expected = plusOne(PICTURE);
  const plane = HEIGHT * WIDTH;
  assert.deepEqual(
    values,
    expected.map((_, at) => expected[(at % plane) * 3 + Math.floor(at / plane)]),
  );
});

test('picture inputs: empty strings, wrong ranks, counts and precisions are refused', async () => {
  covers('pictures.empty', 'pictures.empty-kserve', 'pictures.precision', 'pictures.rank', 'pictures.count');
  await assertRefused('f32', [Buffer.alloc(0)], ['INVALID_ARGUMENT', 400, 'String val is empty']);
  await assertRefused(
    'i64',
    [await png(PICTURE)],
    ['INVALID_ARGUMENT', 400, 'Invalid input precision - Expected: one of'],
  );
  const rank = 'Expected number of binary input shape dimensions: 1; Actual: 2; input name: b';
  const ranked = await client.predict('f32', [strings(['x'], [1, 1])]);
  assert.equal(ranked.details, `Invalid number of shape dimensions - ${rank}`);
  const counted = await client.predict('f32', [strings(['x'], [2])]);
  assert.equal(counted.details, 'Invalid input batch size - Expected: 2; Actual: 1; input name: b');
  const kserve = (shape: readonly number[], data: readonly string[]): Promise<RestOutcome> => {
    const inputs = [{ name: 'b', datatype: 'BYTES', shape, data }];
    return restCall(server.restPort, 'POST', '/v2/models/f32/infer', { inputs });
  };
  const emptyOne = await kserve([1], ['']);
  assert.equal(emptyOne.status, 500);
  assert.equal(errorOf(emptyOne), 'Bytes contents is empty');
  const infer = { model_name: 'f32', inputs: [{ name: 'b', datatype: 'BYTES', shape: [1] }] };
  const raw = encodeKserve('ModelInferRequest', { ...infer, raw_input_contents: [Buffer.alloc(4)] });
  const { code, details } = await client.call(METHOD.MODEL_INFER, raw);
  assert.equal(code, 'INVALID_ARGUMENT');
  assert.equal(details, 'Bytes contents is empty');
  const twice = await kserve([1, 1], ['x']);
  const expected = 'Expected number of input shape dimensions: 1; Actual: 2; input name: input name: b';
  assert.deepEqual([twice.status, errorOf(twice)], [400, `Invalid number of shape dimensions - ${expected}`]);
  const negative = await client.predict('f32', [strings(['x'], [-1])]);
  assert.match(negative.details, /^Invalid input shape - Negative or zero dimension size/);
});

test('string inputs: where nothing fits them they are not implemented', async () => {
  covers('strings.nothing-fits');
  const text = 'Functionality not implemented';
  await assertRefused('rank2', [Buffer.from('text')], ['UNKNOWN', 500, text]);
  await assertRefused('rows_each', [Buffer.from('abc'), Buffer.from('d')], ['UNKNOWN', 500, text]);
});

test('string inputs: strings become rows of bytes, filled up with zeros', async () => {
  covers('strings.rows', 'strings.rows-shape', 'strings.tfs-rest');
  assert.deepEqual(numbersOf(await send('narrow', 'abc', 'd')), {
    shape: [2, 4],
    values: [98, 99, 100, 1, 101, 1, 1, 1],
  });
  assert.deepEqual(await restNumbers('narrow', { inputs: { b: ['abc', 'd'] } }), [98, 99, 100, 1, 101, 1, 1, 1]);
  const shape =
    'Invalid input shape - Expected batch size: 2; got: 2; Expected max null terminated string length: 4; got: 5; input name: b';
  await assertRefused('narrow', [Buffer.from('abcd'), Buffer.from('e')], ['INVALID_ARGUMENT', 400, shape]);
  const batch = 'Invalid input batch size - Expected: 2; Actual: 1; input name: b';
  await assertRefused('narrow', [Buffer.from('abc')], ['INVALID_ARGUMENT', 400, batch]);
});

test('string outputs: rows of an output that is called _string are strings', async () => {
  covers('strings.row-output');
  const row = (text: string): Uint8Array => Buffer.from(text).map((byte) => byte - 1);
  const { outputs, details } = await send('text', row('hello'), row('grüß dich'));
  assert.equal(details, '');
  const { shape, precisionText, content } = outputs.get('a_string')!;
  assert.deepEqual(
    { shape, precisionText, kind: content.kind },
    { shape: [2], precisionText: 'STRING', kind: 'strings' },
  );
  const received = toViews((content as { readonly strings: StringList }).strings).map((text) =>
    Buffer.from(text).toString(),
  );
  // The model adds one to the filling zeros, too.
  assert.deepEqual(received, ['hello' + '\x01'.repeat(7), 'grüß dich\x01']);
});
