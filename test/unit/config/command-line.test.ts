import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseCommandLine } from '#src/config/command-line.js';
import { ALL_FLAGS } from '#src/config/flags.js';
import { versionText } from '#src/config/version-text.js';
import { covers } from '../../contract/covers.js';
import { HOST, parse, settings, usageError } from './fake-host.js';

const CONFIG = '--config_path /c.json --port 9000';
const MODEL = '--model_name m --model_path /m --port 9000';

describe('command line: grammar', () => {
  it('never throws and always decides', () => {
    const word = fc.oneof(
      fc.constantFrom(...Object.keys(ALL_FLAGS).map((name) => `--${name}`)),
      fc.constantFrom(
        '--',
        '-',
        '-h',
        '-hx',
        '--=',
        '--=x',
        '--__proto__',
        '--constructor=1',
        '__proto__',
        'client',
        '9000',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (argv) => {
        assert.equal(typeof parseCommandLine(argv, {}, HOST).kind, 'string');
      }),
    );
  });

  it('takes a value as next word or behind =', () => {
    covers('cli.values');
    assert.deepEqual(settings('--config_path=/c.json --port=9000'), settings(CONFIG));
  });

  it('keeps everything behind the first =', () => {
    assert.equal(settings(`${CONFIG} --grpc_channel_arguments=a=1,b=2`).grpcChannelArguments, 'a=1,b=2');
  });

  it('takes a value that looks like a flag', () => {
    const { servables } = settings(`${MODEL} --shape --layout`);
    assert.equal(servables.kind === 'single-model' && servables.flags.shape, '--layout');
  });

  it('takes the last of repeated flags', () => {
    covers('cli.values');
    assert.equal(settings(`${CONFIG} --log_level DEBUG --log_level ERROR`).log.level, 'ERROR');
  });

  it('reads hexadecimal numbers', () => {
    covers('cli.numbers');
    assert.equal(settings('--config_path /c.json --port 0x2328').grpc?.port, 9000);
  });

  for (const [text, value] of [
    ['', true],
    ['=true', true],
    ['=T', true],
    ['=1', true],
    ['=false', false],
    ['=F', false],
    ['=0', false],
  ] as const) {
    it(`reads --allow_credentials${text} as ${value}`, () => {
      covers('cli.booleans');
      assert.equal(settings(`${CONFIG} --allow_credentials${text}`).cors.allowCredentials, value);
    });
  }
});

describe('command line: modes', () => {
  it('shows the help without arguments, with -h and with --help', () => {
    covers('cli.help');
    const help = parse('');
    assert.equal(help.kind, 'help');
    assert.deepEqual(parse('-h'), help);
    assert.deepEqual(parse('--help --port 1'), help);
  });

  it('lists every flag in the help', () => {
    covers('cli.help');
    const help = parse('--help');
    const text = help.kind === 'help' ? help.text : '';
    assert.deepEqual(
      Object.keys(ALL_FLAGS).filter((name) => !text.includes(`--${name}`)),
      [],
    );
  });

  it('refuses unknown flags even beside --help', () => {
    assert.equal(usageError('--help --foo'), 'error parsing options - unmatched arguments: --foo, ');
  });

  it('asks for the version', () => {
    assert.deepEqual(parse('--version'), { kind: 'version' });
  });

  it('prints three version lines that begin as in OVMS', () => {
    covers('cli.version');
    const lines = versionText({ product: '0.1.0', openvino: '2026.4.1', node: 'v20.1.0' }).split('\n');
    assert.deepEqual(lines, [
      'OpenVINO Model Server 2026.2.1 compatible: Vinery 0.1.0',
      'OpenVINO backend 2026.4.1',
      'Bazel build flags: none, runs on Node.js v20.1.0',
    ]);
  });

  it('hands everything behind the word client over', () => {
    assert.deepEqual(parse('client predict --foo'), { kind: 'client', argv: ['predict', '--foo'] });
  });

  it('lists a repository of the flag or of the environment, the flag first', () => {
    covers('cli.mode-list', 'cli.repository-path', 'cli.env-repository');
    const environment = { OVMS_MODEL_REPOSITORY_PATH: '/env' };
    assert.deepEqual(parse('--list_models --model_repository_path /r', {}, environment), {
      kind: 'list',
      repositoryPath: '/r',
    });
    assert.deepEqual(parse('--list_models', {}, environment), { kind: 'list', repositoryPath: '/env' });
  });

  it('adds a model by path or by repository', () => {
    covers('cli.mode-edit', 'cli.repository-path');
    const add = '--add_to_config --config_path c.json --model_name m';
    const expected = { action: 'add', configPath: 'c.json', modelName: 'm' };
    assert.deepEqual(parse(`${add} --model_path m/p`), {
      kind: 'edit-config',
      settings: { ...expected, modelPath: 'm/p' },
    });
    assert.deepEqual(parse(`${add} --model_repository_path /r`), {
      kind: 'edit-config',
      settings: { ...expected, modelPath: '/r/m' },
    });
  });

  it('removes a model from the config of the repository in the environment', () => {
    covers('cli.env-repository');
    assert.deepEqual(parse('--remove_from_config --model_name m', {}, { OVMS_MODEL_REPOSITORY_PATH: '/env' }), {
      kind: 'edit-config',
      settings: { action: 'remove', configPath: '/env/config.json', modelName: 'm', modelPath: null },
    });
  });

  it('does not serve the config of the repository in the environment', () => {
    covers('cli.env-repository');
    assert.equal(
      usageError('--port 9000', {}, { OVMS_MODEL_REPOSITORY_PATH: '/env' }),
      'Use config_path or model_path with model_name',
    );
  });
});

