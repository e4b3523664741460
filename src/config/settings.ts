import type { ServingError } from '../errors.js';
import type { NodeType, OnEmpty } from './schema.js';
import type { LogLevel } from '../observability/log-level.js';
import type { ColorFormat } from '../tensors/color-format.js';
import type { Conversion } from '../tensors/conversion.js';
import type { Precision } from '../tensors/precision.js';
import type { Dimension, PartialShape } from '../tensors/shape.js';

/**
 * What everything behind the command line and config.json reads: complete, camelCase and frozen. Plain data, so that a record
 * crosses threads by structured clone. Nobody reads a raw config, an argument vector or `process.env` after these were made, but for the
 * variables of cloud storages, some of which their vendors' packages read themselves.
 */
export interface ServerSettings {
  /** `null`: no gRPC listener. */
  readonly grpc: ListenSettings | null;
  /** `null`: no REST listener. */
  readonly rest: ListenSettings | null;
  /** Owner workers of the gRPC port, 1..cores. */
  readonly grpcWorkers: number;
  /** Calls that may run at once. */
  readonly grpcMaxThreads: number;
  readonly grpcMemoryQuotaBytes: number;
  /** `k=v,k=v` as written; see `parseChannelArguments`. `''`: none. */
  readonly grpcChannelArguments: string;
  readonly grpcTransport: GrpcTransport;
  /** Whether clients may register POSIX shared memory. */
  readonly sharesMemory: boolean;
  readonly restWorkers: number;
  readonly cors: CorsSettings;
  readonly log: LogSettings;
  /** Seconds between two looks at config.json and the version directories; 0: never. */
  readonly pollIntervalSeconds: number;
  /** Stateful models only; 0: never. */
  readonly sequenceCleanerIntervalMinutes: number;
  /** 0: never. */
  readonly customNodeCleanerIntervalSeconds: number;
  /** Directory of the compiled-model cache; `null`: no cache. */
  readonly cacheDir: string | null;
  /** Library with extra operations for `Core.add_extension`. */
  readonly cpuExtension: string | null;
  /** `INFERENCE_NUM_THREADS` of models on CPU that do not say it themselves; `null`: OpenVINO decides. */
  readonly inferenceThreads: number | null;
  /** What the command line says of metrics; `resolveMetrics` adds what config.json says. */
  readonly metrics: MetricsSettings;
  readonly nodeExecutor: NodeExecutor;
  readonly backend: Backend;
  readonly warmUp: WarmUpMode;
  /** Whether answers of models that are not compiled plainly are compared with those of a plain compile. */
  readonly triesModels: boolean;
  readonly servables: ServablesSource;
}

export interface ListenSettings {
  /** IPv4, IPv6 (without brackets) or host names; at least one. */
  readonly addresses: readonly string[];
  /** 0 asks the system for a free port. Only embedding programs can say so: 0 on the command line means no listener. */
  readonly port: number;
}

/** Texts of the `Access-Control-*` headers; `''` sends none. */
export interface CorsSettings {
  readonly allowCredentials: boolean;
  readonly allowedOrigins: string;
  readonly allowedMethods: string;
  readonly allowedHeaders: string;
}

export interface LogSettings {
  readonly level: LogLevel;
  /** Lines also go to this file; standard output stays. */
  readonly path: string | null;
}

export interface MetricsSettings {
  readonly enabled: boolean;
  /** Replaces the default set; `null`: the default set. */
  readonly names: readonly string[] | null;
}

/** The first is the default. */
export const NODE_EXECUTORS = ['adaptive', 'async', 'piscina'] as const;
export type NodeExecutor = (typeof NODE_EXECUTORS)[number];
export const BACKENDS = ['native', 'openvino-node'] as const;
export type Backend = (typeof BACKENDS)[number];
/** What servables are asked before they serve: nothing, zeros, or recorded requests. */
export const WARM_UP_MODES = ['none', 'synthetic', 'recorded'] as const;
export type WarmUpMode = (typeof WARM_UP_MODES)[number];
export const GRPC_TRANSPORTS = ['auto', 'native', 'js'] as const;
export type GrpcTransport = (typeof GRPC_TRANSPORTS)[number];

/** Where the servables come from: a watched config.json, or one model described by flags. */
export type ServablesSource =
  | { readonly kind: 'config-file'; readonly path: string }
  | { readonly kind: 'single-model'; readonly flags: SingleModelFlags };

