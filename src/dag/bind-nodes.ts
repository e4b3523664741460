import type { NodeSettings, PipelineSettings } from '../config/settings.js';
import { ServingError } from '../errors.js';
import { converted, fits } from '../tensors/conversion.js';
import { formatPartialShape, type Dimension, type PartialShape } from '../tensors/shape.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import {
  findPort,
  outputOfAlias,
  SELECTED_OUTPUT,
  shardOf,
  type BoundNode,
  type ModelSignature,
  type ServableCatalogue,
} from './definition.js';
import type { NodeProgram } from './graph.js';
import { shardDimension } from './levels.js';

/**
 * Finds what each node runs. Nodes whose servable is missing are left out: the checks report them in their order.
 *
 * @returns by node name, in the order of the file.
 */
export function bindNodes(pipeline: PipelineSettings, servables: ServableCatalogue): ReadonlyMap<string, BoundNode> {
  const bound = new Map<string, BoundNode>();
  for (const settings of pipeline.nodes) {
    const program = programOf(settings, servables);
    const signature = program === undefined ? undefined : signatureOf(settings, program, servables);
    if (program !== undefined && signature !== undefined) bound.set(settings.name, { settings, program, signature });
  }
  const selects = pipeline.nodes.filter((node) => node.type === 'select');
  // A select node may read another one, so as many rounds as there are select nodes see them all; a cycle stays unbound.
  for (let round = 0; round < selects.length; round += 1) for (const node of selects) bindSelect(pipeline, node, bound);
  return new Map(pipeline.nodes.flatMap(({ name }) => (bound.has(name) ? [[name, bound.get(name)!]] : [])));
}

function programOf(node: NodeSettings, { userNodes }: ServableCatalogue): NodeProgram | undefined {
  switch (node.type) {
    case 'DL model':
      return { kind: 'model', modelName: node.modelName ?? '', version: node.version };
    case 'pipeline':
      return { kind: 'pipeline', pipelineName: node.pipelineName ?? '', version: node.version };
    case 'custom':
    case 'js': {
      const found = userNodes.get(node.name);
      return found === undefined ? undefined : { kind: 'user', reference: found.reference };
    }
    case 'select':
      return undefined;
  }
}

function signatureOf(
  { name }: NodeSettings,
  program: NodeProgram,
  servables: ServableCatalogue,
): ModelSignature | undefined {
  if (program.kind === 'model') return servables.signature(program.modelName, program.version);
  if (program.kind === 'pipeline') return servables.pipeline(program.pipelineName, program.version);
  return servables.userNodes.get(name)?.signature;
}

/** A select node takes what its sources give: one precision, and shapes that are merged into one that holds them all. */
function bindSelect(pipeline: PipelineSettings, settings: NodeSettings, bound: Map<string, BoundNode>): void {
  const sources = settings.inputs.map((input) => sourceInfo(input, bound));
  if (bound.has(settings.name) || sources.length === 0 || sources.includes(undefined)) return;
  const infos = sources.map((info) => info!);
  const shard = infos.reduce((merged, info, index) => merge(merged, info, settings.inputs[index]!.jsonPath));
  const gathers = settings.gatherFromNode;
  const selected =
    gathers === null ? shard : { ...shard, shape: [shardDimension(pipeline, gathers), ...shard.shape], layout: '...' };
  bound.set(settings.name, {
    settings,
    program: { kind: 'select' },
    signature: {
      inputs: settings.inputs.map(({ input }, index) => ({ ...infos[index]!, name: input })),
      outputs: [{ ...selected, name: SELECTED_OUTPUT }],
    },
  });
}

/** What a connection brings, one shard of it; `undefined` when that is not known (yet), or when the conversion does not fit. */
function sourceInfo(
  { nodeName, dataItem, conversion }: NodeSettings['inputs'][number],
  bound: ReadonlyMap<string, BoundNode>,
): TensorInfo | undefined {
  const source = bound.get(nodeName);
  const output = source === undefined ? undefined : outputOfAlias(source.settings, dataItem);
  const info = output === undefined ? undefined : findPort(source!.signature.outputs, output);
  if (info === undefined) return undefined;
  const shard = source!.settings.demultiplyCount === null ? info : shardOf(info);
  if (conversion === null) return shard;
  return fits(shard, conversion) ? converted(shard, conversion) : undefined;
}

function merge(a: TensorInfo, b: TensorInfo, path: string): TensorInfo {
  if (a.precision !== b.precision)
    throw new ServingError('PIPELINE_INPUT_PRECISION', `Expected: ${a.precision}; Actual: ${b.precision} at ${path}`);
  if (a.shape.length !== b.shape.length)
    throw new ServingError(
      'PIPELINE_INPUT_SHAPE',
      `Expected: ${formatPartialShape(a.shape)}; Actual: ${formatPartialShape(b.shape)} at ${path}`,
    );
  return { ...a, shape: hull(a.shape, b.shape), layout: a.layout === b.layout ? a.layout : 'N...' };
}

function hull(a: PartialShape, b: PartialShape): readonly Dimension[] {
  return a.map(({ min, max }, axis) => ({ min: Math.min(min, b[axis]!.min), max: Math.max(max, b[axis]!.max) }));
}
