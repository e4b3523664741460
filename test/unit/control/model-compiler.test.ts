import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { BlockingPool } from '#src/blocking/blocking-pool.js';
import { ModelCompiler } from '#src/control/model-compiler.js';
import { ServingError } from '#src/errors.js';
import { NO_MAPPING, type CompileSpecification, type ModelDescription } from '#src/native/binding.js';
import { configureLogging } from '#src/observability/logger.js';
import { withFiles } from '../servables/temporary-directory.js';
import { fakeRegistry } from './fake-registry.js';

before(() => configureLogging({ level: 'ERROR', path: null, stdout: null }));

const SPECIFICATION: CompileSpecification = {
  path: '/models/heavy/1/heavy.xml',
  device: 'CPU',
  properties: { PERFORMANCE_HINT: 'LATENCY' },
  mapping: NO_MAPPING,
  shapes: [],
  layouts: [],
  batch: null,
  preprocessing: { mean: [], scale: [], color: null, elementType: null },
  stateful: null,
  joinedRows: null,
};

/** A compiler whose models have two streams where they are compiled for throughput, else one. */
class Fixture {
  readonly held = new Set<number>();
  readonly compiled: CompileSpecification['properties'][] = [];
  readonly compiler: ModelCompiler;
  fault: ServingError | null = null;
  streams = 2;
  hasState = false;
  loadedFromCache = false;
  /** What the trial of the next models says. */
  difference: string | null = null;
  digest: string | null = 'the answers';
  /** Called while a model is compiled. */
  meanwhile: () => void = () => undefined;

  constructor(settings: { readonly nodeExecutor?: 'adaptive' | 'async'; readonly triesModels?: boolean } = {}) {
    const pool = {
      compile: (_id: number, { properties, joinedRows }: CompileSpecification) => {
        this.compiled.push(properties);
        this.meanwhile();
        const isForThroughput = properties['PERFORMANCE_HINT'] === 'THROUGHPUT';
        if ((isForThroughput || joinedRows !== null) && this.fault !== null) return Promise.reject(this.fault);
        const described = describe(isForThroughput ? this.streams : 1, this.hasState);
        return Promise.resolve({ ...described, loadedFromCache: this.loadedFromCache && 'CACHE_DIR' in properties });
      },
      compareAnswers: () => Promise.resolve(this.difference),
      digestAnswers: () => Promise.resolve(this.digest),
    } as unknown as BlockingPool;
    const defaults = { cacheDir: null, inferenceThreads: null, backend: 'native', nodeExecutor: 'adaptive' } as const;
    this.compiler = new ModelCompiler(fakeRegistry(this.held), pool, { ...defaults, triesModels: true, ...settings });
  }

  get hints(): unknown[] {
    return this.compiled.map((properties) => properties['PERFORMANCE_HINT']);
  }
}

function describe(streams: number, hasState: boolean): ModelDescription {
  const port = { name: 'b', names: ['b'], elementType: 'f32', dimensions: [[1, 10]], layout: '' } as const;
  return {
    inputs: [port],
    outputs: [{ ...port, name: 'a', names: ['a'] }],
    optimalInferRequests: streams,
    streams,
    modelInfo: null,
    mayFailInside: true,
    hasState,
    sharedConstants: 'untouched',
    loadedFromCache: false,
  };
}

test('model compiler: for throughput it compiles once, whoever asks, and for two infer requests a stream', async () => {
  const fixture = new Fixture();
  const { compiler, held } = fixture;
  const reference = await compiler.compile(SPECIFICATION, true);
  assert.equal(reference.followsLoad, true);
  const variants = await Promise.all([1, 2].map(() => compiler.compileForThroughput(reference.modelId)));
  assert.deepEqual(fixture.hints, ['LATENCY', 'THROUGHPUT']);
  assert.deepEqual(variants[0], { modelId: 2, nireq: 4 });
  assert.deepEqual(variants[1], variants[0]);
  assert.equal(held.size, 2);
  compiler.release(reference);
  assert.equal(await compiler.compileForThroughput(reference.modelId), null);
  assert.equal(held.size, 0);
});

