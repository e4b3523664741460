import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { addon as ov } from '#src/openvino/index.js';
import type { ResponseTensor } from '#src/servables/predict-request.js';
import { writePackedWeightsModel } from '../fixtures/ir.js';
import { embeddedSettings, withEmbeddedServer } from '../helpers/embedded-server.js';
import { withGrpcClient, type GrpcClient } from '../helpers/grpc-client.js';
import { TestRepository, type Model } from '../helpers/repository.js';
import { bytesOf, floatsOf } from '../helpers/tensors.js';

/**
 * Answers of a busy server are those of one stream, bit for bit, however a model is compiled. The classifier has weights of 8 bits; it
 * comes from `../shared`, and without that folder only the invented model is asked.
 */

const SHARED = fileURLToPath(new URL('../../../../shared/data/models/mobilenet-v2-tf1/1/', import.meta.url));
const AT_ONCE = 16;
const DIFFERENT = 4;
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
  const asked = skip === false ? askOneStream(path) : null;
  for (const [what, settings] of Object.entries(SETTINGS)) {
    test(`streams: ${name} with ${what} answers a crowd as one stream does, from the cache too`, { skip }, async () => {
      const cache = repository.path(`cache of ${name} with ${what}`);
      mkdirSync(cache);
      const config = repository.writeConfig([{ name, ...settings }]);
      const flags = ['--cache_dir', cache, '--node_executor', 'adaptive'];
      for (const start of ['cold', 'warm']) {
        await withEmbeddedServer(embeddedSettings(config, ...flags), async ({ grpcPort }) => {
          await withGrpcClient(grpcPort, (client) => askCrowd(client, name, asked!, start));
        });
      }
    });
  }
}

interface Asked {
  readonly output: string;
  readonly requests: readonly { readonly input: ResponseTensor; readonly expected: readonly number[] }[];
}

/** What one stream answers to requests of different numbers. */
function askOneStream(path: string): Asked {
  const model = core.compileModelSync(path, 'CPU', { NUM_STREAMS: 1 });
  const request = model.createInferRequest();
  const [input, output] = [model.input(0), model.output(0)];
  const shape = input.getShape();
  const count = shape.reduce((all, size) => all * size, 1);
  const requests = Array.from({ length: DIFFERENT }, (_, seed) => {
    const numbers = Float32Array.from({ length: count }, (_, index) => Math.sin((index + 1) * (seed + 1.7)));
    const tensor = { name: input.anyName, precision: 'FP32', shape, bytes: bytesOf(numbers) } as const;
    return { input: tensor, expected: [...request.infer([numbers])[output.anyName]!.data].map(Number) };
  });
  return { output: output.anyName, requests };
}

/** Asks requests at once, several times, and compares each answer with one stream's. */
async function askCrowd(client: GrpcClient, name: string, { output, requests }: Asked, start: string): Promise<void> {
  const crowd = Array.from({ length: AT_ONCE }, (_, index) => requests[index % DIFFERENT]!);
  for (let round = 0; round < ROUNDS; round += 1) {
    const answers = await Promise.all(crowd.map(({ input }) => client.predict(name, [input])));
    for (const [index, { code, details, outputs }] of answers.entries()) {
      assert.equal(`${code} ${details}`.trim(), 'OK');
      const received = floatsOf(outputs.get(output));
      assert.deepEqual(received, crowd[index]!.expected, `${start} start, round ${round}, request ${index}`);
    }
  }
}
