import { fileURLToPath } from 'node:url';
import { parseMeasurement, type Measurement } from '../support/measurement.js';
import { lastLineOf } from '../support/program.js';
import type { PredictTarget } from './request-set.js';

const PROGRAM = fileURLToPath(new URL('./main.js', import.meta.url));
/** More connections change nothing on few cores; with fewer, many large requests share one flow-control window. */
const MOST_CONNECTIONS = 4;
const SPARE_MS = 120_000;

/** The load of one measurement. */
export interface Load {
  readonly calls: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** Runs the load client against a server. @throws Error when any call failed or was answered wrongly */
export async function measureServer(
  server: { readonly port: number; readonly pid: number },
  target: PredictTarget,
  picturesFile: string,
  load: Load,
  signal: AbortSignal,
): Promise<Measurement> {
  const args = [
    ...[PROGRAM, '--port', String(server.port), '--pid', String(server.pid), '--pictures', picturesFile],
    ...['--servable', target.servable, '--input', target.input, '--output', target.output],
    ...['--shape', target.shape.join(','), '--connections', String(Math.min(load.calls, MOST_CONNECTIONS))],
    ...loadArguments(load),
  ];
  return parseMeasurement(await lastLineOf(process.execPath, args, { signal, timeoutMs: timeLimitMs(load) }));
}

/** The reference program takes these, too. */
export function loadArguments({ calls, warmUpSeconds, seconds }: Load): string[] {
  return ['--calls', String(calls), '--warm-up', String(warmUpSeconds), '--seconds', String(seconds)];
}

export function timeLimitMs({ warmUpSeconds, seconds }: Load): number {
  return (warmUpSeconds + seconds) * 1000 + SPARE_MS;
}
