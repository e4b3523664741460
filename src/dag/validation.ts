import type { NodeInputSettings, NodeSettings, PipelineSettings } from '../config/settings.js';
import { ServingError } from '../errors.js';
import { accepts, formatPartialShape, type Dimension } from '../tensors/shape.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import {
  findPort,
  outputOfAlias,
  REQUEST_NODE,
  RESPONSE_NODE,
  type BoundNode,
  type ModelCatalogue,
} from './definition.js';
import { demultiplyCount, nestings } from './levels.js';

/** A shard must still be a batch of something (as OVMS 2026.2.1). */
const SMALLEST_DEMULTIPLEXED_RANK = 3;

/**
 * The rules a pipeline must keep, each a small check with its own error, in the order in which OVMS 2026.2.1 applies them: names
 * first, then node by node in the order of the file, then the whole graph. The first that fails is reported, with the path of the
 * fault in the config file.
 *
 * @returns the nodes with the models they run, in the order of the file.
 * @throws ServingError PIPELINE_*
 */
export function validatePipeline(pipeline: PipelineSettings, models: ModelCatalogue): BoundNode[] {
  checkPipelineName(pipeline, models);
  checkSupported(pipeline);
  checkNodeNames(pipeline);
  const bound = bindNodes(pipeline, models);
  for (const node of pipeline.nodes) checkNode(pipeline, node, bound);
  checkOutputs(pipeline, bound);
  checkCycles(pipeline);
  checkConnected(pipeline);
  nestings(pipeline);
  return [...bound.values()];
}

/** The nodes whose models are there, by node name, in the order of the file. */
function bindNodes(pipeline: PipelineSettings, models: ModelCatalogue): ReadonlyMap<string, BoundNode> {
  const bound = new Map<string, BoundNode>();
  for (const settings of pipeline.nodes) {
    const modelName = settings.modelName ?? '';
    const signature = models.signature(modelName, settings.version);
    if (signature !== undefined) bound.set(settings.name, { settings, modelName, signature });
  }
  return bound;
}

function checkNode(pipeline: PipelineSettings, node: NodeSettings, bound: ReadonlyMap<string, BoundNode>): void {
  const found = bound.get(node.name);
  if (found === undefined) {
    const version = node.version === null ? 'default version' : `version ${node.version}`;
    throw new ServingError(
      'PIPELINE_MODEL_MISSING',
      `expected an available model, received ${node.modelName ?? 'none'} (${version}) at ${node.jsonPath}/model_name`,
    );
  }
  checkStrings(pipeline, found);
  checkDemultiplexer(found);
  checkGather(pipeline, node);
  checkNodeInputs(pipeline, found, bound);
}

function checkStrings(pipeline: PipelineSettings, { settings, signature }: BoundNode): void {
  const behindRequest =
    pipeline.demultiplyCount !== null && settings.inputs.some((input) => input.nodeName === REQUEST_NODE);
  if (settings.demultiplyCount === null && !behindRequest) return;
  const text = signature.inputs.find((input) => input.precision === 'STRING');
  if (text !== undefined)
    throw new ServingError('DEMULTIPLY_STRING', `input ${text.name} of node ${settings.name} at ${settings.jsonPath}`);
}

function checkDemultiplexer({ settings, signature }: BoundNode): void {
  const count = settings.demultiplyCount;
  if (count === null) return;
  for (const { dataItem, jsonPath } of settings.outputs) {
    const output = findPort(signature.outputs, dataItem);
    if (output === undefined) continue;
    const [first] = output.shape;
    const where = `output ${dataItem} ${formatPartialShape(output.shape)} at ${jsonPath}`;
    if (output.shape.length < SMALLEST_DEMULTIPLEXED_RANK || first === undefined) {
      throw new ServingError(
        'PIPELINE_NOT_ENOUGH_DIMENSIONS',
        `expected ${SMALLEST_DEMULTIPLEXED_RANK} dimensions at least, received ${where}`,
      );
    }
    if (count > 0 && !accepts(first, count))
      throw new ServingError('PIPELINE_DEMULTIPLY_COUNT', `expected ${count} shards, received ${where}`);
  }
}

