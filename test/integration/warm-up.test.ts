import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { NODE_EXECUTORS } from '#src/config/settings.js';
import { encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { encodePredictionLog } from '#src/frontends/tfs/warm-up/prediction-log.js';
import { encodeRecord } from '#src/frontends/tfs/warm-up/record-file.js';
import { covers } from '../contract/covers.js';
import { writeAccumulatorModel, writeDummyModel, writeStringModel } from '../fixtures/ir.js';
import { DUMMY_INPUT, ONES, pipelineOf } from '../helpers/dummy-servables.js';
import { embeddedSettings, withEmbeddedServer, type EmbeddedServer } from '../helpers/embedded-server.js';
import { withGrpcClient } from '../helpers/grpc-client.js';
import { scrape } from '../helpers/metrics-page.js';
import { node, pipeline, TestRepository, type Model, type Pipeline } from '../helpers/repository.js';
import { controlTensor, START } from '../helpers/sequences.js';
import { floatsOf, floatTensor } from '../helpers/tensors.js';

const repository = new TestRepository();
let count = 0;

/** Serves a configuration; `lines` are what the log says by now of warm-ups and of versions that became available. */
async function serve(
  models: readonly Model[],
  pipelines: readonly Pipeline[],
  flags: readonly string[],
  use: (server: EmbeddedServer, lines: () => string[]) => Promise<void>,
): Promise<void> {
  const name = `warm-up-${(count += 1)}`;
  const logPath = repository.path(`${name}.log`);
  const config = repository.writeConfig(models, pipelines, `${name}.json`);
  const log = ['--log_level', 'INFO', '--log_path', logPath, '--file_system_poll_wait_seconds', '0'];
  const all = (): string[] => readFileSync(logPath, 'utf8').split('\n');
  const lines = (): string[] => all().filter((line) => /Warm-up of|"AVAILABLE"/.test(line));
  await withEmbeddedServer(embeddedSettings(config, ...log, ...flags), (server) => use(server, lines));
  assert.deepEqual(
    all().filter((line) => line.includes('[error]')),
    [],
  );
}

async function assertAnswers({ grpcPort }: EmbeddedServer, servable: string, expected = ONES): Promise<void> {
  await withGrpcClient(grpcPort, async (client) => {
    const { code, details, outputs } = await client.predict(servable, [DUMMY_INPUT]);
    assert.equal(code, 'OK', details);
    assert.deepEqual([...floatsOf([...outputs.values()][0])], expected);
  });
}

/** `3 of 4`: the requests that were answered, by the servable's name. */
function answered(lines: readonly string[], name: string): string {
  const line = lines.find((each) => each.includes(`: ${name}; version`) && each.includes('Warm-up of'));
  return /(\d+ of \d+) requests answered/.exec(line ?? '')?.[1] ?? 'nothing';
}

function recorded(...requests: readonly (readonly [servable: string, inputs?: string])[]): Buffer {
  const bytes = new Uint8Array(new Float32Array(10).buffer);
  return Buffer.concat(
    requests.map(([servable, name = 'b']) => {
      const request = encodePredictRequest(servable, 99n, [{ name, precision: 'FP32', shape: [1, 10], bytes }]);
      return encodeRecord(encodePredictionLog(request));
    }),
  );
}

/** A model of its own with a file of recorded requests; `null`: without one. */
function addRecorded(name: string, file: Uint8Array | null, version = '1'): Model {
  writeDummyModel(repository.path(name, version), { addend: Number(version) });
  if (file !== null) {
    const directory = repository.path(name, version, 'assets.extra');
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'tf_serving_warmup_requests'), file);
  }
  return { name, base_path: name };
}

