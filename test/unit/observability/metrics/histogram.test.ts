import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../../contract/covers.js';
import {
  BATCH_BOUNDS,
  BUCKET_BOUNDS,
  HISTOGRAM_SLOTS,
  histogramSlots,
  observe,
  readHistogram,
} from '#src/observability/metrics/histogram.js';

const BOUNDS_OF_OVMS = [
  10, 18, 32, 58, 104, 188, 340, 612, 1101, 1983, 3570, 6426, 11568, 20822, 37481, 67466, 121439, 218591, 393464,
  708235, 1274823, 2294682, 4130428, 7434771, 13382588, 24088659, 43359586, 78047255, 140485060, 252873108, 455171596,
  819308872, 1474755971,
];

test('histogram: the buckets are those of OVMS', () => {
  covers('metrics.buckets');
  assert.deepEqual(BUCKET_BOUNDS, BOUNDS_OF_OVMS);
});

test('histogram: a value belongs to the first bucket whose bound it does not exceed', () => {
  for (const [micros, bucket] of [
    [0, 0],
    [10, 0],
    [11, 1],
    [18, 1],
    [1474755971, 32],
    [1474755972, 33],
  ] as const) {
    const numbers = new Float64Array(HISTOGRAM_SLOTS);
    observe(numbers, 0, micros);
    assert.equal(numbers.indexOf(1), bucket, `${micros} us`);
  }
});

test('histogram: is read as cumulative counts and a sum, from where it begins', () => {
  const numbers = new Float64Array(2 * HISTOGRAM_SLOTS);
  for (const micros of [5, 15, 17, 2e9]) observe(numbers, HISTOGRAM_SLOTS, micros);
  const { cumulative, sum } = readHistogram(numbers, HISTOGRAM_SLOTS);
  assert.equal(cumulative.length, BOUNDS_OF_OVMS.length + 1);
  assert.deepEqual([cumulative[0], cumulative[1], cumulative[32], cumulative[33]], [1, 3, 3, 4]);
  assert.equal(sum, 2e9 + 37);
  assert.deepEqual(readHistogram(numbers, 0), { cumulative: new Array<number>(34).fill(0), sum: 0 });
});

test('histogram: one of batch sizes has bounds of its own', () => {
  const numbers = new Float64Array(histogramSlots(BATCH_BOUNDS));
  for (const rows of [1, 5, 1024, 2000]) observe(numbers, 0, rows, BATCH_BOUNDS);
  const { cumulative, sum } = readHistogram(numbers, 0, BATCH_BOUNDS);
  assert.deepEqual(
    BATCH_BOUNDS.map((bound, index) => [bound, cumulative[index]]).filter(([bound]) =>
      [1, 4, 6, 1024].includes(bound!),
    ),
    [
      [1, 1],
      [4, 1],
      [6, 2],
      [1024, 3],
    ],
  );
  assert.deepEqual([cumulative.at(-1), cumulative.length, sum], [4, BATCH_BOUNDS.length + 1, 3030]);
});
