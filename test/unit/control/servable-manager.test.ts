import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { covers } from '../../contract/covers.js';

import type { BlockingPool } from '#src/blocking/blocking-pool.js';
import { configFileSource } from '#src/control/config-source.js';
import { ModelCompiler } from '#src/control/model-compiler.js';
import { ServableManager } from '#src/control/servable-manager.js';
import { ServingError } from '#src/errors.js';
import type { CompileSpecification, ModelDescription } from '#src/native/binding.js';
import { configureLogging } from '#src/observability/logger.js';
import type { ServablesSnapshot } from '#src/servables/snapshot.js';
import { withFiles } from '../servables/temporary-directory.js';
import { fakeRegistry } from './fake-registry.js';

before(() => configureLogging({ level: 'ERROR', path: null, stdout: null }));

/** `b` -> `a`, FP32 [1,10]. */
const DUMMY: ModelDescription = {
  inputs: [{ names: ['b'], elementType: 'f32', dimensions: [[1, 1], [10, 10]], layout: '' }], // prettier-ignore
  outputs: [{ names: ['a'], elementType: 'f32', dimensions: [[1, 1], [10, 10]], layout: '' }], // prettier-ignore
  optimalInferRequests: 1,
  streams: 1,
  modelInfo: null,
  mayFailInside: true,
  hasState: false,
  limitedToOneStream: false,
};

const COMPILER_SETTINGS = {
  cacheDir: null,
  inferenceThreads: null,
  backend: 'native',
  nodeExecutor: 'adaptive',
} as const;

