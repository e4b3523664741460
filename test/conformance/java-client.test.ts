import { test } from 'node:test';
import { TestRepository } from '../helpers/repository.js';
import { withServerProcess } from '../helpers/server.js';
import {
  addressesOf,
  clientsFolder,
  describeBuilt,
  jsonLines,
  reportTests,
  runProgram,
  whyNotBuilt,
  type TestLine,
} from './client-program.js';
import { writeConformanceRepository } from './repository.js';

const FOLDER = 'conformance-java';
const config = writeConformanceRepository(new TestRepository());
const missing = whyNotBuilt(FOLDER);

test(missing === false ? describeBuilt(FOLDER) : 'the Java client', { skip: missing }, (t) =>
  withServerProcess(['--config_path', config, '--file_system_poll_wait_seconds', '0'], async (server) => {
    const folder = clientsFolder(FOLDER);
    const args = ['-XX:TieredStopAtLevel=1', '-cp', `${folder}/classes:${folder}/jars/*`, 'Main'];
    const { stdout, exitCode } = await runProgram('java', args, addressesOf(server));
    await reportTests(t, 'the Java client', jsonLines<TestLine>(stdout), exitCode);
  }),
);
