import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { batchBytes, normalizeFrames, transposeFrames, type Frames } from '#src/client/frames.js';
import { readNpy } from '#src/client/npy.js';
import { Server } from '#src/control/server.js';
import { embeddedSettings } from '../helpers/embedded-server.js';
import { GrpcClient } from '../helpers/grpc-client.js';
import { floatsOf, integersOf } from '../helpers/tensors.js';

const MODELS = fileURLToPath(new URL('../../../models/', import.meta.url));
const SHAPE = [1, 224, 224, 3];
const SURE = 0.75;

interface Answer {
  readonly label: number;
  readonly confidence: number;
  readonly thoroughLabel: number | undefined;
}

describe('models/cascade.config.json, the example of docs/pipelines.md', () => {
  let server: Server;
  let client: GrpcClient;
  let frames: Frames;

  before(async () => {
    const array = await readNpy(`${MODELS}pictures/imgs.npy`);
    frames = transposeFrames(normalizeFrames(array), 'nchw2nhwc');
    server = await Server.start(embeddedSettings(`${MODELS}cascade.config.json`));
    await server.loaded;
    client = new GrpcClient(server.grpcPort!);
  });
  after(async () => {
    client.close();
    await server.stop();
  });

  function picture(index: number) {
    return { name: 'image', precision: 'FP32', shape: SHAPE, bytes: batchBytes(frames, index, 1) } as const;
  }

  async function cascade(index: number): Promise<Answer> {
    const { code, details, outputs } = await client.predict('cascade', [picture(index)], 1n);
    assert.equal(code, 'OK', details);
    return {
      label: integersOf(outputs.get('label'))[0]!,
      confidence: floatsOf(outputs.get('confidence'))[0]!,
      thoroughLabel: outputs.has('thorough_label') ? integersOf(outputs.get('thorough_label'))[0]! : undefined,
    };
  }

  async function ensemble(index: number): Promise<number> {
    return integersOf((await client.predict('ensemble', [picture(index)])).outputs.get('label'))[0]!;
  }

  test('the second opinion is asked only where the first is not sure', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => cascade(index)));
    const unsure = answers.flatMap(({ confidence }, index) => (confidence < SURE ? [index] : []));
    assert.ok(unsure.length > 0 && unsure.length < answers.length, 'the pictures are of both kinds');
    for (const [index, { label, confidence, thoroughLabel }] of answers.entries()) {
      assert.equal(thoroughLabel !== undefined, confidence < SURE, `picture ${index}`);
      if (thoroughLabel === undefined) continue;
      assert.equal(label, thoroughLabel);
      assert.equal(label, await ensemble(index));
    }
  });

  test('version 2 takes bytes and gives half precision', async () => {
    const floats = new Float32Array(Uint8Array.from(batchBytes(frames, 0, 1)).buffer);
    const bytes = Uint8Array.from(floats, Math.round);
    const newest = await client.predict('cascade', [{ name: 'image', precision: 'U8', shape: SHAPE, bytes }]);
    assert.equal(newest.code, 'OK', newest.details);
    assert.equal(newest.outputs.get('confidence')!.precision, 'FP16');
    assert.deepEqual(integersOf(newest.outputs.get('label')), [(await cascade(0)).label]);
  });

  test('the race answers with the quick label alone where that is sure', async () => {
    for (let index = 0; index < 5; index += 1) {
      const { outputs } = await client.predict('race', [picture(index)]);
      const { confidence } = await cascade(index);
      assert.ok(outputs.has('quick_label'));
      if (confidence < SURE) assert.deepEqual(integersOf(outputs.get('label')), [await ensemble(index)]);
    }
  });
});
