import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addon as ov, type CompiledModel } from '#src/openvino/index.js';
import {
  writeDenseModel,
  writeNormalizedWeightsModel,
  writePackedLoopModel,
  writePackedWeightsModel,
} from '../fixtures/ir.js';
import { compile, COMPILES, binding, temporaryDirectory } from './support.js';

/**
 * OpenVINO executes what depends on constants only once for each stream, on memory that the streams share. Most compiles of these
 * models for several streams would answer garbage; how many depends on the processor.
 */

const directory = temporaryDirectory();
const core = new ov.Core();

/** OpenVINO 2026.4.1 does not bear it in a cache, whatever the number of streams. */
const UNCACHED = 'weights that cannot be folded';
const MODELS: Readonly<Record<string, string>> = {
  'weights of rank 3': writePackedWeightsModel(directory, { name: 'rank3' }),
  'convolutions of 1 by 1': writePackedWeightsModel(directory, { name: 'pointwise', reader: 'convolution' }),
  'shared weights': writePackedWeightsModel(directory, { name: 'shared', isShared: true }),
  'weights of a loop': writePackedLoopModel(directory, { name: 'loop' }),
  [UNCACHED]: writeNormalizedWeightsModel(directory, { name: 'normalized' }),
};
const SETTINGS: readonly [device: string, config: Record<string, string | number>][] = [
  ['CPU', { NUM_STREAMS: 2 }],
  ['CPU', { NUM_STREAMS: '2', INFERENCE_NUM_THREADS: 2 }],
  ['CPU', { PERFORMANCE_HINT: 'THROUGHPUT' }],
  ['CPU', { PERFORMANCE_HINT: 'CUMULATIVE_THROUGHPUT' }],
  ['AUTO', { PERFORMANCE_HINT: 'THROUGHPUT' }],
  ['AUTO:CPU', { PERFORMANCE_HINT: 'CUMULATIVE_THROUGHPUT' }],
  ['MULTI:CPU', {}],
  ['HETERO:CPU', { NUM_STREAMS: 2 }],
  ['BATCH:CPU', { PERFORMANCE_HINT: 'THROUGHPUT' }],
  ['CPU', { NUM_STREAMS: 2, CACHE_DIR: directory }],
];
// Of 30 compiles at least 27 of the first model were wrong on an AMD EPYC with AVX2.
test('streams: every compile for several streams answers bit for bit what one stream answers', async (t) => {
  for (const [what, path] of Object.entries(MODELS)) {
    const [expected] = await answers(core.compileModelSync(path, 'CPU', { NUM_STREAMS: 1 }), 1);
    for (const [device, config] of SETTINGS) {
      if (what === UNCACHED && 'CACHE_DIR' in config) continue;
      await t.test(`${what} on ${device} ${JSON.stringify({ ...config, CACHE_DIR: undefined })}`, async () => {
        for (let round = 0; round < COMPILES; round += 1) {
          for (const answer of await answers(core.compileModelSync(path, device, config), 6)) {
            assert.deepEqual(answer, expected);
          }
        }
      });
    }
  }
});

test('streams: what can be folded has the streams that were asked for, what cannot has one and says so', () => {
  const describe = (path: string, streams: number): readonly unknown[] => {
    const description = binding.describeModel(compile(path, { properties: { NUM_STREAMS: streams } }));
    return [description.streams, description.sharedConstants];
  };
  for (const [what, path] of Object.entries(MODELS)) {
    assert.deepEqual(describe(path, 2), what === UNCACHED ? [1, 'one stream'] : [2, 'folded'], what);
    assert.deepEqual(describe(path, 1), [1, 'untouched'], what);
  }
  const plain = writeDenseModel(directory, { name: 'plain' });
  assert.deepEqual(describe(plain, 2), [2, 'untouched']);
});

/** Bits of the answers to one request, which `requests` infer requests infer at once. */
async function answers(model: CompiledModel, requests: number): Promise<readonly Int32Array[]> {
  const shape = model.inputs[0]!.getShape();
  const count = shape.reduce((all, size) => all * size, 1);
  const numbers = Float32Array.from({ length: count }, (_, index) => Math.sin(index * 1.7));
  const results = await Promise.all(
    Array.from({ length: requests }, () => model.createInferRequest().inferAsync([numbers])),
  );
  return results.map(({ a }) => new Int32Array(Float32Array.from(a!.data as Float32Array).buffer));
}
