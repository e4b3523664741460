import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { connect, type Settings } from 'node:http2';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { freePort } from '#src/demo/free-port.js';
import { covers } from '../contract/covers.js';
import { compileCpuExtension } from '../fixtures/cpu-extension.js';
import { writeDummyModel, writeExtensionModel } from '../fixtures/ir.js';
import { addDummy, assertServes, DUMMY_BODY, DUMMY_INPUT, pipelineOf, ZEROS } from '../helpers/dummy-servables.js';
import { withGrpcClient } from '../helpers/grpc-client.js';
import { TestRepository } from '../helpers/repository.js';
import { restCall, restPredict } from '../helpers/rest-client.js';
import { startServerProcess, VINERY, withServerProcess, type ServerProcess } from '../helpers/server.js';
import { runVinery, startInVain } from '../helpers/vinery.js';

const repository = new TestRepository();
const dummy = addDummy(repository);
const DUMMY = ['--model_name', 'dummy', '--model_path', repository.path('dummy')];

describe('list, add and remove', () => {
  const config = repository.path('edited.json');
  const edit = ['--config_path', config, '--model_name', 'm'];

  test('list: the models below a repository, of the flag or of the environment', async () => {
    covers('cli.list-output', 'cli.mode-list', 'cli.exit-0', 'cli.env-repository');
    writeDummyModel(repository.path('zoo', 'deep', 'er', '3'));
    writeDummyModel(repository.path('zoo', 'flat', '1'));
    writeDummyModel(repository.path('zoo', 'zero', '01'));
    mkdirSync(repository.path('zoo', 'empty', '1'), { recursive: true });
    const zoo = repository.path('zoo');
    const expected = {
      exitCode: 0,
      stdout: `Listing models in repository...\nModel repository path: ${zoo}\ndeep/er\nflat\n`,
      stderr: '',
    };
    assert.deepEqual(await runVinery(['--list_models', '--model_repository_path', zoo]), expected);
    assert.deepEqual(await runVinery(['--list_models'], { OVMS_MODEL_REPOSITORY_PATH: zoo }), expected);
  });

  test('add makes the file, refuses a name that is taken, and appends; remove takes out', async () => {
    covers('cli.add', 'cli.edit-fails', 'cli.remove', 'cli.mode-edit', 'cli.exit-0', 'cli.exit-1');
    const updated = { exitCode: 0, stdout: `Config updated: ${config}\n`, stderr: '' };
    const failed = (status: string) => ({
      exitCode: 1,
      stdout: `${config} error on config update : ${status}\n`,
      stderr: '',
    });
    const read = (): unknown => JSON.parse(readFileSync(config, 'utf8'));
    assert.deepEqual(await runVinery(['--add_to_config', ...edit, '--model_path', '/models/m']), updated);
    const first = { config: { name: 'm', base_path: '/models/m' } };
    assert.deepEqual(read(), { model_config_list: [first] });
    assert.deepEqual(
      await runVinery(['--add_to_config', ...edit, '--model_path', '/other']),
      failed('Given model name is already occupied'),
    );
    const second = ['--add_to_config', '--config_path', config, '--model_name', 'n', '--model_repository_path', '/zoo'];
    assert.deepEqual(await runVinery(second), updated);
    assert.deepEqual(read(), { model_config_list: [first, { config: { name: 'n', base_path: '/zoo/n' } }] });
    assert.deepEqual(await runVinery(['--remove_from_config', ...edit]), updated);
    assert.deepEqual(
      await runVinery(['--remove_from_config', ...edit]),
      failed('Model with requested name is not found'),
    );
    assert.deepEqual(read(), { model_config_list: [{ config: { name: 'n', base_path: '/zoo/n' } }] });
  });
});

