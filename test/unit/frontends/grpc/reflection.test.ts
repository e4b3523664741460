import assert from 'node:assert/strict';
import { test } from 'node:test';
import protobuf from 'protobufjs';
import descriptor, { type IFileDescriptorProto } from 'protobufjs/ext/descriptor.js';
import { FileDescriptors } from '#src/frontends/grpc/file-descriptors.js';
import { REFLECTION_METHODS, reflectionService } from '#src/frontends/grpc/reflection.js';
import { fakeCall, messages } from '../kserve/fake-serving.js';
import { bytesField } from '../tfs/wire.js';

const descriptors = new FileDescriptors();

function decoded(files: readonly Uint8Array[] | null): IFileDescriptorProto[] {
  assert.ok(files !== null);
  return files.map((file) => descriptor.FileDescriptorProto.decode(file) as IFileDescriptorProto);
}

const SYMBOLS = [
  ['inference.ModelInferRequest', 'inference.proto'],
  ['inference.GRPCInferenceService', 'inference.proto'],
  ['inference.GRPCInferenceService.ModelInfer', 'inference.proto'],
  ['tensorflow.serving.PredictionService.Predict', 'tensorflow/serving.proto'],
  ['tensorflow.TensorProto', 'tensorflow.proto'],
  ['grpc.health.v1.Health.Watch', 'grpc/health/v1.proto'],
  ['grpc.reflection.v1alpha.ServerReflection', 'grpc/reflection/v1alpha.proto'],
] as const;
for (const [symbol, file] of SYMBOLS) {
  test(`reflection: ${symbol} is found, with every file that its file needs`, () => {
    const files = decoded(descriptors.containing(symbol));
    assert.equal(files[0]!.name, file);
    const names = new Set(files.map(({ name }) => name));
    for (const each of files) for (const needed of each.dependency as string[]) assert.ok(names.has(needed), needed);
    const root = protobuf.Root.fromDescriptor({ file: files });
    assert.ok(root.resolveAll().lookup(symbol.split('.').slice(0, -1)) !== null);
  });
}

test('reflection: entries of maps and names in JSON are those that protoc gives', () => {
  const files = decoded(descriptors.containing('tensorflow.serving.StatusProto'));
  const serving = files.find(({ name }) => name === 'tensorflow/serving.proto');
  const message = (name: string): descriptor.IDescriptorProto | undefined =>
    serving?.messageType?.find((each) => each.name === name);
  const predict = message('PredictRequest');
  assert.deepEqual(
    predict?.nestedType?.map(({ name, options }) => [name, options?.mapEntry]),
    [['InputsEntry', true]],
  );
  assert.equal(predict.field?.find(({ name }) => name === 'inputs')?.typeName, 'InputsEntry');
  const jsonNames = (name: string): unknown => message(name)?.field?.map(({ jsonName }) => jsonName);
  assert.deepEqual(jsonNames('PredictRequest'), ['modelSpec', 'inputs', 'outputFilter']);
  assert.deepEqual(jsonNames('StatusProto'), ['error_code', 'error_message']);
});

for (const path of REFLECTION_METHODS) {
  test(`reflection: ${path} lists services and says what it does not know`, async () => {
    const method = reflectionService(['a.B']).get(path);
    assert.ok(typeof method === 'object');
    const list = bytesField(7, '');
    const unknown = bytesField(4, 'no.Such');
    const answers: Buffer[] = [];
    for await (const answer of method.stream(messages(list, unknown), fakeCall())) answers.push(Buffer.from(answer));
    assert.deepEqual(
      answers[0],
      Buffer.concat([bytesField(2, list), bytesField(6, bytesField(1, bytesField(1, 'a.B')))]),
    );
    const text = 'Symbol or file with requested name is not found - symbol: no.Such';
    const error = bytesField(7, Buffer.from([8, 5]), bytesField(2, text));
    assert.deepEqual(answers[1], Buffer.concat([bytesField(2, unknown), error]));
  });
}
