import { BACKENDS, GRPC_TRANSPORTS, NODE_EXECUTORS, WARM_UP_MODES } from './settings.js';
import { LOG_LEVELS } from '../observability/log-level.js';
import { isBindAddressList } from './bind-address.js';
import type { Environment, Host } from './host.js';
import { FLAGS, type FlagName, type FlagValues } from './flags.js';
import { defaultConfigPath, modelPathForConfig, modelRepositoryPath } from './server-settings.js';

export interface CheckedArguments {
  readonly values: FlagValues;
  readonly given: readonly FlagName[];
  readonly environment: Environment;
  readonly host: Host;
}

/** The text of a usage error, or `null`. Checks run in order; the first that speaks ends the start. */
type Check = (args: CheckedArguments) => string | null;

const LARGEST_PORT = 65535;
const MOST_REST_WORKERS = 10000;
/** Open files the server keeps for itself, and those each REST worker may need (as OVMS 2026.2.1). */
const RESERVED_FILES = 15;
const FILES_A_REST_WORKER = 6;

/** Flags that contradict each other; looked at before `--version` and `--help` are served (as OVMS 2026.2.1). */
export function findConflict(args: CheckedArguments): string | null {
  return firstOf([modelFlagsWithEdit, listWithEdit, pathWithRemove], args);
}

/** Everything else: values that are out of range, flags that miss each other. */
export function findUsageError(args: CheckedArguments): string | null {
  const { values } = args;
  if (values.list_models) return firstOf([unreadableKeyFile, preprocessingWithoutLayout, listWithoutRepository], args);
  const mode = values.add_to_config || values.remove_from_config ? EDIT_CHECKS : SERVE_CHECKS;
  return firstOf([unreadableKeyFile, preprocessingWithoutLayout, ...mode, ...COMMON_CHECKS], args);
}

function firstOf(checks: readonly Check[], args: CheckedArguments): string | null {
  for (const check of checks) {
    const message = check(args);
    if (message !== null) return message;
  }
  return null;
}

function isOfOneModel(name: FlagName): boolean {
  return Object.hasOwn(FLAGS.single, name) || name === 'dynamic_batching';
}

const modelFlagsWithEdit: Check = ({ values, given }) => {
  if (!values.add_to_config && !values.remove_from_config) return null;
  const others = given.filter((name) => isOfOneModel(name) && name !== 'model_name' && name !== 'model_path');
  return others.length === 0
    ? null
    : 'Adding or removing models from the configuration file, allows passing only model_name and model_path parameters. ' +
        `Invalid parameters passed: ${others.map((name) => `${name}, `).join('')}`;
};

const listWithEdit: Check = ({ given }) => {
  const edit = (['add_to_config', 'remove_from_config'] as const).find((name) => given.includes(name));
  return given.includes('list_models') && edit
    ? `error parsing options - --list_models cannot be used with --${edit}`
    : null;
};

const pathWithRemove: Check = ({ given }) =>
  given.includes('remove_from_config') && given.includes('model_path')
    ? 'error parsing options - --model_path cannot be used with --remove_from_config'
    : null;

const unreadableKeyFile: Check = ({ values: { api_key_file: path }, host }) =>
  path && !host.fileReadable(path) ? `Error reading API key file: Unable to open file ${path}` : null;

const preprocessingWithoutLayout: Check = ({ values, given }) => {
  const name = (['mean', 'scale', 'color_format', 'precision'] as const).find((flag) => given.includes(flag));
  return name && !values.layout ? `error parsing options - --${name} parameter requires --layout to be set` : null;
};

const listWithoutRepository: Check = ({ values, environment }) =>
  modelRepositoryPath(values, environment) === '' ? 'Use --list_models with --model_repository_path' : null;

const configWithModel: Check = ({ values }) =>
  values.config_path && (values.model_name || values.model_path)
    ? 'Use either config_path or model_path with model_name'
    : null;

const neitherConfigNorModel: Check = ({ values }) =>
  !values.config_path && !(values.model_name && values.model_path)
    ? 'Use config_path or model_path with model_name'
    : null;

const configWithModelFlags: Check = ({ values }) =>
  values.config_path &&
  (values.batch_size ||
    values.shape ||
    values.nireq ||
    values.model_version_policy ||
    values.target_device ||
    values.plugin_config ||
    values.dynamic_batching)
    ? 'Model parameters in CLI are exclusive with the config file'
    : null;

const grpcWorkers: Check = ({ values: { grpc_workers: workers = 1 }, host: { cores } }) =>
  workers < 1 || workers > cores ? `grpc_workers count should be from 1 to CPU core count : ${cores}` : null;

