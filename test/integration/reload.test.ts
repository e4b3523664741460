import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { covers } from '../contract/covers.js';
import type { ServerSettings } from '#src/config/settings.js';
import {
  assertAllAnswered,
  assertDocumented,
  PIPELINE_NOT_LOADED,
  PIPELINE_RETIRED,
  underLoad,
  VERSION_NOT_FOUND,
  VERSION_NOT_LOADED,
  type Endings,
} from '../helpers/constant-load.js';
import { addHeavy, DUMMY_INPUT, HEAVY_INPUT, pipelineOf } from '../helpers/dummy-servables.js';
import { embeddedSettings, withEmbeddedServer, type EmbeddedServer } from '../helpers/embedded-server.js';
import { withGrpcClient } from '../helpers/grpc-client.js';
import { LogFile } from '../helpers/log-file.js';
import { modelNode, pipeline, TestRepository, type Model, type Pipeline } from '../helpers/repository.js';
import { errorOf, restCall, type RestOutcome } from '../helpers/rest-client.js';
import { floatsOf } from '../helpers/tensors.js';
import { writeDummyModel } from '../fixtures/ir.js';

const repository = new TestRepository();
let count = 0;

/** A configuration and models of one test, and a server on it whose looks at the file system the test makes itself. */
class Scene {
  readonly name = `scene-${(count += 1)}`;
  readonly log = new LogFile(repository.path(`${this.name}.log`));
  readonly config = repository.path(`${this.name}.json`);

  model(name = 'dummy'): Model {
    return { name, base_path: `${this.name}/${name}` };
  }

  path(...names: readonly string[]): string {
    return repository.path(this.name, ...names);
  }

  /** A version of the dummy that adds its own number; another shape makes it another model. */
  addVersion(model: string, version: number, shape: readonly number[] = [1, 10]): void {
    writeDummyModel(this.path(model, String(version)), { addend: version, shape });
  }

  removeVersion(model: string, version: number): void {
    rmSync(this.path(model, String(version)), { recursive: true });
  }

  write(models: readonly Model[], pipelines: readonly Pipeline[] = []): void {
    repository.writeConfig(models, pipelines, `${this.name}.json`);
  }

  settings(...flags: readonly string[]): ServerSettings {
    const log = ['--log_level', 'INFO', '--log_path', this.log.path];
    return embeddedSettings(this.config, '--file_system_poll_wait_seconds', '0', ...log, ...flags);
  }

  serve(use: (server: EmbeddedServer) => Promise<void>, ...flags: readonly string[]): Promise<void> {
    return withEmbeddedServer(this.settings(...flags), use);
  }
}

/** What Predict answers: the sum for zeros, which tells the version, or code and text. */
function predict({ grpcPort }: EmbeddedServer, servable: string, version: number | null = null): Promise<string> {
  return withGrpcClient(grpcPort, async (client) => {
    const asked = version === null ? null : BigInt(version);
    const { code, details, outputs } = await client.predict(servable, [DUMMY_INPUT], asked);
    return code === 'OK' ? String(floatsOf([...outputs.values()][0])[0]) : `${code} ${details}`;
  });
}

/** Every version of a servable: `1 AVAILABLE OK`. */
async function statuses({ restPort }: EmbeddedServer, servable: string): Promise<string[]> {
  const { text } = await restCall(restPort, 'GET', `/v1/models/${servable}`);
  return statusLines(JSON.parse(text) as StatusAnswer);
}

interface StatusAnswer {
  readonly model_version_status: readonly {
    readonly version: string;
    readonly state: string;
    readonly status: { readonly error_code: string };
  }[];
}

function statusLines({ model_version_status }: StatusAnswer): string[] {
  return model_version_status.map(({ version, state, status }) => `${version} ${state} ${status.error_code}`);
}

/** While `use` runs, every call of every method about `dummy` and about the pipeline `pipe` is answered. */
async function assertNoGap(server: EmbeddedServer, use: () => Promise<void>): Promise<void> {
  let ofPipeline: Endings | undefined;
  const ofModel = await underLoad(server, 'dummy', async () => {
    ofPipeline = await underLoad(server, 'pipe', use);
  });
  for (const endings of [ofModel, ofPipeline!]) assertAllAnswered(endings);
}

function postReload({ restPort }: EmbeddedServer): Promise<RestOutcome> {
  return restCall(restPort, 'POST', '/v1/config/reload');
}

