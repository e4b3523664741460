import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import type { PipelineSettings } from '#src/config/settings.js';
import type { BuiltPipeline, PipelineBuilder, Surroundings } from '#src/control/pipelines/pipeline-builder.js';
import { plainPipelineBuilder } from '#src/control/pipelines/pipeline-builder.js';
import { Pipelines } from '#src/control/pipelines/pipelines.js';
import type { ModelSignature } from '#src/dag/definition.js';
import { ServingError } from '#src/errors.js';
import { configureLogging } from '#src/observability/logger.js';
import { catalogue, DUMMY, node, pipeline } from '../../dag/pipeline-fixture.js';
import { withFiles } from '../../servables/temporary-directory.js';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { covers } from '../../../contract/covers.js';

before(() => configureLogging({ level: 'ERROR', path: null, stdout: null }));

function pipelineOf(model: string, name = 'pipeline'): PipelineSettings {
  return {
    ...pipeline([node('node', model, { b: ['request', 'image'] })], { label: ['node', 'a'] }),
    name,
  };
}

const NESTED = { type: 'pipeline', modelName: null, pipelineName: 'inner' } as const;

/** The builder of DL model pipelines, which counts what it built and what was released, and can be told to fail. */
class CountingBuilder implements PipelineBuilder {
  built = 0;
  released = 0;
  fault: ServingError | null = null;
  watched: readonly string[] = [];
  found: readonly string[] = [];

  async build(settings: PipelineSettings, surroundings: Surroundings): Promise<BuiltPipeline> {
    if (this.fault !== null) throw this.fault;
    const { graph } = await plainPipelineBuilder.build(settings, surroundings);
    this.built += 1;
    return { graph, files: this.found, release: () => void (this.released += 1) };
  }

  used(settings: PipelineSettings): ReturnType<PipelineBuilder['used']> {
    return plainPipelineBuilder.used(settings);
  }

  files(): readonly string[] {
    return this.watched;
  }
}

class Fixture {
  readonly builder = new CountingBuilder();
  readonly pipelines = new Pipelines(this.builder);
  models: Record<string, ModelSignature> = { dummy: { ...DUMMY } };

  list(...settings: readonly PipelineSettings[]): ServingError[] {
    return this.pipelines.list(settings, (name) => name in this.models);
  }

  /** The rest of a pass, as the control plane does it. */
  async pass(): Promise<string[]> {
    const faults = await this.pipelines.update({ models: catalogue(this.models), libraries: [] });
    this.pipelines.releaseDiscarded();
    return faults.map(({ code }) => code);
  }

  status(name = 'pipeline'): string {
    const { state, errorCode, graph } = this.pipelines.snapshots().find((snapshot) => snapshot.name === name)!;
    return `${state} ${errorCode} ${graph === null ? 'without' : 'with'} graph`;
  }
}

describe('a listed pipeline', () => {
  test('is loading until its first pass and available behind it', async () => {
    const fixture = new Fixture();
    fixture.list(pipelineOf('dummy'));
    assert.equal(fixture.status(), 'LOADING OK without graph');
    assert.deepEqual(await fixture.pass(), []);
    assert.equal(fixture.status(), 'AVAILABLE OK with graph');
  });

  test('that is invalid stays registered and is not tried again while nothing changes', async () => {
    covers('pipelines.v-registered');
    const fixture = new Fixture();
    fixture.list(pipelineOf('nobody'));
    assert.deepEqual(await fixture.pass(), ['PIPELINE_MODEL_MISSING']);
    assert.equal(fixture.status(), 'LOADING FAILED_PRECONDITION without graph');
    assert.deepEqual(await fixture.pass(), []);
    assert.equal(fixture.pipelines.has('pipeline'), true);
  });

  test('keeps its graph while it is built again, which every reading of the file asks for', async () => {
    covers('pipelines.reload-all');
    const fixture = new Fixture();
    fixture.list(pipelineOf('dummy'));
    await fixture.pass();
    fixture.list(pipelineOf('dummy'));
    assert.equal(fixture.status(), 'AVAILABLE OK with graph');
    assert.equal(fixture.builder.released, 0);
    await fixture.pass();
    assert.deepEqual([fixture.builder.built, fixture.builder.released], [2, 1]);
  });

  test('is left alone in a pass in which nothing changed', async () => {
    const fixture = new Fixture();
    fixture.list(pipelineOf('dummy'));
    await fixture.pass();
    await fixture.pass();
    assert.equal(fixture.builder.built, 1);
  });

  test('whose builder fails in a way nobody foresaw costs only itself', async () => {
    const fixture = new Fixture();
    fixture.list(pipelineOf('dummy'));
    fixture.builder.fault = new TypeError('bug') as unknown as ServingError;
    assert.deepEqual(await fixture.pass(), ['INTERNAL_ERROR']);
    assert.equal(fixture.status(), 'LOADING FAILED_PRECONDITION without graph');
  });
});

