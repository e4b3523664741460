import { test } from 'node:test';
import { TestRepository } from '../helpers/repository.js';
import { withServerProcess } from '../helpers/server.js';
import { describeClient, OVMSCLIENT, runPythonTests, whyNoPythonClient } from './python-program.js';
import { writeConformanceRepository } from './repository.js';

const config = writeConformanceRepository(new TestRepository());

test(describeClient(OVMSCLIENT), { skip: whyNoPythonClient(OVMSCLIENT) }, (t) =>
  withServerProcess(['--config_path', config], async (server) => {
    await t.test('over gRPC', (t) => runPythonTests(t, OVMSCLIENT, 'ovmsclient_grpc', server));
    await t.test('over HTTP', (t) => runPythonTests(t, OVMSCLIENT, 'ovmsclient_http', server));
  }),
);