/** Per-model flags as written; `null` where the flag is absent. `loadSingleModel` makes {@link ModelSettings} of them. */
export interface SingleModelFlags {
  readonly modelName: string;
  readonly modelPath: string;
  readonly batchSize: string | null;
  readonly shape: string | null;
  readonly layout: string | null;
  readonly mean: string | null;
  readonly scale: string | null;
  readonly colorFormat: string | null;
  readonly precision: string | null;
  readonly modelVersionPolicy: string | null;
  readonly nireq: number;
  readonly targetDevice: string | null;
  readonly pluginConfig: string | null;
  readonly stateful: boolean;
  readonly idleSequenceCleanup: boolean | null;
  readonly lowLatencyTransformation: boolean | null;
  readonly maxSequenceNumber: number | null;
  readonly dynamicBatching: string | null;
}

/** Which of the versions on disk are served. */
export type VersionPolicy =
  | { readonly kind: 'all' }
  | { readonly kind: 'latest'; readonly count: number }
  | { readonly kind: 'specific'; readonly versions: readonly number[] };

export const LATEST_VERSION: VersionPolicy = Object.freeze({ kind: 'latest', count: 1 });

/** A value for the only input of a model, or values by input name (the mapped one where a mapping_config.json gives one). */
export type PerInput<T> =
  | { readonly kind: 'anonymous'; readonly value: T }
  | { readonly kind: 'named'; readonly values: readonly { readonly name: string; readonly value: T }[] };

/** `auto` follows the shape of each request. */
export type ShapeParameter = 'auto' | PartialShape;
/** `auto` follows the batch of each request. */
export type BatchSize = 'auto' | Dimension;

/** `model` is the layout of the model itself; `tensor`, when not `null`, is what clients send and asks for a transpose. */
export interface LayoutParameter {
  readonly tensor: string | null;
  readonly model: string;
}

export type PluginValue = string | number | boolean;

export interface ModelSettings {
  readonly name: string;
  /** JSON pointer of the entry in config.json; `''` when it came from the command line. */
  readonly jsonPath: string;
  /** Absolute directory of the version directories, or a cloud address (`s3://`, `gs://`, `az://`, `azfs://`). */
  readonly basePath: string;
  readonly versionPolicy: VersionPolicy;
  readonly targetDevice: string;
  /** Ready for `compile_model`: old keys translated, types converted, defaults added. */
  readonly pluginConfig: Readonly<Record<string, PluginValue>>;
  /** Infer requests of a version; 0: as many as the compiled model finds best. */
  readonly nireq: number;
  /** Nobody chose how many inferences there are to be at a time: no hint, number of streams or of infer requests is given. */
  readonly followsLoad: boolean;
  readonly shape: PerInput<ShapeParameter> | null;
  /** Always `null` when `shape` is set. */
  readonly batchSize: BatchSize | null;
  readonly layout: PerInput<LayoutParameter> | null;
  /** `null`: cached unless batch size or shape is `auto`. */
  readonly allowCache: boolean | null;
  /** `null`: not a stateful model. */
  readonly stateful: StatefulSettings | null;
  /** `null`: each request is inferred by itself. Always `null` for a stateful model. */
  readonly dynamicBatching: BatchingSettings | null;
  /** The command line is the only place that can set them (as OVMS 2026.2.1). */
  readonly preprocessing: PreprocessingSettings;
}

/** Whether the model follows the batch or the shape of each request (deprecated in OVMS 2026.2.1). */
export function isAuto({ batchSize, shape }: Pick<ModelSettings, 'batchSize' | 'shape'>): boolean {
  if (batchSize === 'auto') return true;
  if (shape === null) return false;
  return shape.kind === 'anonymous' ? shape.value === 'auto' : shape.values.some(({ value }) => value === 'auto');
}

export interface StatefulSettings {
  readonly idleSequenceCleanup: boolean;
  readonly lowLatencyTransformation: boolean;
  readonly maxSequenceNumber: number;
}

/** How requests to a model are joined. Sizes are rows: a request counts with its batch size. */
export interface BatchingSettings {
  /** At least 2. */
  readonly maxBatchSize: number;
  /** How long a request may wait for others while an infer request is free. */
  readonly maxQueueDelayMicros: number;
  /** Sizes with which a batch waits no longer; ascending, each at most `maxBatchSize`. */
  readonly preferredBatchSizes: readonly number[];
}

/** What happens to the values of every input before the model gets them. */
export interface PreprocessingSettings {
  /** Subtracted; one number for all channels, or one a channel. */
  readonly mean: readonly number[] | null;
  /** Divided by; counts as `mean`. */
  readonly scale: readonly number[] | null;
  readonly colorFormat: TargetSource<ColorFormat> | null;
  readonly precision: TargetSource<Precision> | null;
}

/** Clients send `source`, the model gets `target`. */
export interface TargetSource<T> {
  readonly target: T;
  readonly source: T;
}

/** A model or a library that cannot be used; the others of the file can. Its name stays occupied. */
export interface InvalidEntry {
  readonly name: string;
  readonly jsonPath: string;
  readonly error: ServingError;
}

