import { makePipelineSettings } from '#src/config/pipeline-settings.js';
import type { PipelineConfig } from '#src/config/schema.js';
import { buildPipelineGraph } from '#src/dag/build-graph.js';
import type { ServableCatalogue } from '#src/dag/definition.js';
import type { PipelineGraph } from '#src/dag/graph.js';
import { ServingError } from '#src/errors.js';
import { modelNode, node, pipeline, type Connections } from '../../helpers/repository.js';

export { source } from '../../helpers/repository.js';

type Node = PipelineConfig['nodes'][number];

/** A DL model node over `dummy` unless said otherwise. */
export function configNode(
  name: string,
  inputs: Connections,
  outputs: readonly string[],
  more: Partial<Node> = {},
): Node {
  if (more.type === undefined) return modelNode(name, 'dummy', inputs, outputs, more);
  return node(name, inputs, outputs, { ...more, type: more.type });
}

export function configPipeline(
  nodes: readonly Node[],
  outputs: Connections,
  more: Partial<PipelineConfig> = {},
): PipelineConfig {
  return pipeline('pipeline', ['x', 'y'], nodes, outputs, more);
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
