/**
 * Runs the native tests on an addon built with AddressSanitizer: `node native/test-sanitized.mjs`. Compile the tests first.
 * Fails when a test fails or when the sanitizer has reported anything, in a test or in a process that a test started.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = dirname(fileURLToPath(import.meta.url));
const repository = dirname(native);

function fail(sentence) {
  console.error(`sanitized tests: ${sentence}`);
  process.exit(1);
}

/** Node.js itself is not instrumented, so the sanitizer's library has to be there before everything else. */
function sanitizerLibrary() {
  const { stdout, error } = spawnSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' });
  if (error) fail(`gcc is needed to find libasan.so: ${error.message}`);
  return stdout.trim();
}

function build() {
  const { status } = spawnSync(process.execPath, [join(native, 'build.mjs'), '--sanitize', 'address'], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
}

/** Leaks are not looked for: V8 and OpenVINO keep memory until the process ends, and say so to nobody. */
function runTests(reports, parts, more) {
  const env = {
    ...process.env,
    ...more,
    LD_PRELOAD: sanitizerLibrary(),
    // Else TBB loads a library of its own in a way (RTLD_DEEPBIND) that the sanitizer refuses.
    TBB_ENABLE_SANITIZERS: '1',
    // Of compiles that are repeated for OpenVINO's sake, the addon's memory needs one.
    VINERY_TEST_COMPILES: '1',
    ASAN_OPTIONS: `detect_leaks=0:log_path=${join(reports, 'asan')}`,
    VINERY_ADDON: join(repository, 'build', 'native-asan', 'Release', 'vinery.node'),
  };
  const runner = join(repository, 'test', 'run.mjs');
  return spawnSync(process.execPath, [runner, 'native', parts], { stdio: 'inherit', env }).status;
}

build();
const reports = mkdtempSync(join(tmpdir(), 'vinery-asan-'));
// Once with gRPC on the event loop, once on a thread of its own. `settings` compares OpenVINO with itself over hundreds of models, which
// takes minutes here and tells nothing of the addon's memory.
const status = runTests(reports, '-/settings', {}) || runTests(reports, 'ingress', { VINERY_TEST_INGRESS: 'thread' });
const found = readdirSync(reports);
for (const report of found) console.error(readFileSync(join(reports, report), 'utf8'));
rmSync(reports, { recursive: true });
if (found.length > 0) fail(`${found.length} process(es) were stopped by AddressSanitizer; its reports are above.`);
if (status !== 0) fail('tests failed; their output is above.');
