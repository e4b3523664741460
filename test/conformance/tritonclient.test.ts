import { test } from 'node:test';
import { TestRepository } from '../helpers/repository.js';
import { withServerProcess } from '../helpers/server.js';
import { describeClient, runPythonTests, TRITONCLIENT, whyNoPythonClient } from './python-program.js';
import { writeConformanceRepository } from './repository.js';

const config = writeConformanceRepository(new TestRepository());

test(describeClient(TRITONCLIENT), { skip: whyNoPythonClient(TRITONCLIENT) }, (t) =>
  withServerProcess(['--config_path', config, '--file_system_poll_wait_seconds', '0'], async (server) => {
    await t.test('over gRPC', (t) => runPythonTests(t, TRITONCLIENT, 'tritonclient_grpc', server));
    await t.test('over HTTP', (t) => runPythonTests(t, TRITONCLIENT, 'tritonclient_http', server));
  }),
);
