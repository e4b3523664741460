import { Type, type Static, type TObject, type TProperties } from '@sinclair/typebox';

/**
 * The one schema of config.json (as OVMS 2026.2.1): types, checks and messages are derived from it. Key names are OVMS's here and
 * end in the parsers beside this file. Titles and descriptions feed editors and the config reference.
 */
function closed<T extends TProperties>(title: string, properties: T, rules: Record<string, unknown> = {}): TObject<T> {
  return Type.Object(properties, { title, additionalProperties: false, ...rules });
}

const text = (description: string) => Type.String({ description });
const flag = (description: string, byDefault: boolean) => Type.Boolean({ description, default: byDefault });
const textOrTexts = (description: string) =>
  Type.Unsafe<string | Record<string, string>>({
    type: ['string', 'object'],
    additionalProperties: { type: 'string' },
    description,
  });

const PluginConfig = Type.Record(
  Type.String(),
  Type.Unsafe<string | number | boolean>({ type: ['string', 'number', 'boolean'] }),
  { description: 'Properties for OpenVINO, for example {"NUM_STREAMS": "2"}.' },
);

const CustomLoaderOptions = Type.Intersect(
  [Type.Object({ loader_name: text('Name of a custom loader.') }), Type.Record(Type.String(), Type.Unknown())],
  { description: 'Custom loaders are not supported: a model with this key is refused.' },
);

const DynamicBatching = closed(
  'Dynamic batching',
  {
    max_batch_size: Type.Integer({
      minimum: 2,
      maximum: 1_000_000,
      description: 'Most rows that requests have together.',
    }),
    max_queue_delay_microseconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 60_000_000,
        default: 0,
        description: 'How long a request may wait for others while an infer request is free.',
      }),
    ),
    preferred_batch_size: Type.Optional(
      Type.Array(Type.Integer({ minimum: 1 }), {
        minItems: 1,
        description: 'Rows with which a batch waits no longer, each at most max_batch_size.',
      }),
    ),
  },
  { description: 'Requests to the model, those of pipelines too, are joined and inferred at once. Not a key of OVMS.' },
);

/** Contents of `model_version_policy`: one key, anything else makes the whole file invalid (as OVMS 2026.2.1). */
export const VersionPolicyConfig = Type.Object(
  {
    all: Type.Optional(closed('All versions', {}, { description: 'Every version is served.' })),
    latest: Type.Optional(
      closed(
        'Latest versions',
        { num_versions: Type.Integer({ minimum: 1, description: 'How many.' }) },
        { description: 'The highest versions are served.' },
      ),
    ),
    specific: Type.Optional(
      closed(
        'Specific versions',
        { versions: Type.Array(Type.Integer({ minimum: 1 }), { description: 'Their numbers.' }) },
        { description: 'These versions are served, if they are there.' },
      ),
    ),
  },
  {
    title: 'Version policy',
    description:
      'One of {"all": {}}, {"latest": {"num_versions": n}}, {"specific": {"versions": [..]}}. Default: latest 1.',
    additionalProperties: false,
    minProperties: 1,
    maxProperties: 1,
  },
);
export type VersionPolicyConfig = Static<typeof VersionPolicyConfig>;

export const ModelConfig = closed(
  'Model',
  {
    name: text('Name clients ask for.'),
    base_path: Type.Optional(
      text('Directory of the version directories; relative to the directory of config.json. Default: that directory.'),
    ),
    batch_size: Type.Optional(
      Type.Unsafe<number | string>({
        type: ['integer', 'string'],
        minimum: 0,
        description: 'Batch size: 8, "8", "-1" (any), "1:8" (range) or "auto". Ignored when shape is set.',
      }),
    ),
    shape: Type.Optional(
      textOrTexts('Shape "(1,3,224,224)" with -1 for any and min:max for ranges, or "auto"; or one by input name.'),
    ),
    layout: Type.Optional(
      textOrTexts('Layout "NCHW", or "NHWC:NCHW" (what clients send : what the model has); or one by input name.'),
    ),
    model_version_policy: Type.Optional(VersionPolicyConfig),
    nireq: Type.Optional(
      Type.Integer({
        minimum: 0,
        default: 0,
        description: 'Infer requests of a version; 0: OpenVINO and the load decide.',
      }),
    ),
    target_device: Type.Optional(
      Type.String({ default: 'CPU', description: 'Device to compile for: CPU, GPU.1, AUTO:GPU,CPU, ...' }),
    ),
    plugin_config: Type.Optional(PluginConfig),
    allow_cache: Type.Optional(
      Type.Boolean({ description: 'Cache the compiled model even with auto batch or shape.' }),
    ),
    stateful: Type.Optional(flag('The model keeps state between the requests of a sequence.', false)),
    idle_sequence_cleanup: Type.Optional(flag('Idle sequences are removed. Stateful models only.', true)),
    low_latency_transformation: Type.Optional(
      flag('The low latency transformation is applied. Stateful models only.', false),
    ),
    max_sequence_number: Type.Optional(
      Type.Integer({ minimum: 0, default: 500, description: 'Sequences at once. Stateful models only.' }),
    ),
    dynamic_batching: Type.Optional(DynamicBatching),
    custom_loader_options: Type.Optional(CustomLoaderOptions),
    graph_path: Type.Optional(text('MediaPipe only: accepted, not used.')),
    subconfig: Type.Optional(text('MediaPipe only: accepted, not used.')),
  },
  { description: 'A model: a directory of versions, and how they are served.' },
);
export type ModelConfig = Static<typeof ModelConfig>;