/** A manager over real directories whose models are empty files: compiling says what the test wants. */
class Fixture {
  readonly snapshots: ServablesSnapshot[] = [];
  /** Registry entries that the control plane holds. */
  readonly held = new Set<number>();
  readonly compiled: string[] = [];
  readonly compiler: ModelCompiler;
  readonly manager: ServableManager;
  /** What compiling a version gives, by the part of its path that names it. */
  compile: (specification: CompileSpecification) => Promise<ModelDescription> = () => Promise.resolve(DUMMY);
  /** What the data plane does with a snapshot. */
  apply: (snapshot: ServablesSnapshot) => Promise<void> = () => Promise.resolve();
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
    const pool = {
      compile: (_id: number, specification: CompileSpecification) => {
        this.compiled.push(specification.path.slice(root.length + 1).replace('/model.xml', ''));
        return this.compile(specification);
      },
    } as unknown as BlockingPool;
    this.compiler = new ModelCompiler(fakeRegistry(this.held), pool, COMPILER_SETTINGS);
    this.manager = new ServableManager({
      source: configFileSource(join(root, 'config.json')),
      compiler: this.compiler,
      publish: (snapshot) => {
        this.snapshots.push(snapshot);
        return this.apply(snapshot);
      },
    });
  }

  async addVersion(model: string, version: number): Promise<void> {
    const directory = join(this.#root, model, String(version));
    await mkdir(directory, { recursive: true });
    for (const name of ['model.xml', 'model.bin']) await writeFile(join(directory, name), '');
  }

  removeVersion(model: string, version: number): Promise<void> {
    return rm(join(this.#root, model, String(version)), { recursive: true });
  }

  /** Models with further settings, and pipelines that are called after the only model they run. */
  configure(models: Readonly<Record<string, object>>, pipelines: Readonly<Record<string, string>> = {}): Promise<void> {
    const config = {
      model_config_list: Object.entries(models).map(([name, settings]) => ({
        config: { name, base_path: name, ...settings },
      })),
      pipeline_config_list: Object.entries(pipelines).map(([name, model]) => ({
        name,
        inputs: ['b'],
        nodes: [
          {
            name: 'node',
            type: 'DL model',
            model_name: model,
            inputs: [{ b: { node_name: 'request', data_item: 'b' } }],
            outputs: [{ data_item: 'a', alias: 'a' }],
          },
        ],
        outputs: [{ a: { node_name: 'node', data_item: 'a' } }],
      })),
    };
    return writeFile(join(this.#root, 'config.json'), JSON.stringify(config));
  }

  failOn(...paths: readonly string[]): void {
    this.compile = ({ path }) =>
      paths.some((part) => path.includes(part))
        ? Promise.reject(new ServingError('MODEL_READ_FAILED'))
        : Promise.resolve(DUMMY);
  }

  /** `1 END, 2 AVAILABLE` of the last snapshot. */
  versions(model = 'm', snapshot = this.snapshots.at(-1)!): string {
    const versions = snapshot.models.find(({ name }) => name === model)?.versions ?? [];
    return versions
      .map(({ version, state, errorCode }) => `${version} ${state}${errorCode === 'OK' ? '' : ` ${errorCode}`}`)
      .join(', ');
  }
}

function withManager(use: (fixture: Fixture) => Promise<void>): Promise<void> {
  return withFiles({}, (root) => use(new Fixture(root)));
}

test('new versions load before old ones retire: no snapshot is without one that serves', () =>
  withManager(async (fixture) => {
    await fixture.addVersion('m', 1);
    await fixture.configure({ m: {} });
    assert.deepEqual(await fixture.manager.load(), []);
    const seen = fixture.snapshots.length;
    await fixture.addVersion('m', 2);
    await fixture.manager.poll();
    const shown = fixture.snapshots.slice(seen).map((snapshot) => fixture.versions('m', snapshot));
    assert.deepEqual(shown, [
      '1 AVAILABLE, 2 LOADING',
      '1 AVAILABLE, 2 AVAILABLE',
      '1 UNLOADING, 2 AVAILABLE',
      '1 END, 2 AVAILABLE',
    ]);
  }));

test('latest falls back to the next older version, as often as one fails, and each is tried again at every look', () =>
  withManager(async (fixture) => {
    covers('life-cycle.latest-falls-back');
    for (const version of [1, 2, 3]) await fixture.addVersion('m', version);
    await fixture.configure({ m: {} });
    fixture.failOn('/2/', '/3/');
    assert.deepEqual(
      (await fixture.manager.load()).map(({ code }) => code),
      ['MODEL_READ_FAILED', 'MODEL_READ_FAILED'],
    );
    assert.equal(fixture.versions(), '1 AVAILABLE, 2 LOADING UNKNOWN, 3 LOADING UNKNOWN');
    const seen = fixture.snapshots.length;
    await fixture.manager.poll();
    assert.deepEqual(fixture.compiled, ['m/3', 'm/2', 'm/1', 'm/3', 'm/2']);
    assert.equal(fixture.snapshots.length, seen, 'a try that fails again changes nothing');
    fixture.failOn('/3/');
    await fixture.manager.poll();
    assert.equal(fixture.versions(), '1 END, 2 AVAILABLE, 3 LOADING UNKNOWN');
    await fixture.removeVersion('m', 3);
    await fixture.manager.poll();
    assert.equal(fixture.versions(), '1 END, 2 AVAILABLE, 3 END');
    assert.equal(fixture.held.size, 1);
  }));

test('a look at which nothing changed compiles nothing and publishes nothing', () =>
  withManager(async (fixture) => {
    await fixture.addVersion('m', 1);
    await fixture.configure({ m: {} }, { p: 'm' });
    await fixture.manager.load();
    const seen = fixture.snapshots.length;
    for (let look = 0; look < 3; look += 1) await fixture.manager.poll();
    assert.deepEqual([fixture.snapshots.length, fixture.compiled.length], [seen, 1]);
    assert.deepEqual(await fixture.manager.reload(), { kind: 'done', reloaded: false });
  }));

test('a compiled model is held until every owner worker runs on a snapshot without it', () =>
  withManager(async (fixture) => {
    await fixture.addVersion('m', 1);
    await fixture.configure({ m: {} });
    await fixture.manager.load();
    await fixture.configure({ m: { nireq: 2 } });
    let release = (): void => undefined;
    fixture.apply = ({ models }) =>
      models[0]!.versions[0]!.serving!.nireq === 1
        ? Promise.resolve()
        : new Promise((resolve) => {
            assert.equal(fixture.held.size, 2);
            release = resolve;
            reached();
          });
    let reached = (): void => undefined;
    const swapped = new Promise<void>((resolve) => (reached = resolve));
    const polled = fixture.manager.poll();
    await swapped;
    assert.equal(fixture.held.size, 2);
    release();
    await polled;
    assert.deepEqual([...fixture.held], [2]);
    assert.equal(fixture.versions(), '1 AVAILABLE');
  }));

test('what cannot be replaced serves on, is held once, and is replaced when that succeeds', () =>
  withManager(async (fixture) => {
    await fixture.addVersion('m', 1);
    await fixture.configure({ m: {} });
    await fixture.manager.load();
    await fixture.configure({ m: { nireq: 2 } });
    fixture.failOn('/1/');
    assert.deepEqual(await fixture.manager.reload(), {
      kind: 'failed',
      code: 'CONFIG_RELOAD_FAILED',
      cause: 'MODEL_READ_FAILED',
    });
    assert.equal(fixture.versions(), '1 AVAILABLE');
    assert.deepEqual([...fixture.held], [1]);
    fixture.failOn();
    await fixture.manager.poll();
    assert.deepEqual([...fixture.held], [3]);
    assert.equal(fixture.snapshots.at(-1)!.models[0]!.versions[0]!.serving!.nireq, 2);
  }));

test('a model that is replaced by another one and the pipeline that follows it change in one snapshot', () =>
  withManager(async (fixture) => {
    for (const model of ['m', 'n']) await fixture.addVersion(model, 1);
    await fixture.configure({ m: {} }, { p: 'm' });
    await fixture.manager.load();
    await fixture.configure({ n: {} }, { p: 'n' });
    await fixture.manager.poll();
    for (const snapshot of fixture.snapshots.slice(2)) {
      const program = snapshot.pipelines[0]!.graph?.nodes[0]!.program;
      if (program?.kind !== 'model') continue;
      const model = program.modelName;
      assert.equal(fixture.versions(model, snapshot), '1 AVAILABLE', `of ${model} at ${snapshot.epoch}`);
    }
    assert.equal(fixture.versions('m'), '1 END');
    assert.equal(fixture.held.size, 1);
  }));

test('a fault that nobody foresaw in one version costs that version', () =>
  withManager(async (fixture) => {
    for (const model of ['m', 'n']) await fixture.addVersion(model, 1);
    await fixture.configure({ m: {}, n: {} });
    fixture.compile = ({ path }) =>
      path.includes('/m/') ? Promise.reject(new TypeError('bug')) : Promise.resolve(DUMMY);
    assert.deepEqual(
      (await fixture.manager.load()).map(({ code }) => code),
      ['INTERNAL_ERROR'],
    );
    assert.equal(fixture.versions('m'), '1 LOADING UNKNOWN');
    assert.equal(fixture.versions('n'), '1 AVAILABLE');
  }));

test('passes run one at a time, whoever asks for them', () =>
  withManager(async (fixture) => {
    await fixture.addVersion('m', 1);
    await fixture.configure({ m: {} });
    let [running, most] = [0, 0];
    fixture.compile = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
      return DUMMY;
    };
    // A client may ask before the first pass: the first pass is the first all the same.
    const early = fixture.manager.reload();
    const loaded = fixture.manager.load();
    await fixture.addVersion('m', 2);
    const asked = [early, fixture.manager.reload(), fixture.manager.reload()];
    await Promise.all([loaded, fixture.manager.poll(), ...asked]);
    assert.equal(most, 1);
    assert.equal(fixture.versions().replace('1 END, ', ''), '2 AVAILABLE');
  }));

test('a server that stops refuses who waits for a reload, and ends behind the pass that runs', () =>
  withManager(async (fixture) => {
    await fixture.addVersion('m', 1);
    await fixture.configure({ m: {} }, { p: 'm' });
    let fail: (error: Error) => void = () => undefined;
    let reached = (): void => undefined;
    const compiling = new Promise<void>((resolve) => (reached = resolve));
    fixture.compile = () =>
      new Promise((_, reject) => {
        fail = reject;
        reached();
      });
    const loaded = fixture.manager.load();
    await compiling;
    const asked = fixture.manager.reload();
    fixture.manager.stop();
    await assert.rejects(asked, new ServingError('SERVER_STOPPING'));
    await assert.rejects(fixture.manager.reload(), new ServingError('SERVER_STOPPING'));
    fixture.compiler.close();
    fail(new Error('its thread was ended'));
    await fixture.manager.close();
    assert.deepEqual(
      (await loaded).map(({ code }) => code),
      ['SERVER_STOPPING'],
    );
    assert.equal(fixture.versions(), '1 LOADING');
    assert.equal(fixture.held.size, 0);
  }));
