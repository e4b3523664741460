import { join, resolve } from 'node:path';
import type { LogLevel } from '../observability/log-level.js';
import { splitAddresses } from './bind-address.js';
import type { Environment, Host } from './host.js';
import type { EditConfigSettings } from './parsed-command.js';
import { deepFreeze } from './deep-freeze.js';
import type { FlagValues } from './flags.js';
import {
  BACKENDS,
  GRPC_TRANSPORTS,
  NODE_EXECUTORS,
  WARM_UP_MODES,
  type Backend,
  type GrpcTransport,
  type ListenSettings,
  type NodeExecutor,
  type WarmUpMode,
  type ServablesSource,
  type ServerSettings,
  type SingleModelFlags,
} from './settings.js';

const DEFAULT_CACHE_DIR = '/opt/cache';
const THREADS_A_CORE = 8;
const MEMORY_QUOTA_BYTES = 2 ** 31;

/** Completes flags that passed every check. */
export function makeServerSettings(
  values: FlagValues,
  environment: Environment,
  host: Host,
): { readonly settings: ServerSettings; readonly warnings: readonly string[] } {
  const warnings: string[] = [];
  const absolute = (path: string): string => resolve(host.workingDirectory, path);
  const settings: ServerSettings = {
    grpc: makeListen(values.port, values.grpc_bind_address),
    rest: makeListen(values.rest_port, values.rest_bind_address),
    grpcWorkers: countGrpcWorkers(values, environment, host, warnings),
    grpcMaxThreads: values.grpc_max_threads ?? host.cores * THREADS_A_CORE,
    grpcMemoryQuotaBytes: values.grpc_memory_quota ?? MEMORY_QUOTA_BYTES,
    grpcChannelArguments: values.grpc_channel_arguments ?? '',
    grpcTransport: (values.grpc_transport as GrpcTransport | undefined) ?? GRPC_TRANSPORTS[0],
    sharesMemory: values.system_shared_memory ?? true,
    restWorkers: values.rest_workers ?? defaultRestWorkers(host),
    cors: {
      allowCredentials: values.allow_credentials ?? false,
      allowedOrigins: values.allowed_origins ?? '*',
      allowedMethods: values.allowed_methods ?? '*',
      allowedHeaders: values.allowed_headers ?? '*',
    },
    log: {
      level: (values.log_level as LogLevel | undefined) ?? 'INFO',
      path: values.log_path ? absolute(values.log_path) : null,
    },
    pollIntervalSeconds: values.file_system_poll_wait_seconds ?? 1,
    sequenceCleanerIntervalMinutes: values.sequence_cleaner_poll_wait_minutes ?? 5,
    customNodeCleanerIntervalSeconds: values.custom_node_resources_cleaner_interval_seconds ?? 300,
    cacheDir: values.cache_dir
      ? absolute(values.cache_dir)
      : host.directoryExists(DEFAULT_CACHE_DIR)
        ? DEFAULT_CACHE_DIR
        : null,
    cpuExtension: values.cpu_extension ? absolute(values.cpu_extension) : null,
    inferenceThreads: host.inferenceThreads,
    metrics: { enabled: values.metrics_enable ?? false, names: splitNames(values.metrics_list) },
    nodeExecutor: (values.node_executor as NodeExecutor | undefined) ?? NODE_EXECUTORS[0],
    backend: (values.backend as Backend | undefined) ?? BACKENDS[0],
    warmUp: (values.warm_up as WarmUpMode | undefined) ?? WARM_UP_MODES[0],
    triesModels: values.model_trials ?? true,
    servables: makeSource(values, absolute),
  };
  return deepFreeze({ settings, warnings });
}

function makeListen(port: number | undefined, addresses: string | undefined): ListenSettings | null {
  return port ? { port, addresses: splitAddresses(addresses || '0.0.0.0') } : null;
}

/** `GRPC_SERVERS` wins when it is above 0 (as OVMS 2026.2.1), but more workers than cores only cost memory here. */
function countGrpcWorkers(values: FlagValues, environment: Environment, { cores }: Host, warnings: string[]): number {
  const servers = environment['GRPC_SERVERS'] ?? '';
  const wanted = /^\d+$/.test(servers) ? Number(servers) : 0;
  if (wanted === 0) return values.grpc_workers ?? 1;
  if (wanted > cores) warnings.push(`GRPC_SERVERS=${servers} is above the CPU core count; ${cores} workers are used`);
  return Math.min(wanted, cores);
}

/** As OVMS 2026.2.1: one a core, as far as the limit of open files allows, at least 2. */
function defaultRestWorkers({ cores, maxOpenFiles }: Host): number {
  return Math.max(2, Math.min(cores, Math.floor((maxOpenFiles - 15) / 7)));
}

function splitNames(list: string | undefined): readonly string[] | null {
  return list ? list.split(',').map((name) => name.trim()) : null;
}

function makeSource(values: FlagValues, absolute: (path: string) => string): ServablesSource {
  return values.config_path
    ? { kind: 'config-file', path: absolute(values.config_path) }
    : { kind: 'single-model', flags: makeSingleModelFlags(values) };
}

function makeSingleModelFlags(values: FlagValues): SingleModelFlags {
  return {
    modelName: values.model_name ?? '',
    modelPath: values.model_path ?? '',
    batchSize: values.batch_size || null,
    shape: values.shape || null,
    layout: values.layout || null,
    mean: values.mean || null,
    scale: values.scale || null,
    colorFormat: values.color_format || null,
    precision: values.precision || null,
    modelVersionPolicy: values.model_version_policy || null,
    nireq: values.nireq ?? 0,
    targetDevice: values.target_device || null,
    pluginConfig: values.plugin_config || null,
    stateful: values.stateful ?? false,
    idleSequenceCleanup: values.idle_sequence_cleanup ?? null,
    lowLatencyTransformation: values.low_latency_transformation ?? null,
    maxSequenceNumber: values.max_sequence_number ?? null,
    dynamicBatching: values.dynamic_batching || null,
  };
}

export function makeEditConfigSettings(values: FlagValues, environment: Environment): EditConfigSettings {
  return Object.freeze({
    action: values.add_to_config ? 'add' : 'remove',
    configPath: values.config_path ?? defaultConfigPath(environment),
    modelName: values.model_name ?? '',
    modelPath: values.add_to_config ? modelPathForConfig(values, environment) : null,
  });
}

/** `--model_repository_path`, else `OVMS_MODEL_REPOSITORY_PATH`, else `''`. */
export function modelRepositoryPath(values: FlagValues, environment: Environment): string {
  return values.model_repository_path ?? environment['OVMS_MODEL_REPOSITORY_PATH'] ?? '';
}

/** `config.json` of the repository the environment names, else `''`; for edits only (as OVMS 2026.2.1). */
export function defaultConfigPath(environment: Environment): string {
  const repository = environment['OVMS_MODEL_REPOSITORY_PATH'];
  return repository ? join(repository, 'config.json') : '';
}

/** `--model_path`, else the model's directory in the repository, else `''`. */
export function modelPathForConfig(values: FlagValues, environment: Environment): string {
  if (values.model_path) return values.model_path;
  const repository = modelRepositoryPath(values, environment);
  return repository && values.model_name ? join(repository, values.model_name) : '';
}
