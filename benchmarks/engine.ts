import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { translatePluginConfig } from '#src/config/plugin-config.js';
import { NativeInference } from '#src/inference/native-inference.js';
import { PiscinaInference } from '#src/inference/piscina-inference.js';
import { loadNativeBinding } from '#src/native/load.js';
import { chain, fan } from './engine/graphs.js';
import { ImmediateInference } from './engine/immediate-inference.js';
import { pureEngine } from './engine/pure-engine.js';
import { engineTable, type CostSeries } from './engine/report.js';
import { Scheduler } from './engine/scheduler.js';
import { compileModel, inferredInline } from './engine/served-model.js';
import { measure, type NodeCost, type Subject } from './engine/subject.js';
import { MachineReport } from './support/machine.js';
import { writeAddModel } from './support/model-text.js';
import { OUTPUT } from './support/paths.js';

/**
 * What does the scheduler itself cost a node? The engine alone, then with leases and queues, then over the real addon with a model
 * that computes nothing to speak of: on the calling thread, through the completion ring, and as piscina tasks.
 */
const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' }, seconds: { type: 'string' } },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 7));
const seconds = Number(values.seconds ?? (values.quick ? 0.1 : 0.5));
if (!(rounds >= 1 && seconds > 0)) throw new Error('usage: engine.js [--quick] [--rounds 7] [--seconds 0.5]');

const MANY = 16;
const GRAPHS = [chain(16), fan(16)];
const PROPERTIES = translatePluginConfig({}, 'CPU', 'engine').pluginConfig;
/** As the server compiles what it infers on the calling thread. */
const INLINE_PROPERTIES = { ...PROPERTIES, NUM_STREAMS: 1, INFERENCE_NUM_THREADS: 1 };

const machine = new MachineReport();
const binding = loadNativeBinding();
const file = writeAddModel(`${OUTPUT}engine-model`);
const onOneThread = compileModel(binding, file, INLINE_PROPERTIES, MANY);
const byDefault = compileModel(binding, file, PROPERTIES, MANY);
const immediate = await Scheduler.open('no inference', new ImmediateInference(), onOneThread, false);
const inline = await Scheduler.open('inline', new NativeInference(binding), inferredInline(onOneThread));
const ring = await Scheduler.open('async', new NativeInference(binding), byDefault);
const piscina = await Scheduler.open('piscina', new PiscinaInference(binding), onOneThread);

const subjects: Subject[] = [
  ...[chain(100), fan(100)].map(pureEngine),
  ...GRAPHS.map((graph) => immediate.pipeline(graph, 1)),
  inline.alone(1),
  ...GRAPHS.map((graph) => inline.pipeline(graph, 1)),
  ...[1, MANY].flatMap((calls) => [ring.alone(calls), ...GRAPHS.map((graph) => ring.pipeline(graph, calls))]),
  ...[1, MANY].flatMap((calls) => GRAPHS.map((graph) => piscina.pipeline(graph, calls))),
];

const series = subjects.map((subject) => ({ subject, rounds: [] as NodeCost[] })) satisfies CostSeries[];
// The first round warms up: compiled code, binding tables, slabs.
for (const { subject } of series) await measure(subject, seconds / 2);
for (let round = 0; round < rounds; round += 1) {
  for (const one of series) one.rounds.push(await measure(one.subject, seconds));
}
for (const scheduler of [immediate, inline, ring, piscina]) await scheduler.close();

const text = [
  '# What does the scheduler itself cost a node?',
  '',
  ...machine.lines(binding.openvinoVersion()),
  `- ${rounds} rounds of ${seconds} s each; median (smallest–largest); every answer of the addon was checked`,
  '',
  engineTable(series).toString(),
  '',
].join('\n');
process.stdout.write(`\n${text}`);
await writeFile(`${OUTPUT}engine${values.quick ? '.quick' : ''}.md`, text);
