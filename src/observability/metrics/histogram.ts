const BUCKETS = 33;
const SMALLEST_MICROS = 10;
const GROWTH = 1.8;

/** Upper bounds of the buckets of times in microseconds, infinity behind them (as OVMS 2026.2.1). */
export const BUCKET_BOUNDS: readonly number[] = Array.from({ length: BUCKETS }, (_, index) =>
  Math.floor(SMALLEST_MICROS * GROWTH ** index),
);

/** Upper bounds of the buckets of batch sizes in rows, infinity behind them. */
export const BATCH_BOUNDS: readonly number[] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512, 1024];

/** Numbers a histogram takes: a count for each bucket, one above the last bound, and the sum. Counts are not cumulative. */
export function histogramSlots(bounds: readonly number[]): number {
  return bounds.length + 2;
}

/** Those of a histogram of times. */
export const HISTOGRAM_SLOTS = histogramSlots(BUCKET_BOUNDS);

/** Counts one value into the histogram that begins at `start`. */
export function observe(numbers: Float64Array, start: number, value: number, bounds = BUCKET_BOUNDS): void {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (value <= bounds[middle]!) high = middle;
    else low = middle + 1;
  }
  numbers[start + low]! += 1;
  numbers[start + bounds.length + 1]! += value;
}

/** A histogram as it is told: counts up to and including each bound, infinity last. */
export interface HistogramReading {
  readonly cumulative: readonly number[];
  readonly sum: number;
}

export function readHistogram(numbers: Float64Array, start: number, bounds = BUCKET_BOUNDS): HistogramReading {
  const sum = start + bounds.length + 1;
  let count = 0;
  const cumulative = Array.from(numbers.subarray(start, sum), (bucket) => (count += bucket));
  return { cumulative, sum: numbers[sum]! };
}