const NOT_LOADED = 'UNAVAILABLE Pipeline is not loaded yet';
const NOT_LOADED_YET = 'UNAVAILABLE Model with requested version is not loaded yet';
const RETIRED = 'NOT_FOUND Model with requested version is retired';
const NO_VERSION = 'NOT_FOUND Model with requested version is not found';
const VERSIONS_FAILED = 'Reloading models versions failed. Check server logs for more info.';
const CONFIG_FAILED = 'Reloading config file failed. Check server logs for more info.';

const DEBUG = ['--log_level', 'DEBUG'];

describe('version directories', () => {
  test('a new one is served at the next look, and latest retires the older one; it comes back when the newer one goes', async () => {
    covers('life-cycle.watch-versions', 'life-cycle.retired', 'life-cycle.default-version', 'life-cycle.all-versions');
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    scene.write([scene.model()]);
    await scene.serve(async (server) => {
      scene.addVersion('dummy', 2);
      assert.equal(await predict(server, 'dummy'), '1');
      await server.server.poll();
      assert.equal(await predict(server, 'dummy'), '2');
      assert.equal(await predict(server, 'dummy', 1), RETIRED);
      assert.deepEqual(await statuses(server, 'dummy'), ['1 END OK', '2 AVAILABLE OK']);
      scene.removeVersion('dummy', 2);
      await server.server.poll();
      assert.equal(await predict(server, 'dummy'), '1');
      assert.deepEqual(await statuses(server, 'dummy'), ['1 AVAILABLE OK', '2 END OK']);
    });
  });

  test('that come and go under a constant load leave no gap', async () => {
    covers('life-cycle.under-load', 'life-cycle.new-before-old', 'pipelines.new-default');
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    scene.write([scene.model()], [pipelineOf('pipe', 'dummy')]);
    await scene.serve(async (server) => {
      const comeAndGo = async (): Promise<void> => {
        for (const version of [2, 3]) {
          scene.addVersion('dummy', version);
          await server.server.poll();
        }
        for (const version of [3, 2]) {
          scene.removeVersion('dummy', version);
          await server.server.poll();
        }
      };
      await assertNoGap(server, comeAndGo);
      assert.deepEqual(await statuses(server, 'dummy'), ['1 AVAILABLE OK', '2 END OK', '3 END OK']);
    });
  });

  test('another policy serves other versions without loading again what is there', async () => {
    covers('life-cycle.reload-triggers', 'life-cycle.watch-config');
    const scene = new Scene();
    for (const version of [1, 2, 3]) scene.addVersion('dummy', version);
    scene.write([scene.model()]);
    await scene.serve(async (server) => {
      assert.deepEqual(await statuses(server, 'dummy'), ['3 AVAILABLE OK']);
      scene.write([{ ...scene.model(), model_version_policy: { specific: { versions: [1, 3] } } }]);
      await server.server.poll();
      assert.deepEqual(await statuses(server, 'dummy'), ['1 AVAILABLE OK', '3 AVAILABLE OK']);
      assert.equal(scene.log.count('Loaded model dummy; version: 3;'), 1);
      scene.write([{ ...scene.model(), model_version_policy: { all: {} } }]);
      await server.server.poll();
      assert.deepEqual(await Promise.all([1, 2, 3].map((version) => predict(server, 'dummy', version))), [
        '1',
        '2',
        '3',
      ]);
    });
  });

  test('one whose files are still being copied is tried again, then served; until then latest has the older one', async () => {
    covers('life-cycle.copied-meanwhile', 'life-cycle.latest-falls-back', 'life-cycle.retry', 'life-cycle.failed-load');
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    scene.write([scene.model()]);
    await scene.serve(async (server) => {
      scene.addVersion('dummy', 2);
      renameSync(scene.path('dummy', '2', 'model.bin'), scene.path('model.bin'));
      for (let look = 0; look < 9; look += 1) await server.server.poll();
      assert.equal(await predict(server, 'dummy'), '1');
      assert.deepEqual(await statuses(server, 'dummy'), ['1 AVAILABLE OK', '2 LOADING UNKNOWN']);
      const fault = 'Error occurred while loading model: dummy; version: 2; error: ';
      assert.equal(scene.log.count(fault), 4, 'the 1st, 2nd, 4th and 8th of nine');
      renameSync(scene.path('model.bin'), scene.path('dummy', '2', 'model.bin'));
      await server.server.poll();
      assert.equal(await predict(server, 'dummy'), '2');
      assert.deepEqual(await statuses(server, 'dummy'), ['1 END OK', '2 AVAILABLE OK']);
    });
  });

  test('a base path that cannot be read for a while changes nothing', async () => {
    covers('life-cycle.reload-faults', 'life-cycle.reload-versions');
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    scene.write([scene.model()]);
    await scene.serve(async (server) => {
      renameSync(scene.path('dummy'), scene.path('away'));
      await server.server.poll();
      assert.equal(await predict(server, 'dummy'), '1');
      const { status, text } = await postReload(server);
      assert.deepEqual([status, errorOf({ status, text })], [400, VERSIONS_FAILED]);
      renameSync(scene.path('away'), scene.path('dummy'));
      assert.equal((await postReload(server)).status, 200);
      assert.deepEqual(await statuses(server, 'dummy'), ['1 AVAILABLE OK']);
    });
  });

  test('are watched in single-model mode too', async () => {
    covers('life-cycle.watch-versions');
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    const flags = { ...NO_FLAGS, modelName: 'dummy', modelPath: scene.path('dummy') };
    const settings: ServerSettings = { ...scene.settings(), servables: { kind: 'single-model', flags } };
    await withEmbeddedServer(settings, async (server) => {
      scene.addVersion('dummy', 2);
      await server.server.poll();
      assert.equal(await predict(server, 'dummy'), '2');
      assert.equal((await postReload(server)).status, 200);
    });
  });
});

