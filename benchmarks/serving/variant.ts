import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { METHOD } from '#src/frontends/tfs/method.js';
import { durationArguments, measureServer, timeLimitMs, type Duration, type Load } from '../load/load-client.js';
import { SharedInputs } from '../load/shared-inputs.js';
import { RequestSet } from '../load/request-set.js';
import { parseMeasurement, type Measurement } from '../support/measurement.js';
import { LIMIT, LOAD_CLIENT, REFERENCE } from '../support/paths.js';
import { lastLineOf } from '../support/program.js';
import { ServerProcess, vinery, type ServerCommand } from '../support/server-process.js';
import type { OtherServer, ServingOptions } from './options.js';
import type { Work, WorkName } from './work.js';

/** What is compared with what. */
export type Kind = 'in process' | 'C++ server' | 'server';

/** One way to run a set of models. */
export interface Variant {
  readonly name: string;
  readonly kind: Kind;
  /** Whether its answers are those of the models. */
  readonly isChecked: boolean;
  /** The label in an answer; that of a response of Predict where it is not given. @param answer in hexadecimal digits */
  readonly labelOf?: (answer: string) => number;
  /** `null` for a load that it cannot have. */
  measure(load: Load & Duration): Promise<Measurement> | null;
  /** @throws Error when what runs does not end well */
  stop(): Promise<void>;
}

/** What the reference and the server in C++ are set to, by set of models. */
const HINTS = [
  ['LATENCY', ['--streams', 'LATENCY']],
  ['THROUGHPUT', ['--streams', 'THROUGHPUT']],
] as const;
const INLINE = ['inline', ['--streams', '1', '--inline']] as const;
type Setting = readonly [name: string, args: readonly string[]];
const SETTINGS: Readonly<Record<WorkName, readonly Setting[]>> = {
  seed: HINTS,
  light: [...HINTS, INLINE],
  tiny: [...HINTS, INLINE],
  trivial: [['no inference', ['--trivial']]],
};

/** A way to start this project's server: flags, and what stands at every model of the configuration. */
interface ServerSetting {
  readonly name: string;
  readonly flags: readonly string[];
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly sets: readonly WorkName[];
}

const ALL: readonly WorkName[] = ['seed', 'light', 'tiny', 'trivial'];
const THROUGHPUT = { plugin_config: { PERFORMANCE_HINT: 'THROUGHPUT' } };
const SERVERS: readonly ServerSetting[] = [
  { name: 'default', flags: [], sets: ALL },
  server('native', 'async', ALL),
  { ...server('native', 'adaptive', ['seed', 'light']), name: 'native adaptive THROUGHPUT', settings: THROUGHPUT },
  server('js', 'adaptive', ALL),
  { ...server('native', 'async', ['tiny']), name: 'native async nireq 1', settings: { nireq: 1 } },
];

function server(transport: string, executor: string, sets: readonly WorkName[]): ServerSetting {
  const flags = ['--grpc_transport', transport, '--node_executor', executor];
  return { name: `${transport} ${executor}`, flags, sets };
}

