import prometheus from 'prom-client';
import { BLOCK_SERIES, type Series, type Subject } from './block.js';
import { shownFamilies, type Family } from './families.js';
import { readHistogram } from './histogram.js';
import type { MetricsBook, ModelCapacity } from './metrics-book.js';

type Labels = Readonly<Record<string, string>>;

/** One line as the package has it; those of a histogram have names of their own. */
interface Line {
  readonly metricName?: string;
  readonly labels: Labels;
  readonly value: number;
}

/**
 * Everything the book knows in the text format of Prometheus. Lines of one series from several subjects, as the state questions
 * about all versions of a model, are summed.
 *
 * @param names that replace the default set; `null`: the default set.
 */
export function exposition(book: MetricsBook, names: readonly string[] | null): Promise<string> {
  const page = new Page(shownFamilies(names));
  for (const { subject, numbers } of book.totals()) {
    for (const series of BLOCK_SERIES[subject.kind]) page.addSeries(series, subject, numbers);
  }
  for (const capacity of book.capacities) page.addCapacity(capacity);
  return page.text();
}

class Page {
  readonly #families: ReadonlyMap<string, { readonly family: Family; readonly lines: Line[] }>;

  constructor(families: readonly Family[]) {
    this.#families = new Map(families.map((family) => [family.name, { family, lines: [] as Line[] }]));
  }

  addSeries(series: Series, subject: Subject, numbers: Float64Array): void {
    const shown = this.#families.get(series.family);
    if (shown === undefined) return;
    const labels = sorted({ ...series.labels, ...subjectLabels(subject, series.hasVersion) });
    const { bounds } = shown.family;
    if (bounds !== undefined) shown.lines.push(...histogramLines(series, labels, numbers, bounds));
    else shown.lines.push({ labels, value: numbers[series.slot]! });
  }

  addCapacity({ name, version, streams, queueSize }: ModelCapacity): void {
    const labels = { name, version: String(version) };
    this.#families.get('ovms_streams')?.lines.push({ labels, value: streams });
    this.#families.get('ovms_infer_req_queue_size')?.lines.push({ labels, value: queueSize });
  }

  text(): Promise<string> {
    const metrics = [...this.#families.values()].map(({ family: { name, type, help }, lines }) => {
      return { name, type, help, values: lines, aggregator: 'sum' };
    });
    return prometheus.AggregatorRegistry.aggregate([metrics]).metrics();
  }
}

function subjectLabels(subject: Subject, hasVersion: boolean): Labels {
  switch (subject.kind) {
    case 'model':
    case 'batching':
    case 'pipeline':
      return { name: subject.name, ...(hasVersion && { version: String(subject.version) }) };
    case 'node':
      return { pipeline: subject.pipeline, node: subject.node, version: String(subject.version) };
    case 'worker':
      return {};
  }
}

/** Labels print in the order of their names, and the bucket behind them (as OVMS 2026.2.1). */
function sorted(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function histogramLines(
  { family, slot }: Series,
  labels: Labels,
  numbers: Float64Array,
  bounds: readonly number[],
): Line[] {
  const { cumulative, sum } = readHistogram(numbers, slot, bounds);
  const buckets = cumulative.map((value, index) => ({
    metricName: `${family}_bucket`,
    labels: { ...labels, le: String(bounds[index] ?? '+Inf') },
    value,
  }));
  return [
    ...buckets,
    { metricName: `${family}_sum`, labels, value: sum },
    { metricName: `${family}_count`, labels, value: cumulative.at(-1)! },
  ];
}
