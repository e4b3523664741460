import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TestRepository } from '../helpers/repository.js';
import { withServerProcess, type ServerProcess } from '../helpers/server.js';
import { writeConformanceRepository } from './repository.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The sources of the suite. */
export const SUITE = `${ROOT}test/conformance`;

/** Where the `.proto` files of the server lie, a folder for each frontend. */
export const PROTO_FOLDERS = ['tfs', 'kserve'].map((frontend) => `${ROOT}src/frontends/${frontend}/proto`);

/** A folder that one of the installers has filled. */
export function clientsFolder(name: string): string {
  return `${ROOT}.cache/${name}`;
}

/** What an installer says it has installed into a folder; each says it in its own way. */
export function readInstalled(folder: string): unknown {
  const file = `${clientsFolder(folder)}/installed.json`;
  if (!existsSync(file)) throw new Error('the clients are missing: run `python3 test/conformance/install.py`');
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** A client in Go or Java: what `install_go.py` and `install_java.py` say of it. */
interface BuiltClient {
  /** Why it is not there, or `null`. */
  readonly unavailable: string | null;
  readonly versions: Readonly<Record<string, string>>;
}

function built(folder: string): BuiltClient {
  return readInstalled(folder) as BuiltClient;
}

/** Why a compiled client cannot run here, or `false`. */
export function whyNotBuilt(folder: string): string | false {
  return built(folder).unavailable ?? false;
}

/** `go go1.26, grpc v1.83.2`: the versions of what a compiled client is made of. */
export function describeBuilt(folder: string): string {
  return Object.entries(built(folder).versions)
    .map((named) => named.join(' '))
    .join(', ');
}

/**
 * One test for all those of a compiled client: runs it against a server with the suite's servables and reports each of its own.
 *
 * @param resultsIn what the client's tests came to, by what it has printed.
 */
export function testBuilt(
  title: string,
  folder: string,
  [command, ...args]: readonly [string, ...string[]],
  resultsIn: (stdout: string) => TestLine[],
): void {
  const config = writeConformanceRepository(new TestRepository());
  const missing = whyNotBuilt(folder);
  test(missing === false ? describeBuilt(folder) : title, { skip: missing }, (t) =>
    withServerProcess(['--config_path', config, '--file_system_poll_wait_seconds', '0'], async (server) => {
      const { stdout, exitCode } = await runProgram(command, args, addressesOf(server));
      await reportTests(t, title, resultsIn(stdout), exitCode);
    }),
  );
}

/** What one test of a client came to. */
export interface TestLine {
  readonly test: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Of one that failed or was skipped: why. */
  readonly detail: string;
}

export interface Finished {
  readonly stdout: string;
  readonly exitCode: number | null;
}

/** Runs a client to its end; its standard error is passed on. */
export function runProgram(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Finished> {
  // Clients of 127.0.0.1 have no use for a proxy.
  const env = { ...process.env, ...environment, NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' };
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { cwd: `${SUITE}/python`, env, stdio: ['ignore', 'pipe', 'inherit'] });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ stdout, exitCode }));
  });
}

/** Where the server is, as programs are told. */
export function addressesOf(server: ServerProcess): NodeJS.ProcessEnv {
  return {
    VINERY_GRPC_ADDRESS: `127.0.0.1:${server.grpcPort}`,
    VINERY_REST_ADDRESS: `127.0.0.1:${server.restPort}`,
    VINERY_PROTO_PATH: PROTO_FOLDERS.join(':'),
  };
}

/** Reports each test of a program as a subtest of `t`; a program that ended otherwise than its tests say is a fault. */
export async function reportTests(
  t: TestContext,
  program: string,
  results: readonly TestLine[],
  exitCode: number | null,
): Promise<void> {
  for (const { test, outcome, detail } of results) {
    await t.test(test, { skip: outcome === 'skipped' ? detail : false }, () => {
      if (outcome === 'failed') throw new Error(detail);
    });
  }
  const expectedExit = results.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
  if (results.length === 0 || exitCode !== expectedExit) {
    throw new Error(`${program}: ended with ${exitCode} after ${results.length} tests; its errors are above`);
  }
}

/** The JSON documents of a program that prints one a line. */
export function jsonLines<T>(stdout: string): T[] {
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]));
}
