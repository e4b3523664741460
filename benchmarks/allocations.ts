import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { loadNativeBinding } from '#src/native/load.js';
import { measureServer } from './load/load-client.js';
import { WatchedServer, type RequestCost } from './memory/watched-server.js';
import { Work, type WorkName } from './serving/work.js';
import { interruption } from './support/interruption.js';
import { MachineReport } from './support/machine.js';
import { OUTPUT } from './support/paths.js';
import { Table } from './support/table.js';

/**
 * What does a request allocate in JavaScript, where, and which bytes of tensors are copied for it? Totals are exact, from the heap before
 * and after each garbage collection; places are sampled on another server, since sampling takes time.
 */
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    calls: { type: 'string', default: '8' },
    seconds: { type: 'string' },
    transports: { type: 'string', default: 'native' },
  },
});
const calls = Number(values.calls);
const seconds = Number(values.seconds ?? (values.quick ? 0.5 : 10));
const warmUpSeconds = values.quick ? 0.3 : 3;
if (!(calls >= 1 && seconds > 0)) {
  throw new Error('usage: allocations.js [--quick] [--calls 8] [--seconds 10] [--transports native,js]');
}

const WORK = `${OUTPUT}allocations/`;
const SETS: readonly WorkName[] = values.quick ? ['tiny'] : ['tiny', 'light'];
const SHOWN = 16;
/** Between the beginning of the load and the watch, and from the end of the watch to the end of the load. */
const MARGIN_SECONDS = 0.2;

const machine = new MachineReport();
const signal = interruption();
await mkdir(WORK, { recursive: true });
const totals = new Table(
  ['set', 'transport', 'requests', 'heap B', 'buffers B', 'collections / 1000', 'collector µs', 'copied B, by reason'],
  2,
);
const sections: string[] = [];
for (const name of SETS) {
  const work = await Work.open(name, `${OUTPUT}models`);
  for (const transport of values.transports.split(',')) {
    const exact = await measure(work, transport, false);
    addTotals(name, transport, exact);
    const sampled = await measure(work, transport, true);
    sections.push('', `## ${work.title}; transport ${transport}`, '', siteTable(exact, sampled).toString());
  }
}
const text = [
  '# What does a request allocate in JavaScript, and what is copied for it?',
  '',
  ...machine.lines(loadNativeBinding().openvinoVersion()),
  `- ${calls} calls, ${seconds} s, the owner worker alone; a request`,
  '',
  totals.toString(),
  ...sections,
  '',
].join('\n');
process.stdout.write(`\n${text}`);
await writeFile(`${OUTPUT}allocations${values.quick ? '.quick' : ''}.md`, text);

async function measure(work: Work, transport: string, sample: boolean): Promise<RequestCost> {
  const config = await work.config('allocations', {});
  const flags = ['--config_path', config, '--grpc_transport', transport, '--node_executor', 'adaptive'];
  const server = await WatchedServer.start(flags, `${WORK}threads.json`, sample, signal);
  try {
    // Code that has not been optimized yet allocates more.
    await measureServer(server.process, work.requests, { calls, warmUpSeconds, seconds: MARGIN_SECONDS }, signal);
    const duration = { warmUpSeconds: 0, seconds: seconds + 2 * MARGIN_SECONDS };
    const load = measureServer(server.process, work.requests, { calls, ...duration }, signal);
    const [cost] = await Promise.all([server.watch(work.target.servable, seconds), load]);
    return cost;
  } finally {
    await server.process.stop();
  }
}

function addTotals(name: string, transport: string, { requests, allocations, copied }: RequestCost): void {
  const each = (value: number, digits: number): string => (value / requests).toFixed(digits);
  totals.add(
    name,
    transport,
    String(requests),
    each(allocations.heapBytes, 0),
    each(allocations.externalBytes, 0),
    each(1000 * allocations.collections, 2),
    each(allocations.collectionMicros, 2),
    [...copied].map(([reason, bytes]) => `${reason} ${bytes.toFixed(0)}`).join(', '),
  );
}

/** Shares are sampled; the bytes are these shares of the exact total. */
function siteTable(exact: RequestCost, sampled: RequestCost): Table {
  const table = new Table(['function', 'where', 'share', 'B/request'], 2);
  const all = sampled.allocations.sites.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { name, where, bytes } of sampled.allocations.sites.slice(0, SHOWN)) {
    const share = bytes / all;
    const each = (share * exact.allocations.heapBytes) / exact.requests;
    table.add(name, where, `${(100 * share).toFixed(1)} %`, each.toFixed(0));
  }
  return table;
}
