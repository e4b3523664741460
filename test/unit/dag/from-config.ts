import { makePipelineSettings } from '#src/config/pipeline-settings.js';
import type { PipelineConfig } from '#src/config/schema.js';
import { buildPipelineGraph } from '#src/dag/build-graph.js';
import type { ServableCatalogue } from '#src/dag/definition.js';
import type { PipelineGraph } from '#src/dag/graph.js';
import { ServingError } from '#src/errors.js';

type Node = PipelineConfig['nodes'][number];
type Source = Node['inputs'][number][string];

/** `node.alias`, or a whole source with a conversion. */
export type SourceText = string | Source;

export function source(text: SourceText): Source {
  if (typeof text !== 'string') return text;
  const dot = text.indexOf('.');
  return { node_name: text.slice(0, dot), data_item: text.slice(dot + 1) };
}

function connections(sources: Readonly<Record<string, SourceText>>): Record<string, Source>[] {
  return Object.entries(sources).map(([name, from]) => ({ [name]: source(from) }));
}

/** A node as the configuration writes it; a DL model unless said otherwise. Outputs keep their names as aliases. */
export function configNode(
  name: string,
  inputs: Readonly<Record<string, SourceText>>,
  outputs: readonly string[],
  more: Partial<Node> = {},
): Node {
  return {
    name,
    type: 'DL model',
    ...((more.type ?? 'DL model') === 'DL model' ? { model_name: 'dummy' } : {}),
    inputs: connections(inputs),
    outputs: outputs.map((output) => ({ data_item: output, alias: output })),
    ...more,
  };
}

export function configPipeline(
  nodes: readonly Node[],
  outputs: Readonly<Record<string, SourceText>>,
  more: Partial<PipelineConfig> = {},
): PipelineConfig {
  return { name: 'pipeline', inputs: ['x', 'y'], nodes: [...nodes], outputs: connections(outputs), ...more };
}

export function buildFromConfig(config: PipelineConfig, servables: ServableCatalogue): PipelineGraph {
  const context = { jsonPath: '/pipeline_config_list/0', directory: '/conf', warn: () => undefined };
  return buildPipelineGraph(makePipelineSettings(config, context), servables);
}

/** Code and detail with which a pipeline is refused; `null` when it is not. */
export function refusal(
  config: PipelineConfig,
  servables: ServableCatalogue,
): { readonly code: string; readonly detail: string } | null {
  try {
    buildFromConfig(config, servables);
    return null;
  } catch (error) {
    if (!(error instanceof ServingError)) throw error;
    return { code: error.code, detail: error.detail };
  }
}