const metricsWithoutRest: Check = ({ values }) =>
  values.metrics_enable && !values.rest_port ? 'rest_port setting is missing, metrics are enabled on rest port' : null;

const metricsListAlone: Check = ({ values }) =>
  values.metrics_list && !values.metrics_enable
    ? 'metrics_enable setting is missing, required when metrics_list is provided'
    : null;

const noPort: Check = ({ values }) =>
  !values.port && !values.rest_port ? 'port and rest_port cannot both be unset' : null;

const editWithoutConfig: Check = ({ values, environment }) =>
  (values.config_path ?? defaultConfigPath(environment)) === ''
    ? 'Set config_path with add_to_config/remove_from_config'
    : null;

const editWithoutName: Check = ({ values }) =>
  !values.model_name ? 'Set model_name with add_to_config/remove_from_config' : null;

const addWithoutPath: Check = ({ values, environment }) =>
  values.add_to_config && modelPathForConfig(values, environment) === ''
    ? 'Set model_name either with model_path or model_repository_path with add_to_config'
    : null;

const tooManyRestWorkers: Check = ({ values: { rest_workers: workers = 0 } }) =>
  workers > MOST_REST_WORKERS ? `rest_workers count should be from 2 to ${MOST_REST_WORKERS}` : null;

const restWorkersWithoutRest: Check = ({ values }) =>
  values.rest_workers !== undefined && !values.rest_port
    ? 'rest_workers is set but rest_port is not set. rest_port is required to start rest servers'
    : null;

const restWorkersBeyondFiles: Check = ({ values: { rest_workers: workers = 0 }, host: { maxOpenFiles } }) => {
  const most = Math.floor((maxOpenFiles - RESERVED_FILES) / FILES_A_REST_WORKER);
  return workers > most
    ? `rest_workers count cannot be larger than ${most} due to open files limit. Current open files limit: ${maxOpenFiles}`
    : null;
};

const portRanges: Check = ({ values: { port = 0, rest_port: restPort = 0 } }) => {
  if (port > LARGEST_PORT) return `port number out of range from 0 to ${LARGEST_PORT}`;
  return restPort > LARGEST_PORT ? `rest_port number out of range from 0 to ${LARGEST_PORT}` : null;
};

const bindAddresses: Check = ({ values }) => {
  const name = (['rest_bind_address', 'grpc_bind_address'] as const).find(
    (flag) => values[flag] && !isBindAddressList(values[flag]),
  );
  return name ? `${name} has invalid format: proper hostname or IP address expected.` : null;
};

const equalPorts: Check = ({ values }) =>
  values.port && values.port === values.rest_port ? 'port and rest_port cannot have the same values' : null;

const cpuExtensionMissing: Check = ({ values: { cpu_extension: path }, host }) =>
  path && !host.fileExists(path)
    ? `File path provided as an --cpu_extension parameter does not exist in the filesystem: ${path}`
    : null;

/** Flags whose value is one of a list. The first is OVMS's, the others follow its wording. */
const choices: Check = ({ values }) => {
  const CHOICES = {
    log_level: LOG_LEVELS,
    node_executor: NODE_EXECUTORS,
    backend: BACKENDS,
    grpc_transport: GRPC_TRANSPORTS,
    warm_up: WARM_UP_MODES,
  } as const;
  for (const [name, allowed] of Object.entries(CHOICES) as [keyof typeof CHOICES, readonly string[]][]) {
    const value = values[name];
    if (value !== undefined && !allowed.includes(value)) return `${name} should be one of: ${allowed.join(', ')}`;
  }
  return null;
};

const statefulFlagsAlone: Check = ({ values, given }) =>
  !values.stateful &&
  (['low_latency_transformation', 'max_sequence_number', 'idle_sequence_cleanup'] as const).some((name) =>
    given.includes(name),
  )
    ? 'Setting low_latency_transformation, max_sequence_number and idle_sequence_cleanup require setting stateful flag for the model.'
    : null;

const SERVE_CHECKS: readonly Check[] = [
  configWithModel,
  neitherConfigNorModel,
  configWithModelFlags,
  grpcWorkers,
  metricsWithoutRest,
  metricsListAlone,
  noPort,
];
const EDIT_CHECKS: readonly Check[] = [editWithoutConfig, editWithoutName, addWithoutPath];
const COMMON_CHECKS: readonly Check[] = [
  tooManyRestWorkers,
  restWorkersWithoutRest,
  restWorkersBeyondFiles,
  portRanges,
  bindAddresses,
  equalPorts,
  cpuExtensionMissing,
  choices,
  statefulFlagsAlone,
];
