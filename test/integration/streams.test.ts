import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { addon as ov } from '#src/openvino/index.js';
import { writePackedWeightsModel } from '../fixtures/ir.js';
import { embeddedSettings, withEmbeddedServer } from '../helpers/embedded-server.js';
import { withGrpcClient, type GrpcClient } from '../helpers/grpc-client.js';
import { TestRepository, type Model } from '../helpers/repository.js';
import { floatsOf, floatTensor } from '../helpers/tensors.js';

/**
 * Answers of a busy server are those of one stream, bit for bit, however a model is compiled. The classifier has weights of 8 bits; it
 * comes from `../shared`, and without that folder only the invented model is asked.
 */

const SHARED = fileURLToPath(new URL('../../../../shared/data/models/mobilenet-v2-tf1/1/', import.meta.url));
const AT_ONCE = 16;
const ROUNDS = 3;

const repository = new TestRepository();
const core = new ov.Core();
const MODELS = {
  packed: writePackedWeightsModel(repository.path('packed', '1')),
  classifier: repository.path('classifier', '1', 'mobilenet-v2-tf1.xml'),
} as const;
if (existsSync(SHARED)) {
  mkdirSync(dirname(MODELS.classifier), { recursive: true });
  // Without its mapping, so that tensors have their own names.
  for (const file of ['mobilenet-v2-tf1.xml', 'mobilenet-v2-tf1.bin']) {
    copyFileSync(join(SHARED, file), repository.path('classifier', '1', file));
  }
}

const SETTINGS: Readonly<Record<string, Partial<Model>>> = {
  'two streams': { plugin_config: { NUM_STREAMS: 2 } },
  'a throughput hint': { plugin_config: { PERFORMANCE_HINT: 'THROUGHPUT' } },
  'AUTO with a throughput hint': { target_device: 'AUTO', plugin_config: { PERFORMANCE_HINT: 'THROUGHPUT' } },
  'settings that follow the load': {},
};

for (const [name, path] of Object.entries(MODELS)) {
  const skip = existsSync(path) ? false : `${SHARED} is not there`;
  for (const [what, settings] of Object.entries(SETTINGS)) {
    test(`streams: ${name} with ${what} answers a crowd as one stream does, from the cache too`, { skip }, async () => {
      const cache = repository.path(`cache of ${name} with ${what}`);
      mkdirSync(cache);
      const config = repository.writeConfig([{ name, ...settings }]);
      const flags = ['--cache_dir', cache, '--node_executor', 'adaptive'];
      for (const start of ['cold', 'warm']) {
        await withEmbeddedServer(embeddedSettings(config, ...flags), async ({ grpcPort }) => {
          await withGrpcClient(grpcPort, (client) => askCrowd(client, name, path, start));
        });
      }
    });
  }
}

/** Asks requests of different numbers at once, several times, and compares each answer with one stream's. */
async function askCrowd(client: GrpcClient, name: string, path: string, start: string): Promise<void> {
  const model = core.compileModelSync(path, 'CPU', { NUM_STREAMS: 1 });
  const one = model.createInferRequest();
  const [input, output] = [model.input(0), model.output(0)];
  const shape = input.getShape();
  for (let round = 0; round < ROUNDS; round += 1) {
    const crowd = Array.from({ length: AT_ONCE }, (_, index) => numbers(shape, round * AT_ONCE + index));
    const answers = await Promise.all(
      crowd.map((values) => client.predict(name, [floatTensor(input.anyName, shape, values)])),
    );
    for (const [index, { code, details, outputs }] of answers.entries()) {
      assert.equal(`${code} ${details}`.trim(), 'OK');
      const expected = one.infer([Float32Array.from(crowd[index]!)])[output.anyName]!;
      const received = floatsOf(outputs.get(output.anyName));
      assert.deepEqual(received, [...expected.data], `${start} start, round ${round}, request ${index}`);
    }
  }
}

function numbers(shape: readonly number[], seed: number): number[] {
  const count = shape.reduce((all, size) => all * size, 1);
  return Array.from({ length: count }, (_, index) => Math.fround(Math.sin((index + 1) * (seed + 1.7))));
}
