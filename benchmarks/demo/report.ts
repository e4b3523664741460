import type { Measurement } from '../support/measurement.js';
import { formatSpread, spread } from '../support/statistics.js';
import { Table } from '../support/table.js';
import type { Series } from './rounds.js';

const HEADER = [
  ...['calls', 'what runs', 'hint', 'requests/s', 'of in process', 'p50 ms', 'p95 ms', 'p99 ms'],
  ...['CPU ms/request', 'above in process', 'client CPU ms'],
];
const TEXT_COLUMNS = 3;

/**
 * Medians over the rounds, smallest and largest in parentheses. What is compared with the reference is compared within one round,
 * with the same hint and the same number of calls, before the median is taken.
 */
export function demoTable(series: readonly Series[]): Table {
  const table = new Table(HEADER, TEXT_COLUMNS);
  for (const one of series) table.add(...cells(one, baseline(one, series)));
  return table;
}

function baseline({ variant, calls }: Series, series: readonly Series[]): Series | undefined {
  if (variant.inProcess) return undefined;
  return series.find(
    (other) => other.variant.inProcess && other.variant.hint === variant.hint && other.calls === calls,
  );
}

function cells({ variant, calls, rounds }: Series, reference: Series | undefined): string[] {
  const over = (figure: (measurement: Measurement, round: number) => number, digits: number): string =>
    formatSpread(spread(rounds.map(figure)), digits);
  const compared = (figure: (measurement: Measurement, other: Measurement) => number, digits: number): string =>
    reference === undefined ? '' : over((measurement, round) => figure(measurement, reference.rounds[round]!), digits);
  return [
    String(calls),
    variant.name,
    variant.hint,
    over(({ rate }) => rate, 1),
    compared(({ rate }, other) => rate / other.rate, 3),
    over(({ p50Ms }) => p50Ms, 1),
    over(({ p95Ms }) => p95Ms, 0),
    over(({ p99Ms }) => p99Ms, 0),
    over(({ cpuMicros }) => cpuMicros / 1000, 1),
    compared(({ cpuMicros }, other) => (cpuMicros - other.cpuMicros) / 1000, 1),
    variant.inProcess ? '' : over(({ clientCpuMicros }) => (clientCpuMicros ?? 0) / 1000, 1),
  ];
}
