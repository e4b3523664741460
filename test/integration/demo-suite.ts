import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { covers } from '../contract/covers.js';
import { imagenetClassName } from '#src/client/imagenet-classes.js';
import { readNpy } from '#src/client/npy.js';
import { STATISTICS, withoutTimes } from '../helpers/client-output.js';
import {
  CLASSES,
  DEMO_IMAGES,
  DEMO_LABELS,
  DEMO_NETWORKS,
  DEMO_PIPELINE,
  DEMO_PROPERTIES,
  DEMO_SKIPPED,
  demoModelFile,
  demoPicture,
  PICTURES,
  readDemoFrames,
  readExpectedProbabilities,
  writeDemoConfig,
  type DemoNetwork,
} from '../helpers/demo.js';
import { withGrpcClient } from '../helpers/grpc-client.js';
import { TestRepository } from '../helpers/repository.js';
import { restPredict } from '../helpers/rest-client.js';
import { startServerProcess, type ServerProcess } from '../helpers/server.js';
import { floatsOf } from '../helpers/tensors.js';
import { runClientCommand } from '../helpers/vinery.js';
import { compile, newSlab, TestRequest } from '../native/support.js';

/**
 * The reference was computed on a CPU with AVX-512. On one with AVX2 alone OpenVINO 2026.4.1 takes another way through networks with
 * compressed weights, and its own Python package then differs by 0.0012, too (measured).
 */
const TOLERANCE = readFileSync('/proc/cpuinfo', 'utf8').includes('avx512f') ? 1e-4 : 5e-3;
/** What the order of additions may change between two runs on one machine. */
const SAME_MACHINE_TOLERANCE = 1e-6;

/** The demo on the ten pictures, for a server that is started with these flags. */
export function describeDemo(title: string, flags: readonly string[]): void {
  describe(`${title}: the ten pictures`, { skip: DEMO_SKIPPED }, () => {
    let server: ServerProcess;

    before(async () => {
      const config = writeDemoConfig(new TestRepository());
      server = await startServerProcess(['--config_path', config, '--log_level', 'DEBUG', ...flags]);
      await server.line('ServableManagerModule started');
    });
    after(async () => assert.equal(await server.stop(), 0));

    test('the client recognises ten of ten, in the layout of the sample', async () => {
      covers('clients.demo-pipeline', 'clients.predict-output');
      const images = ['--images_numpy_path', DEMO_IMAGES, '--labels_numpy_path', DEMO_LABELS];
      const transpose = ['--transpose_input', 'True', '--transpose_method', 'nchw2nhwc'];
      const names = ['--pipeline_name', DEMO_PIPELINE, '--input_name', 'image', '--output_name', 'label'];
      const { exitCode, stdout, stderr } = await runClientCommand('predict', server, ...names, ...images, ...transpose);
      assert.equal(stderr, '');
      assert.equal(exitCode, 0);
      assert.equal(withoutTimes(stdout), await expectedClientOutput());
    });

    for (const network of DEMO_NETWORKS) {
      test(`${network.folder}: gRPC, REST and OpenVINO itself give the probabilities of the reference`, async () => {
        const expected = await readExpectedProbabilities(network);
        const direct = await directProbabilities(network);
        const overGrpc = await grpcProbabilities(server, network);
        const overRest = await restProbabilities(server, network);
        assertClose(direct, expected, TOLERANCE);
        assertClose(overGrpc, expected, TOLERANCE);
        assertClose(overRest, expected, TOLERANCE);
        assertClose(overGrpc, direct, SAME_MACHINE_TOLERANCE);
        assertClose(overRest, direct, SAME_MACHINE_TOLERANCE);
      });
    }

    test('the client prints the metadata of the pipeline', async () => {
      const result = await runClientCommand('metadata', server, '--model_name', DEMO_PIPELINE);
      assert.deepEqual(result, {
        exitCode: 0,
        stderr: '',
        stdout:
          `Getting model metadata for model: ${DEMO_PIPELINE}\n` +
          'Inputs metadata:\n\tInput name: image; shape: [1, 224, 224, 3]; dtype: DT_FLOAT\n' +
          'Outputs metadata:\n\tOutput name: label; shape: [1]; dtype: DT_INT64\n',
      });
    });

    for (const name of [DEMO_PIPELINE, 'googlenet', 'resnet', 'argmax']) {
      test(`the client prints the status of ${name}`, async () => {
        const result = await runClientCommand('status', server, '--model_name', name);
        assert.deepEqual(result, {
          exitCode: 0,
          stderr: '',
          stdout:
            `Getting model status for model: ${name}\n\nModel version: 1\nState AVAILABLE\n` +
            'Error code:  0\nError message:  OK\n',
        });
      });
    }

    test('the debug log shows both networks requested before either ends, and argmax after both', async () => {
      covers('pipelines.log', 'pipelines.ready-nodes');
      const frames = await readDemoFrames();
      const earlier = server.lines.length;
      const totals = server.lines.filter((line) => line.includes('Total gRPC request processing time')).length;
      await withGrpcClient(server.grpcPort, (client) =>
        client.predict(DEMO_PIPELINE, [{ name: 'image', precision: 'FP32', ...demoPicture(frames, 0) }]),
      );
      await server.linesWith('Total gRPC request processing time', totals + 1);
      assertDemoLog(server.lines.slice(earlier));
    });
  });
}

