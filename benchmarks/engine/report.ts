import { formatSpread, spread } from '../support/statistics.js';
import { Table } from '../support/table.js';
import type { NodeCost, Subject } from './subject.js';

/** What one subject cost, round by round. */
export interface CostSeries {
  readonly subject: Subject;
  readonly rounds: readonly NodeCost[];
}

/** Microseconds with three digits behind the point, so that nanoseconds can be read, too. */
export function engineTable(series: readonly CostSeries[]): Table {
  const table = new Table(['what runs', 'graph', 'at once', 'µs a node', 'CPU µs a node'], 2);
  for (const { subject, rounds } of series) {
    table.add(
      subject.name,
      subject.graph,
      String(subject.inFlight),
      microseconds(rounds.map(({ elapsedMicros }) => elapsedMicros)),
      microseconds(rounds.map(({ cpuMicros }) => cpuMicros)),
    );
  }
  return table;
}

function microseconds(values: readonly number[]): string {
  const result = spread(values);
  return formatSpread(result, result.median < 10 ? 3 : 1);
}