describe('--warm_up synthetic', () => {
  for (const executor of NODE_EXECUTORS) {
    test(`asks models and pipelines before they are shown, and counts nothing, with ${executor}`, async () => {
      covers('scheduling.warm-up');
      const model = { ...addRecorded('dummy', null), nireq: 3 };
      const flags = ['--warm_up', 'synthetic', '--node_executor', executor];
      const metrics = ['--metrics_enable', '--grpc_workers', '2'];
      await serve([model], [pipelineOf('pipe', 'dummy')], [...flags, ...metrics], async (server, lines) => {
        // Of two owner workers each has its share of the infer requests.
        assert.equal(answered(lines(), 'dummy'), '2 of 2');
        assert.equal(answered(lines(), 'pipe'), '2 of 2');
        const order = lines().filter((line) => line.includes('dummy'));
        assert.match(order[0]!, /Warm-up of model: dummy; version: 1/);
        assert.match(order[1]!, /Version 1 of model dummy .*"AVAILABLE"/);
        const before = await scrape(server.restPort);
        await assertAnswers(server, 'dummy');
        await assertAnswers(server, 'pipe');
        const after = await scrape(server.restPort);
        const inferences = 'ovms_inference_time_us_count';
        const labels = { name: 'dummy', version: '1' };
        assert.deepEqual([before.figure(inferences, labels), after.figure(inferences, labels)], [0, 2]);
        for (const series of before.series('ovms_requests_success', 'method="Predict"')) assert.equal(series[1], 0);
        const successes = after.series('ovms_requests_success', 'method="Predict"').map(([, figure]) => figure);
        assert.equal(
          successes.reduce((sum, figure) => sum + figure),
          // What a pipeline's node infers counts for its model as well.
          3,
        );
      });
    });
  }

  test('counts nothing of a model that joins requests either', async () => {
    covers('scheduling.warm-up');
    const model = { ...addRecorded('joined', null), nireq: 3, dynamic_batching: { max_batch_size: 8 } };
    await serve([model], [], ['--warm_up', 'synthetic', '--metrics_enable'], async (server, lines) => {
      assert.equal(answered(lines(), 'joined'), '3 of 3');
      const labels = { name: 'joined', version: '1' };
      const figures = async (): Promise<(number | undefined)[]> => {
        const page = await scrape(server.restPort);
        return ['ovms_inference_time_us_count', 'vinery_batch_size_count', 'vinery_batched_requests_total'].map(
          (series) => page.figure(series, labels),
        );
      };
      assert.deepEqual(await figures(), [0, 0, 0]);
      await assertAnswers(server, 'joined');
      assert.deepEqual(await figures(), [1, 1, 1]);
    });
  });

  test('asks a new version before it replaces the old one, and only that', async () => {
    covers('scheduling.warm-up');
    const models = [addRecorded('renewed', null)];
    await serve(models, [pipelineOf('around', 'renewed')], ['--warm_up', 'synthetic'], async (server, lines) => {
      addRecorded('renewed', null, '2');
      const before = lines().length;
      await server.server.poll();
      const news = lines().slice(before);
      assert.match(news[0]!, /Warm-up of model: renewed; version: 2: 1 of 1/);
      assert.match(news[1]!, /Version 2 of model renewed .*"AVAILABLE"/);
      assert.match(news[2]!, /Warm-up of pipeline: around; version: 1: 1 of 1/);
      assert.equal(news.length, 3);
      await assertAnswers(
        server,
        'renewed',
        ONES.map(() => 2),
      );
    });
  });

  test('leaves no sequence behind, and takes models of strings', async () => {
    covers('scheduling.warm-up');
    writeAccumulatorModel(repository.path('accumulator', '1'), { shape: [1, 2] });
    writeStringModel(repository.path('text', '1'));
    const models = [{ name: 'accumulator', base_path: 'accumulator', stateful: true, max_sequence_number: 1 }];
    const text = { name: 'text', base_path: 'text' };
    await serve([...models, text], [], ['--warm_up', 'synthetic'], async ({ grpcPort }, lines) => {
      assert.equal(answered(lines(), 'accumulator'), '1 of 1');
      assert.equal(answered(lines(), 'text'), '1 of 1');
      await withGrpcClient(grpcPort, async (client) => {
        const step = [floatTensor('b', [1, 2], [1, 2]), controlTensor(START)];
        const { code, details, outputs } = await client.predict('accumulator', step);
        assert.equal(code, 'OK', details);
        assert.deepEqual([...floatsOf(outputs.get('a'))], [1, 2]);
      });
    });
  });

  test('what fails is told and served all the same', async () => {
    covers('scheduling.warm-up');
    repository.write(
      'picky.mjs',
      `const port = (name) => ({ name, precision: 'FP32', shape: [1, 10] });
export const inputs = () => [port('x')];
export const outputs = () => [port('y')];
export const execute = ({ x }) => { if (x.data[0] === 0) throw new Error('no zeros'); return { y: x }; };`,
    );
    const step = node('picky', { x: 'request.b' }, ['y'], { type: 'js', module: 'picky.mjs' });
    const picky = pipeline('picky', ['b'], [step], { a: 'picky.y' });
    await serve([], [picky], ['--warm_up', 'synthetic'], async ({ grpcPort }, lines) => {
      const line = lines().find((each) => each.includes('Warm-up'))!;
      assert.match(line, /\[warning\].*pipeline: picky; version: 1: 0 of 1 requests answered.*served all the same/);
      assert.match(line, /no zeros/);
      await withGrpcClient(grpcPort, async (client) => {
        const { code, outputs } = await client.predict('picky', [floatTensor('b', [1, 10], ONES)]);
        assert.equal(code, 'OK');
        assert.deepEqual([...floatsOf(outputs.get('a'))], ONES);
      });
    });
  });
});

