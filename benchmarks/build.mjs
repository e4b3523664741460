/**
 * Builds what `benchmarks/` runs: the programs in C++ and those in TypeScript, both into `build/bench`. The product itself must be
 * there: `make setup`. What needs grpc++ is left out where that is missing.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const benchmarks = dirname(fileURLToPath(import.meta.url));
const repository = dirname(benchmarks);
const source = join(benchmarks, 'reference');
const output = join(repository, 'build', 'bench', 'reference');
const installed = process.env.OpenVINO_DIR;
const openvino = installed ? resolve(installed) : join(repository, 'runtime', 'openvino', 'cmake');

function run(command, args) {
  const result = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (result.error) fail(`${command} did not start: ${result.error.message}`);
  if (result.status !== 0) fail(`${command} ${args.join(' ')} failed; what it said is above.`);
}

function fail(sentence) {
  console.error(`benchmark build: ${sentence}`);
  process.exit(1);
}

/** What grpc++ needs, by the Debian package that has it. */
const GRPC_PACKAGES = [
  ['pkg-config', 'command -v pkg-config'],
  ['libgrpc++-dev', 'pkg-config --exists grpc++'],
  ['libprotobuf-dev', 'pkg-config --exists protobuf'],
  ['protobuf-compiler', 'command -v protoc'],
  ['protobuf-compiler-grpc', 'command -v grpc_cpp_plugin'],
];

/** Whether the server and the load client in C++ can be built. */
function hasGrpc() {
  const isMissing = ([, test]) => spawnSync('/bin/sh', ['-c', test], { stdio: 'ignore' }).status !== 0;
  const missing = GRPC_PACKAGES.filter(isMissing).map(([name]) => name);
  if (missing.length === 0) return true;
  console.error(
    `benchmark build: skipping the server and the load client in C++: missing are ${missing.join(', ')} (names of Debian packages).`,
  );
  for (const program of ['limit', 'load']) rmSync(join(output, program), { force: true });
  return false;
}

/** CMake refuses a cache that was made in another place: a moved clone, or another runtime. */
function dropForeignCache() {
  const cache = join(output, 'CMakeCache.txt');
  if (!existsSync(cache)) return;
  const lines = readFileSync(cache, 'utf8').split('\n');
  const sameSource = lines.includes(`CMAKE_HOME_DIRECTORY:INTERNAL=${source}`);
  const sameRuntime = lines.some((line) => /^OpenVINO_DIR:/.test(line) && line.endsWith(`=${openvino}`));
  if (!sameSource || !sameRuntime) rmSync(output, { recursive: true });
}

if (!existsSync(join(openvino, 'OpenVINOConfig.cmake'))) {
  fail(`expected OpenVINOConfig.cmake in ${openvino}, found none: run \`make setup\`.`);
}
dropForeignCache();
const grpc = hasGrpc() ? 'ON' : 'OFF';
run('cmake', ['-S', source, '-B', output, '--log-level=WARNING', `-DOpenVINO_DIR=${openvino}`, `-DWITH_GRPC=${grpc}`]);
run('cmake', ['--build', output, '--parallel', '2']);

const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const compiled = spawnSync(process.execPath, [compiler, '--build', join(benchmarks, 'tsconfig.json')], {
  stdio: 'inherit',
});
if (compiled.status !== 0) fail('the TypeScript compiler complained; what it said is above.');
