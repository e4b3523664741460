import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { loadNativeBinding } from '#src/native/load.js';
import { measureServer } from './load/load-client.js';
import type { PredictTarget } from './load/request-set.js';
import { interruption } from './support/interruption.js';
import { MachineReport } from './support/machine.js';
import type { Measurement } from './support/measurement.js';
import { writeAddModel, writeLargestModel } from './support/model-text.js';
import { OUTPUT, VINERY } from './support/paths.js';
import { ServerProcess } from './support/server-process.js';
import { formatSpread, spread } from './support/statistics.js';
import { Table } from './support/table.js';

/**
 * What do the two servers of the gRPC port cost, on models that cost next to nothing? One server of each runs all the time; within a
 * round both are asked one after the other, in turn the one and the other first.
 */
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
const seconds = Number(values.seconds ?? (values.quick ? 0.5 : 3));
if (!(rounds >= 1 && seconds > 0)) throw new Error('usage: transport.js [--quick] [--rounds 5] [--seconds 3]');

const TRANSPORTS = ['js', 'native'] as const;
type Transport = (typeof TRANSPORTS)[number];
const WORK = `${OUTPUT}transport/`;

interface Work {
  readonly title: string;
  readonly target: PredictTarget;
  readonly calls: readonly number[];
}
const WORKS: readonly Work[] = [
  { title: '40 B', target: { servable: 'add', input: 'b', output: 'a', shape: [1, 10] }, calls: [1, 8, 64] },
  {
    title: '602 KB',
    target: { servable: 'largest', input: 'image', output: 'largest', shape: [1, 224, 224, 3] },
    calls: [1, 8],
  },
];

const machine = new MachineReport();
const signal = interruption();
await mkdir(WORK, { recursive: true });
writeAddModel(`${WORK}add/1`);
writeLargestModel(`${WORK}largest/1`);
const config = await writeConfig();
const servers = new Map<Transport, ServerProcess>();
const HEADER = ['request', 'calls', 'transport', 'requests/s', 'p50 ms', 'CPU µs/request', 'rate of js', 'CPU of js'];
const table = new Table(HEADER, 3);
try {
  for (const transport of TRANSPORTS) {
    const args = ['--config_path', config, '--grpc_transport', transport];
    servers.set(transport, await ServerProcess.start({ executable: VINERY, args }, signal));
  }
  for (const work of WORKS) for (const calls of work.calls) await compare(work, calls);
} finally {
  for (const server of servers.values()) await server.stop();
}
const text = [
  '# What do the servers of the gRPC port cost?',
  '',
  ...machine.lines(loadNativeBinding().openvinoVersion()),
  `- ${rounds} rounds of ${seconds} s; medians (smallest–largest)`,
  '',
  table.toString(),
  '',
].join('\n');
process.stdout.write(`\n${text}`);
await writeFile(`${OUTPUT}transport${values.quick ? '.quick' : ''}.md`, text);

async function compare({ title, target, calls }: Work, number: number): Promise<void> {
  const inputs = await writeInputs(target);
  const seen = new Map<Transport, Measurement[]>(TRANSPORTS.map((transport) => [transport, []]));
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? TRANSPORTS : [...TRANSPORTS].reverse();
    for (const transport of order) {
      const load = { calls: number, warmUpSeconds: values.quick ? 0.1 : 0.5, seconds };
      seen.get(transport)!.push(await measureServer(servers.get(transport)!, target, inputs, load, signal));
    }
  }
  for (const transport of TRANSPORTS) {
    const mine = seen.get(transport)!;
    const other = seen.get('js')!;
    const figure = (read: (measured: Measurement) => number, digits: number): string =>
      formatSpread(spread(mine.map(read)), digits);
    const ratio = (read: (measured: Measurement) => number): string =>
      transport === 'js'
        ? ''
        : formatSpread(spread(mine.map((measured, round) => read(measured) / read(other[round]!))), 2);
    table.add(
      title,
      String(number),
      transport,
      figure(({ rate }) => rate, 0),
      figure(({ p50Ms }) => p50Ms, 2),
      figure(({ cpuMicros }) => cpuMicros, 0),
      ratio(({ rate }) => rate),
      ratio(({ cpuMicros }) => cpuMicros),
    );
  }
  process.stderr.write(`${title}, ${number} calls of ${calls.join(', ')}\n`);
}

/** Two inputs with different answers, so that these can be told apart. */
async function writeInputs({ servable, shape }: PredictTarget): Promise<string> {
  const file = `${WORK}${servable}.f32`;
  const elements = shape.reduce((product, size) => product * size, 1);
  const numbers = Float32Array.from({ length: 2 * elements }, (_, index) => (index % elements) + index / elements);
  if (!existsSync(file)) await writeFile(file, new Uint8Array(numbers.buffer));
  return file;
}

async function writeConfig(): Promise<string> {
  const file = `${WORK}config.json`;
  const models = WORKS.map(({ target: { servable } }) => ({
    config: { name: servable, base_path: `${WORK}${servable}`, nireq: 8 },
  }));
  await writeFile(file, JSON.stringify({ model_config_list: models }));
  return file;
}
