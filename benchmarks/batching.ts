import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { translatePluginConfig } from '#src/config/plugin-config.js';
import { NativeInference } from '#src/inference/native-inference.js';
import { loadNativeBinding } from '#src/native/load.js';
import { Arena } from '#src/tensors/arena.js';
import { CONVOLUTION, DENSE } from './batching/models.js';
import { makeRows, ServedModel, type Variant } from './batching/served.js';
import { measure, type NodeCost, type Subject } from './engine/subject.js';
import { MachineReport } from './support/machine.js';
import { OUTPUT } from './support/paths.js';
import { formatSpread, spread } from './support/statistics.js';
import { Table } from './support/table.js';

/**
 * What does dynamic batching bring? Requests of one row through the scheduler and the real addon, one by one and joined, on a model
 * whose weights are dear to read and on one that computes for each row anew.
 */
const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' }, seconds: { type: 'string' } },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
const seconds = Number(values.seconds ?? (values.quick ? 0.1 : 1));
if (!(rounds >= 1 && seconds > 0)) throw new Error('usage: batching.js [--quick] [--rounds 5] [--seconds 1]');

const CALLS = [1, 16, 64];
const ROWS = 64;
const VARIANTS: readonly Variant[] = [
  { name: 'one by one', batching: null },
  variant('at most 8', 8, 0),
  variant('at most 32', 32, 0),
  variant('at most 32, 500 µs', 32, 500),
];

function variant(name: string, maxBatchSize: number, maxQueueDelayMicros: number): Variant {
  return { name, batching: { maxBatchSize, maxQueueDelayMicros, preferredBatchSizes: [] } };
}

interface Series {
  readonly subject: Subject;
  readonly served: ServedModel;
  readonly rounds: { readonly cost: NodeCost; readonly size: number }[];
}

const machine = new MachineReport();
const binding = loadNativeBinding();
const inference = new NativeInference(binding);
const arena = new Arena(inference.memory);
inference.useArena(arena);
const { pluginConfig: properties } = translatePluginConfig({}, 'CPU', 'batching');

const series: Series[] = [];
for (const model of [DENSE, CONVOLUTION]) {
  const file = model.write(`${OUTPUT}batching-model`);
  const rows = makeRows(arena, model.inputShape, ROWS);
  const expected: (Float32Array | undefined)[] = [];
  const opened: ServedModel[] = [];
  for (const each of VARIANTS) {
    opened.push(await ServedModel.open({ binding, inference, arena, properties }, model, file, each));
  }
  for (const calls of CALLS) {
    for (const served of opened) series.push({ subject: served.subject(calls, rows, expected), served, rounds: [] });
  }
}
// The first round warms up, and makes the answers that all others are compared with: one by one.
for (const { subject } of series) await measure(subject, seconds / 2);
for (let round = 0; round < rounds; round += 1) {
  for (const { subject, served, rounds: measured } of series) {
    served.takeMeanSize();
    const cost = await measure(subject, seconds);
    measured.push({ cost, size: served.takeMeanSize() });
  }
}
for (const served of new Set(series.map((each) => each.served))) served.close();

const table = new Table(['model', 'calls', 'batches', 'requests/s', 'CPU µs/request', 'rows an inference'], 3);
for (const { subject, rounds: measured } of series) {
  const of = (figure: (round: (typeof measured)[number]) => number, digits: number): string =>
    formatSpread(spread(measured.map(figure)), digits);
  table.add(
    subject.graph,
    String(subject.inFlight),
    subject.name,
    of(({ cost }) => 1e6 / cost.elapsedMicros, 0),
    of(({ cost }) => cost.cpuMicros, 0),
    of(({ size }) => size, 1),
  );
}
const text = [
  '# What does dynamic batching bring?',
  '',
  ...machine.lines(binding.openvinoVersion()),
  `- ${rounds} rounds of ${seconds} s each; median (smallest–largest); every answer was that of a request by itself`,
  '',
  table.toString(),
  '',
].join('\n');
process.stdout.write(`\n${text}`);
await writeFile(`${OUTPUT}batching${values.quick ? '.quick' : ''}.md`, text);