const NO_FLAGS = {
  batchSize: null,
  shape: null,
  layout: null,
  mean: null,
  scale: null,
  colorFormat: null,
  precision: null,
  modelVersionPolicy: null,
  nireq: 0,
  targetDevice: null,
  pluginConfig: null,
  stateful: false,
  idleSequenceCleanup: null,
  lowLatencyTransformation: null,
  maxSequenceNumber: null,
  dynamicBatching: null,
} as const;

describe('a model', () => {
  test('that is added is served, that is removed is retired, that comes back is served again', async () => {
    covers('life-cycle.watch-config', 'life-cycle.states');
    const scene = new Scene();
    for (const model of ['dummy', 'other']) scene.addVersion(model, 1);
    scene.write([scene.model()]);
    await scene.serve(async (server) => {
      assert.equal(await predict(server, 'other'), 'NOT_FOUND Pipeline with requested name is not found');
      scene.write([scene.model(), scene.model('other')]);
      await server.server.poll();
      assert.equal(await predict(server, 'other'), '1');
      scene.write([scene.model()]);
      await server.server.poll();
      assert.equal(await predict(server, 'other'), NO_VERSION);
      assert.equal(await predict(server, 'other', 1), RETIRED);
      assert.deepEqual(await statuses(server, 'other'), ['1 END OK']);
      scene.write([scene.model(), scene.model('other')]);
      await server.server.poll();
      assert.equal(await predict(server, 'other'), '1');
      assert.equal(await predict(server, 'dummy'), '1');
      assert.equal(scene.log.count('Loaded model dummy; version: 1;'), 1);
    });
  });

  test('that leaves and comes back under a constant load gives the documented codes only', async () => {
    covers('life-cycle.under-load');
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    scene.write([scene.model()]);
    await scene.serve(async (server) => {
      const endings = await underLoad(server, 'dummy', async () => {
        for (const models of [[], [scene.model()], [], [scene.model()]]) {
          scene.write(models);
          await server.server.poll();
          assert.equal(await predict(server, 'dummy'), models.length === 0 ? NO_VERSION : '1');
        }
      });
      assertDocumented(endings, VERSION_NOT_FOUND, VERSION_NOT_LOADED);
    });
  });

  test('that gets other settings serves on until it is there with them: no call fails', async () => {
    covers('life-cycle.reload-gap', 'life-cycle.reload-triggers', 'pipelines.model-reloaded');
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    scene.write([scene.model()], [pipelineOf('pipe', 'dummy')]);
    await scene.serve(async (server) => {
      const changeNireq = async (): Promise<void> => {
        for (const nireq of [2, 3, 4]) {
          scene.write([{ ...scene.model(), nireq }], [pipelineOf('pipe', 'dummy')]);
          await server.server.poll();
        }
      };
      await assertNoGap(server, changeNireq);
      for (const nireq of [2, 3, 4]) assert.equal(scene.log.count(`No of InferRequests: ${nireq}`), 1);
    });
  });

  test('whose replacement takes its time serves on meanwhile, for its pipelines, too', async () => {
    covers('life-cycle.reload-gap', 'pipelines.model-reloaded');
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    scene.write([scene.model()], [pipelineOf('pipe', 'dummy')]);
    await scene.serve(async (server) => {
      // The load stands still at this named pipe until somebody writes it.
      const gate = scene.path('dummy', '1', 'mapping_config.json');
      execFileSync('mkfifo', [gate]);
      await assertNoGap(server, async () => {
        scene.write([{ ...scene.model(), nireq: 5 }], [pipelineOf('pipe', 'dummy')]);
        const look = server.server.poll();
        // The server has it open once this has happened.
        const opened = writeFile(gate, '{}');
        for (let call = 0; call < 5; call += 1) assert.equal(await predict(server, 'dummy'), '1');
        await Promise.all([opened, look]);
        assert.equal(scene.log.count('No of InferRequests: 5'), 1);
      });
    });
  });

  test('cut in half next to a good one fails alone, and is served once it is whole', async () => {
    covers('life-cycle.bad-model', 'life-cycle.failed-load', 'life-cycle.reload-faults');
    const scene = new Scene();
    for (const model of ['dummy', 'other']) scene.addVersion(model, 1);
    const weights = scene.path('dummy', '1', 'model.bin');
    const graph = scene.path('dummy', '1', 'model.xml');
    const [wholeWeights, wholeGraph] = [readFileSync(weights), readFileSync(graph)];
    truncateSync(weights, 2);
    scene.write([scene.model(), scene.model('other')]);
    await scene.serve(async (server) => {
      for (let look = 0; look < 2; look += 1) {
        assert.deepEqual(await statuses(server, 'dummy'), ['1 LOADING UNKNOWN']);
        assert.equal(await predict(server, 'dummy', 1), NOT_LOADED_YET);
        assert.equal(await predict(server, 'dummy'), NO_VERSION);
        assert.equal(await predict(server, 'other'), '1');
        truncateSync(graph, Math.floor(wholeGraph.byteLength / 2));
        await server.server.poll();
      }
      const { status, text } = await postReload(server);
      assert.deepEqual([status, errorOf({ status, text })], [500, CONFIG_FAILED]);
      writeFileSync(weights, wholeWeights);
      writeFileSync(graph, wholeGraph);
      await server.server.poll();
      assert.equal(await predict(server, 'dummy'), '1');
    });
  });

  test('that is retired under running requests is unloaded behind them: all are answered', async () => {
    covers('life-cycle.in-flight');
    const scene = new Scene();
    const heavy = addHeavy(repository);
    scene.write([heavy]);
    await scene.serve(
      async (server) => {
        await withGrpcClient(server.grpcPort, async (client) => {
          const calls = Array.from({ length: 10 }, () => client.predict('heavy', [HEAVY_INPUT]));
          await scene.log.has('Processing gRPC request for model: heavy', calls.length);
          scene.write([]);
          await server.server.poll();
          assert.deepEqual(await statuses(server, 'heavy'), ['1 END OK']);
          assert.deepEqual(new Set((await Promise.all(calls)).map(({ code }) => code)), new Set(['OK']));
          assert.equal(scene.log.count('[error]'), 0);
        });
      },
      ...DEBUG,
    );
  });

  test('that does not load with other settings serves on with those it has', async () => {
    covers('life-cycle.reload-faults');
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    scene.write([scene.model()]);
    await scene.serve(async (server) => {
      scene.write([{ ...scene.model(), target_device: 'ABACUS' }]);
      assert.equal((await postReload(server)).status, 412);
      assert.equal(await predict(server, 'dummy'), '1');
      assert.deepEqual(await statuses(server, 'dummy'), ['1 AVAILABLE OK']);
      scene.write([scene.model()]);
      assert.equal((await postReload(server)).status, 201);
      assert.equal(scene.log.count('Loaded model dummy; version: 1;'), 1);
    });
  });

  test('whose entry cannot be used any more is retired, and the others are left alone', async () => {
    covers('config.model-bad-reload');
    covers('life-cycle.bad-entry');
    const scene = new Scene();
    for (const model of ['dummy', 'other']) scene.addVersion(model, 1);
    scene.write([scene.model(), scene.model('other')]);
    await scene.serve(async (server) => {
      scene.write([{ ...scene.model(), layout: 'Q!' }, scene.model('other')]);
      await server.server.poll();
      assert.deepEqual(await statuses(server, 'dummy'), ['1 END OK']);
      assert.equal(await predict(server, 'other'), '1');
    });
  });

  test('cannot become stateful once it was loaded', async () => {
    covers('life-cycle.stateful-fixed');
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    scene.write([scene.model()]);
    await scene.serve(async (server) => {
      scene.write([{ ...scene.model(), stateful: true }]);
      assert.equal((await postReload(server)).status, 500);
      assert.equal(scene.log.count('Model type cannot be changed after it is loaded'), 1);
      assert.equal(await predict(server, 'dummy'), '1');
    });
  });
});

