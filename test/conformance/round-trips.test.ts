import { test } from 'node:test';
import { TestRepository } from '../helpers/repository.js';
import { withServerProcess } from '../helpers/server.js';
import { runPythonTests, TENSORFLOW_SERVING, TRITONCLIENT, whyNoPythonClient } from './python-program.js';
import { writeConformanceRepository } from './repository.js';

const config = writeConformanceRepository(new TestRepository());
const missing = whyNoPythonClient(TENSORFLOW_SERVING);
const missingTriton = whyNoPythonClient(TRITONCLIENT);

test('random tensors come back bit for bit', { skip: missing }, (t) =>
  withServerProcess(['--config_path', config, '--file_system_poll_wait_seconds', '0'], async (server) => {
    await t.test('through TensorFlow Serving', (t) =>
      runPythonTests(t, TENSORFLOW_SERVING, 'round_trips_tensorflow', server),
    );
    await t.test('through KServe', { skip: missingTriton }, (t) =>
      runPythonTests(t, TRITONCLIENT, 'round_trips_triton', server),
    );
  }),
);
