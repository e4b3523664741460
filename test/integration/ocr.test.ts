import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { TextLine } from '#src/demo/read-text.js';
import { textLines } from '#src/demo/read-text.js';
import type { ResponseTensor } from '#src/servables/predict-request.js';
import { withGrpcClient, type PredictOutcome } from '../helpers/grpc-client.js';
import { OCR_CONFIG, OCR_PIPELINE, OCR_SKIPPED, readOcrPictures, type OcrPicture } from '../helpers/ocr.js';
import { restPredict } from '../helpers/rest-client.js';
import { startServerProcess, type ServerProcess } from '../helpers/server.js';
import { floatsOf, floatTensor } from '../helpers/tensors.js';

/** Names of the detector's tensors, as its ONNX file has them. */
const DETECTOR = { model: 'ocr-detection', input: 'x', output: 'sigmoid_0.tmp_0' };

describe('a pipeline that reads text', { skip: OCR_SKIPPED }, () => {
  let server: ServerProcess;
  let pictures: readonly OcrPicture[];

  before(async () => {
    pictures = await readOcrPictures();
    server = await startServerProcess(['--config_path', OCR_CONFIG]);
    await server.line('ServableManagerModule started');
  });
  after(async () => assert.equal(await server.stop(), 0));

  function picture(name: string): OcrPicture {
    return pictures.find((each) => each.name === name)!;
  }

  test('every line is read to the letter, in the order of reading', async () => {
    for (const { name, lines, array } of pictures) {
      const read = await readLines(server, imageTensor(array.shape, Uint8Array.from(array.elements)));
      assert.deepEqual(
        read.map(({ text }) => text),
        lines,
        name,
      );
      assert.ok(
        read.every(({ confidence }) => confidence > 0.9 && confidence <= 1),
        name,
      );
    }
  });

  test('a picture without text gives no line and no error', async () => {
    const { array, lines } = picture('nothing');
    assert.deepEqual(lines, []);
    const { outputs } = await predict(server, imageTensor(array.shape, Uint8Array.from(array.elements)));
    assert.deepEqual(outputs.get('boxes')!.shape, [0, 4, 2]);
    assert.deepEqual(outputs.get('text_string')!.shape, [0]);
    assert.deepEqual(outputs.get('confidence')!.shape, [0, 1]);
  });

  test('the boxes of a sloping line slope with it', async () => {
    const { array } = picture('slope');
    for (const { box } of await readLines(server, imageTensor(array.shape, Uint8Array.from(array.elements)))) {
      const [topLeft, topRight] = [box[0]!, box[1]!];
      const degrees = (Math.atan2(topLeft[1] - topRight[1], topRight[0] - topLeft[0]) * 180) / Math.PI;
      assert.ok(Math.abs(degrees - 8) < 1, `${degrees} degrees`);
    }
  });

  test('pictures read side by side give what each gives alone', async () => {
    const read = await Promise.all(
      [...pictures, ...pictures].map(({ array }) =>
        readLines(server, imageTensor(array.shape, Uint8Array.from(array.elements))),
      ),
    );
    assert.deepEqual(
      read.map((lines) => lines.map(({ text }) => text)),
      [...pictures, ...pictures].map(({ lines }) => lines),
    );
  });

  test('over REST the texts are strings', async () => {
    const { array, lines } = picture('night');
    const [, height, width] = array.shape;
    const row = (at: number) => Array.from({ length: width! }, (_, column) => bgr(array.elements, 3 * (at + column)));
    const image = [Array.from({ length: height! }, (_, at) => row(at * width!))];
    const { status, text } = await restPredict(server.restPort, OCR_PIPELINE, { inputs: { image } });
    assert.equal(status, 200, text);
    const { outputs } = JSON.parse(text) as { readonly outputs: { readonly text_string: readonly string[] } };
    assert.deepEqual(outputs.text_string, lines);
  });

  test('a picture without pixels is refused by the node that would read it', async () => {
    const { code, details } = await predict(server, imageTensor([1, 0, 5, 3], new Uint8Array(0)));
    assert.notEqual(code, 'OK');
    assert.match(details, /expected a picture with pixels, received shape \(1,0,5,3\)/);
  });

  test('the ONNX detector takes any size and batch, and a batch gives what its pictures give alone', async () => {
    const shape = [1, 3, 64, 96];
    const [first, second] = [pattern(shape, 7), pattern(shape, 13)];
    const alone = [...(await detect(server, shape, first)), ...(await detect(server, shape, second))];
    const together = await detect(server, [2, 3, 64, 96], [...first, ...second]);
    assert.equal(together.length, 2 * 64 * 96);
    together.forEach((value, index) => assert.ok(Math.abs(value - alone[index]!) < 1e-5, `element ${index}`));
    assert.equal((await detect(server, [1, 3, 32, 160], pattern([1, 3, 32, 160], 5))).length, 32 * 160);
  });
});

function imageTensor(shape: readonly number[], bytes: Uint8Array): ResponseTensor {
  return { name: 'image', precision: 'U8', shape, bytes };
}

function predict(server: ServerProcess, tensor: ResponseTensor): Promise<PredictOutcome> {
  return withGrpcClient(server.grpcPort, (client) => client.predict(OCR_PIPELINE, [tensor]));
}

async function readLines(server: ServerProcess, tensor: ResponseTensor): Promise<TextLine[]> {
  const { code, details, outputs } = await predict(server, tensor);
  assert.equal(code, 'OK', details);
  return textLines(outputs);
}

async function detect(server: ServerProcess, shape: readonly number[], values: readonly number[]): Promise<number[]> {
  const { model, input, output } = DETECTOR;
  const { code, details, outputs } = await withGrpcClient(server.grpcPort, (client) =>
    client.predict(model, [floatTensor(input, shape, values)]),
  );
  assert.equal(code, 'OK', details);
  return floatsOf(outputs.get(output));
}

/** Values from -1 to 1 that differ from place to place. */
function pattern(shape: readonly number[], factor: number): number[] {
  const length = shape.reduce((product, size) => product * size, 1);
  return Array.from({ length }, (_, index) => Math.sin(index * factor));
}

function bgr(elements: ArrayLike<number>, at: number): number[] {
  return [elements[at]!, elements[at + 1]!, elements[at + 2]!];
}