/** Starts all that is compared on a set, and stops it however `use` ends. @throws Error also when a server does not stop well */
export async function withVariants(
  work: Work,
  options: ServingOptions,
  signal: AbortSignal,
  use: (variants: readonly Variant[]) => Promise<void>,
): Promise<void> {
  const variants: Variant[] = [];
  const stop = (): Promise<PromiseSettledResult<void>[]> =>
    Promise.allSettled(variants.map((variant) => variant.stop()));
  try {
    for (const [name, start] of starters(work, options, signal)) {
      if (options.only.length === 0 || options.only.some((part) => name.includes(part))) variants.push(await start());
    }
    await use(variants);
  } catch (error) {
    await stop();
    throw error;
  }
  const failed = (await stop()).find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

type Starter = readonly [name: string, start: () => Variant | Promise<Variant>];

function starters(work: Work, options: ServingOptions, signal: AbortSignal): Starter[] {
  const list: Starter[] = [];
  for (const [setting, args] of SETTINGS[work.name]) {
    if (work.name !== 'trivial') {
      const name = `in process ${setting}`;
      list.push([name, () => inProcess(name, work, args, signal)]);
    }
    if (existsSync(LIMIT)) {
      const name = `C++ server ${setting}`;
      const all = work.name === 'trivial' ? args : [...modelArguments(work), ...args];
      const command = { executable: LIMIT, args: (port: number) => ['--port', String(port), ...all], ready: 'ready' };
      list.push([name, () => served(name, 'C++ server', work.name !== 'trivial', work, command, signal)]);
    }
  }
  for (const { name: setting, flags, settings, sets } of SERVERS) {
    if (!sets.includes(work.name)) continue;
    const name = `vinery ${setting}`;
    const start = async (): Promise<Variant> => {
      const config = await work.config(setting.replaceAll(' ', '-'), settings ?? {});
      return served(name, 'server', true, work, vinery(['--config_path', config, ...flags]), signal);
    };
    list.push([name, start]);
  }
  if (work.name === 'light' && existsSync(LOAD_CLIENT)) {
    const name = 'vinery default, shared memory';
    list.push([name, () => servedFromSharedMemory(name, work, signal)]);
  }
  for (const other of options.others) {
    const start = async (): Promise<Variant> => {
      return served(other.name, 'server', true, work, await otherCommand(other, work), signal);
    };
    list.push([other.name, start]);
  }
  return list;
}

/** A new process for each measurement. It has closed loops only. */
function inProcess(name: string, work: Work, setting: readonly string[], signal: AbortSignal): Variant {
  const args = [...modelArguments(work), ...setting, '--inputs', work.inputs];
  return {
    name,
    kind: 'in process',
    isChecked: true,
    measure: (load) => {
      // Connections are nothing to it.
      if ('rate' in load || load.connections !== undefined) return null;
      const limits = { signal, timeoutMs: timeLimitMs(load) };
      return lastLineOf(REFERENCE, [...args, '--calls', String(load.calls), ...durationArguments(load)], limits).then(
        parseMeasurement,
      );
    },
    stop: () => Promise.resolve(),
  };
}

/** One process for all measurements, idle while the others are measured. */
async function served(
  name: string,
  kind: Kind,
  isChecked: boolean,
  work: Work,
  command: ServerCommand,
  signal: AbortSignal,
): Promise<Variant> {
  const process = await ServerProcess.start(command, signal).catch((error: unknown) => {
    throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  });
  const isOurs = command.executable !== SHELL;
  return {
    name,
    kind,
    isChecked,
    measure: (load) => measureServer(process, work.requests, load, signal),
    stop: async () => {
      const code = await process.stop();
      if (isOurs && code !== 0) {
        throw new Error(`${name}: expected the server to stop with exit code 0, got ${code ?? 'none'}`);
      }
    },
  };
}

/** The same inputs, by KServe, in memory that the server has mapped. */
async function servedFromSharedMemory(name: string, work: Work, signal: AbortSignal): Promise<Variant> {
  const config = await work.config('shared-memory', {});
  const process = await ServerProcess.start(vinery(['--config_path', config]), signal);
  const inputs = await SharedInputs.register(process.port, work.target, work.inputs, `${work.requests}.shared`).catch(
    async (error: unknown) => {
      await process.stop();
      throw error;
    },
  );
  return {
    name,
    kind: 'server',
    isChecked: true,
    labelOf: (answer) => SharedInputs.answeredNumber(answer),
    measure: (load) => measureServer(process, inputs.requests, load, signal, SharedInputs.method),
    stop: async () => {
      await inputs.remove();
      const code = await process.stop();
      if (code !== 0) throw new Error(`${name}: expected the server to stop with exit code 0, got ${code ?? 'none'}`);
    },
  };
}

const SHELL = '/bin/sh';

/** The shell becomes the server, so that its process is the one whose CPU time is read. Ready is what answers. */
async function otherCommand({ command }: OtherServer, work: Work): Promise<ServerCommand> {
  const config = await work.config('other', {});
  const text = command.replaceAll('{config}', config).replaceAll('{models}', dirname(config));
  const request = new RequestSet(work.requests).request(0);
  return {
    executable: SHELL,
    args: (port) => ['-c', `exec ${text.replaceAll('{port}', String(port))}`],
    ready: (port) => answers(port, request),
  };
}

function answers(port: number, request: Buffer): Promise<boolean> {
  const asIs = (bytes: Buffer): Buffer => bytes;
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  return new Promise((resolve) => {
    const options = { deadline: Date.now() + 10_000 };
    client.makeUnaryRequest(METHOD.PREDICT, asIs, asIs, request, options, (error) => {
      client.close();
      resolve(error === null);
    });
  });
}

function modelArguments(work: Work): string[] {
  return (['googlenet', 'resnet', 'argmax'] as const).flatMap((name) => [`--${name}`, work.modelFile(name)]);
}
