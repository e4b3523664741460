import { parseArgs } from 'node:util';
import { processCpuMicros } from '../support/process-cpu.js';
import { ClosedLoop } from './closed-loop.js';
import { MeasuringWindow } from './measuring-window.js';
import { RequestSet } from './request-set.js';

/**
 * The load client for machines without grpc++, a process of its own so that its work is not taken for the server's: a closed loop of
 * gRPC Predict calls. Takes what the client in C++ takes, and prints what it prints. Exit code 1 when any call failed.
 */
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '9100' },
    /** Process whose CPU time is read. */
    pid: { type: 'string', default: String(process.pid) },
    requests: { type: 'string', default: '' },
    calls: { type: 'string', default: '1' },
    connections: { type: 'string', default: '1' },
    'warm-up': { type: 'string', default: '1' },
    seconds: { type: 'string', default: '5' },
  },
});

try {
  const requests = new RequestSet(values.requests);
  const pid = Number(values.pid);
  const window = new MeasuringWindow(Number(values['warm-up']), Number(values.seconds), () => {
    const { user, system } = process.cpuUsage();
    return { server: processCpuMicros(pid), client: user + system };
  });
  await new ClosedLoop(Number(values.port), Number(values.connections), requests, window).run(Number(values.calls));
  process.stdout.write(`${JSON.stringify({ ...window.figures(), failed: 0, answers: requests.answers })}\n`);
} catch (error) {
  process.stderr.write(`load client: ${error instanceof Error ? error.message : String(error)}\n`);
  // Calls that are still open must not keep the process.
  process.exit(1);
}
