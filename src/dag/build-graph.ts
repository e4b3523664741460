import type { PipelineSettings } from '../config/settings.js';
import { ServingError } from '../errors.js';
import { formatPartialShape, type Dimension, type PartialShape } from '../tensors/shape.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import { findPort, outputOfAlias, REQUEST_NODE, type BoundNode, type ModelCatalogue } from './definition.js';
import { byName, type GraphNode, type GraphPort, type GraphValue, type PipelineGraph } from './graph.js';
import { behind, demultiplyCount, LevelTable, nestings, shardDimension, type Nesting } from './levels.js';
import { validatePipeline } from './validation.js';

/**
 * Validates a pipeline and freezes it.
 *
 * @throws ServingError PIPELINE_*, NOT_IMPLEMENTED
 */
export function buildPipelineGraph(pipeline: PipelineSettings, models: ModelCatalogue): PipelineGraph {
  const nodes = validatePipeline(pipeline, models);
  const nesting = nestings(pipeline);
  const levels = new LevelTable(pipeline);
  const requested = pipelineInputs(nodes);
  const values = new ValueTable(
    (node) => levels.of(behind(pipeline, node, nesting.get(node)!)),
    (node, tensor) => shardInfo(pipeline, nodes, requested, node, tensor),
  );
  const inputs = requested.map((info) => ({
    info: pipeline.demultiplyCount === null ? info : demultiplexedInfo(pipeline, info),
    value: values.of(REQUEST_NODE, info.name),
  }));
  const graphNodes = nodes.map((node, index) => ({
    ...graphNode(node, index, nodes, values),
    level: levels.of(nesting.get(node.settings.name)!),
    opens:
      node.settings.demultiplyCount === null
        ? null
        : levels.of([...nesting.get(node.settings.name)!, node.settings.name]),
  }));
  const outputs = pipelineOutputs(pipeline, nodes, nesting, values);
  return {
    name: pipeline.name,
    kind: 'pipeline',
    inputs,
    outputs,
    nodes: withOutputs(graphNodes, nodes, values),
    levels: levels.levels,
    values: countUses(values.made, graphNodes, outputs),
  };
}

function pipelineOutputs(
  pipeline: PipelineSettings,
  nodes: readonly BoundNode[],
  nesting: ReadonlyMap<string, Nesting>,
  values: ValueTable,
): GraphPort[] {
  const ports = pipeline.outputs.map(({ output, nodeName, dataItem }) => {
    const source = nodes.find((node) => node.settings.name === nodeName)!;
    const tensor = outputOfAlias(source.settings, dataItem)!;
    const info = findPort(source.signature.outputs, tensor)!;
    const gathered = gatheredInfo(pipeline, info, source, nesting.get(nodeName)!);
    return { name: output, info: { ...gathered, name: output }, value: values.of(nodeName, tensor) };
  });
  return byName(ports).map(({ info, value }) => ({ info, value }));
}

/** What the response shows of a node's output: one leading dimension a demultiplexer around it, outermost first. */
function gatheredInfo(
  pipeline: PipelineSettings,
  info: TensorInfo,
  { settings }: BoundNode,
  around: Nesting,
): TensorInfo {
  const leading = around.map((node) => shardDimension(pipeline, node));
  if (settings.demultiplyCount === -1) leading.push(info.shape[0]!);
  if (settings.demultiplyCount !== null && settings.demultiplyCount !== -1)
    leading.push(shardDimension(pipeline, settings.name));
  if (leading.length === 0) return info;
  const shard = settings.demultiplyCount === null ? info.shape : info.shape.slice(1);
  return { ...info, shape: [...leading, ...shard], layout: '...' };
}

/** Gives every (node, tensor) pair that is read somewhere an index. */
class ValueTable {
  readonly #indices = new Map<string, Map<string, number>>();
  readonly #levelOf: (node: string) => number;
  readonly #infoOf: (node: string, tensor: string) => TensorInfo;
  /** Values by index; their uses are counted when all readers are known. */
  readonly made: Omit<GraphValue, 'uses'>[] = [];

  constructor(levelOf: (node: string) => number, infoOf: (node: string, tensor: string) => TensorInfo) {
    this.#levelOf = levelOf;
    this.#infoOf = infoOf;
  }

  of(node: string, tensor: string): number {
    let tensors = this.#indices.get(node);
    if (tensors === undefined) this.#indices.set(node, (tensors = new Map<string, number>()));
    let index = tensors.get(tensor);
    if (index === undefined) {
      index = this.made.push({ level: this.#levelOf(node), info: this.#infoOf(node, tensor) }) - 1;
      tensors.set(tensor, index);
    }
    return index;
  }

  entries(node: string): [string, number][] {
    return [...(this.#indices.get(node) ?? [])];
  }
}

type GraphNodeInputs = Omit<GraphNode, 'outputs'>;
type UnplacedNode = Omit<GraphNodeInputs, 'level' | 'opens'>;

function graphNode(node: BoundNode, index: number, nodes: readonly BoundNode[], values: ValueTable): UnplacedNode {
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

function countUses(
  made: readonly Omit<GraphValue, 'uses'>[],
  nodes: readonly GraphNodeInputs[],
  outputs: readonly GraphPort[],
): GraphValue[] {
  const uses = made.map(() => 0);
  for (const node of nodes) for (const input of node.inputs) uses[input.value]! += 1;
  for (const output of outputs) uses[output.value]! += 1;
  return made.map((value, index) => ({ ...value, uses: uses[index]! }));
}

/** What the readers of a value see of it in its own level. */
function shardInfo(
  pipeline: PipelineSettings,
  nodes: readonly BoundNode[],
  requested: readonly TensorInfo[],
  node: string,
  tensor: string,
): TensorInfo {
  const source = nodes.find(({ settings }) => settings.name === node);
  if (source === undefined) return findPort(requested, tensor)!;
  const info = findPort(source.signature.outputs, tensor)!;
  return demultiplyCount(pipeline, node) === null ? info : { ...info, shape: info.shape.slice(1) };
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

/** A demultiplexing request takes one more dimension in front, which is the batch now (as OVMS 2026.2.1: NHWC becomes N?HWC). */
function demultiplexedInfo(pipeline: PipelineSettings, info: TensorInfo): TensorInfo {
  const shape = [shardDimension(pipeline, REQUEST_NODE), ...info.shape];
  return { ...info, shape, layout: `N${info.layout.replace('N', '?')}` };
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