test('model compiler: a model that goes while it is compiled for throughput leaves nothing behind', async () => {
  const { compiler, held } = new Fixture();
  const reference = await compiler.compile(SPECIFICATION, true);
  const variant = compiler.compileForThroughput(reference.modelId);
  compiler.release(reference);
  assert.equal(await variant, null);
  assert.equal(held.size, 0);
});

test('model compiler: where throughput has no more streams there is no variant', async () => {
  const fixture = new Fixture();
  fixture.streams = 1;
  const { modelId } = await fixture.compiler.compile(SPECIFICATION, true);
  assert.equal(await fixture.compiler.compileForThroughput(modelId), null);
  assert.deepEqual([...fixture.held], [modelId]);
});

test('model compiler: a model that cannot be compiled for throughput serves as it is', async () => {
  const fixture = new Fixture();
  fixture.fault = new ServingError('MODEL_COMPILE_FAILED', 'no memory');
  const { modelId } = await fixture.compiler.compile(SPECIFICATION, true);
  assert.equal(await fixture.compiler.compileForThroughput(modelId), null);
  assert.deepEqual([...fixture.held], [modelId]);
});

test('model compiler: files that were replaced since are not compiled into a model that serves', async () => {
  await withFiles({ 'heavy.xml': 'one' }, async (folder) => {
    const { compiler, held } = new Fixture();
    const path = join(folder, 'heavy.xml');
    const { modelId } = await compiler.compile({ ...SPECIFICATION, path }, true);
    await writeFile(path, 'another');
    assert.equal(await compiler.compileForThroughput(modelId), null);
    assert.deepEqual([...held], [modelId]);
  });
});

test('model compiler: what was tuned, joins requests, has state or runs elsewhere does not follow the load', async () => {
  const follows = async (specification: Partial<CompileSpecification>, wanted = true): Promise<boolean> =>
    (await new Fixture().compiler.compile({ ...SPECIFICATION, ...specification }, wanted)).followsLoad;
  assert.equal(await follows({}, false), false);
  assert.equal(await follows({ device: 'GPU' }), false);
  assert.equal(await follows({ stateful: { maxSequences: 1, lowLatency: false } }), false);
  const remembering = new Fixture();
  remembering.hasState = true;
  assert.equal((await remembering.compiler.compile(SPECIFICATION, true)).followsLoad, false);
  const plain = new Fixture({ nodeExecutor: 'async' });
  const reference = await plain.compiler.compile(SPECIFICATION, true);
  assert.equal(reference.followsLoad, false);
  assert.equal(await plain.compiler.compileForThroughput(reference.modelId), null);
});

const SEVERAL = { ...SPECIFICATION, properties: { PERFORMANCE_HINT: 'THROUGHPUT', INFERENCE_PRECISION_HINT: 'f32' } };

test('model compiler: a model of several streams is tried against a plain compile, which goes when both answer alike', async () => {
  const { compiler, held, compiled } = new Fixture();
  const { modelId, description } = await compiler.compile(SEVERAL);
  assert.deepEqual(compiled, [SEVERAL.properties, { INFERENCE_PRECISION_HINT: 'f32', NUM_STREAMS: 1 }]);
  assert.equal(description.streams, 2);
  assert.deepEqual([...held], [modelId]);
});

test('model compiler: a model whose streams answer otherwise gives way to the plain one', async () => {
  const fixture = new Fixture();
  fixture.difference = 'output 0: expected this, received that';
  const { modelId, description, specification } = await fixture.compiler.compile(SEVERAL);
  assert.equal(description.streams, 1);
  assert.deepEqual(specification.properties, { INFERENCE_PRECISION_HINT: 'f32', NUM_STREAMS: 1 });
  assert.deepEqual([...fixture.held], [modelId]);
});

