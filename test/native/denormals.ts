import assert from 'node:assert/strict';
import { after } from 'node:test';
import { BlockingPool } from '#src/blocking/blocking-pool.js';
import { translatePluginConfig } from '#src/config/plugin-config.js';
import type { NodeExecutor } from '#src/config/settings.js';
import { ModelCompiler } from '#src/control/model-compiler.js';
import { createInference } from '#src/inference/create-inference.js';
import type { CompileSpecification } from '#src/native/binding.js';
import { Arena } from '#src/tensors/arena.js';
import { Tensor } from '#src/tensors/tensor.js';
import { writeDummyModel } from '../fixtures/ir.js';
import { binding, specification, temporaryDirectory } from './support.js';

export const DENORMAL = 1e-40;
const directory = temporaryDirectory();
/** Its sums of denormal numbers are denormal numbers. */
export const sum = writeDummyModel(directory, { name: 'sum', addend: DENORMAL });
const pool = new BlockingPool();
after(() => pool.close());

/** Whether JavaScript on this thread computes with denormal numbers, as IEEE 754 and ECMAScript say. */
export function hasDenormals(): boolean {
  const [tiny, one] = Float64Array.of(1e-310, 1);
  return tiny! * one! !== 0 && JSON.parse('3e-320') !== 0;
}

/** A compiler for an executor, and the plug-in's settings as the product makes them of a user's. */
export function compilerOf(
  nodeExecutor: NodeExecutor,
  written: Readonly<Record<string, string>>,
): { readonly compiler: ModelCompiler; readonly properties: CompileSpecification['properties'] } {
  const settings = {
    cacheDir: null,
    inferenceThreads: null,
    backend: 'native',
    triesModels: true,
    nodeExecutor,
  } as const;
  const properties = translatePluginConfig(written, 'CPU', '').pluginConfig;
  return { compiler: new ModelCompiler(binding, pool, settings), properties };
}

/** One inference over denormal inputs by an executor, with the plug-in's settings as the product makes them of a user's. */
export async function inferBy(
  nodeExecutor: NodeExecutor,
  written: Readonly<Record<string, string>>,
): Promise<number[]> {
  const { compiler, properties } = compilerOf(nodeExecutor, written);
  const inference = await createInference('native', nodeExecutor);
  const arena = new Arena(inference.memory);
  inference.useArena(arena);
  const reference = await compiler.compile(specification(sum, { properties }));
  assert.equal(reference.inline !== null, nodeExecutor === 'adaptive');
  const model = await inference.openModel(reference);
  const request = model.createInferRequest();
  const [input, output] = [0, 1].map(() => new Tensor('FP32', [1, 10], arena.lease(40))) as [Tensor, Tensor];
  arena.copyIn(input.lease, new Uint8Array(new Float32Array(10).fill(DENORMAL).buffer), 'request');
  try {
    await new Promise<void>((resolve, reject) =>
      request.infer([input], [output], (error) => (error === null ? resolve() : reject(error))),
    );
    return Array.from({ length: 10 }, (_, index) => Number(output.element(index)));
  } finally {
    for (const tensor of [input, output]) tensor.release();
    request.close();
    model.close();
    await inference.close();
    compiler.close();
  }
}

export const EXECUTORS = ['async', 'adaptive', 'piscina'] as const;
