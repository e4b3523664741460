import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { PiscinaInference } from '#src/inference/piscina-inference.js';
import type { InferRequest } from '#src/inference/inference.js';
import { Arena } from '#src/tensors/arena.js';
import { Tensor } from '#src/tensors/tensor.js';
import { IrGraph, writeDummyModel } from '../fixtures/ir.js';
import { bytesOf } from '../helpers/tensors.js';
import { binding, specification, temporaryDirectory } from './support.js';

const inference = new PiscinaInference(binding);
const arena = new Arena(inference.memory);
inference.useArena(arena);
after(() => inference.close());

const directory = temporaryDirectory();
const dummy = writeDummyModel(directory, { name: 'dummy' });

/** `a` = `b` times a square of ones: its weights are most of what it keeps. */
function writeWeightyModel(width: number): string {
  const graph = new IrGraph('weighty');
  const row = { precision: 'f32', shape: [1, width] } as const;
  const ones = graph.constant('f32', [width, width], bytesOf(new Float32Array(width * width).fill(1)));
  const product = graph.layer('MatMul', {}, [graph.parameter('b', 'f32', row.shape), ones], row, ['a']);
  graph.result(product);
  return graph.write(directory, 'weighty');
}

async function open(path: string): Promise<{ modelId: number; request: InferRequest; close: () => void }> {
  const modelId = binding.reserveModel();
  const wanted = specification(path);
  binding.compileModel(modelId, wanted);
  const handle = binding.openModel(modelId);
  const description = binding.describeModel(handle);
  binding.closeModel(handle);
  const model = await inference.openModel({
    modelId,
    specification: wanted,
    description,
    inline: null,
    followsLoad: false,
  });
  return { modelId, request: model.createInferRequest(), close: () => model.close() };
}

/** Infers a row of one number and gives the row that comes out. */
function infer(request: InferRequest, value: number, width: number): Promise<number[]> {
  const input = new Tensor('FP32', [1, width], arena.lease(4 * width));
  const output = new Tensor('FP32', [1, width], arena.lease(4 * width));
  arena.copyIn(input.lease, new Uint8Array(new Float32Array(width).fill(value).buffer), 'request');
  return new Promise((resolve, reject) => {
    request.infer([input], [output], (error) => {
      const results = Array.from({ length: width }, (_, index) => Number(output.element(index)));
      input.release();
      output.release();
      if (error === null) resolve(results);
      else reject(error);
    });
  });
}

test('piscina inference: a thread opens a model for the first time after the control plane has released it', async () => {
  const { modelId, request, close } = await open(dummy);
  binding.releaseModel(modelId);
  assert.deepEqual(await infer(request, 41, 10), new Array(10).fill(42));
  close();
});

const keepsFreed = /libasan/.test(process.env['LD_PRELOAD'] ?? '') && 'the sanitizer keeps memory that was freed';
test(
  'piscina inference: the threads of the pool keep nothing of models that were closed',
  { skip: keepsFreed },
  async () => {
    const width = 2048;
    const weights = 4 * width * width;
    const path = writeWeightyModel(width);
    const before = process.memoryUsage.rss();
    for (let round = 0; round < 16; round += 1) {
      const { modelId, request, close } = await open(path);
      const answers = await Promise.all([1, 2, 3, 4].map((value) => infer(request, value, width)));
      assert.deepEqual(
        answers.map(([first]) => first),
        [1, 2, 3, 4].map((value) => value * width),
      );
      binding.releaseModel(modelId);
      close();
    }
    while (process.memoryUsage.rss() > before + 6 * weights) await turn();
  },
);
