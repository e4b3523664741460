import type { PipelineSettings } from '../config/settings.js';
import { ServingError } from '../errors.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import { findPort, outputOfAlias, REQUEST_NODE, RESPONSE_NODE, shardOf, type BoundNode } from './definition.js';

/** A node may be read unless it is not there or is the response. */
export function checkReference(
  pipeline: PipelineSettings,
  reference: { readonly nodeName: string },
  path: string,
): void {
  if (reference.nodeName === RESPONSE_NODE) throw new ServingError('PIPELINE_RESPONSE_AS_DEPENDENCY', `at ${path}`);
  if (reference.nodeName === REQUEST_NODE) return;
  if (!pipeline.nodes.some((node) => node.name === reference.nodeName)) {
    throw new ServingError(
      'PIPELINE_NODE_MISSING',
      `expected ${REQUEST_NODE} or a node of the pipeline, received ${reference.nodeName} at ${path}`,
    );
  }
}

/** An input of the pipeline may be read if it is declared. */
export function checkPipelineInput(pipeline: PipelineSettings, dataItem: string, path: string): void {
  if (pipeline.inputs.includes(dataItem)) return;
  throw new ServingError(
    'PIPELINE_DATA_SOURCE_MISSING',
    `expected one of the pipeline's inputs ${pipeline.inputs.join(', ')}, received ${dataItem} at ${path}`,
  );
}

/** What a reference finds, one shard of it; `undefined` when the servable of its node is missing. */
export function sourceTensor(
  {
    nodeName,
    dataItem: alias,
    jsonPath: path,
  }: { readonly nodeName: string; readonly dataItem: string; readonly jsonPath: string },
  bound: ReadonlyMap<string, BoundNode>,
): TensorInfo | undefined {
  const source = bound.get(nodeName);
  if (source === undefined) return undefined;
  const output = outputOfAlias(source.settings, alias);
  if (output === undefined) {
    const aliases = source.settings.outputs.map((item) => item.alias).join(', ');
    throw new ServingError(
      'PIPELINE_DATA_SOURCE_MISSING',
      `expected one of ${aliases} of node ${nodeName}, received ${alias} at ${path}`,
    );
  }
  const info = findPort(source.signature.outputs, output);
  if (info === undefined) {
    throw new ServingError(
      'PIPELINE_MODEL_OUTPUT_MISSING',
      `expected one of ${names(source.signature.outputs)}, received ${output} of node ${nodeName} at ${path}`,
    );
  }
  return source.settings.demultiplyCount === null ? info : shardOf(info);
}

/** For error texts. */
export function names(ports: readonly TensorInfo[]): string {
  return ports.map((port) => port.name).join(', ');
}
