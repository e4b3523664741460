import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { covers } from '../contract/covers.js';
import { stringList } from '#src/tensors/strings.js';
import { DEMO_PIPELINE, DEMO_SKIPPED, demoPhotographs, writeDemoConfig, type Photograph } from '../helpers/demo.js';
import { withGrpcClient } from '../helpers/grpc-client.js';
import { TestRepository } from '../helpers/repository.js';
import { restPredict } from '../helpers/rest-client.js';
import { startServerProcess, type ServerProcess } from '../helpers/server.js';
import { integersOf } from '../helpers/tensors.js';

describe('photographs of the demo as JPEG files', { skip: DEMO_SKIPPED }, () => {
  let server: ServerProcess;
  let photographs: readonly Photograph[];

  before(async () => {
    photographs = await demoPhotographs();
    server = await startServerProcess(['--config_path', writeDemoConfig(new TestRepository())]);
    await server.line('ServableManagerModule started');
  });
  after(async () => assert.equal(await server.stop(), 0));

  test('the pipeline recognises ten of ten over gRPC', () =>
    withGrpcClient(server.grpcPort, async (client) => {
      covers('clients.script-binary');
      for (const { path, label } of photographs) {
        const strings = stringList([await readFile(path)]);
        const image = { name: 'image', precision: 'STRING', shape: [1], bytes: new Uint8Array(0), strings } as const;
        const { outputs, details } = await client.predict(DEMO_PIPELINE, [image]);
        assert.equal(details, '');
        assert.deepEqual(integersOf(outputs.get('label')), [label + 1], path);
      }
    }));

  test('the pipeline recognises ten of ten over REST, all asked for at once', async () => {
    covers('clients.script-binary');
    const answers = await Promise.all(
      photographs.map(async ({ path }) => {
        const b64 = await readFile(path, 'base64');
        return restPredict(server.restPort, DEMO_PIPELINE, { instances: [{ image: { b64 } }] });
      }),
    );
    assert.deepEqual(
      answers.map(({ text }) => (JSON.parse(text) as { readonly predictions: unknown }).predictions),
      photographs.map(({ label }) => [label + 1]),
    );
  });
});