const SOURCE = {
  node_name: text('Node that gives the data; "request" for what the client sent.'),
  data_item: text('Alias of an output of that node, or the name of a pipeline input.'),
};

const Source = closed('Source', {
  ...SOURCE,
  precision: Type.Optional(
    Type.String({
      pattern: '^[A-Z0-9]+:[A-Z0-9]+$',
      description: 'Converts each element: "U8:FP32" (what the source has : what the input wants). Not a key of OVMS.',
    }),
  ),
  layout: Type.Optional(
    Type.String({
      pattern: '^[A-Z]+:[A-Z]+$',
      description: 'Transposes: "NHWC:NCHW" (what the source has : what the input wants). Not a key of OVMS.',
    }),
  ),
});

const operand = (description: string) => Type.Optional(Type.Number({ description }));
const operands = (description: string) => Type.Optional(Type.Array(Type.Number(), { minItems: 1, description }));

const ConditionTests = closed(
  'Tests',
  {
    equals: operand('The element is this number.'),
    not_equals: operand('The element is another number.'),
    in: operands('The element is one of these numbers.'),
    not_in: operands('The element is none of these numbers.'),
    less_than: operand('The element is smaller.'),
    at_most: operand('The element is smaller or equal.'),
    greater_than: operand('The element is greater.'),
    at_least: operand('The element is greater or equal.'),
  },
  { minProperties: 1, description: 'What the element must be; all of these hold.' },
);

const Condition = closed(
  'Condition',
  {
    ...SOURCE,
    element: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Row-major index of the element asked about. Default: the only one.' }),
    ),
    is: ConditionTests,
  },
  { description: 'A question about one element of a tensor. Not a key of OVMS.' },
);
export type ConditionConfig = Static<typeof Condition>;

const connection = (description: string) =>
  Type.Record(Type.String(), Source, { minProperties: 1, maxProperties: 1, description });

const demultiplyCount = () =>
  Type.Optional(
    Type.Integer({
      minimum: -1,
      maximum: 10000,
      description: 'The first dimension is split into so many requests; -1 (or 0, deprecated): as many as it has.',
    }),
  );

/** What a demultiplexer without shards gives. */
export type OnEmpty = 'error' | 'empty';

const onEmpty = () =>
  Type.Optional(
    Type.Unsafe<OnEmpty>({
      type: 'string',
      enum: ['error', 'empty'],
      default: 'error',
      description: 'What no shard at all gives: an aborted request, or tensors without elements. Not a key of OVMS.',
    }),
  );

/** Long enough for any node that works, short enough that one that hangs does not keep its thread for good. */
export const DEFAULT_JS_TIMEOUT_MS = 10_000;

/** `on_empty` says something of a demultiplexer, so there must be one. */
const ON_EMPTY_RULE = { dependencies: { on_empty: ['demultiply_count'] } };

/** Keys of single node types: what a type does not name here it must not have. */
const NODE_TYPE_KEYS = [
  'model_name',
  'version',
  'library_name',
  'params',
  'module',
  'timeout_ms',
  'pipeline_name',
] as const;
type NodeTypeKey = (typeof NODE_TYPE_KEYS)[number];

const NODE_TYPES = ['DL model', 'custom', 'js', 'pipeline', 'select'] as const;
/** What a node runs. The first two are OVMS's. */
export type NodeType = (typeof NODE_TYPES)[number];

/** Keys a node type demands and allows beside those of every node. */
function nodeRule(type: NodeType, required: readonly NodeTypeKey[], allowed: readonly NodeTypeKey[] = []): object {
  const known = new Set([...required, ...allowed]);
  const forbidden = NODE_TYPE_KEYS.filter((key) => !known.has(key));
  const params = known.has('params') && type !== 'js' ? { params: { additionalProperties: { type: 'string' } } } : {};
  return {
    if: { properties: { type: { const: type } }, required: ['type'] },
    then: { required, properties: { ...params, ...Object.fromEntries(forbidden.map((key) => [key, false])) } },
  };
}