describe('a model that a pipeline uses', () => {
  test('is loaded anew: the pipeline is built against it', async () => {
    const fixture = new Fixture();
    fixture.list(pipelineOf('dummy'));
    await fixture.pass();
    fixture.models = { dummy: { ...DUMMY } };
    assert.deepEqual(await fixture.pass(), []);
    assert.deepEqual([fixture.builder.built, fixture.builder.released], [2, 1]);
  });

  test('goes and comes back: the pipeline does so too', async () => {
    const fixture = new Fixture();
    fixture.list(pipelineOf('dummy'));
    await fixture.pass();
    fixture.models = {};
    assert.deepEqual(await fixture.pass(), ['PIPELINE_MODEL_MISSING']);
    assert.equal(fixture.status(), 'LOADING FAILED_PRECONDITION without graph');
    assert.equal(fixture.builder.released, 1);
    fixture.models = { dummy: { ...DUMMY } };
    assert.deepEqual(await fixture.pass(), []);
    assert.equal(fixture.status(), 'AVAILABLE OK with graph');
  });

  test('changes: pipelines that do not use it are left alone', async () => {
    const fixture = new Fixture();
    fixture.models = { dummy: { ...DUMMY }, other: { ...DUMMY } };
    fixture.list(pipelineOf('dummy', 'one'), pipelineOf('other', 'two'));
    await fixture.pass();
    fixture.models = { ...fixture.models, other: { ...DUMMY } };
    await fixture.pass();
    assert.equal(fixture.builder.built, 3);
  });
});

describe('a pipeline that another one uses', () => {
  /** `outer` runs `inner` as its only node. */
  const inner = pipelineOf('dummy', 'inner');
  const outer: PipelineSettings = {
    ...pipeline([{ ...node('node', '', { image: ['request', 'image'] }, { label: 'a' }), ...NESTED }], {
      label: ['node', 'a'],
    }),
    name: 'outer',
  };

  test('is built before it, wherever it stands in the file', async () => {
    const fixture = new Fixture();
    fixture.list(outer, inner);
    assert.deepEqual(await fixture.pass(), []);
    assert.equal(fixture.builder.built, 2);
    assert.equal(fixture.status('outer'), 'AVAILABLE OK with graph');
  });

  test('takes it along when it goes down, and when it comes back', async () => {
    const fixture = new Fixture();
    fixture.list(outer, inner);
    await fixture.pass();
    fixture.models = {};
    assert.deepEqual(await fixture.pass(), ['PIPELINE_MODEL_MISSING', 'PIPELINE_PIPELINE_MISSING']);
    fixture.models = { dummy: { ...DUMMY } };
    assert.deepEqual(await fixture.pass(), []);
    assert.equal(fixture.status('outer'), 'AVAILABLE OK with graph');
  });

  test('is retired: its user is refused', async () => {
    const fixture = new Fixture();
    fixture.list(outer, inner);
    await fixture.pass();
    fixture.list(outer);
    assert.deepEqual(await fixture.pass(), ['PIPELINE_PIPELINE_MISSING']);
    assert.equal(fixture.status('inner'), 'END OK without graph');
  });

  test('and which uses that one is refused with it', async () => {
    const fixture = new Fixture();
    const circle = { ...outer, name: 'inner', nodes: outer.nodes.map((each) => ({ ...each, pipelineName: 'outer' })) };
    fixture.list(outer, inner);
    await fixture.pass();
    fixture.list(outer, circle);
    assert.deepEqual(await fixture.pass(), ['PIPELINE_PIPELINE_MISSING', 'PIPELINE_PIPELINE_MISSING']);
  });

  test('has versions: each has a life of its own, and its user runs the highest that is built', async () => {
    const fixture = new Fixture();
    const [one, two] = [1, 2].map((version) => ({ ...inner, version })) as [PipelineSettings, PipelineSettings];
    fixture.list(outer, one, two);
    await fixture.pass();
    fixture.list(outer, one);
    assert.deepEqual(await fixture.pass(), []);
    assert.deepEqual(
      fixture.pipelines.snapshots().map(({ name, version, state }) => `${name} ${version} ${state}`),
      ['outer null AVAILABLE', 'inner 1 AVAILABLE', 'inner 2 END'],
    );
  });
});

