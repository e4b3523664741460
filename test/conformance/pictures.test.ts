import { dirname } from 'node:path';
import { test } from 'node:test';
import { DEMO_IMAGES, DEMO_SKIPPED, writeDemoConfig } from '../helpers/demo.js';
import { TestRepository } from '../helpers/repository.js';
import { withServerProcess } from '../helpers/server.js';
import { describeClient, OVMSCLIENT, runPythonTests, TENSORFLOW_SERVING, whyNoPythonClient } from './python-program.js';

const config = writeDemoConfig(new TestRepository());
const environment = { VINERY_PICTURES: dirname(DEMO_IMAGES) };

test('the ten pictures of the demo', { skip: DEMO_SKIPPED || whyNoPythonClient(TENSORFLOW_SERVING) }, (t) =>
  withServerProcess(['--config_path', config], async (server) => {
    await t.test(describeClient(OVMSCLIENT), (t) =>
      runPythonTests(t, OVMSCLIENT, 'pictures_ovmsclient', server, environment),
    );
    await t.test(describeClient(TENSORFLOW_SERVING), (t) =>
      runPythonTests(t, TENSORFLOW_SERVING, 'pictures_tensorflow_serving', server, environment),
    );
  }),
);
