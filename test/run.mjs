/**
 * Runs one folder of compiled tests with Node's own runner: `node test/run.mjs unit [parts of file names, with commas]`, and says at
 * the end what was skipped and why. Files with a part that has a minus before it are left out. Names begin with a slash: `/settings`
 * is not `model-settings`.
 * Lists the files itself, because Node 20 and 24 read folders and patterns on the command line differently.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [folder = 'unit', part = ''] = process.argv.slice(2);
const parts = part.split(',');
const wanted = parts.filter((each) => !each.startsWith('-'));
const leftOut = parts.filter((each) => each.startsWith('-')).map((each) => each.slice(1));
const hasOneOf = (file, some) => some.some((each) => `/${file}`.includes(each));
const root = fileURLToPath(new URL(`../build/test/${folder}/`, import.meta.url));
const files = readdirSync(root, { recursive: true })
  .filter((file) => file.endsWith('.test.js'))
  .filter((file) => (wanted.length === 0 || hasOneOf(file, wanted)) && !hasOneOf(file, leftOut))
  .sort()
  .map((file) => root + file);
if (files.length === 0) {
  console.error(`No test file in ${root} matches "${part}"`);
  process.exit(1);
}
// No test asserts a time, so files run side by side.
const concurrency = availableParallelism();
const temporary = mkdtempSync(join(tmpdir(), 'vinery-tests-'));
const skipped = join(temporary, 'skipped.txt');
const reporters = { spec: 'stdout', [new URL('skipped-reporter.mjs', import.meta.url).href]: skipped };
const args = [
  '--test',
  `--test-concurrency=${concurrency}`,
  ...Object.entries(reporters).flatMap(([name, to]) => [
    `--test-reporter=${name}`,
    `--test-reporter-destination=${to}`,
  ]),
  ...files,
];
spawn(process.execPath, args, { stdio: 'inherit' }).on('exit', (code) => {
  process.stdout.write(readFileSync(skipped, 'utf8'));
  rmSync(temporary, { recursive: true });
  process.exitCode = code ?? 1;
});
