import assert from 'node:assert/strict';
import { writeArgmaxModel, writeDummyModel, writeHeavyModel } from '../fixtures/ir.js';
import { withGrpcClient, type GrpcClient } from './grpc-client.js';
import { modelNode, pipeline, type Model, type Pipeline, type TestRepository } from './repository.js';
import { restPredict } from './rest-client.js';
import { floatsOf, floatTensor } from './tensors.js';

/** Ten zeros for input `b` of the dummy. */
export const ZEROS = Array<number>(10).fill(0);
export const ONES = Array<number>(10).fill(1);
export const DUMMY_INPUT = floatTensor('b', [1, 10], ZEROS);
export const DUMMY_BODY = { inputs: { b: [ZEROS] } };

/** `dummy`: `a = b + 1`, FP32 [1,10]. */
export function addDummy(repository: TestRepository, name = 'dummy'): Model {
  writeDummyModel(repository.path(name, '1'));
  return { name };
}

/** `pair`: two FP32 inputs `in1` and `in2` of shape [1,10]; `argmax` of their sum. */
export function addPair(repository: TestRepository, name = 'pair'): Model {
  writeArgmaxModel(repository.path(name, '1'), { classes: 10 });
  return { name };
}

const HEAVY_SIZE = 256;
const HEAVY_ROW = Array<number>(HEAVY_SIZE).fill(0);
export const HEAVY_INPUT = floatTensor('b', [HEAVY_SIZE, HEAVY_SIZE], new Array<number>(HEAVY_SIZE ** 2).fill(0));
export const HEAVY_BODY = { inputs: { b: Array<number[]>(HEAVY_SIZE).fill(HEAVY_ROW) } };

/** `heavy`: FP32 `b` to `a`; one inference at a time, each long enough (tens of milliseconds) for others to queue behind it. */
export function addHeavy(repository: TestRepository): Model {
  writeHeavyModel(repository.path('heavy', '1'), { size: HEAVY_SIZE, depth: 200 });
  return { name: 'heavy', nireq: 1 };
}

/** A pipeline over one model, with the model's own names. */
export function pipelineOf(name: string, model: string): Pipeline {
  const node = modelNode('node', model, { b: 'request.b' }, ['a']);
  return pipeline(name, ['b'], [node], { a: 'node.a' });
}

/** One good request on each port. */
export async function assertServes(
  { grpcPort, restPort }: { readonly grpcPort: number; readonly restPort: number },
  servable = 'dummy',
): Promise<void> {
  await withGrpcClient(grpcPort, (client) => assertAnswers(client, servable));
  const { status, text } = await restPredict(restPort, servable, DUMMY_BODY);
  assert.deepEqual([status, text], [200, restAnswer(ONES)]);
}

/** One good gRPC request over this connection. */
export async function assertAnswers(client: GrpcClient, servable = 'dummy'): Promise<void> {
  const { code, details, outputs } = await client.predict(servable, [DUMMY_INPUT]);
  assert.deepEqual({ code, details }, { code: 'OK', details: '' });
  assert.deepEqual(floatsOf(outputs.get('a')), ONES);
}

/** The text of a column answer with one output of shape [1,n]. */
export function restAnswer(values: readonly number[]): string {
  const rows = values.map((value) => `            ${value.toFixed(1)}`).join(',\n');
  return `{\n    "outputs": [\n        [\n${rows}\n        ]\n    ]\n}`;
}
