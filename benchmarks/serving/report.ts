import type { Load } from '../load/load-client.js';
import type { Measurement } from '../support/measurement.js';
import { formatSpread, spread } from '../support/statistics.js';
import { Table } from '../support/table.js';
import { loadText, type Series } from './rounds.js';
import type { Kind } from './variant.js';

/** The figures that are compared. CPU in microseconds a request, times in milliseconds. */
export const FIGURES = ['rate', 'p50Ms', 'p95Ms', 'p99Ms', 'cpuMicros'] as const;
export type Figure = (typeof FIGURES)[number];

const HEADER = [
  ...['calls', 'what runs', 'requests/s', 'p50 ms', 'p95 ms', 'p99 ms', 'CPU µs', 'failed'],
  ...['rate / in process', 'p50 / in process', 'CPU / in process'],
  ...['rate / C++ server', 'p50 / C++ server', 'CPU / C++ server'],
];
const TEXT_COLUMNS = 2;

/**
 * Medians over the rounds, smallest and largest in parentheses. A ratio is taken within one round, before the median; the denominator
 * is the setting that was best under the same load: of the highest median rate, in an open loop of the lowest p50.
 */
export function loadTable(series: readonly Series[]): Table {
  const table = new Table(HEADER, TEXT_COLUMNS);
  for (const load of loadsOf(series)) {
    for (const one of series.filter((other) => other.load === load)) table.add(...cells(one, series));
  }
  return table;
}

/** Rates of each variant against its own rate at the smallest number of calls. */
export function scalingTable(series: readonly Series[]): Table {
  const closed = loadsOf(series).filter((load) => 'calls' in load && load.connections === undefined);
  const table = new Table(['rate / rate of the first column', ...closed.map(loadText)], 1);
  for (const name of new Set(series.map(({ variant }) => variant.name))) {
    const own = closed.map((load) => series.find((one) => one.load === load && one.variant.name === name));
    const first = own[0];
    if (first === undefined) continue;
    table.add(
      name,
      ...own.map((one) => (one === undefined ? '' : formatSpread(spread(ratios(one, first, 'rate')), 2))),
    );
  }
  return table;
}

/** Figures of each round over those of the best setting of a kind in that round; `null` where there is nothing to compare with. */
export function comparedWith(kind: Kind, one: Series, series: readonly Series[], figure: Figure): number[] | null {
  if (one.variant.kind === 'in process' || one.variant.kind === kind) return null;
  const candidates = series.filter((other) => other.variant.kind === kind && other.load === one.load);
  if (candidates.length === 0) return null;
  const merit = ({ load, rounds }: Series): number =>
    spread(rounds.map(({ rate, p50Ms }) => ('rate' in load ? -p50Ms : rate))).median;
  const best = candidates.reduce((first, other) => (merit(other) > merit(first) ? other : first));
  return ratios(one, best, figure);
}

export function loadsOf(series: readonly Series[]): Load[] {
  return [...new Set(series.map(({ load }) => load))];
}

function ratios(one: Series, other: Series, figure: Figure): number[] {
  return one.rounds.map((measurement, round) => measurement[figure] / other.rounds[round]![figure]);
}

function cells(one: Series, series: readonly Series[]): string[] {
  const over = (figure: (measurement: Measurement) => number, digits: number): string =>
    formatSpread(spread(one.rounds.map(figure)), digits);
  const compared = (kind: Kind): string[] =>
    (['rate', 'p50Ms', 'cpuMicros'] as const).map((figure) => {
      const values = comparedWith(kind, one, series, figure);
      return values === null ? '' : formatSpread(spread(values), 2);
    });
  const digits = spread(one.rounds.map(({ p50Ms }) => p50Ms)).median < 10 ? 3 : 1;
  return [
    loadText(one.load),
    one.variant.name,
    over(({ rate }) => rate, digits === 1 ? 1 : 0),
    over(({ p50Ms }) => p50Ms, digits),
    spread(one.rounds.map(({ p95Ms }) => p95Ms)).median.toFixed(digits),
    spread(one.rounds.map(({ p99Ms }) => p99Ms)).median.toFixed(digits),
    over(({ cpuMicros }) => cpuMicros, 0),
    String(one.rounds.reduce((sum, { failed }) => sum + (failed ?? 0), 0)),
    ...compared('in process'),
    ...compared('C++ server'),
  ];
}
