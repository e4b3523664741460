import type { PipelineSettings } from '../config/settings.js';
import { ServingError } from '../errors.js';
import { formatPartialShape, type Dimension, type PartialShape } from '../tensors/shape.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import { findPort, outputOfAlias, REQUEST_NODE, type BoundNode, type ModelCatalogue } from './definition.js';
import { byName, type GraphNode, type GraphPort, type PipelineGraph } from './graph.js';
import { validatePipeline } from './validation.js';

/**
 * Validates a pipeline and freezes it.
 *
 * @throws ServingError PIPELINE_*, NOT_IMPLEMENTED
 */
export function buildPipelineGraph(pipeline: PipelineSettings, models: ModelCatalogue): PipelineGraph {
  const nodes = validatePipeline(pipeline, models);
  const inputs = pipelineInputs(nodes);
  const values = new ValueTable();
  const graphInputs = inputs.map((info) => ({ info, value: values.of(REQUEST_NODE, info.name) }));
  const graphNodes = nodes.map((node, index) => graphNode(node, index, nodes, values));
  const outputs = byName(
    pipeline.outputs.map((output) => {
      const source = nodes.find((node) => node.settings.name === output.nodeName)!;
      const tensor = outputOfAlias(source.settings, output.dataItem)!;
      return {
        name: output.output,
        info: findPort(source.signature.outputs, tensor)!,
        value: values.of(output.nodeName, tensor),
      };
    }),
  ).map(({ name, info, value }): GraphPort => ({ info: { ...info, name }, value }));
  return {
    name: pipeline.name,
    kind: 'pipeline',
    inputs: graphInputs,
    outputs,
    nodes: withOutputs(graphNodes, nodes, values),
    valueUses: countUses(values.count, graphNodes, outputs),
  };
}

/** Gives every (node, tensor) pair that is read somewhere an index. */
class ValueTable {
  readonly #indices = new Map<string, Map<string, number>>();
  count = 0;

  of(node: string, tensor: string): number {
    let tensors = this.#indices.get(node);
    if (tensors === undefined) this.#indices.set(node, (tensors = new Map<string, number>()));
    let index = tensors.get(tensor);
    if (index === undefined) tensors.set(tensor, (index = this.count++));
    return index;
  }

  entries(node: string): [string, number][] {
    return [...(this.#indices.get(node) ?? [])];
  }
}

type GraphNodeInputs = Omit<GraphNode, 'outputs'>;

function graphNode(node: BoundNode, index: number, nodes: readonly BoundNode[], values: ValueTable): GraphNodeInputs {
  const { settings } = node;
  const inputs = settings.inputs.map((connection) => {
    const source = nodes.find((candidate) => candidate.settings.name === connection.nodeName);
    const tensor = source === undefined ? connection.dataItem : outputOfAlias(source.settings, connection.dataItem)!;
    return { name: connection.input, value: values.of(connection.nodeName, tensor) };
  });
  const dependencies = new Set(settings.inputs.map((connection) => connection.nodeName));
  dependencies.delete(REQUEST_NODE);
  return {
    index,
    name: settings.name,
    modelName: node.modelName,
    version: settings.version,
    inputs,
    dependencyCount: dependencies.size,
    dependants: nodes.flatMap((other, otherIndex) =>
      other.settings.inputs.some((connection) => connection.nodeName === settings.name) ? [otherIndex] : [],
    ),
  };
}

function withOutputs(
  graphNodes: readonly GraphNodeInputs[],
  nodes: readonly BoundNode[],
  values: ValueTable,
): GraphNode[] {
  return graphNodes.map((node, index) => ({
    ...node,
    outputs: values.entries(nodes[index]!.settings.name).map(([name, value]) => ({ name, value })),
  }));
}

function countUses(count: number, nodes: readonly GraphNodeInputs[], outputs: readonly GraphPort[]): number[] {
  const uses = new Array<number>(count).fill(0);
  for (const node of nodes) for (const input of node.inputs) uses[input.value]! += 1;
  for (const output of outputs) uses[output.value]! += 1;
  return uses;
}

/** Metadata of the pipeline's inputs: what all their readers accept. Inputs nobody reads are left out (as OVMS 2026.2.1). */
function pipelineInputs(nodes: readonly BoundNode[]): TensorInfo[] {
  const inputs = new Map<string, TensorInfo>();
  for (const node of nodes) {
    for (const connection of node.settings.inputs) {
      if (connection.nodeName !== REQUEST_NODE) continue;
      const reader = findPort(node.signature.inputs, connection.input)!;
      const other = inputs.get(connection.dataItem);
      inputs.set(connection.dataItem, {
        ...(other === undefined ? reader : intersect(other, reader, connection.jsonPath)),
        name: connection.dataItem,
      });
    }
  }
  return byName([...inputs.values()]);
}

function intersect(a: TensorInfo, b: TensorInfo, path: string): TensorInfo {
  const shape = intersectShapes(a.shape, b.shape);
  const layout = intersectLayouts(a.layout, b.layout);
  if (shape === undefined || layout === undefined || a.precision !== b.precision) {
    throw new ServingError('PIPELINE_INPUTS_DIFFER', `${describe(a)} and ${describe(b)} at ${path}`);
  }
  return { ...a, shape, layout };
}

function intersectShapes(a: PartialShape, b: PartialShape): Dimension[] | undefined {
  if (a.length !== b.length) return undefined;
  const shape = a.map((size, axis) => ({
    min: Math.max(size.min, b[axis]!.min),
    max: Math.min(size.max, b[axis]!.max),
  }));
  return shape.every(({ min, max }) => min <= max) ? shape : undefined;
}

/** `N...` says no more than where the batch is, so a full layout with its `N` there wins (as OVMS 2026.2.1). */
function intersectLayouts(a: string, b: string): string | undefined {
  if (a === b || isVague(b, a)) return a;
  return isVague(a, b) ? b : undefined;
}

function isVague(vague: string, full: string): boolean {
  return vague === '...' || (vague === 'N...' && full.startsWith('N'));
}

function describe(info: TensorInfo): string {
  return `${info.precision} ${formatPartialShape(info.shape)} ${info.layout}`;
}
