import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { runClient } from '#src/client/run-client.js';
import { METHOD } from '#src/frontends/tfs/method.js';
import { decodeMetadataRequest, encodeMetadataResponse } from '#src/frontends/tfs/metadata-message.js';
import { decodePredictRequest, encodePredictResponse } from '#src/frontends/tfs/predict-message.js';
import { decodePredictionLog } from '#src/frontends/tfs/warm-up/prediction-log.js';
import { readRecords } from '#src/frontends/tfs/warm-up/record-file.js';
import { decodeStatusRequest, encodeStatusResponse } from '#src/frontends/tfs/status-message.js';
import type { PredictRequest } from '#src/servables/predict-request.js';
import { ANY_DIMENSION, staticDimension } from '#src/tensors/shape.js';
import { withServer, type FakeAnswer } from './fake-server.js';
import { floats, npyBytes } from './npy-bytes.js';
import { STATISTICS, withoutTimes } from '../../helpers/client-output.js';
import { covers } from '../../contract/covers.js';

interface Output {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(...argv: readonly string[]): Promise<Output> {
  const printed = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({ write: (text: string) => (printed[name] += text) });
  const exitCode = await runClient(argv, { stdout: stream('stdout'), stderr: stream('stderr') });
  return { exitCode, ...printed };
}

/** Three images of 1x2 pixels with 2 channels, and their labels. */
async function withFiles(use: (images: string, labels: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), 'vinery-client-'));
  try {
    const images = path.join(directory, 'imgs.npy');
    const labels = path.join(directory, 'lbs.npy');
    await writeFile(images, npyBytes('<f4', [3, 1, 2, 2], floats(-5, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 46)));
    await writeFile(labels, npyBytes('<i8', [3], new Uint8Array(BigInt64Array.of(404n, 340n, 113n).buffer)));
    await use(images, labels);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** A pipeline that says "404" to everything and keeps the requests. */
function pipeline(requests: PredictRequest[]): (request: Buffer) => FakeAnswer {
  return (bytes) => {
    requests.push(decodePredictRequest(bytes));
    const label = new Uint8Array(BigInt64Array.of(405n).buffer);
    return { bytes: encodePredictResponse([{ name: 'label', precision: 'I64', shape: [1], bytes: label }]) };
  };
}

test('client predict: prints the layout of the sample for a pipeline with labels', async () => {
  covers('clients.predict-output', 'clients.predict-pipeline');
  const requests: PredictRequest[] = [];
  await withFiles(async (images, labels) => {
    await withServer({ [METHOD.PREDICT]: pipeline(requests) }, async (port) => {
      const argv = ['predict', '--grpc_address', '127.0.0.1', '--grpc_port', port, '--images_numpy_path', images];
      const flags = ['--labels_numpy_path', labels, '--transpose_input', 'False', '--input_name', 'image'];
      const { exitCode, stdout, stderr } = await run(
        ...argv,
        ...flags,
        '--output_name',
        'label',
        '--pipeline_name',
        'p',
      );
      assert.equal(stderr, '');
      assert.equal(exitCode, 0);
      const iteration = (number: number, mark: string): string =>
        `Iteration ${number}; Processing time: # ms; speed # fps\nimagenet top results in a single batch:\n` +
        `response shape (1,)\n\t 0 airliner 404 ; ${mark}\n`;
      assert.equal(
        withoutTimes(stdout),
        `Image data range: 0.0 : 255.0\nStart processing:\n\tModel name: p\n\tIterations: 3\n` +
          `\tImages numpy path: ${images}\n\tNumpy file shape: (3, 1, 2, 2)\n\n` +
          iteration(1, 'Correct match.') +
          iteration(2, 'Incorrect match. Should be 340 zebra') +
          iteration(3, 'Incorrect match. Should be 113 snail') +
          STATISTICS +
          'Classification accuracy: 33.33\n',
      );
    });
  });
  assert.deepEqual(
    requests.map(({ servable, version }) => ({ servable, version })),
    Array.from({ length: 3 }, () => ({ servable: 'p', version: null })),
  );
  const image = requests[0]!.inputs.get('image')!;
  assert.equal(image.precision, 'FP32');
  assert.deepEqual(image.shape, [1, 1, 2, 2]);
  assert.deepEqual(image.content.kind === 'bytes' && new Uint8Array(image.content.bytes), floats(0, 25, 30, 35));
});

test('client predict: --record adds each request to a file of records', async () => {
  covers('scheduling.warm-up');
  await withFiles(async (images) => {
    await withServer({ [METHOD.PREDICT]: pipeline([]) }, async (port) => {
      const file = path.join(path.dirname(images), 'requests');
      const argv = ['predict', '--grpc_address', '127.0.0.1', '--grpc_port', port, '--images_numpy_path', images];
      const record = (...flags: readonly string[]): Promise<Output> =>
        run(...argv, '--pipeline_name', 'p', '--input_name', 'image', '--output_name', 'label', ...flags);
      assert.equal((await record('--record', file)).exitCode, 0);
      assert.equal((await record('--record', file, '--iterations', '1')).exitCode, 0);
      const requests: PredictRequest[] = [];
      for await (const bytes of readRecords(file)) requests.push(decodePredictionLog(bytes));
      assert.equal(requests.length, 4);
      for (const { servable, inputs } of requests) assert.deepEqual([servable, [...inputs.keys()]], ['p', ['image']]);
      const { exitCode, stderr } = await record('--record', path.join(file, 'below'));
      assert.equal(exitCode, 1);
      assert.match(stderr, /Requests cannot be recorded: ENOTDIR/);
    });
  });
});

test('client predict: a single iteration of a model without labels', async () => {
  covers('clients.predict-output', 'clients.predict-model');
  const answer = (): FakeAnswer => {
    const scores = new Float32Array(2002);
    scores[405] = 1;
    scores[1001 + 341] = 1;
    const bytes = new Uint8Array(scores.buffer);
    return { bytes: encodePredictResponse([{ name: 'out', precision: 'FP32', shape: [2, 1001], bytes }]) };
  };
  await withFiles(async (images) => {
    await withServer({ [METHOD.PREDICT]: answer }, async (port) => {
      const argv = ['predict', '--grpc_address=127.0.0.1', `--grpc_port=${port}`, `--images_numpy_path=${images}`];
      const { exitCode, stdout } = await run(...argv, '--output_name=out', '--iterations=1', '--batchsize=2');
      assert.equal(exitCode, 0);
      // Nothing but a blank stands behind the class when there are no labels.
      assert.equal(
        withoutTimes(stdout),
        `Image data range: 0.0 : 255.0\nStart processing:\n\tModel name: resnet\n\tIterations: 1\n` +
          `\tImages numpy path: ${images}\n\tNumpy file shape: (3, 2, 1, 2)\n\n` +
          'Iteration 1; Processing time: # ms; speed # fps\nimagenet top results in a single batch:\n' +
          `\t 0 airliner 404 \n\t 1 zebra 340 \n${STATISTICS}`,
      );
    });
  });
});

test('client predict: frames are doubled to fill a batch, --dag-batch-size-auto inserts a dimension, iterations start again', async () => {
  covers('clients.predict-flags', 'clients.predict-pictures');
  const requests: PredictRequest[] = [];
  await withFiles(async (images) => {
    await withServer({ [METHOD.PREDICT]: pipeline(requests) }, async (port) => {
      const argv = ['predict', '--grpc_address', '127.0.0.1', '--grpc_port', port, '--images_numpy_path', images];
      const flags = [
        '--batchsize',
        '4',
        '--dag-batch-size-auto',
        '--transpose_method',
        'nhwc2nchw',
        '--iterations',
        '2',
      ];
      const names = ['--pipeline_name', 'p', '--output_name', 'label', '--input_name', 'i'];
      const { exitCode, stdout } = await run(...argv, ...flags, ...names);
      assert.equal(exitCode, 0);
      assert.match(stdout, /\tIterations: 2\n.*\n\tNumpy file shape: \(6, 2, 1, 2\)\n/);
    });
  });
  const [first, second] = requests.map(({ inputs }) => inputs.get('i')!);
  assert.deepEqual(first!.shape, [4, 1, 2, 1, 2]);
  // Six frames hold one batch of four: the second iteration sends the same one.
  assert.deepEqual(first, second);
  const { content } = first!;
  assert.ok(content.kind === 'bytes');
  const frame = floats(0, 30, 25, 35);
  assert.deepEqual(new Uint8Array(content.bytes.subarray(0, 16)), frame);
  assert.deepEqual(new Uint8Array(content.bytes.subarray(48)), frame);
});

test('client predict: an output the server does not have', async () => {
  covers('clients.predict-no-such-output');
  await withFiles(async (images) => {
    await withServer({ [METHOD.PREDICT]: pipeline([]) }, async (port) => {
      const argv = ['predict', '--grpc_address', '127.0.0.1', '--grpc_port', port, '--images_numpy_path', images];
      const { exitCode, stdout } = await run(...argv, '--output_name', 'x');
      assert.equal(exitCode, 1);
      assert.match(stdout, /\n\nInvalid output name x\nAvailable outputs:\nlabel\n$/);
    });
  });
});

test('client predict: --timeline asks for the time line and draws the last one', async () => {
  const asked: string[] = [];
  const nodes = [{ node: 'n', session: '', readyMicros: 0, startMicros: 500, endMicros: 1000, inferMicros: 400 }];
  const trailer = { 'vinery-timeline': JSON.stringify({ totalMicros: 1000, nodes }) };
  const answer = pipeline([]);
  await withFiles(async (images) => {
    const method = (request: Buffer, metadata: { get(name: string): unknown[] }): FakeAnswer => {
      asked.push(String(metadata.get('vinery-timeline')));
      return { ...answer(request), trailer };
    };
    await withServer({ [METHOD.PREDICT]: method }, async (port) => {
      const argv = ['predict', '--grpc_address', '127.0.0.1', '--grpc_port', port, '--images_numpy_path', images];
      const names = ['--pipeline_name', 'p', '--output_name', 'label'];
      const { exitCode, stdout } = await run(...argv, ...names, '--timeline');
      assert.equal(exitCode, 0);
      assert.ok(stdout.includes(`n |${'.'.repeat(30)}${'█'.repeat(30)}| 0.50 ms, waited 0.50 ms\n`), stdout);
      const without = await run(...argv, ...names);
      assert.doesNotMatch(without.stdout, /time line/);
    });
  });
  assert.deepEqual(asked, ['1', '1', '1', '', '', '']);
});

test('client predict: --timeline to a server that sends none says so', async () => {
  await withFiles(async (images) => {
    await withServer({ [METHOD.PREDICT]: pipeline([]) }, async (port) => {
      const argv = ['predict', '--grpc_address', '127.0.0.1', '--grpc_port', port, '--images_numpy_path', images];
      const { exitCode, stderr } = await run(...argv, '--pipeline_name', 'p', '--output_name', 'label', '--timeline');
      assert.equal(exitCode, 0);
      assert.equal(stderr, 'The server sent no time line\n');
    });
  });
});

test('client: an error of the server is one line with the name of its code', async () => {
  const details = 'Invalid number of inputs - Expected: 1; Actual: 2';
  const failing = (): FakeAnswer => ({ code: 3, details: details.replace(' - ', ' -\n  ') });
  const methods = {
    [METHOD.PREDICT]: failing,
    [METHOD.GET_MODEL_METADATA]: failing,
    [METHOD.GET_MODEL_STATUS]: failing,
  };
  await withFiles(async (images) => {
    await withServer(methods, async (port) => {
      for (const command of [['predict', '--images_numpy_path', images], ['metadata'], ['status']]) {
        const { exitCode, stderr } = await run(...command, '--grpc_address', '127.0.0.1', '--grpc_port', port);
        assert.equal(exitCode, 1);
        assert.equal(stderr, `INVALID_ARGUMENT: ${details}\n`);
      }
    });
  });
});

test('client: a server that is not there is UNAVAILABLE', async () => {
  let freed = '';
  await withServer({}, (port) => Promise.resolve(void (freed = port)));
  const { exitCode, stderr } = await run('status', '--grpc_address', '127.0.0.1', '--grpc_port', freed);
  assert.equal(exitCode, 1);
  assert.match(stderr, /^UNAVAILABLE: [^\n]+\n$/);
});

test('client: an answer that is no message is one line', async () => {
  const nonsense = (): FakeAnswer => ({ bytes: Buffer.from('0aff', 'hex') });
  await withServer({ [METHOD.GET_MODEL_STATUS]: nonsense }, async (port) => {
    const { exitCode, stderr } = await run('status', '--grpc_address', '127.0.0.1', '--grpc_port', port);
    assert.equal(exitCode, 1);
    assert.match(stderr, /^Request message could not be parsed - GetModelStatusResponse, near byte \d+: [^\n]+\n$/);
  });
});

test('client metadata: prints inputs and outputs as the sample', async () => {
  covers('clients.metadata-output');
  const asked: unknown[] = [];
  const image = { name: 'image', precision: 'FP32', layout: 'NHWC' } as const;
  const shape = [staticDimension(1), ANY_DIMENSION, staticDimension(3)];
  const label = { name: 'label', precision: 'I64', layout: 'N...', shape: [staticDimension(1)] } as const;
  const answer = (bytes: Buffer): FakeAnswer => {
    const { modelSpec, metadataFields } = decodeMetadataRequest(bytes);
    asked.push([modelSpec?.name, modelSpec?.version, metadataFields]);
    const metadata = { name: 'm', version: 1, inputs: [{ ...image, shape }], outputs: [label] };
    return { bytes: encodeMetadataResponse(metadata) };
  };
  await withServer({ [METHOD.GET_MODEL_METADATA]: answer }, async (port) => {
    const argv = ['metadata', '--grpc_address', '127.0.0.1', '--grpc_port', port];
    const { exitCode, stdout } = await run(...argv, '--model_name', 'm', '--model_version', '2');
    assert.equal(exitCode, 0);
    assert.equal(
      stdout,
      'Getting model metadata for model: m\nInputs metadata:\n' +
        '\tInput name: image; shape: [1, -1, 3]; dtype: DT_FLOAT\nOutputs metadata:\n' +
        '\tOutput name: label; shape: [1]; dtype: DT_INT64\n',
    );
    await run(...argv);
  });
  assert.deepEqual(asked, [
    ['m', 2n, ['signature_def']],
    ['resnet', null, ['signature_def']],
  ]);
});

test('client status: prints the versions as the sample', async () => {
  covers('clients.status-output');
  const asked: unknown[] = [];
  const answer = (bytes: Buffer): FakeAnswer => {
    asked.push(decodeStatusRequest(bytes));
    return {
      bytes: encodeStatusResponse([
        { version: 1, state: 'AVAILABLE', errorCode: 'OK' },
        { version: 2, state: 'LOADING', errorCode: 'UNKNOWN' },
      ]),
    };
  };
  await withServer({ [METHOD.GET_MODEL_STATUS]: answer }, async (port) => {
    const { exitCode, stdout } = await run('status', '--grpc_address', '127.0.0.1', '--grpc_port', port);
    assert.equal(exitCode, 0);
    assert.equal(
      stdout,
      'Getting model status for model: resnet\n\nModel version: 1\nState AVAILABLE\nError code:  0\nError message:  OK\n' +
        '\nModel version: 2\nState LOADING\nError code:  2\nError message:  UNKNOWN\n',
    );
  });
  assert.deepEqual(asked, [{ name: 'resnet', version: null }]);
});

const MISSING: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['images', ['predict', '--images_numpy_path', 'no.npy'], /^File no\.npy does not exist\n$/],
  ['a certificate', ['status', '--tls', '--server_cert', 'no.pem'], /^File no\.pem does not exist\n$/],
];
for (const [what, argv, message] of MISSING) {
  test(`client: ${what} that is missing is one sentence and exit code 1`, async () => {
    const { exitCode, stderr } = await run(...argv);
    assert.equal(exitCode, 1);
    assert.match(stderr, message);
  });
}

