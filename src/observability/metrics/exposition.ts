import { setImmediate } from 'node:timers/promises';

import { BLOCK_SERIES, type Series, type Subject } from './block.js';
import { shownFamilies, type Family } from './families.js';
import { BUCKET_BOUNDS, readHistogram } from './histogram.js';
import type { MetricsBook, ModelCapacity, SubjectTotal } from './metrics-book.js';

/** How long lines are written before the event loop gets its turn. */
const SLICE_MS = 5;
/** Lines between two looks at the clock. */
const CHUNK_LINES = 512;

/**
 * Everything the book knows in the text format of Prometheus, UTF-8. A server of many models has megabytes of it, so the lines are
 * written in slices with turns of the event loop between them; all numbers are of the moment of the call. Lines of one series from
 * several subjects, as the state questions about all versions of a model, are summed.
 *
 * @param names that replace the default set; `null`: the default set.
 */
export async function exposition(book: MetricsBook, names: readonly string[] | null): Promise<Uint8Array<ArrayBuffer>> {
  const totals = book.totals();
  const { capacities } = book;
  const chunks: Buffer[] = [];
  let sliceEnd = performance.now() + SLICE_MS;
  for (const chunk of pageChunks(shownFamilies(names), totals, capacities)) {
    chunks.push(Buffer.from(chunk));
    if (performance.now() < sliceEnd) continue;
    await setImmediate();
    sliceEnd = performance.now() + SLICE_MS;
  }
  return joined(chunks);
}

/** In memory of its own, which may move to another thread. */
function joined(chunks: readonly Buffer[]): Uint8Array<ArrayBuffer> {
  const page = new Uint8Array(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let end = 0;
  for (const chunk of chunks) {
    page.set(chunk, end);
    end += chunk.byteLength;
  }
  return page;
}

function* pageChunks(
  families: readonly Family[],
  totals: readonly SubjectTotal[],
  capacities: readonly ModelCapacity[],
): Generator<string> {
  let chunk = '';
  let lines = 0;
  for (const family of families) {
    chunk += `${chunk === '' && lines === 0 ? '' : '\n'}# HELP ${family.name} ${escapeHelp(family.help)}\n`;
    chunk += `# TYPE ${family.name} ${family.type}\n`;
    for (const line of familyLines(family, totals, capacities)) {
      chunk += `${line}\n`;
      lines += 1;
      if (lines % CHUNK_LINES !== 0) continue;
      yield chunk;
      chunk = '';
    }
  }
  yield chunk;
}

function* familyLines(
  family: Family,
  totals: readonly SubjectTotal[],
  capacities: readonly ModelCapacity[],
): Generator<string> {
  const { name, type, bounds = BUCKET_BOUNDS } = family;
  if (type !== 'histogram') {
    for (const [labels, value] of sums(family, totals, capacities)) yield `${name}${braced(labels)} ${value}`;
    return;
  }
  const edges = [...bounds.map(String), '+Inf'].map((edge) => `le="${edge}"`);
  for (const { series, subject, numbers } of seriesOf(family, totals)) {
    const labels = labelText({ ...series.labels, ...subjectLabels(subject, series.hasVersion) });
    const { cumulative, sum } = readHistogram(numbers, series.slot, bounds);
    const before = labels === '' ? '' : `${labels},`;
    for (let index = 0; index < edges.length; index += 1) {
      yield `${name}_bucket{${before}${edges[index]!}} ${cumulative[index]!}`;
    }
    yield `${name}_sum${braced(labels)} ${sum}`;
    yield `${name}_count${braced(labels)} ${cumulative.at(-1)!}`;
  }
}

/** Values by their labels, in the order in which the labels come up first. */
function sums(
  family: Family,
  totals: readonly SubjectTotal[],
  capacities: readonly ModelCapacity[],
): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  const add = (labels: string, value: number): void => void values.set(labels, (values.get(labels) ?? 0) + value);
  for (const { series, subject, numbers } of seriesOf(family, totals)) {
    add(labelText({ ...series.labels, ...subjectLabels(subject, series.hasVersion) }), numbers[series.slot]!);
  }
  for (const { name, version, streams, queueSize } of capacities) {
    const labels = { name, version: String(version) };
    if (family.name === 'ovms_streams') add(labelText(labels), streams);
    if (family.name === 'ovms_infer_req_queue_size') add(labelText(labels), queueSize);
  }
  return values;
}

function* seriesOf(
  { name }: Family,
  totals: readonly SubjectTotal[],
): Generator<SubjectTotal & { readonly series: Series }> {
  for (const { subject, numbers } of totals) {
    for (const series of BLOCK_SERIES[subject.kind]) if (series.family === name) yield { series, subject, numbers };
  }
}

type Labels = Readonly<Record<string, string>>;

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
function labelText(labels: Labels): string {
  return Object.keys(labels)
    .sort()
    .map((label) => `${label}="${escapeLabel(labels[label]!)}"`)
    .join();
}

function braced(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
