/** Arithmetic mean. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Linear interpolation between the closest ranks, as `numpy.percentile`. @param percent 0 to 100 */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = ((sorted.length - 1) * percent) / 100;
  const below = Math.floor(rank);
  const lower = sorted[below]!;
  const upper = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return lower + (upper - lower) * (rank - below);
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Population variance, as `numpy.var`. */
export function variance(values: readonly number[]): number {
  const average = mean(values);
  return mean(values.map((value) => (value - average) ** 2));
}

/** Population standard deviation, as `numpy.std`. */
export function standardDeviation(values: readonly number[]): number {
  return Math.sqrt(variance(values));
}

/** Two decimals, halves to even and `inf` as NumPy and Python print them. */
export function twoDecimals(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  return (roundHalfToEven(value * 100) / 100).toFixed(2);
}

function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/**
 * The closing block of the predict client (as OVMS's sample prints it).
 * @param milliseconds One per iteration; truncated to whole milliseconds here.
 */
export function statisticsBlock(milliseconds: readonly number[], batchSize: number): string {
  const times = milliseconds.map(Math.trunc);
  const line = (time: number, timeLabel: string, speedLabel: string): string =>
    `${timeLabel}: ${twoDecimals(time)} ms; ${speedLabel}: ${twoDecimals((1000 * batchSize) / time)} fps\n`;
  return (
    '\nprocessing time for all iterations\n' +
    line(mean(times), 'average time', 'average speed') +
    line(median(times), 'median time', 'median speed') +
    line(percentile(times, 100), 'max time', 'min speed') +
    line(percentile(times, 0), 'min time', 'max speed') +
    line(percentile(times, 90), 'time percentile 90', 'speed percentile 90') +
    line(percentile(times, 50), 'time percentile 50', 'speed percentile 50') +
    `time standard deviation: ${twoDecimals(standardDeviation(times))}\n` +
    `time variance: ${twoDecimals(variance(times))}\n`
  );
}
