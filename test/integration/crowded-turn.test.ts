import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServingError } from '#src/errors.js';
import { configureLogging } from '#src/observability/logger.js';
import type { PredictResult } from '#src/servables/serving.js';
import { EMPTY_SNAPSHOT } from '#src/servables/snapshot.js';
import { addDummy, DUMMY_INPUT, ZEROS } from '../helpers/dummy-servables.js';
import { openInProcessServing, type InProcessServing } from '../helpers/in-process-serving.js';
import { modelNode, pipeline, TestRepository } from '../helpers/repository.js';
import { floatTensor } from '../helpers/tensors.js';

/** Two inferences each: at least twice of what one turn of the event loop is allowed. */
const REQUESTS = 2000;
const CANCELLED = new ServingError('REQUEST_CANCELLED');

const repository = new TestRepository();
const chain = [
  modelNode('first', 'dummy', { b: 'request.b' }, ['a']),
  modelNode('second', 'dummy', { b: 'first.a' }, ['a']),
];
const config = repository.writeConfig([addDummy(repository)], [pipeline('chain', ['b'], chain, { a: 'second.a' })]);

interface Call {
  readonly index: number;
  readonly abort: AbortController;
  readonly result: Promise<PredictResult> | PredictResult;
}

/** All in one turn of the event loop. The chain adds two to every element. */
function crowd({ serving }: InProcessServing): Call[] {
  return Array.from({ length: REQUESTS }, (_, index) => {
    const abort = new AbortController();
    const { shape, bytes } = floatTensor(
      'b',
      DUMMY_INPUT.shape,
      ZEROS.map(() => index),
    );
    const content = { kind: 'bytes', bytes } as const;
    const inputs = new Map([['b', { precision: 'FP32', precisionText: 'FP32', shape, content } as const]]);
    const call = { arrived: performance.now(), signal: abort.signal, wantsTimeline: false } as const;
    const result = serving.predict(
      { servable: 'chain', version: null, inputs },
      { api: 'TensorFlowServing', interface: 'gRPC', ...call },
    );
    return { index, abort, result };
  });
}

async function assertAnswer({ index, result }: Call): Promise<void> {
  const answer = await result;
  const { bytes } = answer.outputs[0]!;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  assert.deepEqual(
    ZEROS.map((_, element) => view.getFloat32(element * 4, true)),
    ZEROS.map(() => index + 2),
  );
  answer.release();
}

async function withServing(use: (served: InProcessServing) => Promise<void>): Promise<void> {
  configureLogging({ level: 'ERROR', path: null });
  const served = await openInProcessServing(config);
  try {
    await use(served);
    await served.serving.idle();
    assert.equal(served.arena.leasedRegions, 0);
  } finally {
    await served.close();
  }
}

function isWaiting({ result }: Call): boolean {
  return result instanceof Promise;
}

test('requests that one turn of the event loop has no time for are answered in later ones, each with its own result', () =>
  withServing(async (served) => {
    const calls = crowd(served);
    assert.ok(calls.some(isWaiting));
    await Promise.all(calls.map(assertAnswer));
  }));

test('those that are cancelled while they wait for a turn leave the others their answers', () =>
  withServing(async (served) => {
    const calls = crowd(served);
    const cancelled = calls.filter((call) => isWaiting(call) && call.index % 3 === 0);
    assert.ok(cancelled.length > 0);
    for (const { abort } of cancelled) abort.abort(CANCELLED);
    for (const { result } of cancelled) await assert.rejects(Promise.resolve(result), CANCELLED);
    await Promise.all(calls.filter((call) => !cancelled.includes(call)).map(assertAnswer));
  }));

test('those that wait for a turn keep their models when a snapshot comes that has none', () =>
  withServing(async (served) => {
    const calls = crowd(served);
    assert.ok(calls.some(isWaiting));
    const applied = served.serving.apply(EMPTY_SNAPSHOT);
    await Promise.all(calls.map(assertAnswer));
    await applied;
  }));
