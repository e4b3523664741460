import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  mean,
  median,
  percentile,
  standardDeviation,
  statisticsBlock,
  twoDecimals,
  variance,
} from '#src/client/statistics.js';
import { covers } from '../../contract/covers.js';

const TIMES = [12, 7, 9, 30, 8, 11, 7, 10, 13, 9];

// The expected numbers are NumPy's.
test('statistics: mean and median', () => {
  assert.equal(mean(TIMES), 11.6);
  assert.equal(median(TIMES), 9.5);
  assert.equal(median([3]), 3);
});

test('statistics: percentiles are interpolated', () => {
  assert.ok(Math.abs(percentile(TIMES, 90) - 14.7) < 1e-12);
  assert.equal(percentile(TIMES, 0), 7);
  assert.equal(percentile(TIMES, 100), 30);
  assert.equal(percentile([5], 90), 5);
});

test('statistics: variance and deviation are of the population', () => {
  assert.ok(Math.abs(variance(TIMES) - 41.24) < 1e-12);
  assert.ok(Math.abs(standardDeviation(TIMES) - 6.421837743200924) < 1e-12);
  assert.equal(variance([5]), 0);
});

test('statistics: two decimals, halves to even, inf and nan as Python prints them', () => {
  covers('clients.predict-statistics');
  const printed = [1, 0.125, 0.375, -0.125, 1234.567, Infinity, -Infinity, NaN].map(twoDecimals);
  assert.deepEqual(printed, ['1.00', '0.12', '0.38', '-0.12', '1234.57', 'inf', '-inf', 'nan']);
});

test('statistics: the block of several iterations', () => {
  covers('clients.predict-statistics');
  assert.equal(
    statisticsBlock(
      TIMES.map((time) => time + 0.99),
      2,
    ),
    `
processing time for all iterations
average time: 11.60 ms; average speed: 172.41 fps
median time: 9.50 ms; median speed: 210.53 fps
max time: 30.00 ms; min speed: 66.67 fps
min time: 7.00 ms; max speed: 285.71 fps
time percentile 90: 14.70 ms; speed percentile 90: 136.05 fps
time percentile 50: 9.50 ms; speed percentile 50: 210.53 fps
time standard deviation: 6.42
time variance: 41.24
`,
  );
});

test('statistics: the block of a single iteration is well-formed', () => {
  assert.equal(
    statisticsBlock([20.4], 1),
    `
processing time for all iterations
average time: 20.00 ms; average speed: 50.00 fps
median time: 20.00 ms; median speed: 50.00 fps
max time: 20.00 ms; min speed: 50.00 fps
min time: 20.00 ms; max speed: 50.00 fps
time percentile 90: 20.00 ms; speed percentile 90: 50.00 fps
time percentile 50: 20.00 ms; speed percentile 50: 50.00 fps
time standard deviation: 0.00
time variance: 0.00
`,
  );
});

test('statistics: iterations below one millisecond have infinite speed, as in NumPy', () => {
  assert.match(statisticsBlock([0.4], 1), /^average time: 0\.00 ms; average speed: inf fps$/m);
});

test('statistics: many iterations', () => {
  assert.match(statisticsBlock(new Array<number>(300_000).fill(2), 1), /^max time: 2\.00 ms; min speed: 500\.00 fps$/m);
});