export interface PipelineSettings {
  readonly name: string;
  readonly jsonPath: string;
  /** Names clients send; the data items of the node `request`. */
  readonly inputs: readonly string[];
  /** In config order, without `request` and `response`. */
  readonly nodes: readonly NodeSettings[];
  readonly outputs: readonly PipelineOutputSettings[];
  /** Shards at the request: -1 as many as the first dimension says, `null` no demultiplexer. */
  readonly demultiplyCount: number | null;
  /** What a request without shards gives: an aborted request, or tensors without elements. */
  readonly onEmpty: OnEmpty;
  /** `null`: the pipeline has no versions, and requests may ask for any (as OVMS 2026.2.1). */
  readonly version: number | null;
  /** The pipeline answers with what it has as soon as one of these holds. */
  readonly exitWhen: readonly ConditionSettings[];
  /** Absolute path of recorded requests for its warm-up; `null`: there are none. */
  readonly warmUpRequests: string | null;
}

export interface NodeSettings {
  readonly name: string;
  readonly jsonPath: string;
  readonly type: NodeType;
  /** DL model; `null` for other types. */
  readonly modelName: string | null;
  /** DL model, pipeline; `null`: the default version, resolved at each execution. */
  readonly version: number | null;
  /** Custom; `null` for other types. */
  readonly libraryName: string | null;
  /** Js: absolute path; `null` for other types. */
  readonly module: string | null;
  /** Js: how long one execution may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Pipeline; `null` for other types. */
  readonly pipelineName: string | null;
  /** Custom: texts. Js: any JSON. */
  readonly params: Readonly<Record<string, unknown>>;
  /** The node runs only where this holds; `null`: it always runs. */
  readonly when: ConditionSettings | null;
  readonly inputs: readonly NodeInputSettings[];
  readonly outputs: readonly NodeOutputSettings[];
  /** As {@link PipelineSettings.demultiplyCount}, for the outputs of this node. */
  readonly demultiplyCount: number | null;
  /** As {@link PipelineSettings.onEmpty}, for the shards of this node. */
  readonly onEmpty: OnEmpty;
  readonly gatherFromNode: string | null;
}

/** `dataItem` (an alias) of node `nodeName`, perhaps converted on the way. */
export interface SourceSettings {
  readonly nodeName: string;
  readonly dataItem: string;
  /** `null`: the tensor is handed over as it is. */
  readonly conversion: Conversion | null;
  readonly jsonPath: string;
}

/** `input` of this node is fed by a source. */
export interface NodeInputSettings extends SourceSettings {
  readonly input: string;
}

/** A question about one element of a tensor of numbers. */
export interface ConditionSettings {
  readonly nodeName: string;
  readonly dataItem: string;
  /** Row-major index of the element; `null`: the only one. */
  readonly element: number | null;
  /** At least one; all must pass. */
  readonly tests: readonly ConditionTest[];
  readonly jsonPath: string;
}

export type ConditionOperator =
  'equals' | 'notEquals' | 'in' | 'notIn' | 'lessThan' | 'atMost' | 'greaterThan' | 'atLeast';

export interface ConditionTest {
  readonly operator: ConditionOperator;
  /** One number, or several for `in` and `notIn`. */
  readonly operands: readonly number[];
}

/** Output `dataItem` of the model is known to the pipeline as `alias`. */
export interface NodeOutputSettings {
  readonly dataItem: string;
  readonly alias: string;
  readonly jsonPath: string;
}

/** Response tensor `output` is what a source gives. */
export interface PipelineOutputSettings extends SourceSettings {
  readonly output: string;
}

export interface LibrarySettings {
  readonly name: string;
  /** Absolute path of the shared library. */
  readonly basePath: string;
  readonly jsonPath: string;
}

/** One reading of config.json, or of the flags of a single model. Frozen; a reload makes a new one. */
export interface LoadedConfig {
  /** In file order; of entries with the same name only the first. */
  readonly models: readonly (ModelSettings | InvalidEntry)[];
  /** In file order; of entries with the same name and version only the first. */
  readonly pipelines: readonly PipelineSettings[];
  readonly libraries: readonly (LibrarySettings | InvalidEntry)[];
  /** Custom loaders, which are all refused. */
  readonly loaders: readonly InvalidEntry[];
  /** What the file says of metrics; read once per process, never on reload. */
  readonly monitoring: MetricsSettings | null;
  /** For the log, in file order. */
  readonly warnings: readonly string[];
  /** Of the bytes of the file; differs when the file changed. `''` for a single model. */
  readonly digest: string;
}

export function isInvalid(entry: ModelSettings | LibrarySettings | InvalidEntry): entry is InvalidEntry {
  return 'error' in entry;
}
