import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Client, credentials } from '@grpc/grpc-js';
import { freePort } from '#src/demo/free-port.js';
import { METHOD } from '#src/frontends/tfs/method.js';
import { decodePredictResponse } from '#src/frontends/tfs/predict-message.js';
import { VINERY } from '../support/paths.js';
import { processCpuMicros } from '../support/process-cpu.js';

/** Lines of the log that part a start, in their order; the last one of each counts. */
export const STEPS = {
  'addon loaded': 'OpenVINO backend',
  'ports accept': 'Started gRPC server',
  'configuration read': 'Loading model:',
  'models compiled': 'Loaded model',
  loaded: 'ServableManagerModule started',
} as const;
export type Step = keyof typeof STEPS;

export interface StartTimes {
  /** Milliseconds since the process was started. */
  readonly steps: Readonly<Record<Step, number>>;
  readonly answeredMs: number;
  /** Of the whole process by then. */
  readonly cpuMs: number;
  readonly firstMs: number;
  readonly secondMs: number;
  /** What the second answer says; the first one said the same. */
  readonly label: bigint;
}

const identity = (bytes: Buffer): Buffer => bytes;

/**
 * Starts a server, asks it twice as soon as it says that everything is loaded, and stops it.
 *
 * @throws Error when it ends before, or answers twice differently
 */
export async function measureStart(args: readonly string[], request: Buffer, signal: AbortSignal): Promise<StartTimes> {
  const port = await freePort();
  const address = ['--port', String(port), '--grpc_bind_address', '127.0.0.1'];
  const began = performance.now();
  const child = spawn(VINERY, [...args, ...address], { stdio: ['ignore', 'pipe', 'inherit'], signal });
  // An abort is reported to whoever waits for the benchmark.
  child.on('error', () => undefined);
  const exited = once(child, 'exit');
  try {
    const steps: Partial<Record<Step, number>> = {};
    for await (const line of createInterface({ input: child.stdout })) {
      for (const [step, text] of Object.entries(STEPS))
        if (line.includes(text)) steps[step as Step] = performance.now() - began;
      if (steps.loaded !== undefined) break;
    }
    if (steps.loaded === undefined) throw new Error(`the server ended before it had loaded: ${args.join(' ')}`);
    child.stdout.resume();
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    const first = await ask(client, request);
    const answeredMs = performance.now() - began;
    const cpuMs = processCpuMicros(child.pid!) / 1000;
    const second = await ask(client, request);
    client.close();
    if (first.label !== second.label) throw new Error(`expected ${second.label} twice, received ${first.label} first`);
    const all = steps as Record<Step, number>;
    return { steps: all, answeredMs, cpuMs, firstMs: first.millis, secondMs: second.millis, label: second.label };
  } finally {
    child.kill('SIGTERM');
    await exited;
  }
}

function ask(client: Client, request: Buffer): Promise<{ millis: number; label: bigint }> {
  const began = performance.now();
  return new Promise((resolve, reject) =>
    client.makeUnaryRequest(METHOD.PREDICT, identity, identity, request, (error, answer) => {
      if (error !== null) return reject(error);
      const millis = performance.now() - began;
      const content = decodePredictResponse(answer!).get('label')?.content;
      if (content?.kind !== 'bytes') return reject(new Error('expected an output label, received none'));
      const { buffer, byteOffset } = content.bytes;
      resolve({ millis, label: new DataView(buffer, byteOffset).getBigInt64(0, true) });
    }),
  );
}
