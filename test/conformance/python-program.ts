import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import type { ServerProcess } from '../helpers/server.js';
import {
  addressesOf,
  clientsFolder,
  jsonLines,
  readInstalled,
  reportTests,
  runProgram,
  SUITE,
  type Finished,
  type TestLine,
} from './client-program.js';

const FOLDER = 'conformance';

/** What `install_python.py` says it has installed. */
interface Installed {
  /** The Python for which the packages are. */
  readonly python: string;
  /** Why a folder of packages is not there. */
  readonly unavailable: Readonly<Record<string, string>>;
  /** By folder and name of the package. */
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

export const TRITONCLIENT: PythonClient = {
  packages: ['tritonclient', 'libraries'],
  distributions: ['tritonclient', 'grpcio', 'geventhttpclient'],
};

/** moto for S3, gcp-storage-emulator for Google Cloud Storage. */
export const STORAGE_EMULATORS: PythonClient = {
  packages: ['storage-emulators', 'libraries'],
  distributions: ['moto', 'gcp-storage-emulator'],
};

/** Why a client cannot run here, or `false`. */
export function whyNoPythonClient({ packages }: PythonClient): string | false {
  const { unavailable } = installed();
  return packages.map((folder) => unavailable[folder]).find((reason) => reason !== undefined) ?? false;
}

/** `ovmsclient 2023.1, grpcio 1.76.0`, without the versions where there are none. */
export function describeClient({ packages, distributions }: PythonClient): string {
  const { versions } = installed();
  return distributions
    .map((name) => {
      const version = packages.map((folder) => versions[`${folder}/${name}`]).find((found) => found !== undefined);
      return version === undefined ? name : `${name} ${version}`;
    })
    .join(', ');
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
    ...addressesOf(server),
    ...environment,
  });
  await reportTests(t, module, jsonLines<TestLine>(stdout), exitCode);
}

/** Runs a program of `python/` to its end; its standard error is passed on. */
export function runPython(
  client: PythonClient,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Finished> {
  return runProgram(installed().python, args, { ...environment, ...packagesOf(client) });
}

/** Starts a program of `python/` that runs until its standard input ends; its standard error is passed on. */
export function startPython(
  client: PythonClient,
  args: readonly string[],
): ChildProcessByStdio<Writable, Readable, null> {
  const options = { cwd: `${SUITE}/python`, env: { ...process.env, ...packagesOf(client) } };
  return spawn(installed().python, [...args], { ...options, stdio: ['pipe', 'pipe', 'inherit'] });
}

function packagesOf({ packages }: PythonClient): NodeJS.ProcessEnv {
  const path = packages.map((folder) => `${clientsFolder(FOLDER)}/${folder}`).join(':');
  return { PYTHONPATH: path, PYTHONNOUSERSITE: '1' };
}

function installed(): Installed {
  return readInstalled(FOLDER) as Installed;
}
