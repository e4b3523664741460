import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { BlockingPool } from '#src/blocking/blocking-pool.js';
import { ModelCompiler } from '#src/control/model-compiler.js';
import type { CompiledModelReference, InferenceModel, InferRequest } from '#src/inference/inference.js';
import { NativeInference } from '#src/inference/native-inference.js';
import type { InferRequestHandle, NativeBinding } from '#src/native/binding.js';
import { Arena } from '#src/tensors/arena.js';
import { Tensor } from '#src/tensors/tensor.js';
import { writeDummyModel, writeHeavyModel, writeNonZeroModel } from '../fixtures/ir.js';
import { binding, specification, temporaryDirectory } from './support.js';

const directory = temporaryDirectory();
const pool = new BlockingPool();
const SETTINGS = {
  cacheDir: null,
  inferenceThreads: null,
  backend: 'native',
  triesModels: true,
  nodeExecutor: 'adaptive',
} as const;
const compiler = new ModelCompiler(binding, pool, SETTINGS);
after(async () => {
  compiler.close();
  await pool.close();
});

/** The addon, where inferences on the calling thread are counted and made slow on demand. */
class Watched {
  inline = 0;
  extraMillis = 0;
  readonly binding: NativeBinding = { ...binding, infer: (request, token) => this.#infer(request, token) };

  #infer(request: InferRequestHandle, token: number): number {
    this.inline += 1;
    // A thread that loses its core meanwhile computes as long as one that does not.
    const end = binding.threadCpuMicros() + 1000 * this.extraMillis;
    while (binding.threadCpuMicros() < end);
    return binding.infer(request, token);
  }
}

const watched = new Watched();
const inference = new NativeInference(watched.binding);
const arena = new Arena(inference.memory);
inference.useArena(arena);

function floats(values: readonly number[]): Tensor {
  const tensor = new Tensor('FP32', [1, values.length], arena.lease(values.length * 4));
  arena.copyIn(tensor.lease, new Uint8Array(Float32Array.from(values).buffer), 'request');
  return tensor;
}

/** b + 1, by whichever way the backend chooses. */
function addOne(request: InferRequest, values: readonly number[]): Promise<number[]> {
  const input = floats(values);
  const output = new Tensor('FP32', [1, values.length], arena.lease(values.length * 4));
  return new Promise((resolve, reject) => {
    request.infer([input], [output], (error) => {
      const results = Array.from(values, (_, index) => Number(output.element(index)));
      input.release();
      output.release();
      if (error === null) resolve(results);
      else reject(error);
    });
  });
}

async function withModel(
  reference: CompiledModelReference,
  use: (model: InferenceModel) => Promise<void>,
): Promise<void> {
  const model = await inference.openModel(reference);
  try {
    await use(model);
  } finally {
    model.close();
    compiler.release(reference);
    assert.equal(arena.leasedRegions, 0);
  }
}

const dummy = writeDummyModel(directory, { name: 'dummy' });
const TEN = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

test('inline inference: what is fast is compiled for the calling thread as well, and infers there', async () => {
  const reference = await compiler.compile(specification(dummy));
  assert.notEqual(reference.inline, null);
  await withModel(reference, async (model) => {
    const request = model.createInferRequest();
    const before = watched.inline;
    for (let round = 0; round < 10; round += 1) {
      assert.deepEqual(
        await addOne(
          request,
          TEN.map((value) => value + round),
        ),
        TEN.map((value) => value + round + 1),
      );
    }
    assert.ok(watched.inline > before);
    request.close();
  });
});

test('inline inference: a model whose time jumps leaves the loop and still answers right', async () => {
  await withModel(await compiler.compile(specification(dummy)), async (model) => {
    const request = model.createInferRequest();
    await addOne(request, TEN);
    watched.extraMillis = 2;
    const before = watched.inline;
    for (let round = 0; round < 60; round += 1) assert.deepEqual((await addOne(request, TEN))[9], 10);
    watched.extraMillis = 0;
    assert.ok(watched.inline - before <= 2, `${watched.inline - before} slow inferences on the loop's thread`);
    request.close();
  });
});

test('inline inference: what is slow, or could fail inside, has no variant for the calling thread', async () => {
  for (const path of [
    writeHeavyModel(directory, { name: 'heavy' }),
    writeNonZeroModel(directory, { name: 'nonzero' }),
  ]) {
    const reference = await compiler.compile(specification(path));
    assert.equal(reference.inline, null, path);
    compiler.release(reference);
  }
});

test('inline inference: a compiler that is not asked to makes none', async () => {
  const plain = new ModelCompiler(binding, pool, { ...SETTINGS, nodeExecutor: 'async' });
  assert.equal((await plain.compile(specification(dummy))).inline, null);
  plain.close();
});
