import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { METHOD } from '#src/frontends/tfs/method.js';
import { parseMeasurement, type Measurement } from '../support/measurement.js';
import { LOAD_CLIENT } from '../support/paths.js';
import { lastLineOf } from '../support/program.js';

const PROGRAM = fileURLToPath(new URL('./main.js', import.meta.url));
/** More connections change nothing on few cores; with fewer, many large requests share one flow-control window. */
const MOST_CONNECTIONS = 4;
const SPARE_MS = 180_000;

/** How long to measure. */
export interface Duration {
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** A closed loop: so many calls in flight. */
export interface ClosedLoad {
  readonly calls: number;
  /** The number of calls, but no more than four, when it is not given. */
  readonly connections?: number;
}

/** An open loop: so many calls a second, whatever the answers do. Only the client in C++ has it. */
export interface OpenLoad {
  readonly rate: number;
}

export type Load = ClosedLoad | OpenLoad;

/** Whether the load client in C++ was built. */
export function hasNativeClient(): boolean {
  return existsSync(LOAD_CLIENT);
}

/**
 * Runs the load client against a server: the one in C++, and where there is none the one over @grpc/grpc-js.
 * @param requests file of ready-made messages
 * @param method TensorFlow Serving's Predict, and with the client in C++ also others @throws Error when nothing could be measured
 */
export async function measureServer(
  server: { readonly port: number; readonly pid: number },
  requests: string,
  load: Load & Duration,
  signal: AbortSignal,
  method: string = METHOD.PREDICT,
): Promise<Measurement> {
  const args = ['--port', String(server.port), '--pid', String(server.pid), '--requests', requests];
  args.push('--connections', String(connectionsOf(load)), ...durationArguments(load));
  args.push(...('rate' in load ? ['--rate', String(load.rate)] : ['--calls', String(load.calls)]));
  if (hasNativeClient()) args.push('--method', method);
  const limits = { signal, timeoutMs: timeLimitMs(load) };
  const line = hasNativeClient()
    ? await lastLineOf(LOAD_CLIENT, args, limits)
    : await lastLineOf(process.execPath, [PROGRAM, ...args], limits);
  return parseMeasurement(line);
}

/** The reference program takes these, too. */
export function durationArguments({ warmUpSeconds, seconds }: Duration): string[] {
  return ['--warm-up', String(warmUpSeconds), '--seconds', String(seconds)];
}

export function timeLimitMs({ warmUpSeconds, seconds }: Duration): number {
  return (warmUpSeconds + seconds) * 1000 + SPARE_MS;
}

function connectionsOf(load: Load): number {
  return 'rate' in load ? MOST_CONNECTIONS : (load.connections ?? Math.min(load.calls, MOST_CONNECTIONS));
}
