import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { HEALTH_CHECK } from '#src/frontends/grpc/health.js';
import { TestRepository } from '../helpers/repository.js';
import { withServerProcess } from '../helpers/server.js';
import { addDummy } from '../helpers/dummy-servables.js';

const FOLDER = fileURLToPath(new URL('../../../test/conformance/h2spec/', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../../h2spec', import.meta.url));
/** Of 145. What fails asks for errors where nghttp2 ignores frames of streams that are over. */
const LEAST_PASSED = 130;

const hasGo = spawnSync('go', ['version']).error === undefined;

test('h2spec passes over the native transport', { skip: hasGo ? false : 'go is not installed' }, async () => {
  const built = spawnSync('go', ['build', '-o', PROGRAM, 'github.com/summerwind/h2spec/cmd/h2spec'], {
    cwd: FOLDER,
    encoding: 'utf8',
  });
  assert.equal(built.status, 0, built.stderr);
  const repository = new TestRepository();
  const config = repository.writeConfig([addDummy(repository)], []);
  await withServerProcess(['--config_path', config, '--grpc_transport', 'native'], async ({ grpcPort }) => {
    const flags = ['-h', '127.0.0.1', '-p', String(grpcPort), '-P', HEALTH_CHECK, '-o', '1'];
    // It ends with 1 when any case fails.
    const { stdout } = await promisify(execFile)(PROGRAM, flags).catch((error: unknown) => error as { stdout: string });
    const [, total, passed] = /(\d+) tests, (\d+) passed/.exec(stdout) ?? [];
    assert.equal(total, '145', stdout);
    assert.ok(Number(passed) >= LEAST_PASSED, stdout);
  });
});