describe('a pipeline', () => {
  const renamed = pipeline('pipe', ['b'], [modelNode('node', 'dummy', { b: 'request.b' }, ['a'])], { z: 'node.a' });

  test('under a constant load changes its alias, goes and comes back: only the documented codes appear', async () => {
    covers('life-cycle.under-load', 'pipelines.retired', 'pipelines.reload-all');
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    const write = (...pipelines: readonly Pipeline[]): void => scene.write([scene.model()], pipelines);
    write(pipelineOf('pipe', 'dummy'));
    await scene.serve(async (server) => {
      const alone = await underLoad(server, 'pipe', async () => {
        write(renamed);
        await server.server.poll();
        write(pipelineOf('pipe', 'dummy'));
        await server.server.poll();
      });
      assertAllAnswered(alone);
      const gone = await underLoad(server, 'pipe', async () => {
        write();
        await server.server.poll();
        assert.equal(await predict(server, 'pipe'), 'NOT_FOUND Pipeline is retired');
        assert.deepEqual(await statuses(server, 'pipe'), ['1 END OK']);
        write(renamed);
        await server.server.poll();
        assert.equal(await predict(server, 'pipe'), '1');
      });
      assertDocumented(gone, PIPELINE_RETIRED, PIPELINE_NOT_LOADED);
      assert.equal(scene.log.count('Pipeline: pipe state changed to: RETIRED after handling: RetireEvent: '), 1);
    });
  });

  test('leaves the file together with its model: nobody meets one without the other', async () => {
    const scene = new Scene();
    for (const model of ['dummy', 'other']) scene.addVersion(model, 1);
    scene.write([scene.model()], [pipelineOf('pipe', 'dummy')]);
    await scene.serve(async (server) => {
      const endings = await underLoad(server, 'pipe', async () => {
        scene.write([scene.model('other')], [pipelineOf('pipe', 'other')]);
        await server.server.poll();
      });
      assertAllAnswered(endings);
      assert.deepEqual(await statuses(server, 'dummy'), ['1 END OK']);
    });
  });

  test('goes down with its model and comes up with it, by itself', async () => {
    covers('errors.node-model');
    covers('pipelines.model-gone', 'pipelines.model-back', 'life-cycle.watch-pipelines', 'life-cycle.failed-pipeline');
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    scene.addVersion('other', 1);
    scene.write([scene.model(), scene.model('other')], [pipelineOf('pipe', 'dummy'), pipelineOf('rest', 'other')]);
    await scene.serve(async (server) => {
      scene.removeVersion('dummy', 1);
      await server.server.poll();
      assert.equal(await predict(server, 'pipe'), NOT_LOADED);
      assert.deepEqual(await statuses(server, 'pipe'), ['1 LOADING FAILED_PRECONDITION']);
      assert.equal(await predict(server, 'rest'), '1');
      scene.addVersion('dummy', 2);
      await server.server.poll();
      assert.equal(await predict(server, 'pipe'), '2');
      assert.deepEqual(await statuses(server, 'pipe'), ['1 AVAILABLE OK']);
      assert.equal(scene.log.count('Revalidation pipeline definition: pipe failed'), 1);
    });
  });

  test('follows the default version, and is refused when the new one does not fit', async () => {
    covers('pipelines.new-default', 'pipelines.default-version');
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    const chain = pipeline(
      'chain',
      ['b'],
      [modelNode('first', 'dummy', { b: 'request.b' }, ['a']), modelNode('second', 'fixed', { b: 'first.a' }, ['a'])],
      { a: 'second.a' },
    );
    scene.addVersion('fixed', 1);
    scene.write([scene.model(), scene.model('fixed')], [chain]);
    await scene.serve(async (server) => {
      scene.addVersion('dummy', 2);
      await server.server.poll();
      assert.equal(await predict(server, 'chain'), '3');
      scene.addVersion('dummy', 3, [1, 7]);
      await server.server.poll();
      assert.equal(await predict(server, 'chain'), NOT_LOADED);
      scene.removeVersion('dummy', 3);
      await server.server.poll();
      assert.equal(await predict(server, 'chain'), '3');
    });
  });

  test('is refused when its model becomes auto, which itself is served so', async () => {
    covers('pipelines.model-to-auto');
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    const write = (more: Partial<Model>): void =>
      scene.write([{ ...scene.model(), ...more }], [pipelineOf('pipe', 'dummy')]);
    write({});
    await scene.serve(async (server) => {
      write({ shape: 'auto' });
      await server.server.poll();
      assert.equal(await predict(server, 'pipe'), NOT_LOADED);
      assert.equal(await predict(server, 'dummy'), '1');
      write({});
      await server.server.poll();
      assert.equal(await predict(server, 'pipe'), '1');
    });
  });

  test('on a pinned version is not touched by others', async () => {
    covers('pipelines.pinned-gone', 'pipelines.default-version');
    const scene = new Scene();
    const all: Model = { ...scene.model(), model_version_policy: { all: {} } };
    for (const version of [1, 2]) scene.addVersion('dummy', version);
    const node = { ...modelNode('node', 'dummy', { b: 'request.b' }, ['a']), version: 1 };
    scene.write([all], [pipeline('pinned', ['b'], [node], { a: 'node.a' })]);
    await scene.serve(async (server) => {
      scene.removeVersion('dummy', 2);
      await server.server.poll();
      assert.equal(await predict(server, 'pinned'), '1');
      assert.equal(scene.log.count('UsedModelChangedEvent'), 0);
      scene.addVersion('dummy', 2);
      scene.removeVersion('dummy', 1);
      await server.server.poll();
      assert.equal(await predict(server, 'pinned'), NOT_LOADED);
      assert.equal(scene.log.count('after handling: UsedModelChangedEvent: model: dummy version: 1'), 1);
    });
  });
});

