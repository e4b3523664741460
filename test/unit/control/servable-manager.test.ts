import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { covers } from '../../contract/covers.js';

import type { BlockingPool } from '#src/blocking/blocking-pool.js';
import { configFileSource } from '#src/control/config-source.js';
import { LoadSlots } from '#src/control/load-slots.js';
import { ModelCompiler } from '#src/control/model-compiler.js';
import { ServableManager } from '#src/control/servable-manager.js';
import { ServingError } from '#src/errors.js';
import type { CompileSpecification, ModelDescription } from '#src/native/binding.js';
import { configureLogging } from '#src/observability/logger.js';
import type { ServablesSnapshot } from '#src/servables/snapshot.js';
import { withFiles } from '../servables/temporary-directory.js';
import { StandstillGate as Gate } from '../../helpers/standstill-gate.js';
import { fakeRegistry } from './fake-registry.js';

before(() => configureLogging({ level: 'ERROR', path: null, stdout: null }));

/** `b` -> `a`, FP32 [1,10]. */
const DUMMY: ModelDescription = {
  inputs: [{ name: 'b', names: ['b'], elementType: 'f32', dimensions: [[1, 1], [10, 10]], layout: '' }], // prettier-ignore
  outputs: [{ name: 'a', names: ['a'], elementType: 'f32', dimensions: [[1, 1], [10, 10]], layout: '' }], // prettier-ignore
  optimalInferRequests: 1,
  streams: 1,
  modelInfo: null,
  mayFailInside: true,
  hasState: false,
  sharedConstants: 'untouched',
  loadedFromCache: false,
};

