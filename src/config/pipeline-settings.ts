import type { NodeConfig, PipelineConfig } from './schema.js';
import { escapePointer } from './schema-check.js';
import type { NodeInputSettings, NodeSettings, PipelineOutputSettings, PipelineSettings } from './settings.js';

type Connections = NodeConfig['inputs'];
type Warn = (text: string) => void;

/** Completes one entry of `pipeline_config_list`; what it refers to is checked when the pipeline is built. */
export function makePipelineSettings(config: PipelineConfig, jsonPath: string, warn: Warn): PipelineSettings {
  return {
    name: config.name,
    jsonPath,
    inputs: config.inputs,
    nodes: config.nodes.map((node, index) => makeNode(node, `${jsonPath}/nodes/${index}`, warn)),
    outputs: readConnections(config.outputs, `${jsonPath}/outputs`).map(
      ({ input, ...source }): PipelineOutputSettings => ({ output: input, ...source }),
    ),
    demultiplyCount: readDemultiplyCount(config.demultiply_count, jsonPath, warn),
    onEmpty: config.on_empty ?? 'error',
  };
}

function makeNode(config: NodeConfig, jsonPath: string, warn: Warn): NodeSettings {
  return {
    name: config.name,
    jsonPath,
    type: config.type,
    modelName: config.model_name ?? null,
    version: config.version ?? null,
    libraryName: config.library_name ?? null,
    params: config.params ?? {},
    inputs: readConnections(config.inputs, `${jsonPath}/inputs`),
    outputs: config.outputs.map(({ data_item, alias }, index) => ({
      dataItem: data_item,
      alias,
      jsonPath: `${jsonPath}/outputs/${index}`,
    })),
    demultiplyCount: readDemultiplyCount(config.demultiply_count, jsonPath, warn),
    onEmpty: config.on_empty ?? 'error',
    gatherFromNode: config.gather_from_node ?? null,
  };
}

/** Each element has exactly one key, which the schema has checked. */
function readConnections(connections: Connections, jsonPath: string): NodeInputSettings[] {
  return connections.flatMap((connection, index) =>
    Object.entries(connection).map(([input, { node_name, data_item }]) => ({
      input,
      nodeName: node_name,
      dataItem: data_item,
      jsonPath: `${jsonPath}/${index}/${escapePointer(input)}`,
    })),
  );
}

/** 0 means -1, which is the newer spelling (as OVMS 2026.2.1). */
function readDemultiplyCount(count: number | undefined, jsonPath: string, warn: Warn): number | null {
  if (count !== 0) return count ?? null;
  warn(`${jsonPath}/demultiply_count: 0 is deprecated. Use -1 for a dynamic number of shards.`);
  return -1;
}