describe('names are never freed', () => {
  test('a model cannot take the name of a retired pipeline', async () => {
    covers('life-cycle.names-kept');
    const scene = new Scene();
    for (const model of ['dummy', 'pipe']) scene.addVersion(model, 1);
    scene.write([scene.model()], [pipelineOf('pipe', 'dummy')]);
    await scene.serve(async (server) => {
      scene.write([scene.model()]);
      await server.server.poll();
      scene.write([scene.model(), scene.model('pipe')]);
      assert.equal((await postReload(server)).status, 500);
      assert.equal(await predict(server, 'pipe'), 'NOT_FOUND Pipeline is retired');
      assert.equal(scene.log.count('loading model: pipe; error: Given model name is already occupied'), 1);
    });
  });

  test('a pipeline cannot take the name of a retired model', async () => {
    covers('life-cycle.names-kept', 'pipelines.v1-name');
    const scene = new Scene();
    for (const model of ['dummy', 'other']) scene.addVersion(model, 1);
    scene.write([scene.model(), scene.model('other')]);
    await scene.serve(async (server) => {
      scene.write([scene.model()]);
      await server.server.poll();
      scene.write([scene.model()], [pipelineOf('other', 'dummy')]);
      assert.equal((await postReload(server)).status, 500);
      assert.equal(await predict(server, 'other', 1), RETIRED);
      assert.equal(scene.log.count('Loading pipeline: other failed: Pipeline has the same name as model'), 1);
    });
  });
});

