import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { loadNativeBinding } from '#src/native/load.js';
import { measureServer } from './load/load-client.js';
import { writeRequests } from './load/request-file.js';
import { busiestThread, byModule, totalMicros, type SelfTime } from './profile/cpu-profile.js';
import { interruption } from './support/interruption.js';
import { MachineReport } from './support/machine.js';
import { writeLargestModel } from './support/model-text.js';
import { OUTPUT } from './support/paths.js';
import { ServerProcess, vinery } from './support/server-process.js';
import { Table } from './support/table.js';

/**
 * Where does the time of a 602 KB request go when the network costs next to nothing? A server under V8's sampling profiler answers a
 * closed loop of calls; shown is where its owner worker stood while it was not idle. What other threads do, V8's own among them, is
 * in the CPU time of the process but not in the profile.
 */
const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, calls: { type: 'string' }, seconds: { type: 'string' } },
});
const load = {
  calls: Number(values.calls ?? 8),
  warmUpSeconds: values.quick ? 0.2 : 1,
  seconds: Number(values.seconds ?? (values.quick ? 1 : 10)),
};
if (!(load.calls >= 1 && load.seconds > 0)) throw new Error('usage: profile.js [--quick] [--calls 8] [--seconds 10]');

const SHOWN = 16;
const WORK = `${OUTPUT}profile/`;
const PROFILES = `${WORK}profiles`;
const TARGET = { servable: 'largest', input: 'image', output: 'largest', shape: [1, 224, 224, 3] };

const machine = new MachineReport();
const signal = interruption();
await rm(PROFILES, { recursive: true, force: true });
await mkdir(PROFILES, { recursive: true });
writeLargestModel(`${WORK}largest/1`);
const requests = `${WORK}requests`;
await writeRequests(requests, TARGET, await writePictures());
const server = await ServerProcess.start(
  vinery(
    ['--model_name', TARGET.servable, '--model_path', `${WORK}largest`],
    ['--cpu-prof', `--cpu-prof-dir=${PROFILES}`],
  ),
  signal,
);
// The profiles are written when the server ends.
const measured = await measureServer(server, requests, load, signal).finally(() => server.stop());

const times = await busiestThread(PROFILES);
const total = totalMicros(times);
const text = [
  '# Where does the time of a 602 KB request go in the server?',
  '',
  ...machine.lines(loadNativeBinding().openvinoVersion()),
  `- ${load.calls} calls, ${load.seconds} s, the profiler on: ${measured.rate.toFixed(0)} requests/s, p50 ${measured.p50Ms.toFixed(2)} ms, ` +
    `CPU ${(measured.cpuMicros / 1000).toFixed(2)} ms/request (client: ${(measured.clientCpuMicros / 1000).toFixed(2)} ms)`,
  '',
  'Busy time of the owner worker, by module:',
  '',
  shares(byModule(times), ['module', 'self time']).toString(),
  '',
  'By function:',
  '',
  shares(times, ['function', 'where', 'self time']).toString(),
  '',
].join('\n');
process.stdout.write(`\n${text}`);
await writeFile(`${OUTPUT}profile${values.quick ? '.quick' : ''}.md`, text);

function shares(rows: readonly SelfTime[], header: readonly string[]): Table {
  const table = new Table(header, header.length - 1);
  for (const { name, where, micros } of rows.slice(0, SHOWN)) {
    const share = `${((100 * micros) / total).toFixed(1)} %`;
    table.add(...(header.length === 2 ? [name, share] : [name, where, share]));
  }
  return table;
}

/** Two pictures with different largest values, so that answers can be told apart. */
async function writePictures(): Promise<string> {
  const file = `${WORK}pictures.f32`;
  const elements = TARGET.shape.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length: 2 * elements }, (_, index) => index % (index < elements ? 200 : 251));
  if (!existsSync(file)) await writeFile(file, new Uint8Array(values.buffer));
  return file;
}