function checkGather(pipeline: PipelineSettings, { gatherFromNode, jsonPath }: NodeSettings): void {
  if (gatherFromNode === null) return;
  const where = `${gatherFromNode} at ${jsonPath}/gather_from_node`;
  if (gatherFromNode !== REQUEST_NODE && !pipeline.nodes.some((node) => node.name === gatherFromNode)) {
    throw new ServingError('PIPELINE_GATHER_NODE_MISSING', where);
  }
  if (demultiplyCount(pipeline, gatherFromNode) === null)
    throw new ServingError('PIPELINE_GATHER_NO_DEMULTIPLEXER', where);
}

function checkPipelineName(pipeline: PipelineSettings, models: ModelCatalogue): void {
  if (models.isModelName(pipeline.name))
    throw new ServingError('PIPELINE_NAME_OCCUPIED', `${pipeline.name} at ${pipeline.jsonPath}/name`);
}

/** Custom nodes are part of the config's grammar but not of this scheduler yet. */
function checkSupported(pipeline: PipelineSettings): void {
  const fault = unsupportedPart(pipeline);
  if (fault !== undefined) throw new ServingError('NOT_IMPLEMENTED', `pipeline ${pipeline.name} uses ${fault}`);
}

function unsupportedPart(pipeline: PipelineSettings): string | undefined {
  const custom = pipeline.nodes.find((node) => node.type !== 'DL model');
  return custom === undefined ? undefined : `a ${custom.type} node at ${custom.jsonPath}/type`;
}

function checkNodeNames(pipeline: PipelineSettings): void {
  const names = new Set([REQUEST_NODE, RESPONSE_NODE]);
  for (const node of pipeline.nodes) {
    if (names.has(node.name))
      throw new ServingError('PIPELINE_NODE_NAME_DUPLICATE', `${node.name} at ${node.jsonPath}/name`);
    names.add(node.name);
  }
}

function checkNodeInputs(pipeline: PipelineSettings, node: BoundNode, bound: ReadonlyMap<string, BoundNode>): void {
  const fed = new Set<string>();
  for (const connection of node.settings.inputs) {
    const path = connection.jsonPath;
    checkReference(pipeline, connection, path);
    const target = findPort(node.signature.inputs, connection.input);
    if (target === undefined) {
      throw new ServingError(
        'PIPELINE_MODEL_INPUT_MISSING',
        `expected one of ${names(node.signature.inputs)}, received ${connection.input} at ${path}`,
      );
    }
    if (fed.has(connection.input))
      throw new ServingError('PIPELINE_MODEL_INPUT_FED_TWICE', `${connection.input} at ${path}`);
    fed.add(connection.input);
    checkSource(pipeline, connection, node.settings.gatherFromNode === null ? target : shardOf(target), path, bound);
  }
  const unfed = node.signature.inputs.filter((input) => !fed.has(input.name));
  if (unfed.length > 0)
    throw new ServingError('PIPELINE_MODEL_INPUT_UNFED', `missing ${names(unfed)} at ${node.settings.jsonPath}/inputs`);
}

function checkReference(pipeline: PipelineSettings, reference: { readonly nodeName: string }, path: string): void {
  if (reference.nodeName === RESPONSE_NODE) throw new ServingError('PIPELINE_RESPONSE_AS_DEPENDENCY', `at ${path}`);
  if (reference.nodeName === REQUEST_NODE) return;
  if (!pipeline.nodes.some((node) => node.name === reference.nodeName)) {
    throw new ServingError(
      'PIPELINE_NODE_MISSING',
      `expected ${REQUEST_NODE} or a node of the pipeline, received ${reference.nodeName} at ${path}`,
    );
  }
}