test('model compiler: a throughput variant that answers otherwise is not used', async () => {
  const fixture = new Fixture();
  const { modelId } = await fixture.compiler.compile(SPECIFICATION, true);
  fixture.difference = 'output 0: expected this, received that';
  assert.equal(await fixture.compiler.compileForThroughput(modelId), null);
  assert.deepEqual([...fixture.held], [modelId]);
});

test('model compiler: without trials nothing is compared', async () => {
  const fixture = new Fixture({ triesModels: false });
  fixture.difference = 'output 0: expected this, received that';
  await fixture.compiler.compile(SEVERAL);
  const { modelId } = await fixture.compiler.compile(SPECIFICATION, true);
  assert.notEqual(await fixture.compiler.compileForThroughput(modelId), null);
  assert.equal(fixture.compiled.length, 3);
});

test('model compiler: a model from the cache need not be compiled plainly while it answers as remembered', async () => {
  await withFiles({ 'model/heavy.xml': 'one', 'cache/': '' }, async (folder) => {
    const path = join(folder, 'model', 'heavy.xml');
    const specification = { ...SPECIFICATION, path, properties: { CACHE_DIR: join(folder, 'cache') } };
    await new Fixture().compiler.compile(specification);
    const warm = new Fixture();
    warm.loadedFromCache = true;
    await warm.compiler.compile(specification);
    assert.deepEqual(warm.compiled, [specification.properties]);
    warm.digest = 'other answers';
    await warm.compiler.compile(specification);
    assert.deepEqual(warm.compiled.slice(1), [specification.properties, { NUM_STREAMS: 1 }]);
  });
});

test('model compiler: files that are replaced while a start compiles are compiled again, all of them', async () => {
  await withFiles({ 'heavy.xml': 'one' }, async (folder) => {
    const fixture = new Fixture();
    const path = join(folder, 'heavy.xml');
    let left = 1;
    fixture.meanwhile = () => {
      if (fixture.compiled.length === 2 && left-- > 0) writeFileSync(path, 'another');
    };
    const { modelId } = await fixture.compiler.compile({ ...SEVERAL, path });
    assert.equal(fixture.compiled.length, 4);
    assert.deepEqual([...fixture.held], [modelId]);
  });
});

test('model compiler: files that do not stay as they are for long enough are refused', async () => {
  await withFiles({ 'heavy.xml': 'one' }, async (folder) => {
    const fixture = new Fixture();
    const path = join(folder, 'heavy.xml');
    fixture.meanwhile = () => writeFileSync(path, 'x'.repeat(fixture.compiled.length));
    await assert.rejects(fixture.compiler.compile({ ...SPECIFICATION, path }), { code: 'MODEL_READ_FAILED' });
    assert.deepEqual([...fixture.held], []);
  });
});

test('model compiler: a model whose requests cannot be joined is compiled for single ones', async () => {
  const fixture = new Fixture();
  const joined = { ...SPECIFICATION, joinedRows: 4 };
  assert.equal((await fixture.compiler.compileJoined(joined, false)).specification.joinedRows, 4);
  fixture.fault = new ServingError('MODEL_NOT_JOINED', 'expected a model without state');
  const single = await fixture.compiler.compileJoined(joined, false);
  assert.equal(single.specification.joinedRows, null);
  assert.deepEqual([...fixture.held], [1, single.modelId]);
});

test('model compiler: what fails otherwise is told as it is', async () => {
  const fixture = new Fixture();
  fixture.fault = new ServingError('MODEL_BATCHING_INVALID', 'expected room for two requests');
  const compiled = fixture.compiler.compileJoined({ ...SPECIFICATION, joinedRows: 4 }, false);
  await assert.rejects(compiled, { code: 'MODEL_BATCHING_INVALID' });
});
