import { ServingError } from '../errors.js';
import { ELEMENT_BYTES, type Precision } from '../tensors/precision.js';
import type { Conversion } from '../tensors/conversion.js';
import { resolveBasePath } from './base-path.js';
import { DEFAULT_JS_TIMEOUT_MS, type ConditionConfig, type NodeConfig, type PipelineConfig } from './schema.js';
import { escapePointer } from './schema-check.js';
import type {
  ConditionOperator,
  ConditionSettings,
  NodeInputSettings,
  NodeSettings,
  PipelineOutputSettings,
  PipelineSettings,
} from './settings.js';

type Connections = NodeConfig['inputs'];
type Source = Connections[number][string];

/** What completing a pipeline needs to know beside its entry. */
export interface PipelineContext {
  /** JSON pointer of the entry. */
  readonly jsonPath: string;
  /** Of config.json; modules of nodes belong to it. */
  readonly directory: string;
  readonly warn: (text: string) => void;
}

/**
 * Completes one entry of `pipeline_config_list`; what it refers to is checked when the pipeline is built.
 *
 * @throws ServingError CONFIG_VALUE_INVALID, PATH_INVALID
 */
export function makePipelineSettings(config: PipelineConfig, context: PipelineContext): PipelineSettings {
  const { jsonPath } = context;
  return {
    name: config.name,
    jsonPath,
    inputs: config.inputs,
    nodes: config.nodes.map((node, index) => makeNode(node, { ...context, jsonPath: `${jsonPath}/nodes/${index}` })),
    outputs: readConnections(config.outputs, `${jsonPath}/outputs`).map(
      ({ input, ...source }): PipelineOutputSettings => ({ output: input, ...source }),
    ),
    demultiplyCount: readDemultiplyCount(config.demultiply_count, context),
    onEmpty: config.on_empty ?? 'error',
    version: config.version ?? null,
    exitWhen: (config.exit_when ?? []).map((condition, index) =>
      makeCondition(condition, `${jsonPath}/exit_when/${index}`),
    ),
    warmUpRequests:
      config.warm_up_requests === undefined
        ? null
        : resolveBasePath(config.warm_up_requests, context.directory, `${jsonPath}/warm_up_requests`),
  };
}

function makeNode(config: NodeConfig, context: PipelineContext): NodeSettings {
  const { jsonPath, directory } = context;
  return {
    name: config.name,
    jsonPath,
    type: config.type,
    modelName: config.model_name ?? null,
    version: config.version ?? null,
    libraryName: config.library_name ?? null,
    module: config.module === undefined ? null : resolveBasePath(config.module, directory, `${jsonPath}/module`),
    timeoutMs: config.timeout_ms ?? DEFAULT_JS_TIMEOUT_MS,
    pipelineName: config.pipeline_name ?? null,
    params: config.params ?? {},
    when: config.when === undefined ? null : makeCondition(config.when, `${jsonPath}/when`),
    inputs: readConnections(config.inputs, `${jsonPath}/inputs`),
    outputs: config.outputs.map(({ data_item, alias }, index) => ({
      dataItem: data_item,
      alias,
      jsonPath: `${jsonPath}/outputs/${index}`,
    })),
    demultiplyCount: readDemultiplyCount(config.demultiply_count, context),
    onEmpty: config.on_empty ?? 'error',
    gatherFromNode: config.gather_from_node ?? null,
  };
}

/** Each element has exactly one key, which the schema has checked. */
function readConnections(connections: Connections, jsonPath: string): NodeInputSettings[] {
  return connections.flatMap((connection, index) =>
    Object.entries(connection).map(([input, source]) => {
      const path = `${jsonPath}/${index}/${escapePointer(input)}`;
      const { node_name, data_item } = source;
      return {
        input,
        nodeName: node_name,
        dataItem: data_item,
        conversion: makeConversion(source, path),
        jsonPath: path,
      };
    }),
  );
}

function makeConversion({ precision, layout }: Source, path: string): Conversion | null {
  if (precision === undefined && layout === undefined) return null;
  return {
    precision: precision === undefined ? null : readPrecisions(precision, `${path}/precision`),
    layout: layout === undefined ? null : readLayouts(layout, `${path}/layout`),
  };
}

function readPrecisions(text: string, path: string): Conversion['precision'] {
  const [from, to] = text.split(':').map((name) => readPrecision(name, path));
  return { from: from!, to: to! };
}

/** Elements that have a fixed size can be converted into one another. */
function readPrecision(name: string, path: string): Precision {
  const known = Object.entries(ELEMENT_BYTES).flatMap(([precision, bytes]) => (bytes > 0 ? [precision] : []));
  if (known.includes(name)) return name as Precision;
  throw new ServingError('CONFIG_VALUE_INVALID', `${path}: expected two of ${known.join(', ')}, received ${name}`);
}

function readLayouts(text: string, path: string): Conversion['layout'] {
  const [from = '', to = ''] = text.split(':');
  const isPermutation = Array.from(from).sort().join('') === Array.from(to).sort().join('');
  if (isPermutation && new Set(from).size === from.length) return { from, to };
  throw new ServingError(
    'CONFIG_VALUE_INVALID',
    `${path}: expected two orders of the same different letters, received ${text}`,
  );
}

const OPERATORS: Readonly<Record<keyof ConditionConfig['is'], ConditionOperator>> = {
  equals: 'equals',
  not_equals: 'notEquals',
  in: 'in',
  not_in: 'notIn',
  less_than: 'lessThan',
  at_most: 'atMost',
  greater_than: 'greaterThan',
  at_least: 'atLeast',
};

function makeCondition(config: ConditionConfig, jsonPath: string): ConditionSettings {
  const tests = Object.entries(config.is).map(([key, operands]) => ({
    operator: OPERATORS[key as keyof ConditionConfig['is']],
    operands: [operands].flat(),
  }));
  const { node_name: nodeName, data_item: dataItem, element = null } = config;
  return { nodeName, dataItem, element, tests, jsonPath };
}

/** 0 means -1, which is the newer spelling (as OVMS 2026.2.1). */
function readDemultiplyCount(count: number | undefined, { jsonPath, warn }: PipelineContext): number | null {
  if (count !== 0) return count ?? null;
  warn(`${jsonPath}/demultiply_count: 0 is deprecated. Use -1 for a dynamic number of shards.`);
  return -1;
}
