import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { covers } from '../../contract/covers.js';
import { usageError } from './fake-host.js';

const CONFIG = '--config_path /c.json --port 9000';
const MODEL = '--model_name m --model_path /m --port 9000';

/** One row a check of OVMS 2026.2.1, in the order in which they are made: name, command line, whole text. */
const ROWS: readonly (readonly [string, string, string])[] = [
  ['unknown flag', `${CONFIG} --foo`, 'error parsing options - unmatched arguments: --foo, '],
  ['unknown flag with a value behind =', `${CONFIG} --foo=1`, 'error parsing options - unmatched arguments: --foo=1, '],
  ['unknown flag and its value', `${CONFIG} --foo bar`, 'error parsing options - unmatched arguments: --foo, bar, '],
  ['unknown short flag', `${CONFIG} -x`, 'error parsing options - unmatched arguments: -x, '],
  ['flag without dashes', `${CONFIG} grpc_workers 2`, 'error parsing options - unmatched arguments: grpc_workers, 2, '],
  ['words behind --', `${CONFIG} -- --port 1`, 'error parsing options - unmatched arguments: --port, 1, '],
  [
    'boolean with a value as next word',
    `${CONFIG} --stateful true`,
    'error parsing options - unmatched arguments: true, ',
  ],
  [
    'flag of pull mode',
    '--pull --task rerank',
    'error parsing options - unmatched arguments: --pull, --task, rerank, ',
  ],
  [
    'flag of builds with profiling',
    `${CONFIG} --trace_path t`,
    'error parsing options - unmatched arguments: --trace_path, t, ',
  ],
  ['number that is text', `${CONFIG} --nireq many`, 'error parsing options: Argument ‘many’ failed to parse'],
  ['number below 0', `${CONFIG} --nireq -1`, 'error parsing options: Argument ‘-1’ failed to parse'],
  [
    'number above 32 bits',
    `${CONFIG} --nireq 4294967296`,
    'error parsing options: Argument ‘4294967296’ failed to parse',
  ],
  [
    'number above 64 bits that wraps round to more, as the reference reads it',
    '--config_path /c.json --rest_port 0xffffffffffffffff',
    'rest_port number out of range from 0 to 65535',
  ],
  [
    'decimal number above 32 bits that wraps round to less in between',
    `${CONFIG} --nireq 99999999999`,
    'error parsing options: Argument ‘99999999999’ failed to parse',
  ],
  ['number in no base', `${CONFIG} --nireq 0x`, 'error parsing options: Argument ‘0x’ failed to parse'],
  ['fraction', `${CONFIG} --nireq 1.5`, 'error parsing options: Argument ‘1.5’ failed to parse'],
  [
    'the first of two bad values',
    `${CONFIG} --nireq x --port y`,
    'error parsing options: Argument ‘x’ failed to parse',
  ],
  ['number left empty', `${CONFIG} --nireq=`, 'error parsing options: Argument ‘’ failed to parse'],
  ['boolean that is text', `${CONFIG} --stateful=maybe`, 'error parsing options: Argument ‘maybe’ failed to parse'],
  [
    'flag without its value',
    '--config_path /c.json --port',
    'error parsing options: Option ‘port’ is missing an argument',
  ],
  ['flag that eats the next flag', '--port --rest_port 1', 'error parsing options - unmatched arguments: 1, '],
  [
    'per-model flags with add_to_config',
    '--add_to_config --config_path /c.json --model_name m --model_path /m --shape auto --nireq 2',
    'Adding or removing models from the configuration file, allows passing only model_name and model_path parameters. Invalid parameters passed: shape, nireq, ',
  ],
  [
    'per-model flags with remove_from_config',
    '--remove_from_config --config_path /c.json --model_name m --target_device GPU',
    'Adding or removing models from the configuration file, allows passing only model_name and model_path parameters. Invalid parameters passed: target_device, ',
  ],
  [
    'list with add',
    '--list_models --add_to_config',
    'error parsing options - --list_models cannot be used with --add_to_config',
  ],
  [
    'list with remove',
    '--list_models --remove_from_config',
    'error parsing options - --list_models cannot be used with --remove_from_config',
  ],
  [
    'remove with a path',
    '--remove_from_config --config_path /c.json --model_name m --model_path /m',
    'error parsing options - --model_path cannot be used with --remove_from_config',
  ],
  ['unreadable API key file', `${CONFIG} --api_key_file /key`, 'Error reading API key file: Unable to open file /key'],
  ['mean without layout', `${MODEL} --mean 1`, 'error parsing options - --mean parameter requires --layout to be set'],
  [
    'scale without layout',
    `${MODEL} --scale 1`,
    'error parsing options - --scale parameter requires --layout to be set',
  ],
  [
    'color_format without layout',
    `${MODEL} --color_format RGB:BGR`,
    'error parsing options - --color_format parameter requires --layout to be set',
  ],
  [
    'precision without layout',
    `${MODEL} --precision fp32:uint8`,
    'error parsing options - --precision parameter requires --layout to be set',
  ],
  ['list without repository', '--list_models', 'Use --list_models with --model_repository_path'],
  ['config with model name', `${CONFIG} --model_name m`, 'Use either config_path or model_path with model_name'],
  ['config with model path', `${CONFIG} --model_path /m`, 'Use either config_path or model_path with model_name'],
  ['neither config nor model', '--port 9000', 'Use config_path or model_path with model_name'],
  ['model name without path', '--model_name m --port 9000', 'Use config_path or model_path with model_name'],
  ['model path without name', '--model_path /m --port 9000', 'Use config_path or model_path with model_name'],
  ...['batch_size 2', 'shape auto', 'nireq 2', 'model_version_policy {}', 'target_device CPU', 'plugin_config {}'].map(
    (flag) =>
      [
        `config with ${flag}`,
        `${CONFIG} --${flag}`,
        'Model parameters in CLI are exclusive with the config file',
      ] as const,
  ),
  ['no grpc worker', `${CONFIG} --grpc_workers 0`, 'grpc_workers count should be from 1 to CPU core count : 4'],
  [
    'more grpc workers than cores',
    `${CONFIG} --grpc_workers 5`,
    'grpc_workers count should be from 1 to CPU core count : 4',
  ],
  [
    'metrics without REST',
    `${CONFIG} --metrics_enable`,
    'rest_port setting is missing, metrics are enabled on rest port',
  ],
  [
    'metrics list without metrics',
    `${CONFIG} --rest_port 8000 --metrics_list ovms_streams`,
    'metrics_enable setting is missing, required when metrics_list is provided',
  ],
  ['no port', '--config_path /c.json', 'port and rest_port cannot both be unset'],
  ['both ports 0', '--config_path /c.json --port 0 --rest_port 0', 'port and rest_port cannot both be unset'],
  ['add without config', '--add_to_config --model_name m', 'Set config_path with add_to_config/remove_from_config'],
  [
    'remove without config',
    '--remove_from_config --model_name m',
    'Set config_path with add_to_config/remove_from_config',
  ],
  ['add without name', '--add_to_config --config_path /c.json', 'Set model_name with add_to_config/remove_from_config'],
  [
    'remove without name',
    '--remove_from_config --config_path /c.json',
    'Set model_name with add_to_config/remove_from_config',
  ],
  [
    'add without path',
    '--add_to_config --config_path /c.json --model_name m',
    'Set model_name either with model_path or model_repository_path with add_to_config',
  ],
  [
    'too many REST workers',
    `${CONFIG} --rest_port 8000 --rest_workers 10001`,
    'rest_workers count should be from 2 to 10000',
  ],
  [
    'REST workers without REST',
    `${CONFIG} --rest_workers 2`,
    'rest_workers is set but rest_port is not set. rest_port is required to start rest servers',
  ],
  [
    'more REST workers than open files allow',
    `${CONFIG} --rest_port 8000 --rest_workers 169`,
    'rest_workers count cannot be larger than 168 due to open files limit. Current open files limit: 1024',
  ],
  ['port out of range', '--config_path /c.json --port 65536', 'port number out of range from 0 to 65535'],
  [
    'rest_port out of range',
    '--config_path /c.json --rest_port 65536',
    'rest_port number out of range from 0 to 65535',
  ],
  ...['1.2.3', '1.2.3.256', '::1::', 'a_b', '-a', 'a..b', '[::1]', '0.0.0.0,,1.2.3.4', 'a'.repeat(256)].flatMap(
    (address) =>
      (['rest', 'grpc'] as const).map(
        (side) =>
          [
            `${side} bind address ${address.slice(0, 20)}`,
            `${CONFIG} --${side}_bind_address ${address}`,
            `${side}_bind_address has invalid format: proper hostname or IP address expected.`,
          ] as const,
      ),
  ),
  [
    'equal ports',
    '--config_path /c.json --port 9000 --rest_port 9000',
    'port and rest_port cannot have the same values',
  ],
  [
    'missing extension',
    `${CONFIG} --cpu_extension /lib.so`,
    'File path provided as an --cpu_extension parameter does not exist in the filesystem: /lib.so',
  ],
  [
    'log level in lower case',
    `${CONFIG} --log_level info`,
    'log_level should be one of: TRACE, DEBUG, INFO, WARNING, ERROR',
  ],
  ['unknown log level', `${CONFIG} --log_level LOUD`, 'log_level should be one of: TRACE, DEBUG, INFO, WARNING, ERROR'],
  ['unknown node executor', `${CONFIG} --node_executor x`, 'node_executor should be one of: adaptive, async, piscina'],
  ['unknown backend', `${CONFIG} --backend x`, 'backend should be one of: native, openvino-node'],
  ['unknown transport', `${CONFIG} --grpc_transport x`, 'grpc_transport should be one of: auto, native, js'],
  ['unknown warm-up', `${CONFIG} --warm_up x`, 'warm_up should be one of: none, synthetic, recorded'],
  ...['low_latency_transformation', 'max_sequence_number 3', 'idle_sequence_cleanup=false'].map(
    (flag) =>
      [
        `${flag} without stateful`,
        `${MODEL} --${flag}`,
        'Setting low_latency_transformation, max_sequence_number and idle_sequence_cleanup require setting stateful flag for the model.',
      ] as const,
  ),
];

