/**
 * Builds the native addon: `node native/build.mjs [--sanitize address]`. Nothing happens when no source changed since the last
 * build. Works from any folder, in a moved clone, and in paths with spaces.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const native = dirname(fileURLToPath(import.meta.url));
const repository = dirname(native);
const require = createRequire(import.meta.url);
const { values } = parseArgs({ options: { sanitize: { type: 'string', default: '' } } });
const output = join(
  repository,
  'build',
  values.sanitize === '' ? 'native' : `native-${sanitizerSuffix(values.sanitize)}`,
);
const addon = join(output, 'Release', 'vinery.node');
const stampFile = join(output, 'vinery.stamp');

function sanitizerSuffix(name) {
  return name === 'address' ? 'asan' : name;
}

function fail(sentence) {
  console.error(`native build: ${sentence}`);
  process.exit(1);
}

/** The folder of OpenVINOConfig.cmake: an installed OpenVINO when the environment names one, else the fetched runtime. */
function openvinoDirectory() {
  const installed = process.env.OpenVINO_DIR;
  const directory = installed ? resolve(installed) : join(repository, 'runtime', 'openvino', 'cmake');
  if (existsSync(join(directory, 'OpenVINOConfig.cmake'))) return directory;
  if (installed) fail(`OpenVINO_DIR is ${installed}, but no OpenVINOConfig.cmake is there.`);
  return fail(
    'no OpenVINO runtime is here: run `npm run runtime`, or set OpenVINO_DIR to the folder of OpenVINOConfig.cmake.',
  );
}

function sourceFiles() {
  const inFolder = (folder) => readdirSync(join(native, folder)).map((name) => join(folder, name));
  const files = [
    ...inFolder('core'),
    ...inFolder('ingress'),
    ...inFolder('napi'),
    'CMakeLists.txt',
    'build.mjs',
    'package.json',
  ];
  return files.filter((file) => !file.endsWith('.md')).sort();
}

/** Everything that decides what the addon is. Paths are relative to the repository, so a moved clone is still up to date. */
function stamp(openvino) {
  const hash = createHash('sha256');
  for (const file of sourceFiles())
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(native, file)))
      .update('\0');
  hash
    .update(`${relative(repository, openvino)}\0`)
    .update(readFileSync(join(openvino, 'OpenVINOConfig-version.cmake')));
  for (const name of ['node-addon-api', 'node-api-headers', 'cmake-js'])
    hash.update(require(`${name}/package.json`).version);
  return hash.digest('hex');
}

/** CMake refuses a cache that was made in another place. */
function dropForeignCache(openvino) {
  const cache = join(output, 'CMakeCache.txt');
  if (!existsSync(cache)) return;
  const lines = readFileSync(cache, 'utf8').split('\n');
  const sameSource = lines.includes(`CMAKE_HOME_DIRECTORY:INTERNAL=${native}`);
  const sameRuntime = lines.some((line) => /^OpenVINO_DIR:/.test(line) && line.endsWith(`=${openvino}`));
  if (!sameSource || !sameRuntime) rmSync(output, { recursive: true });
}

function cmakeJs(openvino) {
  const cli = join(dirname(require.resolve('cmake-js/package.json')), 'bin', 'cmake-js');
  const options = [
    '--directory',
    native,
    '--out',
    output,
    '--config',
    'Release',
    '--parallel',
    '2',
    '--log-level',
    'warn',
  ];
  const definitions = [`--CDOpenVINO_DIR=${openvino}`, `--CDVINERY_SANITIZE=${values.sanitize}`];
  const result = spawnSync(process.execPath, [cli, 'build', ...options, ...definitions], { stdio: 'inherit' });
  if (result.error) fail(`cmake-js did not start: ${result.error.message}`);
  if (result.status !== 0) fail('cmake-js failed; its output is above.');
}

const openvino = openvinoDirectory();
const wanted = stamp(openvino);
const current = existsSync(addon) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted;
if (!current) {
  dropForeignCache(openvino);
  mkdirSync(output, { recursive: true });
  cmakeJs(openvino);
  if (!existsSync(addon)) fail(`cmake-js built no ${relative(repository, addon)}.`);
  writeFileSync(stampFile, wanted);
  console.log(`built ${relative(repository, addon)}`);
}