const COMPILER_SETTINGS = {
  cacheDir: null,
  inferenceThreads: null,
  backend: 'native',
  triesModels: false,
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
  readonly #gates = new Map<string, Gate>();
  readonly #watching = new Set<() => void>();

  constructor(root: string, patienceMs?: number) {
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
        for (const look of this.#watching) look();
        return this.apply(snapshot);
      },
      ...(patienceMs !== undefined && { patienceMs, slots: new LoadSlots(9, 0) }),
    });
  }

  /** Compiling what has this part in its path stands still until the gate is opened. */
  gate(part: string): Gate {
    const gate = new Gate();
    this.#gates.set(part, gate);
    this.compile = async ({ path }) => {
      for (const [each, { meet }] of this.#gates) if (path.includes(each)) await meet();
      return DUMMY;
    };
    return gate;
  }

  openGates(): void {
    for (const gate of this.#gates.values()) gate.open();
  }

  /** Resolves when a snapshot, the last one or one to come, is as asked. */
  shows(isAsAsked: (snapshot: ServablesSnapshot) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        const last = this.snapshots.at(-1);
        if (last === undefined || !isAsAsked(last)) return;
        this.#watching.delete(look);
        resolve();
      };
      this.#watching.add(look);
      look();
    });
  }

  /** Resolves when the versions of a model are as said. */
  showsVersions(model: string, expected: string): Promise<void> {
    return this.shows((snapshot) => this.versions(model, snapshot) === expected);
  }

  /** Number of infer requests of what serves as version 1; it tells which settings it was made with. */
  nireq(model: string): number | undefined {
    const found = this.snapshots.at(-1)!.models.find(({ name }) => name === model);
    return found?.versions[0]?.serving?.nireq;
  }

  /** Which model the pipeline of a snapshot runs; `undefined` while it has no graph. */
  runs(pipeline: string, snapshot = this.snapshots.at(-1)!): string | undefined {
    const program = snapshot.pipelines.find(({ name }) => name === pipeline)?.graph?.nodes[0]!.program;
    return program?.kind === 'model' ? program.modelName : undefined;
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

/** A manager that commits what is there and waits for nothing else. */
async function withHastyManager(use: (fixture: Fixture) => Promise<void>): Promise<void> {
  await withFiles({}, async (root) => {
    const fixture = new Fixture(root, 0);
    try {
      await use(fixture);
    } finally {
      fixture.openGates();
      fixture.compiler.close();
      await fixture.manager.close();
    }
  });
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

const SOON = { timeout: 10_000 };

test('while a model compiles, 30 later configurations take effect, each before the next one is written', SOON, () =>
  withHastyManager(async (fixture) => {
    covers('life-cycle.slow-model');
    for (const model of ['m', 'slow']) await fixture.addVersion(model, 1);
    const slow = fixture.gate('/slow/');
    await fixture.configure({ m: {} });
    await fixture.manager.load();
    for (let nireq = 2; nireq < 32; nireq += 1) {
      // Another place in the file, and other settings of another model, are no reason to begin again.
      await fixture.configure(nireq % 2 === 0 ? { m: { nireq }, slow: {} } : { slow: {}, m: { nireq } });
      await fixture.manager.look();
      await fixture.shows(() => fixture.nireq('m') === nireq);
    }
    assert.equal(fixture.compiled.filter((path) => path === 'slow/1').length, 1);
    assert.equal(fixture.versions('slow'), '1 LOADING');
    slow.open();
    await fixture.showsVersions('slow', '1 AVAILABLE');
    assert.equal(fixture.held.size, 2);
  }),
);

test(
  'while a model of a configuration compiles, all else of it takes effect: models and pipelines come, change and go',
  SOON,
  () =>
    withHastyManager(async (fixture) => {
      covers('life-cycle.slow-model');
      for (const model of ['m', 'old', 'new', 'slow']) await fixture.addVersion(model, 1);
      await fixture.configure({ m: {}, old: {} }, { p: 'm', q: 'old' });
      await fixture.manager.load();
      const slow = fixture.gate('/slow/');
      await fixture.configure({ m: { nireq: 2 }, new: {}, slow: {} }, { p: 'new', late: 'slow' });
      await fixture.manager.look();
      await fixture.shows(() => fixture.runs('p') === 'new' && fixture.nireq('m') === 2);
      await fixture.showsVersions('old', '1 END');
      await fixture.showsVersions('new', '1 AVAILABLE');
      const states = fixture.snapshots.at(-1)!.pipelines.map(({ name, state }) => `${name} ${state}`);
      assert.deepEqual(states, ['p AVAILABLE', 'q END', 'late LOADING']);
      slow.open();
      await fixture.shows(() => fixture.runs('late') === 'slow');
      assert.equal(fixture.versions('slow'), '1 AVAILABLE');
    }),
);

test(
  'a pipeline that moves to a model that compiles serves on with the one it has, and both change in one snapshot',
  SOON,
  () =>
    withHastyManager(async (fixture) => {
      covers('life-cycle.slow-model', 'life-cycle.new-before-old');
      for (const model of ['old', 'slow', 'other']) await fixture.addVersion(model, 1);
      await fixture.configure({ old: {}, other: {} }, { p: 'old', q: 'old' });
      await fixture.manager.load();
      const slow = fixture.gate('/slow/');
      const seen = fixture.snapshots.length;
      await fixture.configure({ slow: {} }, { p: 'slow' });
      await fixture.manager.look();
      await fixture.showsVersions('other', '1 END');
      // Another look changes nothing of that.
      await fixture.manager.look();
      assert.deepEqual([fixture.versions('old'), fixture.runs('p'), fixture.runs('q')], ['1 AVAILABLE', 'old', 'old']);
      slow.open();
      await fixture.showsVersions('old', '1 END');
      for (const snapshot of fixture.snapshots.slice(seen)) {
        const model = fixture.runs('p', snapshot)!;
        assert.equal(fixture.versions(model, snapshot), '1 AVAILABLE', `of ${model} at ${snapshot.epoch}`);
        assert.equal(fixture.runs('q', snapshot) === 'old', fixture.versions('old', snapshot) === '1 AVAILABLE');
      }
      assert.equal(fixture.runs('p'), 'slow');
      assert.equal(fixture.held.size, 1);
    }),
);

test('a model that a waiting pipeline serves on keeps its settings until the pipeline moves', SOON, () =>
  withHastyManager(async (fixture) => {
    for (const model of ['m', 'slow']) await fixture.addVersion(model, 1);
    await fixture.configure({ m: {} }, { p: 'm', other: 'm' });
    await fixture.manager.load();
    const slow = fixture.gate('/slow/');
    await fixture.configure({ m: { nireq: 2 }, slow: {} }, { p: 'slow', other: 'm' });
    await fixture.manager.look();
    await fixture.manager.look();
    assert.deepEqual([fixture.nireq('m'), fixture.runs('p')], [1, 'm']);
    // It is not wanted any more with those settings: nothing has shown them, and the memory is given back.
    await fixture.configure({ m: { nireq: 3 }, slow: {} }, { p: 'slow', other: 'm' });
    await fixture.manager.look();
    slow.open();
    await fixture.shows(() => fixture.runs('p') === 'slow' && fixture.nireq('m') === 3);
    const shown = fixture.snapshots.map(({ models }) => models[0]!.versions[0]?.serving?.nireq ?? 1);
    assert.deepEqual([...new Set(shown)], [1, 3]);
  }),
);

test('a configuration without the model that compiles drops what comes of it', SOON, () =>
  withHastyManager(async (fixture) => {
    covers('life-cycle.slow-model');
    for (const model of ['m', 'slow']) await fixture.addVersion(model, 1);
    const slow = fixture.gate('/slow/');
    await fixture.configure({ m: {}, slow: {} });
    const loaded = fixture.manager.load();
    await Promise.all([slow.met, fixture.manager.configured]);
    await fixture.configure({ m: {} });
    await fixture.manager.look();
    await fixture.showsVersions('slow', '1 END');
    // Nothing of the first configuration is under way any more: the server is ready.
    assert.deepEqual(await loaded, []);
    assert.equal(fixture.held.size, 2);
    slow.open();
    await fixture.manager.close();
    assert.equal(fixture.held.size, 1);
    assert.equal(fixture.versions('slow'), '1 END');
  }),
);

test(
  'a configuration with other settings of the model that compiles overtakes it, and the first result is dropped',
  SOON,
  () =>
    withHastyManager(async (fixture) => {
      covers('life-cycle.slow-model');
      await fixture.addVersion('slow', 1);
      await fixture.configure({ slow: {} });
      await fixture.manager.load();
      const [first, second] = [new Gate(), new Gate()];
      const gates = [first, second];
      fixture.compile = async () => {
        await gates.shift()!.meet();
        return DUMMY;
      };
      await fixture.configure({ slow: { nireq: 2 } });
      const reloaded = fixture.manager.reload();
      await first.met;
      await fixture.configure({ slow: { nireq: 3 } });
      await fixture.manager.look();
      await second.met;
      second.open();
      await fixture.shows(() => fixture.nireq('slow') === 3);
      // Who asked for the first settings is answered when the second ones serve.
      assert.deepEqual(await reloaded, { kind: 'done', reloaded: true });
      first.open();
      await fixture.manager.close();
      const shown = fixture.snapshots.map(({ models }) => models[0]?.versions[0]?.serving?.nireq ?? 1);
      assert.deepEqual([...new Set(shown)], [1, 3]);
      assert.equal(fixture.held.size, 1);
    }),
);

test(
  'a reload answers when what it has begun serves, whatever else compiles; one that finds nothing new waits for that, too',
  SOON,
  () =>
    withHastyManager(async (fixture) => {
      covers('life-cycle.reload-waits');
      for (const model of ['m', 'n', 'slow']) await fixture.addVersion(model, 1);
      const slow = fixture.gate('/slow/');
      await fixture.configure({ m: {} });
      await fixture.manager.load();
      await fixture.configure({ m: {}, slow: {} });
      await fixture.manager.look();
      await slow.met;
      await fixture.configure({ m: {}, slow: {}, n: {} });
      assert.deepEqual(await fixture.manager.reload(), { kind: 'done', reloaded: true });
      assert.deepEqual([fixture.versions('n'), fixture.versions('slow')], ['1 AVAILABLE', '1 LOADING']);
      let isAnswered = false;
      const waiting = fixture.manager.reload().finally(() => (isAnswered = true));
      await fixture.manager.look();
      assert.equal(isAnswered, false);
      slow.open();
      // The look that found it has loaded it.
      assert.deepEqual(await waiting, { kind: 'done', reloaded: false });
      assert.equal(fixture.versions('slow'), '1 AVAILABLE');
    }),
);

test('a fault that comes late is told to every later reload', SOON, () =>
  withHastyManager(async (fixture) => {
    covers('life-cycle.reload-waits');
    await fixture.addVersion('slow', 1);
    const gate = new Gate();
    fixture.compile = async () => {
      await gate.meet();
      throw new ServingError('MODEL_READ_FAILED');
    };
    await fixture.configure({});
    await fixture.manager.load();
    await fixture.configure({ slow: {} }, { p: 'slow' });
    const asked = [fixture.manager.reload(), fixture.manager.reload()];
    await gate.met;
    gate.open();
    const failed = { kind: 'failed', code: 'CONFIG_RELOAD_FAILED', cause: 'MODEL_READ_FAILED' };
    assert.deepEqual(await Promise.all([...asked, fixture.manager.reload()]), [failed, failed, failed]);
    assert.equal(fixture.versions('slow'), '1 LOADING UNKNOWN');
  }),
);

test(
  'a model awaits its scan from the snapshot that lists it to the first look at its versions, also at another path',
  SOON,
  () =>
    withHastyManager(async (fixture) => {
      covers('life-cycle.wait-for-scan');
      await fixture.addVersion('m', 1);
      await fixture.configure({ m: {}, nothing: { base_path: 'm/1' }, absent: {} });
      await fixture.manager.load();
      const waiting = (name: string): boolean[] =>
        fixture.snapshots.flatMap(({ models }) => models.filter((model) => model.name === name)).map(awaitsScan);
      for (const name of ['m', 'nothing', 'absent']) {
        assert.deepEqual([waiting(name)[0], waiting(name).at(-1)], [true, false], name);
      }
      const seen = fixture.snapshots.length;
      await fixture.manager.poll();
      await fixture.configure({ m: {}, nothing: {}, absent: {} });
      await fixture.manager.poll();
      assert.deepEqual(waiting('m').slice(seen).includes(true), false, 'what was looked at is not waited for again');
      assert.deepEqual(waiting('nothing').slice(seen).includes(true), true);
    }),
);

function awaitsScan({ awaitsScan }: ServablesSnapshot['models'][number]): boolean {
  return awaitsScan === true;
}