describe('command line: settings', () => {
  it('has the defaults of OVMS 2026.2.1', () => {
    covers(
      'cli.port',
      'cli.rest-port',
      'cli.bind-addresses',
      'cli.grpc-workers',
      'cli.grpc-max-threads',
      'cli.grpc-memory-quota',
      'cli.log-level',
      'cli.poll-wait',
      'cli.sequence-cleaner',
      'cli.custom-node-cleaner',
    );
    assert.deepEqual(settings(CONFIG), {
      grpc: { addresses: ['0.0.0.0'], port: 9000 },
      rest: null,
      grpcWorkers: 1,
      grpcMaxThreads: 32,
      grpcMemoryQuotaBytes: 2147483648,
      grpcChannelArguments: '',
      grpcTransport: 'auto',
      sharesMemory: true,
      restWorkers: 4,
      cors: { allowCredentials: false, allowedOrigins: '*', allowedMethods: '*', allowedHeaders: '*' },
      log: { level: 'INFO', path: null },
      pollIntervalSeconds: 1,
      sequenceCleanerIntervalMinutes: 5,
      customNodeCleanerIntervalSeconds: 300,
      cacheDir: null,
      cpuExtension: null,
      inferenceThreads: null,
      metrics: { enabled: false, names: null },
      nodeExecutor: 'adaptive',
      backend: 'native',
      warmUp: 'none',
      triesModels: true,
      servables: { kind: 'config-file', path: '/c.json' },
    });
  });

  it('takes every server flag', () => {
    covers(
      'cli.llm-flags',
      'cli.bind-addresses',
      'cli.metrics-flags',
      'cli.sequence-cleaner',
      'cli.custom-node-cleaner',
      'cli.grpc-max-threads',
      'cli.grpc-memory-quota',
      'cli.api-key-file',
    );
    const line =
      '--config_path c.json --port 1 --rest_port 2 --grpc_bind_address 1.2.3.4,::1 --rest_bind_address localhost, --grpc_workers 2 ' +
      '--grpc_max_threads 3 --grpc_memory_quota 8589934592 --grpc_channel_arguments a=1 --rest_workers 5 --log_level TRACE --log_path l.txt ' +
      '--file_system_poll_wait_seconds 0 --sequence_cleaner_poll_wait_minutes 6 --custom_node_resources_cleaner_interval_seconds 7 ' +
      '--cache_dir cache --metrics_enable --metrics_list a,b --cpu_extension x.so --allow_credentials --allowed_origins o ' +
      '--allowed_methods m --allowed_headers h --api_key_file k --allowed_local_media_path p --allowed_media_domains d ' +
      '--node_executor piscina --backend openvino-node --grpc_transport js --warm_up recorded --model_trials=false';
    assert.deepEqual(settings(line, { fileExists: () => true, fileReadable: () => true }), {
      grpc: { addresses: ['1.2.3.4', '::1'], port: 1 },
      rest: { addresses: ['localhost'], port: 2 },
      grpcWorkers: 2,
      grpcMaxThreads: 3,
      grpcMemoryQuotaBytes: 8589934592,
      grpcChannelArguments: 'a=1',
      grpcTransport: 'js',
      sharesMemory: true,
      restWorkers: 5,
      cors: { allowCredentials: true, allowedOrigins: 'o', allowedMethods: 'm', allowedHeaders: 'h' },
      log: { level: 'TRACE', path: '/work-dir/l.txt' },
      pollIntervalSeconds: 0,
      sequenceCleanerIntervalMinutes: 6,
      customNodeCleanerIntervalSeconds: 7,
      cacheDir: '/work-dir/cache',
      cpuExtension: '/work-dir/x.so',
      inferenceThreads: null,
      metrics: { enabled: true, names: ['a', 'b'] },
      nodeExecutor: 'piscina',
      backend: 'openvino-node',
      warmUp: 'recorded',
      triesModels: false,
      servables: { kind: 'config-file', path: '/work-dir/c.json' },
    });
  });

  it('takes every single-model flag as written', () => {
    covers('cli.model-flags');
    const line =
      `${MODEL} --batch_size auto --shape (1,3) --layout NHWC --mean 1 --scale 2 --color_format RGB:BGR --precision fp32:uint8 ` +
      '--model_version_policy {"all":{}} --nireq 3 --target_device GPU --plugin_config {"A":1} --stateful ' +
      '--idle_sequence_cleanup=false --low_latency_transformation --max_sequence_number 9 --dynamic_batching {"max_batch_size":4}';
    assert.deepEqual(settings(line).servables, {
      kind: 'single-model',
      flags: {
        modelName: 'm',
        modelPath: '/m',
        batchSize: 'auto',
        shape: '(1,3)',
        layout: 'NHWC',
        mean: '1',
        scale: '2',
        colorFormat: 'RGB:BGR',
        precision: 'fp32:uint8',
        modelVersionPolicy: '{"all":{}}',
        nireq: 3,
        targetDevice: 'GPU',
        pluginConfig: '{"A":1}',
        stateful: true,
        idleSequenceCleanup: false,
        lowLatencyTransformation: true,
        maxSequenceNumber: 9,
        dynamicBatching: '{"max_batch_size":4}',
      },
    });
  });

  it('allows layout, mean and stateful flags beside a config file', () => {
    covers('cli.exclusive');
    assert.equal(parse(`${CONFIG} --layout NHWC --stateful --max_sequence_number 3 --nireq 0`).kind, 'serve');
  });

  it('does not refuse 0 or 1 REST workers', () => {
    covers('cli.rest-workers');
    assert.equal(settings(`${CONFIG} --rest_port 8000 --rest_workers 0`).restWorkers, 0);
    assert.equal(settings(`${CONFIG} --rest_port 8000 --rest_workers 1`).restWorkers, 1);
  });

  it('has one REST worker a core, fewer with few open files, at least 2', () => {
    covers('cli.rest-workers');
    assert.equal(settings(CONFIG, { cores: 64 }).restWorkers, 64);
    assert.equal(settings(CONFIG, { cores: 64, maxOpenFiles: 100 }).restWorkers, 12);
    assert.equal(settings(CONFIG, { cores: 1, maxOpenFiles: Infinity }).restWorkers, 2);
    assert.equal(settings(CONFIG, { cores: 8, maxOpenFiles: 20 }).restWorkers, 2);
  });

  it('uses /opt/cache when it exists and no other is named', () => {
    covers('cli.cache-dir', 'repository.cache-default');
    const host = { directoryExists: (path: string) => path === '/opt/cache' };
    assert.equal(settings(CONFIG, host).cacheDir, '/opt/cache');
    assert.equal(settings(`${CONFIG} --cache_dir /mine`, host).cacheDir, '/mine');
  });

  it('lets GRPC_SERVERS win when it is above 0', () => {
    covers('cli.env-grpc-servers');
    const workers = (servers: string) =>
      settings(`${CONFIG} --grpc_workers 2`, {}, { GRPC_SERVERS: servers }).grpcWorkers;
    assert.deepEqual(['3', '0', '-1', 'x', ''].map(workers), [3, 2, 2, 2, 2]);
  });

  it('cuts GRPC_SERVERS at the core count and says so', () => {
    covers('cli.env-grpc-servers');
    const command = parse(CONFIG, {}, { GRPC_SERVERS: '9' });
    assert.equal(command.kind === 'serve' && command.settings.grpcWorkers, 4);
    assert.deepEqual(command.kind === 'serve' && command.warnings, [
      'GRPC_SERVERS=9 is above the CPU core count; 4 workers are used',
    ]);
  });

  it('does not look at the variables of generative endpoints and of the other HTTP server', () => {
    covers('cli.env-api-key', 'cli.env-drogon');
    assert.deepEqual(settings(CONFIG, {}, { API_KEY: 'x', DROGON_LOG_LEVEL: '5' }), settings(CONFIG));
  });

  it('is frozen to its leaves', () => {
    const made = settings(CONFIG);
    assert.ok(Object.isFrozen(made) && Object.isFrozen(made.grpc) && Object.isFrozen(made.grpc?.addresses));
  });
});