describe('a start that fails behind the flags ends with exit code 1 and a line that says why', () => {
  const cases: readonly {
    title: string;
    flags: readonly string[];
    text: string;
    covers: string | readonly string[];
  }[] = [
    {
      title: 'a log file that cannot be made',
      flags: ['--log_path', '/proc/nothing/here.log'],
      text: '--log_path: expected a file that can be written: ENOENT',
      covers: ['cli.log-path', 'cli.exit-1'],
    },
    {
      title: 'an extension that is no library',
      flags: ['--cpu_extension', repository.write('text.so', 'no library')],
      text: 'text.so',
      covers: 'cli.cpu-extension-broken',
    },
    {
      title: 'a channel argument without a value',
      flags: ['--grpc_channel_arguments', 'grpc.max_connection_age_ms'],
      text: '--grpc_channel_arguments: expected name=value, received "grpc.max_connection_age_ms"',
      covers: 'cli.grpc-channel-arguments',
    },
    ...(
      [
        ['--shape', '(1,x)', '--shape: expected "auto" or'],
        ['--shape', '{"nobody":"(1,2)"}', 'expected one of the inputs b, received nobody'],
        ['--batch_size', 'many', '--batch_size: expected "auto"'],
        ['--layout', 'XYZ', 'Layout configuration is invalid - --layout: expected letters'],
        ['--model_version_policy', '{"newest":{}}', '--model_version_policy/newest: expected one of the keys'],
        ['--plugin_config', '{"A":null}', '--plugin_config/A: expected string, number or boolean, received null'],
        ['--nireq', '100001', '--nireq: expected at most 100000, received 100001'],
        ['--target_device', 'GPU.1', 'device GPU.1 (here are: CPU): '],
      ] as const
    ).map(([flag, value, text]) => ({
      title: `${flag} ${value}`,
      flags: [flag, value],
      text,
      covers: ['cli.model-flags-fatal', 'config.single-bad'],
    })),
  ];
  for (const { title, flags, text } of cases) {
    test(title, async () => {
      const { exitCode, stdout, stderr } = await startInVain([...DUMMY, ...flags]);
      assert.equal(exitCode, 1);
      const told = `${stdout}${stderr}`.split('\n').filter((line) => line.includes(text));
      assert.ok(told.length > 0, `${stdout}${stderr}`);
      assert.doesNotMatch(`${stdout}${stderr}`, /^\s+at /m);
    });
  }
});

