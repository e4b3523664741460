import { mkdir, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { loadNativeBinding } from '#src/native/load.js';
import { measureServer } from './load/load-client.js';
import { WatchedServer } from './memory/watched-server.js';
import { WORK_NAMES, Work } from './serving/work.js';
import { interruption } from './support/interruption.js';
import { MachineReport } from './support/machine.js';
import type { Measurement } from './support/measurement.js';
import { OUTPUT } from './support/paths.js';
import { residentBytes } from './support/process-memory.js';
import { slope } from './support/statistics.js';
import { Table } from './support/table.js';

/**
 * Does the memory of a server under full load keep growing? Resident memory when it has loaded its models, after a minute of warm-up
 * and at the end of each minute after it; the slope over these minutes. Exit code 1 when a call failed.
 */
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '10' },
    calls: { type: 'string', default: '8' },
    sets: { type: 'string' },
    transport: { type: 'string', default: 'native' },
  },
});
const minutes = Number(values.minutes);
const calls = Number(values.calls);
const sets = (values.sets ?? (values.quick ? 'tiny' : 'tiny,light')).split(',').map((text) => {
  const name = WORK_NAMES.find((known) => known === text);
  if (name === undefined || !(minutes >= 1 && calls >= 1)) {
    throw new Error('usage: steady.js [--quick] [--minutes 10] [--calls 8] [--sets tiny,light] [--transport native]');
  }
  return name;
});
/** Quick, a minute has one second. */
const MINUTE_SECONDS = values.quick ? 1 : 60;
const MINUTES = values.quick ? 3 : minutes;
const WATCH_SECONDS = values.quick ? 0.5 : 10;
const WORK = `${OUTPUT}steady/`;
const MEGABYTE = 1024 * 1024;

const machine = new MachineReport();
const signal = interruption();
await mkdir(WORK, { recursive: true });
const sections: string[] = [];
for (const name of sets) sections.push('', ...(await section(await Work.open(name, `${OUTPUT}models`))));
const text = [
  '# Does the memory of a server under full load keep growing?',
  '',
  ...machine.lines(loadNativeBinding().openvinoVersion()),
  `- ${calls} calls in a closed loop, transport ${values.transport}, ${MINUTES} minutes of ${MINUTE_SECONDS} s`,
  ...sections,
  '',
].join('\n');
process.stdout.write(`\n${text}`);
await writeFile(`${OUTPUT}steady${values.quick ? '.quick' : ''}.md`, text);

async function section(work: Work): Promise<string[]> {
  const flags = ['--config_path', await work.config('steady', {}), '--grpc_transport', values.transport];
  const server = await WatchedServer.start(flags, `${WORK}threads.json`, false, signal);
  const { pid } = server.process;
  const table = new Table(['when', 'resident MB', 'requests', 'requests/s', 'p99 ms', 'failed'], 1);
  const row = (when: string, measured: Measurement | null): number => {
    const megabytes = residentBytes(pid) / MEGABYTE;
    const cells =
      measured === null
        ? ['', '', '', '']
        : [
            String(measured.requests),
            measured.rate.toFixed(0),
            measured.p99Ms.toFixed(2),
            String(measured.failed ?? 0),
          ];
    table.add(when, megabytes.toFixed(1), ...cells);
    process.stderr.write(`${work.name}, ${when}: ${megabytes.toFixed(1)} MB\n`);
    return megabytes;
  };
  try {
    row('start', null);
    row('after warm-up', await load(work, server));
    const resident: number[] = [];
    for (let minute = 1; minute <= MINUTES; minute += 1) {
      resident.push(row(`minute ${minute}`, await load(work, server)));
    }
    // Last: what is watched for it is memory, too.
    const [cost] = await Promise.all([
      delay(100).then(() => server.watch(work.target.servable, WATCH_SECONDS)),
      load(work, server),
    ]);
    const each = cost.allocations.heapBytes / cost.requests;
    return [
      `## ${work.title}`,
      '',
      table.toString(),
      '',
      `Slope of resident memory over the minutes: ${slope(resident).toFixed(2)} MB a minute. ` +
        `Allocated in JavaScript: ${each.toFixed(0)} bytes a request.`,
    ];
  } finally {
    await server.process.stop();
  }
}

async function load(work: Work, server: WatchedServer): Promise<Measurement> {
  const duration = { warmUpSeconds: 0, seconds: MINUTE_SECONDS };
  const measured = await measureServer(server.process, work.requests, { calls, ...duration }, signal);
  if ((measured.failed ?? 0) > 0) {
    process.stderr.write(`benchmark: a call failed: ${measured.firstFailure ?? 'unknown'}\n`);
    process.exitCode = 1;
  }
  return measured;
}
