const BUCKETS = 33;
const SMALLEST_MICROS = 10;
const GROWTH = 1.8;

/** Upper bounds of the buckets in microseconds, the last one being infinity behind them (as OVMS 2026.2.1). */
export const BUCKET_BOUNDS: readonly number[] = Array.from({ length: BUCKETS }, (_, index) =>
  Math.floor(SMALLEST_MICROS * GROWTH ** index),
);

const SUM = BUCKETS + 1;

/** Numbers a histogram takes: a count for each bucket, one above the last bound, and the sum. Counts are not cumulative. */
export const HISTOGRAM_SLOTS = BUCKETS + 2;

/** Counts one value into the histogram that begins at `start`. */
export function observe(numbers: Float64Array, start: number, micros: number): void {
  let low = 0;
  let high = BUCKETS;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (micros <= BUCKET_BOUNDS[middle]!) high = middle;
    else low = middle + 1;
  }
  numbers[start + low]! += 1;
  numbers[start + SUM]! += micros;
}

/** A histogram as it is told: counts up to and including each bound, infinity last. */
export interface HistogramReading {
  readonly cumulative: readonly number[];
  readonly sum: number;
}

export function readHistogram(numbers: Float64Array, start: number): HistogramReading {
  let count = 0;
  const cumulative = Array.from(numbers.subarray(start, start + SUM), (bucket) => (count += bucket));
  return { cumulative, sum: numbers[start + SUM]! };
}