describe('a configuration that cannot be used', () => {
  const contents: readonly (readonly [string, string])[] = [
    ['is not JSON', '{ "model_config_list": ['],
    ['is empty', ''],
    ['breaks the schema', '{"model_config_list": [], "models": []}'],
    [
      'has a version policy of two keys',
      '{"model_config_list": [{"config": {"name": "dummy", "base_path": "dummy", "model_version_policy": {"all": {}, "latest": {"num_versions": 1}}}}]}',
    ],
  ];
  for (const [title, content] of contents) {
    test(`because it ${title} changes nothing, and is told once`, async () => {
      covers('config.file-invalid-reload');
      covers('life-cycle.bad-file-on-reload', 'life-cycle.reload-bad-file');
      const scene = new Scene();
      scene.addVersion('dummy', 1);
      scene.write([scene.model()], [pipelineOf('pipe', 'dummy')]);
      await scene.serve(async (server) => {
        writeFileSync(scene.config, content);
        const endings = await underLoad(server, 'pipe', async () => {
          for (let look = 0; look < 3; look += 1) await server.server.poll();
        });
        assertAllAnswered(endings);
        assert.equal(scene.log.count('The configuration stays as it was: The file is not valid json'), 1);
        const { status, text } = await postReload(server);
        assert.deepEqual([status, errorOf({ status, text })], [412, CONFIG_FAILED]);
        assert.equal(scene.log.count('ReloadEvent'), 0);
        scene.write([{ ...scene.model(), nireq: 2 }]);
        await server.server.poll();
        assert.equal(await predict(server, 'pipe'), 'NOT_FOUND Pipeline is retired');
      });
    });
  }

  test('because it is half written is read when it is whole', async () => {
    covers('life-cycle.half-written', 'life-cycle.bad-file-on-reload');
    const scene = new Scene();
    for (const model of ['dummy', 'other']) scene.addVersion(model, 1);
    scene.write([scene.model(), scene.model('other')]);
    const whole = readFileSync(scene.config, 'utf8');
    scene.write([scene.model()]);
    await scene.serve(async (server) => {
      for (const length of [0, 10, whole.length - 1]) {
        writeFileSync(scene.config, whole.slice(0, length));
        await server.server.poll();
        assert.deepEqual(await statuses(server, 'dummy'), ['1 AVAILABLE OK']);
      }
      writeFileSync(scene.config, whole);
      await server.server.poll();
      assert.equal(await predict(server, 'other'), '1');
    });
  });

  test('because it is gone changes nothing', async () => {
    covers('config.file-missing-reload');
    covers('life-cycle.reload-no-file', 'life-cycle.bad-file-on-reload', 'life-cycle.config-error-text');
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    scene.write([scene.model()]);
    await scene.serve(async (server) => {
      renameSync(scene.config, scene.path('config.json'));
      for (let look = 0; look < 3; look += 1) await server.server.poll();
      assert.equal(scene.log.count('The configuration stays as it was: Config file not found or cannot open.'), 1);
      const { status, text } = await postReload(server);
      assert.deepEqual([status, text], [500, '{\n\t"error": "Config file not found or cannot open."\n}']);
      assert.equal(await predict(server, 'dummy'), '1');
      renameSync(scene.path('config.json'), scene.config);
      assert.equal((await postReload(server)).status, 200);
    });
  });
});