describe('a name', () => {
  test('of a model is refused to a pipeline, which is not registered', async () => {
    const fixture = new Fixture();
    assert.deepEqual(
      fixture.list(pipelineOf('dummy', 'dummy')).map(({ message }) => message),
      ['Pipeline has the same name as model'],
    );
    await fixture.pass();
    assert.deepEqual(fixture.pipelines.snapshots(), []);
    assert.equal(fixture.pipelines.has('dummy'), false);
  });

  test('of a retired pipeline stays taken, and the pipeline itself may come back', async () => {
    const fixture = new Fixture();
    fixture.list(pipelineOf('dummy'));
    await fixture.pass();
    fixture.list();
    await fixture.pass();
    assert.equal(fixture.status(), 'END OK without graph');
    assert.equal(fixture.builder.released, 1);
    assert.equal(fixture.pipelines.has('pipeline'), true);
    fixture.list(pipelineOf('dummy'));
    assert.equal(fixture.status(), 'LOADING OK without graph');
    await fixture.pass();
    assert.equal(fixture.status(), 'AVAILABLE OK with graph');
  });
});

describe('files of a pipeline', () => {
  test('that change, named in the file or found by the build, have it built again', async () => {
    await withFiles({ 'named.js': '1', 'found.js': '1' }, async (root) => {
      const fixture = new Fixture();
      fixture.builder.watched = [join(root, 'named.js')];
      fixture.builder.found = [join(root, 'found.js')];
      fixture.list(pipelineOf('dummy'));
      await fixture.pass();
      await fixture.pass();
      assert.equal(fixture.builder.built, 1);
      await writeFile(join(root, 'named.js'), '2');
      await fixture.pass();
      await writeFile(join(root, 'found.js'), '2');
      await fixture.pass();
      assert.deepEqual([fixture.builder.built, fixture.builder.released], [3, 2]);
    });
  });

  test('that do not build any more leave it on the graph it has, until they do', async () => {
    await withFiles({ 'node.js': '1' }, async (root) => {
      const fixture = new Fixture();
      fixture.builder.found = [join(root, 'node.js')];
      fixture.list(pipelineOf('dummy'));
      await fixture.pass();
      fixture.builder.fault = new ServingError('NOT_IMPLEMENTED');
      await writeFile(join(root, 'node.js'), 'broken');
      assert.deepEqual(await fixture.pass(), ['NOT_IMPLEMENTED']);
      assert.equal(fixture.status(), 'AVAILABLE OK with graph');
      assert.deepEqual(await fixture.pass(), []);
      fixture.builder.fault = null;
      await writeFile(join(root, 'node.js'), '2');
      assert.deepEqual(await fixture.pass(), []);
      assert.deepEqual([fixture.builder.built, fixture.builder.released], [2, 1]);
    });
  });

  test('that never built are watched, and their pipeline comes up when they do', async () => {
    await withFiles({ 'node.js': 'broken' }, async (root) => {
      const fixture = new Fixture();
      fixture.builder.watched = [join(root, 'node.js')];
      fixture.builder.fault = new ServingError('NOT_IMPLEMENTED');
      fixture.list(pipelineOf('dummy'));
      await fixture.pass();
      fixture.builder.fault = null;
      await writeFile(join(root, 'node.js'), '1');
      assert.deepEqual(await fixture.pass(), []);
      assert.equal(fixture.status(), 'AVAILABLE OK with graph');
    });
  });
});

test('the end of the server releases every graph once', async () => {
  const fixture = new Fixture();
  fixture.list(pipelineOf('dummy', 'one'), pipelineOf('dummy', 'two'));
  await fixture.pass();
  fixture.pipelines.close();
  fixture.pipelines.close();
  assert.equal(fixture.builder.released, 2);
});
