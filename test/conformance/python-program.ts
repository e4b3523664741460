import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ServerProcess } from '../helpers/server.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PROGRAMS = `${ROOT}test/conformance/python`;
const CLIENTS = `${ROOT}.cache/conformance`;

/** What `install.py` says it has installed. */
interface Installed {
  /** The Python for which the packages are. */
  readonly python: string;
  /** Why there are none, or `null`. */
  readonly unavailable: string | null;
  readonly versions: Readonly<Record<string, string>>;
}

/** A Python client: the folders of packages it needs, first those that hide others. */
export interface PythonClient {
  readonly packages: readonly string[];
  /** The distributions whose versions name the client in reports. */
  readonly distributions: readonly string[];
}

export const OVMSCLIENT: PythonClient = {
  packages: ['ovmsclient', 'libraries'],
  distributions: ['ovmsclient', 'grpcio', 'requests'],
};

export const TENSORFLOW_SERVING: PythonClient = {
  packages: ['tensorflow-serving', 'tensorflow-protos', 'libraries'],
  distributions: ['tensorflow-serving-api', 'tensorflow-protobuf', 'grpcio'],
};

interface TestLine {
  readonly test: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly detail: string;
}

/** Why a client cannot run here, or `false`. */
export function whyNoPythonClients(): string | false {
  return installed().unavailable ?? false;
}

/** `ovmsclient 2023.1, grpcio 1.76.0`, without the versions where there are none. */
export function describeClient({ distributions }: PythonClient): string {
  const { versions } = installed();
  return distributions.map((name) => [name, versions[name] ?? []].flat().join(' ')).join(', ');
}

/** Runs the tests of one module of `python/` against the server, each as a subtest of `t`. */
export async function runPythonTests(
  t: TestContext,
  client: PythonClient,
  module: string,
  server: ServerProcess,
  environment: NodeJS.ProcessEnv = {},
): Promise<void> {
  const { stdout, exitCode } = await runPython(client, ['run_program.py', module], {
    VINERY_GRPC_ADDRESS: `127.0.0.1:${server.grpcPort}`,
    VINERY_REST_ADDRESS: `127.0.0.1:${server.restPort}`,
    ...environment,
  });
  const results = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as TestLine]));
  for (const { test, outcome, detail } of results) {
    await t.test(test, { skip: outcome === 'skipped' ? detail : false }, () => {
      if (outcome === 'failed') throw new Error(detail);
    });
  }
  const expectedExit = results.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
  if (results.length === 0 || exitCode !== expectedExit) {
    throw new Error(`${module}: ended with ${exitCode} after ${results.length} tests; its errors are above`);
  }
}

/** Runs a program of `python/` to its end; its standard error is passed on. */
export function runPython(
  client: PythonClient,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<{ readonly stdout: string; readonly exitCode: number | null }> {
  const env = {
    ...process.env,
    ...environment,
    PYTHONPATH: client.packages.map((folder) => `${CLIENTS}/${folder}`).join(':'),
    PYTHONNOUSERSITE: '1',
    // Clients of 127.0.0.1 have no use for a proxy.
    NO_PROXY: '127.0.0.1',
    no_proxy: '127.0.0.1',
  };
  return new Promise((resolve, reject) => {
    const child = spawn(installed().python, [...args], { cwd: PROGRAMS, env, stdio: ['ignore', 'pipe', 'inherit'] });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ stdout, exitCode }));
  });
}

function installed(): Installed {
  const file = `${CLIENTS}/installed.json`;
  if (!existsSync(file)) throw new Error('the Python clients are missing: run `python3 test/conformance/install.py`');
  return JSON.parse(readFileSync(file, 'utf8')) as Installed;
}
