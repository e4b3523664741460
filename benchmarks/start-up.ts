import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { loadNativeBinding } from '#src/native/load.js';
import { Work } from './serving/work.js';
import { measureStart, STEPS, type StartTimes, type Step } from './start-up/started-server.js';
import { interruption } from './support/interruption.js';
import { MachineReport } from './support/machine.js';
import { OUTPUT } from './support/paths.js';
import { formatSpread, spread } from './support/statistics.js';
import { Table } from './support/table.js';

/** How long from the start of the process to the first answer of the demo, and what do the cache and a warm-up change? */
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    models: { type: 'string', default: `${OUTPUT}models` },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
const CACHE = `${OUTPUT}start-up-cache`;

interface Scenario {
  readonly executor: string;
  readonly transport: string;
  /** Without `--cache_dir`, with an empty one, or with that of an earlier start. */
  readonly cache: 'none' | 'empty' | 'filled';
  readonly warmUp: string;
}

const scenarios: Scenario[] = ['async', 'adaptive'].flatMap((executor) =>
  ['js', 'native'].flatMap((transport) => [
    ...(['none', 'empty', 'filled'] as const).map((cache) => ({ executor, transport, cache, warmUp: 'none' })),
    { executor, transport, cache: 'filled', warmUp: 'synthetic' } as const,
  ]),
);

function flags(config: string, { executor, transport, cache, warmUp }: Scenario): string[] {
  const caching = cache === 'none' ? [] : ['--cache_dir', CACHE];
  const how = ['--node_executor', executor, '--grpc_transport', transport, '--warm_up', warmUp];
  return ['--config_path', config, ...how, ...caching];
}

async function main(): Promise<void> {
  const machine = new MachineReport();
  const signal = interruption();
  const work = await Work.open('seed', values.models);
  const { servable, input, shape } = work.target;
  const config = await work.config('start-up', {});
  const size = shape.reduce((product, length) => product * length, Float32Array.BYTES_PER_ELEMENT);
  const bytes = readFileSync(work.inputs).subarray(0, size);
  const request = Buffer.from(encodePredictRequest(servable, null, [{ name: input, precision: 'FP32', shape, bytes }]));
  const measured = new Map<Scenario, StartTimes[]>(scenarios.map((scenario) => [scenario, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [scenario, times] of measured) {
      if (scenario.cache === 'empty') rmSync(CACHE, { recursive: true, force: true });
      times.push(await measureStart(flags(config, scenario), request, signal));
    }
  }
  const labels = new Set([...measured.values()].flat().map(({ label }) => label));
  if (labels.size !== 1) throw new Error(`expected one label of one picture, received ${[...labels].join(', ')}`);
  const text = [
    '# How long from the start of the process to the first answer of the demo?',
    '',
    ...machine.lines(loadNativeBinding().openvinoVersion()),
    `- Medians of ${rounds} starts each; files are in the page cache; milliseconds`,
    '',
    answers(measured),
    '',
    'When each step was reached, in milliseconds since the start:',
    '',
    steps(measured),
    '',
  ].join('\n');
  process.stdout.write(`\n${text}`);
  writeFileSync(`${OUTPUT}start-up${values.quick ? '.quick' : ''}.md`, text);
}

type Measured = ReadonlyMap<Scenario, readonly StartTimes[]>;

function answers(measured: Measured): string {
  const titles = ['first answer after', 'CPU by then', 'first request', 'second request'];
  const table = new Table(['executor', 'transport', 'cache', 'warm-up', ...titles], 4);
  for (const [scenario, times] of measured) {
    const text = (of: (time: StartTimes) => number, digits: number): string =>
      formatSpread(spread(times.map(of)), digits);
    table.add(
      ...cells(scenario),
      text(({ answeredMs }) => answeredMs, 0),
      text(({ cpuMs }) => cpuMs, 0),
      text(({ firstMs }) => firstMs, 1),
      text(({ secondMs }) => secondMs, 1),
    );
  }
  return table.toString();
}

function steps(measured: Measured): string {
  const names = Object.keys(STEPS) as Step[];
  const table = new Table(['executor', 'transport', 'cache', 'warm-up', ...names], 4);
  for (const [scenario, times] of measured) {
    const medians = names.map((name) => spread(times.map((time) => time.steps[name])).median.toFixed(0));
    table.add(...cells(scenario), ...medians);
  }
  return table.toString();
}

function cells({ executor, transport, cache, warmUp }: Scenario): string[] {
  return [executor, transport, cache, warmUp];
}

await main();