test('client predict: labels must be one an image', async () => {
  await withFiles(async (images, labels) => {
    await writeFile(labels, npyBytes('<i8', [1], new Uint8Array(8)));
    const { exitCode, stderr } = await run('predict', '--images_numpy_path', images, '--labels_numpy_path', labels);
    assert.equal(exitCode, 1);
    assert.equal(stderr, `File ${labels} holds 1 labels for 3 images\n`);
  });
});

test('client predict: a file without images is refused', async () => {
  await withFiles(async (images) => {
    await writeFile(images, npyBytes('<f4', [0, 2, 2, 3], new Uint8Array(0)));
    const { exitCode, stderr } = await run('predict', '--images_numpy_path', images);
    assert.equal(exitCode, 1);
    assert.equal(stderr, `File ${images} holds no image\n`);
  });
});

const USAGE: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['predict without images', ['predict'], /required option '--images_numpy_path <path>' not specified/],
  ['an unknown flag', ['status', '--nonsense'], /unknown option '--nonsense'/],
  ['an unknown command', ['nonsense'], /unknown command 'nonsense'/],
  ['a batch of nothing', ['predict', '--images_numpy_path', 'a', '--batchsize', '0'], /whole number from 1 on/],
  [
    'iterations that are no number',
    ['predict', '--images_numpy_path', 'a', '--iterations', 'x'],
    /whole number from 0/,
  ],
  ['a version that is no number', ['metadata', '--model_version', '1x'], /Expected a version number/],
  ['a version beyond int64', ['metadata', '--model_version', String(2n ** 63n)], /Expected a version number/],
  [
    'another word for true',
    ['predict', '--images_numpy_path', 'a', '--transpose_input', 'yes'],
    /choices are False, True/,
  ],
];
for (const [what, argv, message] of USAGE) {
  test(`client: ${what} is a usage error with exit code 2`, async () => {
    covers('clients.predict-flags');
    const { exitCode, stdout, stderr } = await run(...argv);
    assert.equal(exitCode, 2);
    assert.equal(stdout, '');
    assert.match(stderr, message);
  });
}

test('client: help is printed on stdout with exit code 0', async () => {
  const { exitCode, stdout, stderr } = await run('predict', '--help');
  assert.equal(exitCode, 0);
  assert.equal(stderr, '');
  for (const flag of ['--images_numpy_path', '--dag-batch-size-auto', '--client_key', '--timeline']) {
    assert.ok(stdout.includes(flag), flag);
  }
});
