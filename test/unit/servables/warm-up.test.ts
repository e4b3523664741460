import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServingError } from '#src/errors.js';
import type { PredictRequest } from '#src/servables/predict-request.js';
import { MOST_RECORDED, warmUpWithRecorded, warmUpWithZeros, zeroInputs } from '#src/servables/warm-up.js';
import { ANY_DIMENSION, staticDimension } from '#src/tensors/shape.js';
import { stringCount } from '#src/tensors/strings.js';
import type { TensorInfo } from '#src/tensors/tensor-info.js';
import { covers } from '../../contract/covers.js';

const SIGNAL = new AbortController().signal;

function input(name: string, precision: TensorInfo['precision'], shape: TensorInfo['shape']): TensorInfo {
  return { name, precision, shape, layout: 'N...' };
}

function request(servable: string): PredictRequest {
  return { servable, version: 7n, inputs: new Map() };
}

async function* requests(...given: readonly (PredictRequest | ServingError | Error)[]) {
  for (const one of given) {
    if (one instanceof Error && !(one instanceof ServingError)) throw one;
    yield await Promise.resolve(one);
  }
}

test('warm-up: zeros have the smallest shapes that inputs take', () => {
  covers('scheduling.warm-up');
  const zeros = zeroInputs([
    input('static', 'FP32', [staticDimension(2), staticDimension(3)]),
    input('open', 'I64', [ANY_DIMENSION, { min: 4, max: 8 }, staticDimension(0)]),
    input('range', 'U8', [{ min: 4, max: 8 }, ANY_DIMENSION]),
    input('text', 'STRING', [staticDimension(5)]),
    input('scalar', 'FP16', []),
  ]);
  const described = [...zeros.values()].map(({ shape, content }) => [
    shape,
    content.kind === 'bytes'
      ? content.bytes.byteLength
      : content.kind === 'strings' && `${stringCount(content.strings)} strings`,
  ]);
  assert.deepEqual(described, [
    [[2, 3], 24],
    [[1, 4, 0], 0],
    [[4, 1], 4],
    [[5], '5 strings'],
    [[], 2],
  ]);
});

test('warm-up: an input that no message could hold is refused, not allocated', async () => {
  const huge = [input('huge', 'FP32', [staticDimension(2 ** 40)])];
  const asked = warmUpWithZeros(huge, 1, () => assert.fail('nobody is asked'));
  await assert.rejects(asked, /input huge takes 4398046511104 bytes/);
});

test('warm-up: zeros go to all infer requests at once, but to no more than memory is for', async () => {
  for (const [inferRequests, expected] of [
    [1, 1],
    [4, 4],
    [100_000, 64],
  ] as const) {
    let [running, most] = [0, 0];
    const outcome = await warmUpWithZeros([], inferRequests, async () => {
      most = Math.max(most, (running += 1));
      await Promise.resolve();
      running -= 1;
    });
    assert.deepEqual({ ...outcome, most }, { answered: expected, failed: 0, fault: null, most: expected });
  }
});

test('warm-up: recorded requests are asked one by one; what fails is counted, and the first fault is told', async () => {
  covers('scheduling.warm-up');
  const asked: string[] = [];
  const recorded = requests(
    request('m'),
    request('other'),
    new ServingError('NOT_IMPLEMENTED', 'a classify_log'),
    request('m'),
  );
  const outcome = await warmUpWithRecorded('m', recorded, () => Promise.resolve(void asked.push('m')), SIGNAL);
  assert.equal(asked.length, 2);
  assert.deepEqual([outcome.answered, outcome.failed], [2, 2]);
  assert.match(outcome.fault!, /^request 2: .*expected a request to "m", received one to "other"/);
});

test('warm-up: a fault of the file, too many requests, and the end of the server end it', async () => {
  covers('scheduling.warm-up');
  const ask = (): Promise<void> => Promise.resolve();
  const broken = await warmUpWithRecorded('m', requests(request('m'), new Error('at byte 5: broken')), ask, SIGNAL);
  assert.deepEqual(broken, { answered: 1, failed: 0, fault: 'at byte 5: broken' });
  const many = requests(...Array.from({ length: MOST_RECORDED + 2 }, () => request('m')));
  const limited = await warmUpWithRecorded('m', many, ask, SIGNAL);
  assert.deepEqual(limited, { answered: 1000, failed: 0, fault: 'only the first 1000 recorded requests are used' });
  const stopped = AbortSignal.abort(new ServingError('SERVER_STOPPING'));
  const outcome = await warmUpWithRecorded('m', requests(request('m')), ask, stopped);
  assert.deepEqual([outcome.answered, outcome.failed, outcome.fault], [0, 0, 'Server is stopping']);
});