function checkSource(
  pipeline: PipelineSettings,
  connection: NodeInputSettings,
  target: TensorInfo,
  path: string,
  bound: ReadonlyMap<string, BoundNode>,
): void {
  if (connection.nodeName === REQUEST_NODE) return checkPipelineInput(pipeline, connection.dataItem, path);
  const source = sourceTensor(connection.nodeName, connection.dataItem, path, bound);
  // The source's model is missing: that fault belongs to the source node and is reported there.
  if (source === undefined) return;
  if (
    source.shape.length !== target.shape.length ||
    !source.shape.every((size, axis) => overlap(size, target.shape[axis]!))
  ) {
    throw new ServingError(
      'PIPELINE_INPUT_SHAPE',
      `Expected: ${formatPartialShape(target.shape)}; Actual: ${formatPartialShape(source.shape)} at ${path}`,
    );
  }
  if (source.precision !== target.precision) {
    throw new ServingError(
      'PIPELINE_INPUT_PRECISION',
      `Expected: ${target.precision}; Actual: ${source.precision} at ${path}`,
    );
  }
}

function checkPipelineInput(pipeline: PipelineSettings, dataItem: string, path: string): void {
  if (pipeline.inputs.includes(dataItem)) return;
  throw new ServingError(
    'PIPELINE_DATA_SOURCE_MISSING',
    `expected one of the pipeline's inputs ${pipeline.inputs.join(', ')}, received ${dataItem} at ${path}`,
  );
}

function sourceTensor(
  nodeName: string,
  alias: string,
  path: string,
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

function checkOutputs(pipeline: PipelineSettings, bound: ReadonlyMap<string, BoundNode>): void {
  for (const output of pipeline.outputs) {
    const path = output.jsonPath;
    checkReference(pipeline, output, path);
    if (output.nodeName === REQUEST_NODE) {
      // OVMS 2026.2.1 accepts this and then fails every request; with an entry demultiplexer it ends. Ours refuses the definition.
      throw new ServingError(
        'NOT_IMPLEMENTED',
        `expected the output of a node, received an input of the pipeline at ${path}`,
      );
    }
    sourceTensor(output.nodeName, output.dataItem, path, bound);
  }
}

/** Depth first from the response, as the reference walks; a node that is met again while it is open closes a cycle. */
function checkCycles(pipeline: PipelineSettings): void {
  const byName = new Map(pipeline.nodes.map((node) => [node.name, node]));
  const state = new Map<string, 'open' | 'closed'>();
  const visit = (name: string, trail: readonly string[]): void => {
    if (name === REQUEST_NODE || state.get(name) === 'closed') return;
    if (state.get(name) === 'open') {
      const cycle = [...trail.slice(trail.indexOf(name)), name].join(' <- ');
      throw new ServingError('PIPELINE_CYCLE', `${cycle} at ${pipeline.jsonPath}/nodes`);
    }
    state.set(name, 'open');
    for (const input of byName.get(name)!.inputs) visit(input.nodeName, [...trail, name]);
    state.set(name, 'closed');
  };
  for (const output of pipeline.outputs) visit(output.nodeName, []);
}

function checkConnected(pipeline: PipelineSettings): void {
  const reached = new Set<string>();
  const open = pipeline.outputs.map((output) => output.nodeName);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (reached.has(name)) continue;
    reached.add(name);
    const node = pipeline.nodes.find((candidate) => candidate.name === name);
    for (const input of node?.inputs ?? []) open.push(input.nodeName);
  }
  const lost = [REQUEST_NODE, ...pipeline.nodes.map((node) => node.name)].filter((name) => !reached.has(name));
  if (lost.length > 0)
    throw new ServingError(
      'PIPELINE_UNCONNECTED_NODES',
      `no output depends on ${lost.join(', ')} at ${pipeline.jsonPath}/nodes`,
    );
}

/** What one shard of a tensor looks like, and what a gathering input takes of each shard. */
function shardOf(tensor: TensorInfo): TensorInfo {
  return { ...tensor, shape: tensor.shape.slice(1) };
}

function overlap(a: Dimension, b: Dimension): boolean {
  return a.min <= b.max && b.min <= a.max;
}

function names(ports: readonly TensorInfo[]): string {
  return ports.map((port) => port.name).join(', ');
}
