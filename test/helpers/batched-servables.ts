import { encodePredictRequest, decodePredictResponse } from '#src/frontends/tfs/predict-message.js';
import { writeDenseModel, writeDummyModel, writeFullyConnectedModel } from '../fixtures/ir.js';
import { modelNode, pipeline, type Model, type Pipeline, type TestRepository } from './repository.js';
import { floatsOf, floatTensor } from './tensors.js';

/** What is behind the name of a model that infers its requests one by one. */
export const ALONE = '_alone';
const WIDTH = 16;

/** Shape of one row of each servable, and whether a request may have several. */
export const ROWS: Readonly<Record<string, { readonly shape: readonly number[]; readonly mayHaveMany: boolean }>> = {
  dense: { shape: [WIDTH], mayHaveMany: false },
  any: { shape: [WIDTH], mayHaveMany: true },
  convolution: { shape: [2, 4, 4], mayHaveMany: false },
  twice: { shape: [WIDTH], mayHaveMany: false },
  mixed: { shape: [WIDTH], mayHaveMany: false },
  shards: { shape: [1, WIDTH], mayHaveMany: true },
};

/**
 * Models that are batched, pipelines that share them, and the same again without batching. One infer request each, so that requests
 * queue.
 *
 * - `dense`: one row; `any`: as many as a request likes; `convolution`: a picture a request
 * - `twice`: `dense` twice, one behind the other; `mixed`: `dense` and `any` side by side and `dense` behind; `shards`: `dense` for each
 *   shard of the request
 */
export function writeBatchedServables(
  repository: TestRepository,
  batching: NonNullable<Model['dynamic_batching']> = { max_batch_size: 8 },
): { readonly models: readonly Model[]; readonly pipelines: readonly Pipeline[] } {
  const writers = {
    dense: (directory: string) => writeDenseModel(directory, { width: WIDTH }),
    any: (directory: string) => writeDummyModel(directory, { shape: [-1, WIDTH] }),
    convolution: writeFullyConnectedModel,
  };
  const models: Model[] = [];
  for (const [name, write] of Object.entries(writers)) {
    write(repository.path(name, '1'));
    models.push({ name, nireq: 1, dynamic_batching: batching });
    models.push({ name: name + ALONE, base_path: name, nireq: 1 });
  }
  return { models, pipelines: ['', ALONE].flatMap(pipelinesOf) };
}

function pipelinesOf(suffix: string): Pipeline[] {
  const [dense, any] = [`dense${suffix}`, `any${suffix}`];
  const twice = [
    modelNode('first', dense, { b: 'request.b' }, ['a']),
    modelNode('second', dense, { b: 'first.a' }, ['a']),
  ];
  const mixed = [
    modelNode('left', dense, { b: 'request.b' }, ['a']),
    modelNode('right', any, { b: 'request.b' }, ['a']),
    modelNode('behind', dense, { b: 'right.a' }, ['a']),
  ];
  const shards = [modelNode('each', dense, { b: 'request.b' }, ['a'])];
  return [
    pipeline(`twice${suffix}`, ['b'], twice, { a: 'second.a', between: 'first.a' }),
    pipeline(`mixed${suffix}`, ['b'], mixed, { a: 'behind.a', left: 'left.a', right: 'right.a' }),
    pipeline(`shards${suffix}`, ['b'], shards, { a: 'each.a' }, { demultiply_count: -1 }),
  ];
}

/** A request of so many rows of numbers that are nobody else's. */
export function batchedRequest(servable: string, rows: number, seed: number, suffix = ''): Uint8Array {
  const { shape } = ROWS[servable]!;
  const count = rows * shape.reduce((product, size) => product * size, 1);
  const values = Array.from({ length: count }, (_, index) => Math.sin(seed * 37.7 + index * 1.3));
  return encodePredictRequest(servable + suffix, null, [floatTensor('b', [rows, ...shape], values)]);
}

/** All outputs by name. */
export function answerOf(
  response: Uint8Array,
): Readonly<Record<string, { shape: readonly number[]; values: number[] }>> {
  const outputs = [...decodePredictResponse(response)].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(outputs.map(([name, tensor]) => [name, { shape: tensor.shape, values: floatsOf(tensor) }]));
}
