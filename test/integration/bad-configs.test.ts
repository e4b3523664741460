import assert from 'node:assert/strict';
import { copyFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { covers } from '../contract/covers.js';
import { METHOD } from '#src/frontends/tfs/method.js';
import { decodeStatusResponse, encodeStatusRequest } from '#src/frontends/tfs/status-message.js';
import { writeDummyModel } from '../fixtures/ir.js';
import { addDummy, addPair, assertServes, DUMMY_INPUT, pipelineOf } from '../helpers/dummy-servables.js';
import { withGrpcClient } from '../helpers/grpc-client.js';
import { TestRepository } from '../helpers/repository.js';
import { startServerProcess, type ServerProcess } from '../helpers/server.js';
import { runVinery, startInVain } from '../helpers/vinery.js';
import { ACCEPTED, REFUSED, SOUND } from './refused-pipelines.js';

const repository = new TestRepository();
const BUILT_ADDON = fileURLToPath(new URL('../../native/Release/vinery.node', import.meta.url));

describe('a config file that cannot be used ends the start with exit code 1', () => {
  const schema = 'The file is not valid json - Schema violation';
  const files: readonly (readonly [string, string, readonly string[]])[] = [
    ['not JSON', '{ "model_config_list": [ ', ['The file is not valid json']],
    ['empty', '', ['The file is not valid json']],
    ['not an object', '[]', [schema]],
    ['without model_config_list', '{}', [schema, 'model_config_list']],
    ['with an unknown key', '{"model_config_list": [], "models": []}', [schema, 'models']],
    [
      'with a wrong type',
      '{"model_config_list": [{"config": {"name": 5}}]}',
      [schema, '/model_config_list/0/config/name'],
    ],
    ...['{"newest":{}}', '{"all":{},"latest":{"num_versions":1}}', '{"latest":{"num_versions":0}}'].map(
      (policy): [string, string, string[]] => [
        `with the version policy ${policy}`,
        `{"model_config_list": [{"config": {"name": "m", "base_path": "m", "model_version_policy": ${policy}}}]}`,
        [schema, '/model_config_list/0/config/model_version_policy'],
      ],
    ),
    [
      'with a node without inputs',
      JSON.stringify({
        model_config_list: [],
        pipeline_config_list: [
          {
            name: 'p',
            inputs: [],
            outputs: [],
            nodes: [{ name: 'n', type: 'DL model', model_name: 'm', outputs: [] }],
          },
        ],
      }),
      [schema, '/pipeline_config_list/0/nodes/0'],
    ],
  ];
  for (const [title, content, expected] of files) {
    test(`${title}: one line says where and why`, async () => {
      covers('config.file-invalid', 'config.version-policy-bad', 'cli.exit-1');
      covers('life-cycle.bad-file-at-start');
      const { exitCode, stdout, stderr } = await startInVain([
        '--config_path',
        repository.write('unusable.json', content),
      ]);
      assert.equal(exitCode, 1);
      assert.equal(stderr, '');
      assertFault(stdout, expected);
    });
  }

  test('absent: one line names the file', async () => {
    covers('config.file-missing');
    const path = repository.path('absent.json');
    const { exitCode, stdout } = await startInVain(['--config_path', path]);
    assert.equal(exitCode, 1);
    assertFault(stdout, ['Config file not found or cannot open.', path]);
  });

  test('a directory: one line names it', async () => {
    const { exitCode, stdout } = await startInVain(['--config_path', repository.directory]);
    assert.equal(exitCode, 1);
    assertFault(stdout, ['Config file not found or cannot open.', repository.directory]);
  });
});

describe('a model or a pipeline that cannot be used', () => {
  let server: ServerProcess;

  before(async () => {
    server = await startServerProcess(['--config_path', writeMixedConfig()]);
    await server.line('ServableManagerModule started');
  });
  after(async () => assert.equal(await server.stop(), 0));

  test('leaves the others serving', async () => {
    covers('config.model-bad', 'config.plugin-unknown');
    covers('life-cycle.bad-model');
    await assertServes(server, 'dummy');
    await assertServes(server, 'dummy_pipeline');
  });

  const models: readonly (readonly [string, string, readonly string[]])[] = [
    ['no_directory', 'no_directory', ["The provided base path is invalid or doesn't exists", 'no_directory']],
    ['climbing', 'climbing', ["The provided base path is invalid or doesn't exists", '..']],
    ['no_version', 'no_version', ['No version found for model in path']],
    ['no_file', 'no_file; version: 1', ['File not found or cannot open', '*.xml with *.bin', 'found no file']],
    ['no_weights', 'no_weights; version: 1', ['File not found or cannot open', 'found model.xml']],
    ['truncated_weights', 'truncated_weights; version: 1', ['Model could not be read']],
    ['garbage', 'garbage; version: 1', ['Model could not be read']],
    ['mapping_not_json', 'mapping_not_json; version: 1', ['Mapping configuration is invalid', 'mapping_config.json']],
    ['mapping_unknown', 'mapping_unknown; version: 1', ['Mapping configuration is invalid', 'nobody']],
    ['mapping_twice', 'mapping_twice; version: 1', ['Mapping configuration is invalid', 'same']],
    ['bad_layout', 'bad_layout', ['Layout']],
    ['bad_property', 'bad_property; version: 1', ['NO_SUCH_PROPERTY']],
    ['bad_device', 'bad_device; version: 1', ['Cannot compile model into target device']],
  ];
  for (const [name, place, expected] of models) {
    test(`model ${name}: the log says why, and requests for it are refused`, async () => {
      covers('life-cycle.failed-load', 'life-cycle.error-message', 'life-cycle.default-version');
      covers('repository.missing-directory', 'repository.mapping-invalid', 'repository.no-file');
      const line = server.lines.find((text) => expected.every((part) => text.includes(part)) && text.includes(name));
      assert.ok(line, `expected a line with ${expected.join(', ')} and ${name} in\n${server.lines.join('\n')}`);
      if (line.includes('[error]')) assert.ok(line.includes(`Error occurred while loading model: ${place}; error: `));
      await assertRefused(name, 'NOT_FOUND', 'Model with requested version is not found');
      if (place.endsWith('; version: 1')) await assertStatus(name, 'LOADING', 2, 'UNKNOWN');
    });
  }

  for (const { title, pipeline: refused, text } of REFUSED) {
    test(`pipeline ${title}: the log says why, and requests for it are refused`, async () => {
      covers('config.pipeline-bad', 'pipelines.v-registered', 'life-cycle.failed-pipeline', 'life-cycle.error-message');
      const { name } = refused;
      const opening = `Validation of pipeline definition: ${name} failed: `;
      const line = await server.line(opening);
      const said = line.slice(line.indexOf(opening) + opening.length);
      assert.ok(said === text || said.startsWith(`${text} - `), said);
      await assertRefused(name, 'UNAVAILABLE', 'Pipeline is not loaded yet');
      await assertStatus(name, 'LOADING', 9, 'FAILED_PRECONDITION');
    });
  }

  for (const name of ['gathered_rank', 'many_dynamic']) {
    test(`pipeline ${name} is none of them`, () => {
      covers('pipelines.v3-one-dynamic', 'pipelines.v14-shape');
      return server.line(`Loading pipeline definition: ${name} succeeded`).then(() => undefined);
    });
  }

  test('a pipeline with the name of a model is not registered', async () => {
    covers('pipelines.v1-name');
    await server.line('Loading pipeline: dummy failed: Pipeline has the same name as model');
    await assertServes(server, 'dummy');
  });

  async function assertRefused(name: string, code: string, details: string): Promise<void> {
    await withGrpcClient(server.grpcPort, async (client) => {
      const outcome = await client.predict(name, [DUMMY_INPUT]);
      assert.deepEqual([outcome.code, outcome.details], [code, details]);
    });
  }

  async function assertStatus(name: string, state: string, errorCode: number, errorMessage: string): Promise<void> {
    await withGrpcClient(server.grpcPort, async (client) => {
      const { bytes } = await client.call(METHOD.GET_MODEL_STATUS, encodeStatusRequest({ name, version: null }));
      assert.deepEqual(decodeStatusResponse(bytes), [{ version: 1n, state, errorCode, errorMessage }]);
    });
  }
});

function writeMixedConfig(): string {
  const files = repository.path.bind(repository);
  const broken = ['no_weights', 'truncated_weights', 'garbage'] as const;
  const mapped = { mapping_not_json: '{', mapping_unknown: '{"inputs": {"nobody": "x"}}', mapping_twice: SAME_NAMES };
  const configured = {
    bad_layout: { layout: 'Q!' },
    bad_device: { target_device: 'ABACUS' },
    bad_property: { plugin_config: { NO_SUCH_PROPERTY: 'YES' } },
  };
  for (const name of [...broken, ...Object.keys(configured)]) addDummy(repository, name);
  for (const [name, text] of Object.entries(mapped)) {
    addPair(repository, name);
    writeFileSync(files(name, '1', 'mapping_config.json'), text);
  }
  rmSync(files('no_weights', '1', 'model.bin'));
  truncateSync(files('truncated_weights', '1', 'model.bin'), 1);
  writeFileSync(files('garbage', '1', 'model.xml'), '<net>');
  addDummy(repository, 'no_version');
  rmSync(files('no_version', '1'), { recursive: true });
  addDummy(repository, 'no_file');
  for (const file of ['model.xml', 'model.bin']) rmSync(files('no_file', '1', file));
  for (const [name, options] of Object.entries(SOUND)) writeDummyModel(files(name, '1'), options);
  const models = [
    ...Object.keys(SOUND).map((name) => ({ name })),
    { name: 'auto', base_path: 'dummy', shape: 'auto' },
    ...['no_directory', 'no_version', 'no_file', ...broken, ...Object.keys(mapped)].map((name) => ({ name })),
    { name: 'climbing', base_path: '../climbing' },
    ...Object.entries(configured).map(([name, settings]) => ({ name, ...settings })),
  ];
  return repository.writeConfig(
    [addDummy(repository), addPair(repository), ...models],
    [
      ...REFUSED.map(({ pipeline: refused }) => refused),
      ...ACCEPTED,
      pipelineOf('dummy', 'dummy'),
      pipelineOf('dummy_pipeline', 'dummy'),
    ],
    'mixed.json',
  );
}

const SAME_NAMES = '{"inputs": {"in1": "same", "in2": "same"}}';

describe('a machine that is not ready ends the start with exit code 1', () => {
  const config = repository.writeConfig([], [], 'nothing.json');

  for (const flag of ['--port', '--rest_port']) {
    test(`${flag} that is taken: the log names address and port`, async () => {
      covers('cli.exit-1');
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const { port } = other.address() as AddressInfo;
      const { exitCode, stdout } = await startInVain(['--config_path', config, flag, String(port)]);
      assert.equal(exitCode, 1);
      assertFault(stdout, [`Failed to listen on 127.0.0.1:${port}`, 'EADDRINUSE']);
      await new Promise((resolve) => other.close(resolve));
    });
  }

  test('an address of another machine: the log names it', async () => {
    const { exitCode, stdout } = await startInVain(['--config_path', config, '--rest_bind_address', '192.0.2.1']);
    assert.equal(exitCode, 1);
    assertFault(stdout, ['Failed to listen on 192.0.2.1:', 'EADDRNOTAVAIL']);
  });

  test('no addon: one sentence says what was expected where and what to run', async () => {
    const addon = repository.path('absent.node');
    const { exitCode, stdout } = await startInVain(['--config_path', config], { VINERY_ADDON: addon });
    assert.equal(exitCode, 1);
    assertFault(stdout, ['Native addon could not be loaded', addon, 'found no file', 'npm run native']);
  });

  test('an addon that does not load: one sentence says so', async () => {
    const addon = repository.write('garbage.node', 'not a shared library');
    const { exitCode, stdout } = await startInVain(['--config_path', config], { VINERY_ADDON: addon });
    assert.equal(exitCode, 1);
    assertFault(stdout, ['Native addon could not be loaded', addon, 'does not load', 'npm run native']);
  });

  test('no OpenVINO runtime: one sentence names the library that the addon misses', async () => {
    const addon = repository.path('moved.node');
    // The addon looks for the runtime beside its own place.
    copyFileSync(BUILT_ADDON, addon);
    const { exitCode, stdout } = await startInVain(['--config_path', config], { VINERY_ADDON: addon });
    assert.equal(exitCode, 1);
    assertFault(stdout, ['Native addon could not be loaded', addon, 'libopenvino', 'npm run native']);
  });

  test('a single model that cannot be loaded: the log says why', async () => {
    covers('config.single-bad');
    covers('life-cycle.single-model');
    const path = repository.path('absent');
    const { exitCode, stdout } = await startInVain(['--model_name', 'absent', '--model_path', path]);
    assert.equal(exitCode, 1);
    assertFault(stdout, ["The provided base path is invalid or doesn't exists", path]);
  });
});

/** The last line is the fault, in one line. */
function assertFault(stdout: string, parts: readonly string[]): void {
  const faults = stdout.split('\n').filter((line) => line.includes('[error]'));
  const found = faults.find((line) => parts.every((part) => line.includes(part)));
  assert.ok(found, `expected an error line with ${parts.join(', ')} in\n${stdout}`);
  assert.doesNotMatch(stdout, /^\s+at /m, 'a fault of the user needs no stack');
}

describe('command line', () => {
  const faults: readonly (readonly [string, readonly string[], string])[] = [
    ['an unknown flag', ['--foo'], 'error parsing options - unmatched arguments: --foo, '],
    ['no servables', ['--port', '9000'], 'Use config_path or model_path with model_name'],
    ['no port', ['--config_path', 'config.json'], 'port and rest_port cannot both be unset'],
    [
      'equal ports',
      ['--config_path', 'config.json', '--port', '9000', '--rest_port', '9000'],
      'port and rest_port cannot have the same values',
    ],
    [
      'a port out of range',
      ['--config_path', 'config.json', '--port', '65536'],
      'port number out of range from 0 to 65535',
    ],
    [
      'an unknown log level',
      ['--config_path', 'config.json', '--port', '9000', '--log_level', 'LOUD'],
      'log_level should be one of: TRACE, DEBUG, INFO, WARNING, ERROR',
    ],
  ];
  for (const [title, args, text] of faults) {
    test(`${title}: exit code 64 and the text on standard error`, async () => {
      covers('cli.exit-64');
      assert.deepEqual(await runVinery(args), { exitCode: 64, stdout: '', stderr: `${text}\n` });
    });
  }

  for (const args of [['--help'], ['-h'], []]) {
    test(`vinery ${args.join(' ')}: help on standard output and exit code 0`, async () => {
      covers('cli.help', 'cli.exit-0');
      const { exitCode, stdout, stderr } = await runVinery(args);
      assert.deepEqual([exitCode, stderr], [0, '']);
      assert.match(stdout, /--config_path/);
    });
  }

  test('vinery --version: versions of the server and of OpenVINO, and exit code 0', async () => {
    covers('cli.exit-0');
    const { exitCode, stdout, stderr } = await runVinery(['--version']);
    assert.deepEqual([exitCode, stderr], [0, '']);
    assert.match(stdout, /^OpenVINO backend 20\d\d\.\d/m);
  });
});
