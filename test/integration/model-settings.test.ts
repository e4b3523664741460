import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { covers } from '../contract/covers.js';
import { precisionOfElementType } from '#src/tensors/precision.js';
import type { ResponseTensor } from '#src/servables/predict-request.js';
import { writeDummyModel, writeFullyConnectedModel, writeNarrowingModel } from '../fixtures/ir.js';
import { addDummy, assertServes, pipelineOf } from '../helpers/dummy-servables.js';
import { embeddedSettings, withEmbeddedServer } from '../helpers/embedded-server.js';
import { withGrpcClient } from '../helpers/grpc-client.js';
import { LogFile } from '../helpers/log-file.js';
import { TestRepository, type Model } from '../helpers/repository.js';
import { errorOf, restCall, restPredict } from '../helpers/rest-client.js';
import { withServerProcess } from '../helpers/server.js';
import { floatsOf, floatTensor } from '../helpers/tensors.js';
import { startInVain } from '../helpers/vinery.js';

const repository = new TestRepository();
addDummy(repository);
writeFullyConnectedModel(repository.path('connected', '1'));
writeNarrowingModel(repository.path('narrowing', '1'));
writeDummyModel(repository.path('picture', '1'), { shape: [1, 3, 1, 2], layout: 'NCHW' });

interface Ports {
  readonly grpcPort: number;
  readonly restPort: number;
}

function serving(model: Model, use: (server: Ports) => Promise<void>): Promise<void> {
  return withEmbeddedServer(embeddedSettings(repository.writeConfig([model])), use);
}

function filled(...shape: readonly number[]): ResponseTensor {
  return floatTensor('b', shape, Array<number>(shape.reduce((all, size) => all * size, 1)).fill(1));
}

/** `OK` with the shape and the numbers of `a`, or the status and its text. */
function ask({ grpcPort }: Ports, servable: string, input: ResponseTensor): Promise<readonly unknown[]> {
  return withGrpcClient(grpcPort, async (client) => {
    const { code, details, outputs } = await client.predict(servable, [input]);
    return code === 'OK' ? [code, outputs.get('a')!.shape, floatsOf(outputs.get('a'))] : [code, details];
  });
}

/** Type and sizes of input `b` as the metadata tells them. */
async function metadataOf({ restPort }: Ports, servable: string): Promise<readonly unknown[]> {
  const { text } = await restCall(restPort, 'GET', `/v1/models/${servable}/metadata`);
  const { metadata } = JSON.parse(text) as { metadata: { signature_def: { signatureDef: Signatures } } };
  const { dtype, tensorShape } = metadata.signature_def.signatureDef.serving_default.inputs['b']!;
  return [dtype, ...tensorShape.dim.map(({ size }) => Number(size))];
}

interface Signatures {
  readonly serving_default: {
    readonly inputs: Readonly<
      Record<string, { readonly dtype: string; readonly tensorShape: { readonly dim: readonly { size: string }[] } }>
    >;
  };
}

const SUMS_OF_ONES = [96, 96];

describe('batch_size', () => {
  test('a number is the batch that clients send', async () => {
    covers('config.batch-size');
    await serving({ name: 'connected', batch_size: 2 }, async (server) => {
      assert.deepEqual(await metadataOf(server, 'connected'), ['DT_FLOAT', 2, 2, 4, 4]);
      const answer = ['OK', [2, 2], [...SUMS_OF_ONES, ...SUMS_OF_ONES]];
      assert.deepEqual(await ask(server, 'connected', filled(2, 2, 4, 4)), answer);
      const [code, details] = await ask(server, 'connected', filled(1, 2, 4, 4));
      assert.equal(code, 'INVALID_ARGUMENT');
      assert.match(String(details), /^Invalid input batch size - Expected: 2; Actual: 1/);
    });
  });

  test('a range is what clients may choose from', async () => {
    covers('config.batch-size');
    await serving({ name: 'connected', batch_size: '1:2' }, async (server) => {
      assert.deepEqual(await metadataOf(server, 'connected'), ['DT_FLOAT', -1, 2, 4, 4]);
      assert.deepEqual(await ask(server, 'connected', filled(1, 2, 4, 4)), ['OK', [1, 2], SUMS_OF_ONES]);
      const [code, details] = await ask(server, 'connected', filled(3, 2, 4, 4));
      assert.equal(code, 'INVALID_ARGUMENT');
      assert.match(String(details), /^Invalid input batch size - Expected: \[1~2\]; Actual: 3/);
    });
  });

  for (const batchSize of ['-1', 'auto']) {
    test(`${batchSize} takes any batch, and other dimensions only as the model has them`, async () => {
      covers('tfs-grpc.auto');
      await serving({ name: 'connected', batch_size: batchSize }, async (server) => {
        assert.deepEqual(await metadataOf(server, 'connected'), ['DT_FLOAT', -1, 2, 4, 4]);
        for (const size of [1, 5, 2]) {
          const answer = ['OK', [size, 2], Array(size * 2).fill(96)];
          assert.deepEqual(await ask(server, 'connected', filled(size, 2, 4, 4)), answer);
        }
        const [code, details] = await ask(server, 'connected', filled(1, 2, 5, 5));
        assert.equal(code, 'INVALID_ARGUMENT');
        assert.match(String(details), /^Invalid input shape/);
      });
    });
  }

  test('is ignored with a warning beside a shape', async () => {
    covers('config.batch-size-ignored');
    const log = new LogFile(repository.path('both.log'));
    const config = repository.writeConfig([{ name: 'dummy', shape: '(1,10)', batch_size: 4 }]);
    await withEmbeddedServer(embeddedSettings(config, '--log_level', 'WARNING', '--log_path', log.path), assertServes);
    await log.has('Both shape and batch size have been defined. Batch size parameter will be ignored.');
  });
});