describe('a server with every flag that may be given beside one model', () => {
  let server: ServerProcess;
  const log = repository.path('logs', 'deep', 'server.log');
  before(async () => {
    writeExtensionModel(repository.path('extended', '1'));
    server = await startServerProcess([
      ...['--model_name', 'extended', '--model_path', repository.path('extended')],
      ...['--cpu_extension', compileCpuExtension(repository.directory), '--target_device', 'CPU', '--nireq', '2'],
      ...['--grpc_bind_address', 'localhost', '--rest_bind_address', '127.0.0.1,::1'],
      ...['--allowed_origins', 'https://example.test', '--allowed_methods', 'GET', '--allowed_headers', 'X-A'],
      ...['--allow_credentials', '--metrics_enable=true', '--metrics_list', 'ovms_streams', '--log_path', log],
      ...['--cache_dir', '/proc/nothing/here', '--grpc_max_threads', '1', '--grpc_memory_quota', '1000000'],
      ...['--grpc_channel_arguments', 'grpc.max_concurrent_streams=7', '--rest_workers', '2', '--grpc_workers', '1'],
      ...['--allowed_media_domains', 'all', '--allowed_local_media_path', '/tmp', '--log_level=DEBUG'],
      ...['--sequence_cleaner_poll_wait_minutes', '0', '--custom_node_resources_cleaner_interval_seconds', '0'],
      ...['--grpc_transport', 'auto', '--node_executor', 'async', '--backend', 'native'],
    ]);
    await server.line('ServableManagerModule started');
  });
  after(async () => assert.equal(await server.stop(), 0));

  test('the extension computes', async () => {
    covers('cli.cpu-extension', 'cli.mode-single', 'cli.llm-flags');
    const { status, text } = await restPredict(server.restPort, 'extended', DUMMY_BODY);
    assert.equal(status, 200, text);
    assert.deepEqual(JSON.parse(text), { outputs: [ZEROS.map(() => 7)] });
  });

  test('it listens on each address of the lists, IPv6 in brackets', async () => {
    covers('cli.bind-addresses');
    await server.line(`Binding gRPC server to address: localhost:${server.grpcPort}`);
    await server.line(`Started REST server at 127.0.0.1:${server.restPort}`);
    await server.line(`Started REST server at [::1]:${server.restPort}`);
    const status = await new Promise((resolve, reject) => {
      const asked = request({ host: '::1', port: server.restPort, path: '/v2/health/live', agent: false }, (answer) =>
        resolve(answer.resume().statusCode),
      );
      asked.once('error', reject).end();
    });
    assert.equal(status, 200);
  });

  test('every REST answer has the CORS headers', async () => {
    covers('cli.cors');
    for (const [method, path, status] of [
      ['GET', '/v1/models/extended', 200],
      ['GET', '/v1/config', 200],
      ['GET', '/metrics', 200],
      ['GET', '/v2/health/live', 200],
      ['GET', '/v2/models/nobody', 404],
      ['POST', '/v1/models/nobody:predict', 404],
      ['GET', '/nowhere', 400],
      ['PUT', '/v1/models/extended', 406],
      ['OPTIONS', '/v1/models/extended:predict', 200],
    ] as const) {
      const { headers, status: received } = await restCall(
        server.restPort,
        method,
        path,
        method === 'POST' ? DUMMY_BODY : undefined,
      );
      assert.equal(received, status, path);
      assert.deepEqual(
        ['origin', 'methods', 'headers', 'credentials'].map((name) => headers[`access-control-allow-${name}`]),
        ['https://example.test', 'GET', 'X-A', 'true'],
        path,
      );
    }
  });

  test('a cache directory that cannot be made only warns', async () => {
    covers('cli.cache-dir');
    await server.line('Model cache is off: expected a directory that can be written at /proc/nothing/here');
  });

  test('the file has what standard output has', async () => {
    covers('cli.log-sinks', 'cli.log-path');
    const last = await server.line('ServableManagerModule started');
    const lines = readFileSync(log, 'utf8').split('\n');
    const start = server.lines.filter((line) => /^\[[\d-]+ /.test(line));
    assert.deepEqual(lines.slice(0, lines.indexOf(last) + 1), start.slice(0, start.indexOf(last) + 1));
  });

  test('many calls at once on one connection are all answered, whatever --grpc_max_threads says', async () => {
    covers('scheduling.thread-limit', 'cli.grpc-max-threads', 'cli.grpc-memory-quota');
    await withGrpcClient(server.grpcPort, async (client) => {
      const codes = await Promise.all(
        Array.from({ length: 100 }, async () => (await client.predict('extended', [DUMMY_INPUT])).code),
      );
      assert.deepEqual(new Set(codes), new Set(['OK']));
    });
  });

  test('channel arguments reach the gRPC server', async () => {
    covers('cli.grpc-channel-arguments', 'scheduling.stream-limit');
    assert.equal((await remoteSettings(server.grpcPort)).maxConcurrentStreams, 7);
  });

  test('infer requests are as many as --nireq says', async () => {
    covers('scheduling.nireq');
    await server.line('Loaded model extended; version: 1; batch size: 1; No of InferRequests: 2');
  });
});

/** What an HTTP/2 server says of itself when a connection begins. */
function remoteSettings(port: number): Promise<Settings> {
  return new Promise<Settings>((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`);
    session.once('error', reject);
    session.once('remoteSettings', (settings: Settings) => {
      session.close();
      resolve(settings);
    });
  });
}

test('a connection may have more calls in flight than there are cores', async () => {
  covers('scheduling.stream-limit');
  await withServerProcess(DUMMY, async (server) => {
    assert.ok(((await remoteSettings(server.grpcPort)).maxConcurrentStreams ?? Infinity) >= 1000);
  });
});

test('a single model without version directories starts, and is served when one comes', async () => {
  covers('config.single-empty');
  const path = repository.path('coming');
  mkdirSync(path);
  await withServerProcess(['--model_name', 'coming', '--model_path', path], async (server) => {
    assert.equal((await restPredict(server.restPort, 'coming', DUMMY_BODY)).status, 404);
    writeDummyModel(repository.path('coming', '1'));
    await server.line('Version 1 of model coming status change. New status: ( "state": "AVAILABLE"');
    await assertServes(server, 'coming');
  });
});

test('DEBUG: lines of every part, of a request through a pipeline, and of OpenVINO', async () => {
  covers('cli.loggers', 'cli.env-openvino-log', 'cli.log-level', 'cli.log-pipeline', 'cli.log-model');
  const models = [dummy, { name: 'auto', base_path: 'dummy', target_device: 'AUTO:CPU' }];
  const config = repository.writeConfig(models, [pipelineOf('piped', 'dummy')], 'debug.json');
  await withServerProcess(['--config_path', config, '--log_level', 'DEBUG'], async (server) => {
    await assertServes(server, 'piped');
    for (const logger of ['serving', 'modelmanager', 'dag_executor']) await server.line(`[${logger}][debug]`);
    await server.line('Reading pipeline: piped configuration');
    await server.line('Pipeline: piped inputs: ');
    await server.line('name: b; mapping: ; shape: (1,10); precision: FP32; layout: N...');
    await server.line('Pipeline: piped outputs: ');
    await server.line('Pipeline: piped state changed to: AVAILABLE after handling: ValidationPassedEvent: ');
    await server.line('Loading pipeline definition: piped succeeded');
    assert.match(
      await server.line(', with target device: AUTO:CPU ...'),
      /Loading model: auto, version: 1, from path: /,
    );
    // The plugin AUTO says what it does at level 4 only.
    const ofOpenvino = server.lines.filter((line) => !/^\[[\d-]+ [\d:.]+\]\[\d+\]\[\w+\]\[\w+\]/.test(line));
    assert.ok(
      ofOpenvino.some((line) => line.includes('AUTO')),
      server.lines.join('\n'),
    );
  });
});

test('SIGILL ends the process with 132 and one line on standard error', async () => {
  covers('cli.exit-132');
  const child = spawn(VINERY, ['--config_path', repository.writeConfig([]), '--rest_port', String(await freePort())]);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    if (line.includes('ServableManagerModule started')) child.kill('SIGILL');
  });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  assert.deepEqual([exitCode, stderr.split('\n').length], [132, 2]);
  assert.match(stderr, /^Illegal operation\./);
});
