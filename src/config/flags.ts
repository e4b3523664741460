import { BACKENDS, GRPC_TRANSPORTS, NODE_EXECUTORS, WARM_UP_MODES } from './settings.js';

/** `boolean` flags take a value by `=` only; the others take the next argument, whatever it looks like. */
export type FlagType = 'boolean' | 'string' | 'uint32' | 'uint64';

export interface FlagDefinition {
  readonly type: FlagType;
  readonly help: string;
  /** Shown in the help; the value itself is given where settings are made. */
  readonly byDefault?: string;
}

/** Headings of the help text, in its order. */
export const FLAG_GROUPS = {
  server: 'server options',
  config: 'multi model options',
  single: 'single model options',
  management: 'config management options',
  vinery: 'options of this server only',
} as const;

/** Every flag, by group. Names, types and defaults are those of OVMS 2026.2.1, except the last group. */
export const FLAGS = {
  server: {
    help: { type: 'boolean', help: 'Show this help and exit' },
    version: { type: 'boolean', help: 'Show versions and exit' },
    port: { type: 'uint32', help: 'gRPC port; 0: no gRPC server', byDefault: '0' },
    grpc_bind_address: { type: 'string', help: 'Addresses of the gRPC server, comma separated', byDefault: '0.0.0.0' },
    rest_port: { type: 'uint32', help: 'REST port; 0: no REST server', byDefault: '0' },
    rest_bind_address: { type: 'string', help: 'Addresses of the REST server, comma separated', byDefault: '0.0.0.0' },
    grpc_workers: { type: 'uint32', help: 'Workers that serve the gRPC port, 1 to CPU core count', byDefault: '1' },
    grpc_max_threads: { type: 'uint32', help: 'gRPC calls that may run at once', byDefault: 'cores * 8' },
    grpc_memory_quota: { type: 'uint64', help: 'Bytes for gRPC buffers', byDefault: '2147483648' },
    grpc_channel_arguments: { type: 'string', help: 'Arguments of the gRPC server: name=value,name=value' },
    rest_workers: { type: 'uint32', help: 'REST requests that may run at once; needs rest_port', byDefault: 'cores' },
    log_level: { type: 'string', help: 'TRACE, DEBUG, INFO, WARNING or ERROR', byDefault: 'INFO' },
    log_path: { type: 'string', help: 'File that also receives the log' },
    file_system_poll_wait_seconds: {
      type: 'uint32',
      help: 'Seconds between two looks at the config and the version directories; 0: never',
      byDefault: '1',
    },
    sequence_cleaner_poll_wait_minutes: {
      type: 'uint32',
      help: 'Minutes between two scans for idle sequences; 0: never',
      byDefault: '5',
    },
    custom_node_resources_cleaner_interval_seconds: {
      type: 'uint32',
      help: 'Seconds between two clean-ups of custom node resources; 0: never',
      byDefault: '300',
    },
    cache_dir: { type: 'string', help: 'Directory of the model cache', byDefault: '/opt/cache if it exists' },
    metrics_enable: { type: 'boolean', help: 'Serve GET /metrics on rest_port' },
    metrics_list: {
      type: 'string',
      help: 'Metrics that replace the default set, comma separated; needs metrics_enable',
    },
    cpu_extension: { type: 'string', help: 'Library with extra CPU operations' },
    allow_credentials: { type: 'boolean', help: 'Send Access-Control-Allow-Credentials: true' },
    allowed_origins: { type: 'string', help: 'Origins that may call the REST API', byDefault: '*' },
    allowed_methods: { type: 'string', help: 'Methods allowed to other origins', byDefault: '*' },
    allowed_headers: { type: 'string', help: 'Headers allowed to other origins', byDefault: '*' },
    api_key_file: { type: 'string', help: 'Accepted for compatibility: guards generative endpoints only' },
    allowed_local_media_path: { type: 'string', help: 'Accepted for compatibility: generative endpoints only' },
    allowed_media_domains: { type: 'string', help: 'Accepted for compatibility: generative endpoints only' },
  },
  config: {
    config_path: { type: 'string', help: 'config.json with models and pipelines' },
  },
  single: {
    model_name: { type: 'string', help: 'Name clients ask for' },
    model_path: { type: 'string', help: 'Directory of the version directories' },
    batch_size: { type: 'string', help: 'Batch size n, -1, min:max or auto; ignored when shape is set' },
    shape: { type: 'string', help: 'Shape (1,3,224,224) or auto, or JSON by input name' },
    layout: { type: 'string', help: 'Layout NCHW or NHWC:NCHW, or JSON by input name' },
    mean: { type: 'string', help: 'Mean to subtract, one or one a channel; needs layout' },
    scale: { type: 'string', help: 'Divisor, one or one a channel; needs layout' },
    color_format: { type: 'string', help: 'TARGET:SOURCE of RGB, BGR, GRAY, NV12, NV12_2, I420, I420_3; needs layout' },
    precision: { type: 'string', help: 'target:source, for example fp32:uint8; needs layout' },
    model_version_policy: { type: 'string', help: 'Versions to serve, as JSON', byDefault: 'latest 1' },
    nireq: { type: 'uint32', help: 'Infer requests of a version; 0: OpenVINO decides', byDefault: '0' },
    target_device: { type: 'string', help: 'Device to compile for', byDefault: 'CPU' },
    plugin_config: { type: 'string', help: 'OpenVINO properties, as JSON' },
    stateful: { type: 'boolean', help: 'The model keeps state between requests' },
    idle_sequence_cleanup: { type: 'boolean', help: 'Remove idle sequences; needs stateful', byDefault: 'true' },
    low_latency_transformation: { type: 'boolean', help: 'Apply the low latency transformation; needs stateful' },
    max_sequence_number: { type: 'uint32', help: 'Sequences at once; needs stateful', byDefault: '500' },
  },
  management: {
    list_models: { type: 'boolean', help: 'List the servables of model_repository_path and exit' },
    model_repository_path: { type: 'string', help: 'Repository', byDefault: 'OVMS_MODEL_REPOSITORY_PATH' },
    add_to_config: {
      type: 'boolean',
      help: 'Add model_name, with model_path or model_repository_path, to config_path and exit',
    },
    remove_from_config: { type: 'boolean', help: 'Remove model_name from config_path and exit' },
  },
  vinery: {
    node_executor: {
      type: 'string',
      help: `How nodes run: ${NODE_EXECUTORS.join(', ')}; adaptive infers on the event loop what takes below 150 us, 300 us with fewer than 4 cores, and compiles what requests wait for once more, for throughput`,
      byDefault: NODE_EXECUTORS[0],
    },
    dynamic_batching: {
      type: 'string',
      help: 'How requests to model_name are joined, as JSON: {"max_batch_size": 8, "max_queue_delay_microseconds": 0}',
    },
    backend: { type: 'string', help: `Binding to OpenVINO: ${BACKENDS.join(' or ')}`, byDefault: BACKENDS[0] },
    grpc_transport: {
      type: 'string',
      help: `Server of the gRPC port: ${GRPC_TRANSPORTS.join(', ')}`,
      byDefault: GRPC_TRANSPORTS[0],
    },
    warm_up: {
      type: 'string',
      help: `What servables are asked before they serve: ${WARM_UP_MODES.join(', ')}; synthetic is zeros`,
      byDefault: WARM_UP_MODES[0],
    },
    model_trials: {
      type: 'boolean',
      help: 'Answers of models for several streams, from the cache or for the load are compared with those of a plain compile before they serve',
      byDefault: 'true',
    },
    system_shared_memory: {
      type: 'boolean',
      help: 'Clients may have the server map POSIX shared memory of this machine',
      byDefault: 'true',
    },
  },
} as const satisfies Record<keyof typeof FLAG_GROUPS, Record<string, FlagDefinition>>;

type Groups = typeof FLAGS;
type AllFlags = Groups['server'] & Groups['config'] & Groups['single'] & Groups['management'] & Groups['vinery'];
export type FlagName = keyof AllFlags;

interface ValueOfType {
  boolean: boolean;
  string: string;
  uint32: number;
  uint64: number;
}

/** What the arguments say; absent flags have no key. */
export type FlagValues = { readonly [Name in FlagName]?: ValueOfType[AllFlags[Name]['type']] };

export const ALL_FLAGS: Readonly<Record<FlagName, FlagDefinition>> = {
  ...FLAGS.server,
  ...FLAGS.config,
  ...FLAGS.single,
  ...FLAGS.management,
  ...FLAGS.vinery,
};