async function expectedClientOutput(): Promise<string> {
  const { elements } = await readNpy(DEMO_LABELS);
  const iterations = Array.from(
    { length: PICTURES },
    (_, picture) =>
      `Iteration ${picture + 1}; Processing time: # ms; speed # fps\nimagenet top results in a single batch:\n` +
      `response shape (1,)\n\t 0 ${imagenetClassName(elements[picture]!)} ${elements[picture]} ; Correct match.\n`,
  );
  return (
    `Image data range: 0.0 : 255.0\nStart processing:\n\tModel name: ${DEMO_PIPELINE}\n\tIterations: ${PICTURES}\n` +
    `\tImages numpy path: ${DEMO_IMAGES}\n\tNumpy file shape: (10, 224, 224, 3)\n\n` +
    `${iterations.join('')}${STATISTICS}Classification accuracy: 100.00\n`
  );
}

async function grpcProbabilities(server: ServerProcess, { model, input, output }: DemoNetwork): Promise<number[]> {
  const frames = await readDemoFrames();
  return withGrpcClient(server.grpcPort, async (client) => {
    const rows: number[] = [];
    for (let picture = 0; picture < PICTURES; picture += 1) {
      const tensor = { name: input, precision: 'FP32', ...demoPicture(frames, picture) } as const;
      const { code, details, outputs } = await client.predict(model, [tensor]);
      assert.equal(code, 'OK', details);
      assert.deepEqual(outputs.get(output)?.shape, [1, CLASSES]);
      rows.push(...floatsOf(outputs.get(output)));
    }
    return rows;
  });
}

async function restProbabilities(server: ServerProcess, { model, input }: DemoNetwork): Promise<number[]> {
  const frames = await readDemoFrames();
  const rows: number[] = [];
  for (let picture = 0; picture < PICTURES; picture += 1) {
    const { shape, bytes } = demoPicture(frames, picture);
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    const { status, text } = await restPredict(server.restPort, model, { inputs: { [input]: nested(values, shape) } });
    assert.equal(status, 200, text);
    const { outputs } = JSON.parse(text) as { readonly outputs: readonly (readonly number[])[] };
    rows.push(...outputs.flat());
  }
  return rows;
}

/** OpenVINO in this process, without anything of the server. */
async function directProbabilities(network: DemoNetwork): Promise<number[]> {
  const model = compile(demoModelFile(network), { properties: DEMO_PROPERTIES });
  const frames = await readDemoFrames();
  const { shape, bytes } = demoPicture(frames, 0);
  const slab = newSlab(bytes.byteLength + (CLASSES + 1) * Float32Array.BYTES_PER_ELEMENT);
  const request = new TestRequest(
    model,
    { slab: slab.id, offset: 0, shape },
    { slab: slab.id, offset: bytes.byteLength, shape: [1, CLASSES] },
  );
  const rows: number[] = [];
  for (let picture = 0; picture < PICTURES; picture += 1) {
    slab.bytes.set(demoPicture(frames, picture).bytes);
    assert.equal((await request.start()).status, 'OK');
    const start = bytes.byteLength / Float32Array.BYTES_PER_ELEMENT;
    rows.push(...slab.floats.subarray(start, start + CLASSES));
  }
  return rows;
}

/** Nested lists as JSON wants them. */
function nested(values: Float32Array, shape: readonly number[]): unknown[] {
  const [count = 0, ...inner] = shape;
  if (inner.length === 0) return Array.from(values);
  const length = values.length / count;
  return Array.from({ length: count }, (_, index) =>
    nested(values.subarray(index * length, (index + 1) * length), inner),
  );
}

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  let largest = 0;
  for (let index = 0; index < expected.length; index += 1) {
    largest = Math.max(largest, Math.abs(actual[index]! - expected[index]!));
  }
  assert.ok(largest <= tolerance, `the largest difference is ${largest}, expected at most ${tolerance}`);
}

/** Step 5 of the demo. */
function assertDemoLog(lines: readonly string[]): void {
  assertOrder(lines, [
    `[serving][debug] Processing gRPC request for model: ${DEMO_PIPELINE}; version: 0`,
    `[serving][debug] Requesting model: ${DEMO_PIPELINE}; version: 0.`,
    `[serving][debug] Requested model: ${DEMO_PIPELINE} does not exist. Searching for pipeline with that name...`,
    `[serving][debug] Requesting pipeline: ${DEMO_PIPELINE};`,
    `[dag_executor][debug] Started execution of pipeline: ${DEMO_PIPELINE}`,
  ]);
  for (const first of ['googlenet', 'resnet']) {
    for (const second of ['googlenet', 'resnet']) {
      assertOrder(lines, [
        `[serving][debug] Requesting model: ${first}; version: 0.`,
        `[dag_executor][debug] Setting completion callback for node name: ${first}_node`,
        `[dag_executor][debug] Starting infer async for node name: ${first}_node`,
        `[dag_executor][debug] Completion callback received for node name: ${second}_node`,
        '[serving][debug] Requesting model: argmax; version: 0.',
        '[dag_executor][debug] Starting infer async for node name: argmax_node',
        '[dag_executor][debug] Completion callback received for node name: argmax_node',
      ]);
    }
  }
}

/** Each text is how a line behind that of the text before ends. */
function assertOrder(lines: readonly string[], texts: readonly string[]): void {
  let from = 0;
  for (const text of texts) {
    const found = lines.findIndex((line, index) => index >= from && withoutPlace(line).endsWith(text));
    assert.notEqual(found, -1, `expected "${text}" from line ${from} on of\n${lines.join('\n')}`);
    from = found + 1;
  }
}

/** A line without its source file: `[time][thread][logger][level] text`. */
function withoutPlace(line: string): string {
  return line.replace(/\[[^\][]*:\d+\](?= )/, '');
}
