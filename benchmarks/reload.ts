import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client, credentials } from '@grpc/grpc-js';
import { freePort } from '#src/demo/free-port.js';
import { METHOD } from '#src/frontends/tfs/method.js';
import { encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { loadNativeBinding } from '#src/native/load.js';
import { interruption } from './support/interruption.js';
import { MachineReport } from './support/machine.js';
import { OUTPUT } from './support/paths.js';
import { ServerProcess, vinery } from './support/server-process.js';
import { Table } from './support/table.js';

/**
 * How long do clients go without an answer while a model that takes its time to compile is loaded again with another nireq?
 * Exit code 1 when any call failed.
 */
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    calls: { type: 'string', default: '1,4' },
    models: { type: 'string', default: `${OUTPUT}models` },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
const MODEL = 'efficientnet-lite2';
const INPUT = 'map/TensorArrayStack/TensorArrayGatherV3';
const SHAPE = [1, 224, 224, 3];
const QUIET_MS = values.quick ? 300 : 3000;
const identity = (bytes: Buffer): Buffer => bytes;

/** Closed loops over one connection, which note when each answer came. */
class Load {
  readonly answers: number[] = [];
  failed = 0;
  /** What the first call that failed was told. */
  fault: string | null = null;
  readonly #client: Client;
  readonly #request: Buffer;
  readonly #loops: Promise<void>[];
  #isOver = false;

  constructor(port: number, calls: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    const bytes = new Uint8Array(SHAPE.reduce((product, size) => product * size, Float32Array.BYTES_PER_ELEMENT));
    this.#request = Buffer.from(
      encodePredictRequest(MODEL, null, [{ name: INPUT, precision: 'FP32', shape: SHAPE, bytes }]),
    );
    this.#loops = Array.from({ length: calls }, () => this.#loop());
  }

  /** The longest time without an answer between two moments, the rest of what was under way at either end included. */
  longestGap(from: number, to: number): number {
    const first = this.answers.findLastIndex((time) => time <= from);
    const last = this.answers.findIndex((time) => time >= to);
    const times = this.answers.slice(Math.max(first, 0), last === -1 ? undefined : last + 1);
    return Math.max(...times.slice(1).map((time, index) => time - times[index]!));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
    this.#client.close();
  }

  async #loop(): Promise<void> {
    while (!this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#client.makeUnaryRequest(METHOD.PREDICT, identity, identity, this.#request, (error) => {
          if (error === null) this.answers.push(performance.now());
          else {
            this.failed += 1;
            this.fault ??= error.message;
          }
          resolve();
        });
      });
    }
  }
}

function writeConfig(nireq: number): string {
  const directory = join(OUTPUT, 'reload');
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'config.json');
  const config = { name: MODEL, base_path: resolve(values.models, MODEL), nireq };
  writeFileSync(path, JSON.stringify({ model_config_list: [{ config }] }));
  return path;
}

interface Round {
  readonly reloadMs: number;
  readonly quietGapMs: number;
  readonly reloadGapMs: number;
}

async function measure(load: Load, restPort: number, nireq: number): Promise<Round> {
  const quiet = performance.now();
  await delay(QUIET_MS);
  writeConfig(nireq);
  const from = performance.now();
  const { status } = await fetch(`http://127.0.0.1:${restPort}/v1/config/reload`, { method: 'POST' });
  const to = performance.now();
  if (status !== 201) throw new Error(`expected 201 of the reload, received ${status}`);
  await delay(QUIET_MS / 10);
  return { reloadMs: to - from, quietGapMs: load.longestGap(quiet, from), reloadGapMs: load.longestGap(from, to) };
}

async function main(): Promise<void> {
  const machine = new MachineReport();
  const restPort = await freePort();
  const flags = ['--rest_port', String(restPort), '--rest_bind_address', '127.0.0.1'];
  const args = ['--config_path', writeConfig(1), '--file_system_poll_wait_seconds', '0', ...flags];
  const server = await ServerProcess.start(vinery(args), interruption());
  const table = new Table(['calls', 'reload ms', 'longest gap before ms', 'longest gap meanwhile ms', 'failed'], 0);
  try {
    for (const calls of values.calls.split(',').map(Number)) {
      const load = new Load(server.port, calls);
      const measured: Round[] = [];
      for (let round = 0; round < rounds; round += 1) measured.push(await measure(load, restPort, 2 + (round % 2)));
      await load.stop();
      const largest = (of: (round: Round) => number): string => Math.max(...measured.map(of)).toFixed(0);
      const { failed } = load;
      table.add(
        String(calls),
        ...[largest((round) => round.reloadMs), largest((round) => round.quietGapMs)],
        ...[largest((round) => round.reloadGapMs), `${failed} of ${failed + load.answers.length}`],
      );
      if (failed > 0) {
        process.stderr.write(`benchmark: a call failed: ${String(load.fault)}\n`);
        process.exitCode = 1;
      }
      writeConfig(1);
      await fetch(`http://127.0.0.1:${restPort}/v1/config/reload`, { method: 'POST' });
    }
  } finally {
    await server.stop();
  }
  const text = [
    '# How long do clients go without an answer while a model is loaded again?',
    '',
    ...machine.lines(loadNativeBinding().openvinoVersion()),
    `- ${rounds} reloads of ${MODEL} with another nireq; the largest figure of each column`,
    '',
    table.toString(),
    '',
  ].join('\n');
  process.stdout.write(`\n${text}`);
  writeFileSync(`${OUTPUT}reload${values.quick ? '.quick' : ''}.md`, text);
}

await main();
