import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, linkSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { LOADING_THREADS } from '#src/blocking/blocking-pool.js';
import { LOCAL_REPOSITORY } from '#src/control/model-repository.js';
import { decodePredictResponse, encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { covers } from '../contract/covers.js';
import { writeDummyModel } from '../fixtures/ir.js';
import { assertAllAnswered, underLoad } from '../helpers/constant-load.js';
import { addDummy, assertServes, DUMMY_INPUT, pipelineOf } from '../helpers/dummy-servables.js';
import { embeddedSettings, withEmbeddedServer, type EmbeddedServer } from '../helpers/embedded-server.js';
import { beginInProcessServing } from '../helpers/in-process-serving.js';
import { TestRepository, type Model } from '../helpers/repository.js';
import { restCall } from '../helpers/rest-client.js';
import { startServerProcess } from '../helpers/server.js';
import { StandstillGate } from '../helpers/standstill-gate.js';

const repository = new TestRepository();

/** A dummy whose load stands still until a named pipe in its directory is written. */
function addGated(name: string): { readonly model: Model; readonly open: () => Promise<void> } {
  const model = addDummy(repository, name);
  const gate = repository.path(name, '1', 'mapping_config.json');
  execFileSync('mkfifo', [gate]);
  return { model, open: () => writeFile(gate, '{}') };
}

/** A dummy whose compilation stands still in native code, on a thread of the blocking pool: its file is a named pipe. */
class StuckModel {
  readonly model: Model;
  readonly #pipe: string;

  constructor(readonly name: string) {
    writeDummyModel(repository.path(name, 'whole'));
    mkdirSync(repository.path(name, '1'));
    execFileSync('mkfifo', [this.#path('1')]);
    this.#pipe = repository.path(`${name}.pipe`);
    linkSync(this.#path('1'), this.#pipe);
    renameSync(repository.path(name, 'whole', 'model.bin'), repository.path(name, '1', 'model.bin'));
    this.model = { name };
  }

  /** Whoever reads the pipe meets its end; whoever opens the file from now on finds it whole. */
  open(): void {
    renameSync(this.#path('whole'), this.#path('1'));
    closeSync(openSync(this.#pipe, 'r+'));
  }

  #path(version: string): string {
    return repository.path(this.name, version, 'model.xml');
  }
}

async function reload({ restPort }: EmbeddedServer): Promise<void> {
  const { status, text } = await restCall(restPort, 'POST', '/v1/config/reload');
  assert.equal(status, 201, text);
}

async function stateOf({ restPort }: Pick<EmbeddedServer, 'restPort'>, name: string): Promise<string> {
  const { text } = await restCall(restPort, 'GET', `/v1/models/${name}`);
  const { model_version_status: versions = [] } = JSON.parse(text) as {
    model_version_status?: readonly { readonly state: string }[];
  };
  return versions.map(({ state }) => state).join();
}

describe('a model that takes long to load', () => {
  test('holds up none of 30 later configurations under load, each of which brings models and pipelines and takes others away', async () => {
    covers('life-cycle.slow-model', 'life-cycle.reload-waits', 'life-cycle.under-load');
    const slow = addGated('slow');
    const steady = [addDummy(repository), slow.model];
    const config = repository.writeConfig([addDummy(repository)], [pipelineOf('pipe', 'dummy')], 'slow.json');
    const settings = embeddedSettings(config, '--file_system_poll_wait_seconds', '0');
    await withEmbeddedServer(settings, async (server) => {
      let listing: Promise<void> | undefined;
      const endings = await underLoad(server, 'pipe', async () => {
        for (let count = 0; count < 30; count += 1) {
          const fresh = { name: `fresh-${count}`, base_path: 'dummy' };
          repository.writeConfig(
            count === 0 ? [addDummy(repository), fresh] : [fresh, ...steady],
            [pipelineOf('pipe', 'dummy'), pipelineOf(`pipe-${count}`, fresh.name)],
            'slow.json',
          );
          if (count === 1) {
            // The call that lists the slow model waits for it; the others do not.
            listing = reload(server);
            while (!(await stateOf(server, 'pipe-1')).includes('AVAILABLE'));
          } else await reload(server);
          await assertServes(server, fresh.name);
          await assertServes(server, `pipe-${count}`);
          if (count > 1) assert.equal(await stateOf(server, `fresh-${count - 1}`), 'END');
        }
      });
      assertAllAnswered(endings);
      assert.equal(await stateOf(server, 'slow'), 'LOADING');
      await slow.open();
      await listing;
      assert.equal(await stateOf(server, 'slow'), 'AVAILABLE');
      await assertServes(server, 'slow');
    });
  });

  test('takes no thread away from the others, however many there are of it', async () => {
    covers('life-cycle.slow-model');
    const stuck = Array.from({ length: LOADING_THREADS + 1 }, (_, index) => new StuckModel(`stuck-${index}`));
    const config = repository.writeConfig([...stuck.map(({ model }) => model), addDummy(repository)], [], 'stuck.json');
    const server = await startServerProcess(['--config_path', config]);
    try {
      await server.line('Started REST server at');
      await assertServes(server, 'dummy');
      for (const { name } of stuck) assert.equal(await stateOf(server, name), 'LOADING');
      // The watcher looks for later configurations, although the first one is still under way.
      const later = { name: 'later', base_path: 'dummy' };
      repository.writeConfig([...stuck.map(({ model }) => model), later], [], 'stuck.json');
      await server.line('Version 1 of model dummy status change. New status: ( "state": "END"');
      await assertServes(server, 'later');
      for (const { name } of stuck) assert.equal(await stateOf(server, name), 'LOADING');
      for (const model of stuck) model.open();
      await server.line('ServableManagerModule started');
      await Promise.all(
        stuck.map(({ name }) =>
          server.line(`Version 1 of model ${name} status change. New status: ( "state": "AVAILABLE"`),
        ),
      );
    } finally {
      for (const { name } of stuck) closeSync(openSync(repository.path(`${name}.pipe`), 'r+'));
      assert.equal(await server.stop(), 0);
    }
  });
});

test('a request to a model whose directories nobody has looked at yet waits until somebody has', async () => {
  covers('life-cycle.wait-for-scan');
  addDummy(repository);
  const config = repository.writeConfig([addDummy(repository), { name: 'empty' }], [], 'unscanned.json');
  mkdirSync(repository.path('empty'));
  const gate = new StandstillGate();
  const serving = beginInProcessServing(config, true, {
    ...LOCAL_REPOSITORY,
    scan: async (basePath) => {
      await gate.meet();
      return LOCAL_REPOSITORY.scan(basePath);
    },
  });
  try {
    // The ports answer before the configuration is read, and after.
    const early = serving.predict(encodePredictRequest('dummy', null, [DUMMY_INPUT]));
    await Promise.all([serving.configured, gate.met]);
    const answers = [null, 1n].map((version) => serving.predict(encodePredictRequest('dummy', version, [DUMMY_INPUT])));
    const missing = assert.rejects(serving.predict(encodePredictRequest('empty', null, [DUMMY_INPUT])), {
      code: 'MODEL_VERSION_MISSING',
    });
    gate.open();
    for (const answer of await Promise.all([early, ...answers])) {
      assert.ok(decodePredictResponse(answer).has('a'));
    }
    await missing;
    assert.deepEqual(await serving.loaded, []);
  } finally {
    await serving.close();
  }
});