describe('a configuration is replaced', () => {
  test('by rename, by switching the link to its folder, and after it was deleted: no content is missed', async () => {
    covers('life-cycle.half-written');
    const scene = new Scene();
    for (const model of ['one', 'two', 'three', 'four']) scene.addVersion(model, 1);
    // As a mounted ConfigMap: config.json -> ..data/config.json, ..data -> a folder for each content.
    const mount = (folder: string, ...models: readonly string[]): void => {
      mkdirSync(scene.path(folder));
      repository.writeConfig(models.map(absoluteModel), [], `${scene.name}/${folder}/config.json`);
      symlinkSync(folder, scene.path('..data_tmp'));
      renameSync(scene.path('..data_tmp'), scene.path('..data'));
    };
    const absoluteModel = (name: string): Model => ({ name, base_path: scene.path(name) });
    mount('..first', 'one');
    symlinkSync(`${scene.name}/..data/config.json`, scene.config);
    await scene.serve(async (server) => {
      assert.equal(await predict(server, 'one'), '1');
      mount('..second', 'one', 'two');
      rmSync(scene.path('..first'), { recursive: true });
      await server.server.poll();
      assert.equal(await predict(server, 'two'), '1');
      const beside = repository.writeConfig(['two', 'three'].map(absoluteModel), [], `${scene.name}/beside.json`);
      renameSync(beside, scene.config);
      await server.server.poll();
      assert.equal(await predict(server, 'three'), '1');
      assert.deepEqual(await statuses(server, 'one'), ['1 END OK']);
      rmSync(scene.config);
      await server.server.poll();
      assert.equal(await predict(server, 'three'), '1');
      scene.write([absoluteModel('four')]);
      await server.server.poll();
      assert.equal(await predict(server, 'four'), '1');
      assert.deepEqual(await statuses(server, 'three'), ['1 END OK']);
    });
  });
});

