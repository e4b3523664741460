import { test } from 'node:test';
import { TestRepository } from '../helpers/repository.js';
import { withServerProcess } from '../helpers/server.js';
import { describeClient, runPythonTests, TENSORFLOW_SERVING, whyNoPythonClient } from './python-program.js';
import { writeConformanceRepository } from './repository.js';

const config = writeConformanceRepository(new TestRepository());

test(describeClient(TENSORFLOW_SERVING), { skip: whyNoPythonClient(TENSORFLOW_SERVING) }, (t) =>
  withServerProcess(['--config_path', config], (server) =>
    runPythonTests(t, TENSORFLOW_SERVING, 'tensorflow_serving_grpc', server),
  ),
);