describe('command line: usage errors of OVMS 2026.2.1', () => {
  covers(
    'cli.unknown-argument',
    'cli.bad-value',
    'cli.missing-value',
    'cli.numbers',
    'cli.pull',
    'cli.trace-path',
    'cli.edit-model-flags',
    'cli.list-with-edit',
    'cli.remove-with-path',
    'cli.layout-missing',
    'cli.list-without-repository',
    'cli.config-and-model',
    'cli.neither',
    'cli.exclusive',
    'cli.grpc-workers-range',
    'cli.metrics-without-rest',
    'cli.metrics-list-alone',
    'cli.no-port',
    'cli.edit-incomplete',
    'cli.rest-workers-count',
    'cli.rest-workers-without-rest',
    'cli.rest-workers-files',
    'cli.port-range',
    'cli.bind-format',
    'cli.equal-ports',
    'cli.cpu-extension-missing',
    'cli.log-level-choice',
    'cli.stateful-alone',
    'cli.api-key-file',
  );
  for (const [name, line, message] of ROWS) {
    it(`refuses ${name}`, () => {
      assert.equal(usageError(line), message);
    });
  }
});

describe('command line: the first check that fails speaks', () => {
  covers('cli.order');
  const ORDER: readonly (readonly [string, string])[] = [
    ['--foo --nireq x', 'error parsing options - unmatched arguments: --foo, '],
    ['--nireq x --list_models --add_to_config', 'error parsing options: Argument ‘x’ failed to parse'],
    [
      '--mean 1 --config_path /c --model_name m',
      'error parsing options - --mean parameter requires --layout to be set',
    ],
    ['--config_path /c --model_name m --nireq 1', 'Use either config_path or model_path with model_name'],
    ['--config_path /c --nireq 1 --grpc_workers 9', 'Model parameters in CLI are exclusive with the config file'],
    ['--config_path /c --grpc_workers 9 --metrics_enable', 'grpc_workers count should be from 1 to CPU core count : 4'],
    ['--config_path /c --metrics_enable', 'rest_port setting is missing, metrics are enabled on rest port'],
    ['--config_path /c --rest_workers 99999', 'port and rest_port cannot both be unset'],
    ['--config_path /c --port 99999 --rest_workers 99999', 'rest_workers count should be from 2 to 10000'],
    [
      '--config_path /c --port 99999 --rest_workers 2',
      'rest_workers is set but rest_port is not set. rest_port is required to start rest servers',
    ],
    ['--config_path /c --port 99999 --rest_bind_address -', 'port number out of range from 0 to 65535'],
    [
      '--config_path /c --port 1 --rest_port 1 --grpc_bind_address - --rest_bind_address -',
      'rest_bind_address has invalid format: proper hostname or IP address expected.',
    ],
    ['--config_path /c --port 1 --rest_port 1 --cpu_extension /x', 'port and rest_port cannot have the same values'],
    [
      '--config_path /c --port 1 --cpu_extension /x --log_level x',
      'File path provided as an --cpu_extension parameter does not exist in the filesystem: /x',
    ],
    [
      '--config_path /c --port 1 --log_level x --max_sequence_number 1',
      'log_level should be one of: TRACE, DEBUG, INFO, WARNING, ERROR',
    ],
  ];
  for (const [line, message] of ORDER) {
    it(line, () => {
      assert.equal(usageError(line), message);
    });
  }
});
