import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { covers } from '../contract/covers.js';
import { TestRepository } from '../helpers/repository.js';
import { startServerProcess, type ServerProcess } from '../helpers/server.js';
import { clientsFolder, describeBuilt, whyNotBuilt } from './client-program.js';
import { writeConformanceRepository } from './repository.js';

const FOLDER = 'conformance-go';
const SERVICES = [
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
  'inference.GRPCInferenceService',
  'tensorflow.serving.ModelService',
  'tensorflow.serving.PredictionService',
];
const TEN = Float32Array.from({ length: 10 }, (_, index) => index);

const config = writeConformanceRepository(new TestRepository());
const missing = whyNotBuilt(FOLDER);

describe(missing === false ? `grpcurl of ${describeBuilt(FOLDER)}` : 'grpcurl', { skip: missing }, () => {
  let server: ServerProcess;
  before(async () => {
    server = await startServerProcess(['--config_path', config, '--file_system_poll_wait_seconds', '0']);
    await server.line('ServableManagerModule started');
  });
  after(() => server.stop());

  /** `before` and `behind` are its arguments on both sides of the address. */
  const grpcurl = (
    behind: readonly string[],
    before: readonly string[] = [],
    input = '',
  ): Promise<{ readonly stdout: string; readonly stderr: string; readonly exitCode: number | null }> =>
    new Promise((resolve, reject) => {
      const args = ['-plaintext', '-max-time', '60', ...before, `127.0.0.1:${server.grpcPort}`, ...behind];
      const child = spawn(`${clientsFolder(FOLDER)}/grpcurl`, args, { stdio: ['pipe', 'pipe', 'pipe'] });
      let [stdout, stderr] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      child.once('error', reject);
      child.once('close', (exitCode) => resolve({ stdout, stderr, exitCode }));
      child.stdin.end(input);
    });

  const printed = async (...behind: readonly string[]): Promise<string> => {
    const { stdout, stderr, exitCode } = await grpcurl(behind);
    assert.equal(exitCode, 0, stderr);
    return stdout;
  };

  const call = async (method: string, request: object): Promise<unknown> => {
    const { stdout, stderr, exitCode } = await grpcurl([method], ['-d', '@'], JSON.stringify(request));
    assert.equal(exitCode, 0, stderr);
    return JSON.parse(stdout);
  };

  test('lists the services and their methods', async () => {
    covers('clients.grpcurl-reflection');
    assert.deepEqual((await printed('list')).trim().split('\n').sort(), SERVICES);
    const methods = (await printed('list', 'inference.GRPCInferenceService')).trim().split('\n');
    assert.ok(methods.includes('inference.GRPCInferenceService.ModelInfer'));
    const tfs = (await printed('list', 'tensorflow.serving.ModelService')).trim().split('\n');
    assert.deepEqual(tfs.sort(), [
      'tensorflow.serving.ModelService.GetModelStatus',
      'tensorflow.serving.ModelService.HandleReloadConfigRequest',
    ]);
  });

  test('describes services, methods, messages and enums', async () => {
    covers('clients.grpcurl-reflection');
    for (const service of SERVICES) {
      assert.match(await printed('describe', service), new RegExp(`^${service} is a service:\\nservice `));
    }
    // Load generators ask for the method itself.
    const predict = 'tensorflow.serving.PredictionService.Predict';
    assert.match(await printed('describe', predict), new RegExp(`^${predict} is a method:\\nrpc Predict `));
    const infer = 'inference.GRPCInferenceService.ModelStreamInfer';
    assert.match(await printed('describe', infer), /^rpc ModelStreamInfer \( stream .* returns \( stream /m);
    assert.match(await printed('describe', 'tensorflow.TensorProto'), /bytes tensor_content = 4;/);
    assert.match(await printed('describe', 'tensorflow.DataType'), /DT_HALF = 19;/);
    assert.match(await printed('describe', 'inference.ModelInferRequest.InferInputTensor'), /string datatype = 2;/);
    const { stderr, exitCode } = await grpcurl(['describe', 'tensorflow.Nothing']);
    assert.notEqual(exitCode, 0);
    assert.match(stderr, /Symbol not found: tensorflow\.Nothing/);
  });

  test('predicts with JSON of tensor_content and of typed fields', async () => {
    covers('clients.grpcurl-calls');
    const tensorContent = Buffer.from(TEN.buffer).toString('base64');
    for (const content of [{ tensorContent }, { floatVal: [...TEN] }]) {
      const response = (await call('tensorflow.serving.PredictionService/Predict', {
        modelSpec: { name: 'dummy_twice' },
        inputs: { b: { dtype: 'DT_FLOAT', tensorShape: { dim: [{ size: 1 }, { size: 10 }] }, ...content } },
      })) as { outputs: { a: { dtype: string; tensorContent: string } } };
      assert.equal(response.outputs.a.dtype, 'DT_FLOAT');
      const values = Buffer.from(response.outputs.a.tensorContent, 'base64');
      assert.deepEqual(values, Buffer.from(TEN.map((value) => value + 2).buffer));
    }
  });

  test('infers with JSON of raw and of typed contents', async () => {
    covers('clients.grpcurl-calls');
    const tensor = { name: 'b', datatype: 'FP32', shape: [1, 10] };
    const raw = { inputs: [tensor], rawInputContents: [Buffer.from(TEN.buffer).toString('base64')] };
    const typed = { inputs: [{ ...tensor, contents: { fp32Contents: [...TEN] } }] };
    for (const request of [raw, typed]) {
      const response = await call('inference.GRPCInferenceService/ModelInfer', {
        modelName: 'dummy',
        id: '7',
        ...request,
      });
      assert.deepEqual(response, {
        modelName: 'dummy',
        modelVersion: '1',
        id: '7',
        outputs: [{ name: 'a', datatype: 'FP32', shape: ['1', '10'] }],
        rawOutputContents: [Buffer.from(TEN.map((value) => value + 1).buffer).toString('base64')],
      });
    }
  });

  test('asks for metadata, whose packed message it resolves by reflection', async () => {
    covers('clients.grpcurl-calls');
    const response = await call('tensorflow.serving.PredictionService/GetModelMetadata', {
      modelSpec: { name: 'dummy' },
      metadataField: ['signature_def'],
    });
    const tensor = (name: string): object => ({
      [name]: { name, dtype: 'DT_FLOAT', tensorShape: { dim: [{ size: '1' }, { size: '10' }] } },
    });
    assert.deepEqual(response, {
      modelSpec: { name: 'dummy', version: '1' },
      metadata: {
        signature_def: {
          '@type': 'type.googleapis.com/tensorflow.serving.SignatureDefMap',
          signatureDef: { serving_default: { inputs: tensor('b'), outputs: tensor('a') } },
        },
      },
    });
  });

  test('asks for status, readiness and health', async () => {
    covers('clients.grpcurl-calls');
    const status = await call('tensorflow.serving.ModelService/GetModelStatus', { modelSpec: { name: 'dummy' } });
    assert.deepEqual(status, {
      model_version_status: [{ version: '1', state: 'AVAILABLE', status: { error_message: 'OK' } }],
    });
    assert.deepEqual(await call('inference.GRPCInferenceService/ModelReady', { name: 'dummy_twice' }), { ready: true });
    for (const service of ['', 'tensorflow.serving.PredictionService']) {
      assert.deepEqual(await call('grpc.health.v1.Health/Check', { service }), { status: 'SERVING' });
    }
  });

  test('shows codes and texts of errors', async () => {
    covers('clients.grpcurl-calls');
    const request = JSON.stringify({ modelSpec: { name: 'nobody' } });
    const { stderr, exitCode } = await grpcurl(
      ['tensorflow.serving.ModelService/GetModelStatus'],
      ['-d', '@'],
      request,
    );
    assert.equal(exitCode, 64 + 5);
    assert.equal(stderr, 'ERROR:\n  Code: NotFound\n  Message: Model with requested name is not found\n');
  });
});