describe('auto', () => {
  test('shape auto answers any shape that the model can take, and refuses others as OVMS does', async () => {
    covers('config.shape', 'tfs-grpc.auto', 'errors.auto-shape');
    await serving({ name: 'connected', shape: 'auto' }, async (server) => {
      assert.deepEqual(await metadataOf(server, 'connected'), ['DT_FLOAT', -1, -1, -1, -1]);
      assert.deepEqual(await ask(server, 'connected', filled(1, 2, 8, 2)), ['OK', [1, 2], SUMS_OF_ONES]);
      const [code, details] = await ask(server, 'connected', filled(1, 2, 5, 5));
      assert.equal(code, 'FAILED_PRECONDITION');
      assert.equal(details, 'Model could not be reshaped with requested shape');
      const rest = await restPredict(server.restPort, 'connected', { inputs: { b: [[[[1]], [[1]]]] } });
      assert.equal(rest.status, 412);
      assert.match(errorOf(rest), /^Model could not be reshaped with requested shape/);
      assert.deepEqual(await ask(server, 'connected', filled(1, 2, 4, 4)), ['OK', [1, 2], SUMS_OF_ONES]);
    });
  });

  for (const open of [{ batch_size: 'auto' }, { batch_size: '1:4' }, { shape: 'auto' }, { shape: '(-1,4)' }]) {
    test(`${JSON.stringify(open)} answers integers of 8 bits as a fixed shape does`, async () => {
      const ones = (rows: number) => ({ inputs: { b: Array.from({ length: rows }, () => [300, -1, 255.6, 3.5]) } });
      const answerOf = async (settings: object, rows: number): Promise<string> => {
        let answer = '';
        await serving({ name: 'narrowing', ...settings }, async (server) => {
          const { status, text } = await restPredict(server.restPort, 'narrowing', ones(rows));
          assert.equal(status, 200, text);
          answer = text;
        });
        return answer;
      };
      for (const rows of [1, 3]) {
        const expected = await answerOf({ batch_size: rows }, rows);
        assert.match(expected, /\b44\b/);
        assert.equal(await answerOf(open, rows), expected);
      }
    });
  }

  for (const auto of [{ batch_size: 'auto' }, { shape: 'auto' }]) {
    test(`a pipeline over a model with ${JSON.stringify(auto)} is refused, and the log warns`, async () => {
      covers('pipelines.v6-auto');
      const log = new LogFile(repository.path('auto.log'));
      const config = repository.writeConfig([{ name: 'dummy', ...auto }], [pipelineOf('piped', 'dummy')]);
      const settings = embeddedSettings(config, '--log_level', 'WARNING', '--log_path', log.path);
      await withEmbeddedServer(settings, async (server) => {
        await assertServes(server);
        assert.deepEqual(await ask(server, 'piped', filled(1, 10)), ['UNAVAILABLE', 'Pipeline is not loaded yet']);
      });
      await log.has('auto is deprecated');
      await log.has('Validation of pipeline definition: piped failed: Value of provided parameter is forbidden');
    });
  }
});

const PICTURE = ['--model_name', 'picture', '--model_path', repository.path('picture')];

describe('preprocessing of a single model', () => {
  test('clients send what the flags say: bytes, BGR, channels last; the model gets what it was made for', async () => {
    covers('cli.preprocessing', 'cli.mode-single');
    const steps = ['--mean', '[10,20,30]', '--scale', '(10,5,2)', '--color_format', 'RGB:BGR'];
    const flags = [...PICTURE, '--layout', 'NHWC:NCHW', '--precision', 'fp32:uint8', ...steps];
    await withServerProcess(flags, async (server) => {
      assert.deepEqual(await metadataOf(server, 'picture'), ['DT_UINT8', 1, 1, 2, 3]);
      const precision = precisionOfElementType('u8')!;
      const bytes = Uint8Array.of(50, 30, 10, 60, 40, 20);
      const answer = ['OK', [1, 3, 1, 2], [1, 2, 3, 5, 11, 16]];
      assert.deepEqual(await ask(server, 'picture', { name: 'b', precision, shape: [1, 1, 2, 3], bytes }), answer);
      const [code, details] = await ask(server, 'picture', filled(1, 1, 2, 3));
      assert.equal(code, 'INVALID_ARGUMENT');
      assert.match(String(details), /^Invalid input precision - Expected: U8; Actual: FP32/);
    });
  });

  for (const [flag, value, text] of [
    ['--mean', 'x', '--mean: expected a number, or one a channel'],
    ['--scale', '0', '--scale: expected a number, or one a channel'],
    ['--color_format', 'RGB:CMYK', '--color_format: expected TARGET:SOURCE'],
    ['--precision', 'uint8', '--precision: expected target:source'],
    ['--mean', '[1,2]', 'Preprocessing configuration is invalid'],
  ] as const) {
    test(`${flag} ${value} ends the start with exit code 1 and a line that says why`, async () => {
      covers('cli.preprocessing-bad');
      const { exitCode, stdout } = await startInVain([...PICTURE, '--layout', 'NCHW', flag, value]);
      assert.equal(exitCode, 1);
      assert.ok(stdout.includes(text), stdout);
    });
  }
});