export const NodeConfig = closed(
  'Node',
  {
    name: text('Unique in the pipeline; "request" and "response" are taken.'),
    type: Type.Unsafe<NodeType>({
      type: 'string',
      enum: [...NODE_TYPES],
      description: 'What the node runs. "js", "pipeline" and "select" are not of OVMS.',
    }),
    model_name: Type.Optional(text('DL model: name of a model of model_config_list.')),
    version: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'DL model, pipeline: version. Default: the default version at each execution.',
      }),
    ),
    library_name: Type.Optional(text('Custom: name of an entry of custom_node_library_config_list.')),
    module: Type.Optional(
      text('Js: path of a JavaScript or TypeScript module; relative to the directory of config.json.'),
    ),
    timeout_ms: Type.Optional(
      Type.Integer({
        minimum: 1,
        default: DEFAULT_JS_TIMEOUT_MS,
        description: 'Js: milliseconds one execution may take before its thread is ended.',
      }),
    ),
    pipeline_name: Type.Optional(text('Pipeline: name of another pipeline of pipeline_config_list.')),
    params: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'Custom: parameters for the library, all of them texts. Js: what the functions of the module get.',
      }),
    ),
    when: Type.Optional(Condition),
    inputs: Type.Array(connection('{"<input>": {"node_name", "data_item"}}'), {
      description: 'What feeds the inputs of the node.',
    }),
    outputs: Type.Array(
      closed('Node output', {
        data_item: text('Name of the output.'),
        alias: text('Name other nodes use for it.'),
      }),
      { description: 'Outputs other nodes use.' },
    ),
    demultiply_count: demultiplyCount(),
    on_empty: onEmpty(),
    gather_from_node: Type.Optional(text('Demultiplexing node whose shards are joined before this node.')),
  },
  {
    ...ON_EMPTY_RULE,
    allOf: [
      // The reference allows what is not looked at: params of a model, the version of a library.
      nodeRule('DL model', ['model_name'], ['version', 'params']),
      nodeRule('custom', ['library_name'], ['version', 'params']),
      nodeRule('js', ['module'], ['timeout_ms', 'params']),
      nodeRule('pipeline', ['pipeline_name'], ['version']),
      nodeRule('select', []),
    ],
  },
);
export type NodeConfig = Static<typeof NodeConfig>;

export const PipelineConfig = closed(
  'Pipeline',
  {
    name: text('Name clients ask for; not the name of a model.'),
    inputs: Type.Array(Type.String(), { description: 'Names of the tensors clients send.' }),
    nodes: Type.Array(NodeConfig, { description: 'Steps between request and response; the order is free.' }),
    outputs: Type.Array(connection('{"<response name>": {"node_name", "data_item"}}'), {
      description: 'Tensors of the response.',
    }),
    demultiply_count: demultiplyCount(),
    on_empty: onEmpty(),
    version: Type.Optional(
      Type.Integer({
        minimum: 1,
        description:
          'Version of the pipeline; several entries may then share a name. Default: the only one. Not a key of OVMS.',
      }),
    ),
    exit_when: Type.Optional(
      Type.Array(Condition, {
        minItems: 1,
        description: 'As soon as one of these holds, the outputs that are there are the answer. Not a key of OVMS.',
      }),
    ),
    warm_up_requests: Type.Optional(
      text(
        'File of recorded requests for `--warm_up recorded`; relative to the directory of config.json. Not a key of OVMS.',
      ),
    ),
  },
  ON_EMPTY_RULE,
);
export type PipelineConfig = Static<typeof PipelineConfig>;

export const LibraryConfig = closed('Custom node library', {
  name: text('Name nodes use.'),
  base_path: text('Path of the shared library; relative to the directory of config.json.'),
});
export type LibraryConfig = Static<typeof LibraryConfig>;

const CustomLoaderConfig = closed('Custom loader', {
  config: closed(
    'Custom loader settings',
    {
      loader_name: text('Name models use.'),
      library_path: text('Path of the loader library.'),
      loader_config_file: Type.Optional(text('Path of its own config.')),
    },
    { description: 'Read and refused.' },
  ),
});

const Monitoring = closed(
  'Monitoring',
  {
    metrics: closed(
      'Metrics',
      {
        enable: Type.Boolean({ description: 'Serve GET /metrics on the REST port.' }),
        metrics_list: Type.Optional(Type.Array(Type.String(), { description: 'Replaces the default set of metrics.' })),
      },
      { description: 'What GET /metrics gives.' },
    ),
  },
  { description: 'Read once, when the server starts.' },
);

export const ConfigFile = closed('config.json', {
  model_config_list: Type.Array(closed('Model entry', { config: ModelConfig }), {
    description: 'Models; may be empty.',
  }),
  pipeline_config_list: Type.Optional(Type.Array(PipelineConfig, { description: 'Pipelines over these models.' })),
  custom_node_library_config_list: Type.Optional(Type.Array(LibraryConfig, { description: 'Custom node libraries.' })),
  custom_loader_config_list: Type.Optional(
    Type.Array(CustomLoaderConfig, {
      description:
        'Custom loaders are not supported: they and the models that use them are refused, the others are served.',
    }),
  ),
  monitoring: Type.Optional(Monitoring),
});
export type ConfigFile = Static<typeof ConfigFile>;
