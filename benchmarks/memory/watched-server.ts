import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Value } from '@sinclair/typebox/value';
import { freePort } from '#src/demo/free-port.js';
import { ServerProcess, vinery } from '../support/server-process.js';
import { AllocationsSchema, FILE_VARIABLE, SAMPLE_VARIABLE, type ThreadAllocations } from './allocations.js';
import { metricSums } from './metrics.js';

const PRELOAD = new URL('./preload.js', import.meta.url).href;
const ANSWER_LIMIT_MS = 60_000;

/** What the busiest worker thread did while it was watched, for one request. */
export interface RequestCost {
  readonly requests: number;
  readonly allocations: ThreadAllocations;
  /** Bytes of tensors copied, by reason; without those of which nothing was. */
  readonly copied: ReadonlyMap<string, number>;
}

/** A server of this project that tells what its threads allocate and copy. */
export class WatchedServer {
  readonly process: ServerProcess;
  readonly #restPort: number;
  readonly #file: string;

  private constructor(process: ServerProcess, restPort: number, file: string) {
    this.process = process;
    this.#restPort = restPort;
    this.#file = file;
  }

  /** @param file where the server may write to @param sample whether to tell the places, too, which slows it down */
  static async start(
    flags: readonly string[],
    file: string,
    sample: boolean,
    signal: AbortSignal,
  ): Promise<WatchedServer> {
    const restPort = await freePort();
    const all = [...flags, '--rest_port', String(restPort), '--rest_bind_address', '127.0.0.1', '--metrics_enable'];
    const environment = { [FILE_VARIABLE]: file, ...(sample ? { [SAMPLE_VARIABLE]: '1' } : {}) };
    const command = { ...vinery(all, ['--import', PRELOAD]), environment };
    return new WatchedServer(await ServerProcess.start(command, signal), restPort, file);
  }

  /** Watches for this long while others send requests to a servable. @throws Error when it does not tell in time, or no request was answered */
  async watch(servable: string, seconds: number): Promise<RequestCost> {
    await rm(this.#file, { force: true });
    const before = await metricSums(this.#restPort, servable);
    this.process.kill('SIGUSR2');
    await delay(seconds * 1000);
    this.process.kill('SIGUSR2');
    const after = await metricSums(this.#restPort, servable);
    const deadline = Date.now() + ANSWER_LIMIT_MS;
    while (!existsSync(this.#file)) {
      if (Date.now() > deadline) throw new Error('the server did not tell what it allocated');
      await delay(50);
    }
    const threads = Value.Parse(AllocationsSchema, JSON.parse(await readFile(this.#file, 'utf8')));
    const requests = after.requests - before.requests;
    if (requests <= 0) throw new Error('expected requests to be answered while the server was watched');
    const copied = [...after.copied].map(([reason, bytes]): [string, number] => [
      reason,
      (bytes - (before.copied.get(reason) ?? 0)) / requests,
    ]);
    return {
      requests,
      allocations: threads.reduce((most, thread) => (thread.heapBytes > most.heapBytes ? thread : most)),
      copied: new Map(copied.filter(([, bytes]) => bytes > 0)),
    };
  }
}