describe('--warm_up recorded', () => {
  const good = recorded(['good'], ['good'], ['good']);
  const broken = recorded(['broken'], ['broken']);
  const FILES: Readonly<Record<string, { file: Buffer | null; expected: string; fault?: RegExp }>> = {
    good: { file: good, expected: '3 of 3' },
    without: { file: null, expected: 'nothing' },
    empty: { file: Buffer.alloc(0), expected: '0 of 0' },
    broken: { file: flipped(broken, broken.length - 9), expected: '1 of 1', fault: /at byte \d+: the bytes of/ },
    short: {
      file: recorded(['short'], ['short']).subarray(0, -1),
      expected: '1 of 1',
      fault: /expected a whole record/,
    },
    misnamed: { file: recorded(['misnamed'], ['other']), expected: '1 of 2', fault: /request 2: .*"other"/ },
    unfit: { file: recorded(['unfit', 'x'], ['unfit']), expected: '1 of 2', fault: /request 1: .*Required input: b/ },
    foreign: {
      file: encodeRecord(Buffer.from([0x12, 0x00])),
      expected: '0 of 1',
      fault: /a classify_log; expected a predict_log/,
    },
    garbage: { file: Buffer.from('this is no file of records'), expected: '0 of 0', fault: /at byte 0: the length/ },
  };

  test('asks what the file of a version has, and serves whatever that brings', async () => {
    covers('scheduling.warm-up');
    const models = Object.entries(FILES).map(([name, { file }]) => addRecorded(name, file));
    await serve(models, [], ['--warm_up', 'recorded'], async (server, lines) => {
      for (const [name, { expected, fault }] of Object.entries(FILES)) {
        assert.equal(answered(lines(), name), expected, name);
        const line = lines().find((each) => each.includes(`model: ${name};`)) ?? '';
        if (fault === undefined) assert.doesNotMatch(line, /warning/);
        else assert.match(line, fault);
        await assertAnswers(server, name);
      }
    });
  });

  test('asks a pipeline what its warm_up_requests has, and a version that replaces another', async () => {
    covers('scheduling.warm-up');
    writeFileSync(repository.path('pipe.requests'), recorded(['pipe'], ['pipe']));
    const pipe = { ...pipelineOf('pipe', 'plain'), warm_up_requests: 'pipe.requests' };
    await serve([addRecorded('plain', null)], [pipe], ['--warm_up', 'recorded'], async (server, lines) => {
      assert.equal(answered(lines(), 'plain'), 'nothing');
      assert.equal(answered(lines(), 'pipe'), '2 of 2');
      addRecorded('plain', recorded(['plain']), '2');
      await server.server.poll();
      assert.equal(answered(lines(), 'plain'), '1 of 1');
    });
  });
});

test('without the flag nobody is asked', async () => {
  await serve([addRecorded('cold', recorded(['cold']))], [], [], async (server, lines) => {
    assert.equal(answered(lines(), 'cold'), 'nothing');
    await assertAnswers(server, 'cold');
  });
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1;
  return copy;
}