describe('POST /v1/config/reload', () => {
  test('answers 201 when something was reloaded, 200 when not, with the statuses of everything', async () => {
    covers('life-cycle.reload-201');
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    scene.write([scene.model()]);
    await scene.serve(async (server) => {
      assert.equal((await postReload(server)).status, 200);
      scene.addVersion('dummy', 2);
      const versions = await postReload(server);
      assert.equal(versions.status, 201);
      scene.write([scene.model()], [pipelineOf('pipe', 'dummy')]);
      const { status, text } = await postReload(server);
      assert.equal(status, 201);
      assert.equal(text, (await restCall(server.restPort, 'GET', '/v1/config')).text);
      const answer = JSON.parse(text) as Readonly<Record<string, StatusAnswer>>;
      assert.deepEqual(
        Object.entries(answer).map(([name, of]) => [name, statusLines(of)]),
        [
          ['dummy', ['1 END OK', '2 AVAILABLE OK']],
          ['pipe', ['1 AVAILABLE OK']],
        ],
      );
      assert.equal((await postReload(server)).status, 200);
    });
  });

  test('answers an error, each time, when a servable of a good file fails, and applies the rest', async () => {
    covers('life-cycle.reload-faults');
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    scene.write([]);
    await scene.serve(async (server) => {
      scene.write([scene.model()], [pipelineOf('pipe', 'nobody')]);
      for (let call = 0; call < 2; call += 1) {
        const { status, text } = await postReload(server);
        assert.deepEqual([status, errorOf({ status, text })], [500, CONFIG_FAILED]);
      }
      assert.equal(await predict(server, 'dummy'), '1');
      scene.write([scene.model(), scene.model('absent')]);
      const { status, text } = await postReload(server);
      assert.deepEqual([status, errorOf({ status, text })], [400, CONFIG_FAILED]);
    });
  });

  test('answers 500 when a version goes that a pipeline needs', async () => {
    covers('life-cycle.reload-versions', 'pipelines.model-gone');
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    scene.write([scene.model()], [pipelineOf('pipe', 'dummy')]);
    await scene.serve(async (server) => {
      scene.removeVersion('dummy', 1);
      const { status, text } = await postReload(server);
      assert.deepEqual([status, errorOf({ status, text })], [500, VERSIONS_FAILED]);
    });
  });

  test('answers when every owner worker runs on what was loaded', async () => {
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    scene.write([scene.model()]);
    const use = async (server: EmbeddedServer): Promise<void> => {
      for (const version of [2, 3, 4]) {
        scene.addVersion('dummy', version);
        assert.equal((await postReload(server)).status, 201);
        const answers = await Promise.all(Array.from({ length: 8 }, () => predict(server, 'dummy')));
        assert.deepEqual(new Set(answers), new Set([String(version)]));
      }
    };
    await scene.serve(use, '--grpc_workers', '2');
  });

  test('calls at once come one after the other: one of them reloads', async () => {
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    scene.write([scene.model()]);
    await scene.serve(async (server) => {
      scene.addVersion('dummy', 2);
      const answers = await Promise.all(Array.from({ length: 5 }, () => postReload(server)));
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 200, 200, 201]);
      assert.equal(scene.log.count('Loaded model dummy; version: 2;'), 1);
    });
  });
});

describe('the watcher', () => {
  test('looks every --file_system_poll_wait_seconds', async () => {
    covers('cli.poll-wait');
    covers('life-cycle.watch-versions', 'life-cycle.watch-config');
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    scene.write([scene.model()]);
    const use = async (server: EmbeddedServer): Promise<void> => {
      assert.equal(scene.log.count('Started model manager thread'), 1);
      scene.addVersion('dummy', 2);
      await scene.log.has('"state": "END"');
      assert.equal(await predict(server, 'dummy'), '2');
      scene.write([scene.model()], [pipelineOf('pipe', 'dummy')]);
      await scene.log.has('Loading pipeline definition: pipe succeeded');
    };
    await withEmbeddedServer({ ...scene.settings(), pollIntervalSeconds: 1 }, use);
  });

  test('is off at 0: only a call reloads', async () => {
    covers('cli.poll-wait');
    covers('life-cycle.watch-off');
    const scene = new Scene();
    scene.addVersion('dummy', 1);
    scene.write([scene.model()]);
    await scene.serve(async (server) => {
      assert.equal(scene.log.count('Started model manager thread'), 0);
      scene.addVersion('dummy', 2);
      assert.equal((await postReload(server)).status, 201);
      assert.equal(await predict(server, 'dummy'), '2');
    });
  });
});
