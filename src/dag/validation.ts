import type { ConditionSettings, NodeInputSettings, NodeSettings, PipelineSettings } from '../config/settings.js';
import { ServingError } from '../errors.js';
import { converted, fits, formatConversion, type Conversion } from '../tensors/conversion.js';
import { accepts, formatPartialShape, type Dimension, type PartialShape } from '../tensors/shape.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import { bindNodes } from './bind-nodes.js';
import { checkCondition } from './condition.js';
import { checkConditionalGathers, checkExits } from './conditional.js';
import { findPort, REQUEST_NODE, RESPONSE_NODE, type BoundNode, type ServableCatalogue } from './definition.js';
import { checkConnected, checkCycles } from './connectedness.js';
import { demultiplyCount, nestings, shardDimension } from './levels.js';
import { checkPipelineInput, checkReference, names, sourceTensor } from './references.js';

/** A shard must still be a batch of something (as OVMS 2026.2.1). */
const SMALLEST_DEMULTIPLEXED_RANK = 3;

/**
 * The rules a pipeline must keep, each a small check with its own error, in the order in which OVMS 2026.2.1 applies them: names
 * first, then node by node in the order of the file, then the whole graph. The first that fails is reported, with the path of the
 * fault in the config file. What OVMS does not know (conditions, conversions, early exits) is checked where it stands.
 *
 * @returns the nodes with what they run, in the order of the file.
 * @throws ServingError PIPELINE_*
 */
export function validatePipeline(pipeline: PipelineSettings, servables: ServableCatalogue): BoundNode[] {
  checkPipelineName(pipeline, servables);
  checkNodeNames(pipeline);
  const bound = bindNodes(pipeline, servables);
  for (const node of pipeline.nodes) checkNode(pipeline, node, bound);
  checkOutputs(pipeline, bound);
  for (const exit of pipeline.exitWhen) checkConditionSource(pipeline, exit, bound);
  checkCycles(pipeline);
  checkConnected(pipeline);
  const nesting = nestings(pipeline);
  checkExits(pipeline, nesting);
  checkConditionalGathers(pipeline, nesting);
  return [...bound.values()];
}

function checkNode(pipeline: PipelineSettings, node: NodeSettings, bound: ReadonlyMap<string, BoundNode>): void {
  const found = bound.get(node.name);
  if (node.type === 'select') checkSelect(pipeline, node, bound);
  // What a select node of a cycle passes on cannot be known; the cycle itself is reported below.
  if (found === undefined) return checkMissing(node);
  checkAuto(found);
  checkStateful(found);
  checkStrings(pipeline, found);
  checkDemultiplexer(found);
  checkGather(pipeline, node);
  if (node.type !== 'select') checkNodeInputs(pipeline, found, bound);
  if (node.when !== null) checkConditionSource(pipeline, node.when, bound);
}

function checkMissing(node: NodeSettings): void {
  const version = node.version === null ? 'default version' : `version ${node.version}`;
  switch (node.type) {
    case 'DL model':
      throw new ServingError(
        'PIPELINE_MODEL_MISSING',
        `expected an available model, received ${node.modelName ?? 'none'} (${version}) at ${node.jsonPath}/model_name`,
      );
    case 'pipeline':
      throw new ServingError(
        'PIPELINE_PIPELINE_MISSING',
        `expected another pipeline that is available and does not contain this one, received ${node.pipelineName ?? 'none'} (${version}) at ${node.jsonPath}/pipeline_name`,
      );
    case 'custom':
    case 'js':
      throw new ServingError('PIPELINE_LIBRARY_INVALID', `node ${node.name} at ${node.jsonPath}`);
    case 'select':
  }
}

/** A pipeline has no sequence that a state could belong to. */
function checkStateful({ settings, signature }: BoundNode): void {
  if ((signature.stateful ?? null) === null) return;
  throw new ServingError(
    'PIPELINE_MODEL_STATEFUL',
    `expected a model that is not stateful, received ${settings.modelName ?? 'none'} at ${settings.jsonPath}/model_name`,
  );
}

/** What follows the shape of each request has none that other nodes could be checked against. */
function checkAuto({ settings, signature }: BoundNode): void {
  if (signature.isAuto !== true) return;
  throw new ServingError(
    'PIPELINE_MODEL_AUTO',
    `expected a model without batch_size auto and shape auto, received ${settings.modelName ?? 'none'} at ${settings.jsonPath}/model_name`,
  );
}

/** A select node passes on what other nodes give: the request has no tensor of its own before a node says what it takes. */
function checkSelect(pipeline: PipelineSettings, node: NodeSettings, bound: ReadonlyMap<string, BoundNode>): void {
  const fed = new Set<string>();
  for (const connection of node.inputs) {
    const path = connection.jsonPath;
    checkReference(pipeline, connection, path);
    if (connection.nodeName === REQUEST_NODE)
      throw new ServingError('PIPELINE_SELECT', `expected an output of another node, received the request at ${path}`);
    if (fed.has(connection.input))
      throw new ServingError('PIPELINE_MODEL_INPUT_FED_TWICE', `${connection.input} at ${path}`);
    fed.add(connection.input);
    const source = sourceTensor(connection, bound);
    if (source !== undefined && connection.conversion !== null) checkConversion(source, connection.conversion, path);
  }
  if (node.inputs.length === 0)
    throw new ServingError('PIPELINE_SELECT', `expected an input at least at ${node.jsonPath}/inputs`);
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

function checkPipelineName(pipeline: PipelineSettings, servables: ServableCatalogue): void {
  if (servables.isModelName(pipeline.name))
    throw new ServingError('PIPELINE_NAME_OCCUPIED', `${pipeline.name} at ${pipeline.jsonPath}/name`);
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
    checkSource(pipeline, connection, target, node.settings.gatherFromNode, bound);
  }
  const unfed = node.signature.inputs.filter((input) => !fed.has(input.name));
  if (unfed.length > 0)
    throw new ServingError('PIPELINE_MODEL_INPUT_UNFED', `missing ${names(unfed)} at ${node.settings.jsonPath}/inputs`);
}

function checkSource(
  pipeline: PipelineSettings,
  connection: NodeInputSettings,
  target: TensorInfo,
  gatherFrom: string | null,
  bound: ReadonlyMap<string, BoundNode>,
): void {
  const { conversion, jsonPath: path } = connection;
  const gathered = gatherFrom === null ? [] : [shardDimension(pipeline, gatherFrom)];
  if (connection.nodeName === REQUEST_NODE) {
    checkPipelineInput(pipeline, connection.dataItem, path);
    const shard = target.shape.slice(gathered.length);
    checkShapes([...gathered, ...shard], target.shape, path);
    if (conversion !== null) checkConverted({ ...target, shape: shard }, conversion, path);
    return;
  }
  const given = sourceTensor(connection, bound);
  // The source's servable is missing: that fault belongs to the source node and is reported there.
  if (given === undefined) return;
  if (conversion !== null) checkConversion(given, conversion, path);
  const source = conversion === null ? given : converted(given, conversion);
  checkShapes([...gathered, ...source.shape], target.shape, path);
  if (source.precision !== target.precision) {
    throw new ServingError(
      'PIPELINE_INPUT_PRECISION',
      `Expected: ${target.precision}; Actual: ${source.precision} at ${path}`,
    );
  }
  // Strings have no elements of a fixed size that a region could be cut into (as OVMS 2026.2.1).
  if (source.precision === 'STRING')
    throw new ServingError('NOT_IMPLEMENTED', `a tensor of strings between two nodes at ${path}`);
}

function checkShapes(source: PartialShape, target: PartialShape, path: string): void {
  if (source.length === target.length && source.every((size, axis) => overlap(size, target[axis]!))) return;
  throw new ServingError(
    'PIPELINE_INPUT_SHAPE',
    `Expected: ${formatPartialShape(target)}; Actual: ${formatPartialShape(source)} at ${path}`,
  );
}

/** What a conversion starts from must be what the source gives. */
function checkConversion(source: TensorInfo, conversion: Conversion, path: string): void {
  if (fits(source, conversion)) return;
  throw new ServingError(
    'PIPELINE_CONVERSION',
    `expected a conversion of ${source.precision} ${formatPartialShape(source.shape)}, received ${formatConversion(conversion)} at ${path}`,
  );
}

/** What a conversion of the request ends with must be what the node takes. */
function checkConverted(target: TensorInfo, conversion: Conversion, path: string): void {
  const { precision, layout } = conversion;
  const isRight =
    (precision === null || precision.to === target.precision) &&
    (layout === null || layout.to.length === target.shape.length);
  if (isRight) return;
  throw new ServingError(
    'PIPELINE_CONVERSION',
    `expected a conversion to ${target.precision} ${formatPartialShape(target.shape)}, received ${formatConversion(conversion)} at ${path}`,
  );
}

function checkConditionSource(
  pipeline: PipelineSettings,
  condition: ConditionSettings,
  bound: ReadonlyMap<string, BoundNode>,
): void {
  const path = condition.jsonPath;
  checkReference(pipeline, condition, path);
  if (condition.nodeName === REQUEST_NODE) return checkRequestCondition(pipeline, condition);
  const source = sourceTensor(condition, bound);
  if (source !== undefined) checkCondition(source, condition.element, path);
}

/** What the request's tensor is, only the nodes that take it say. */
function checkRequestCondition(pipeline: PipelineSettings, { dataItem, jsonPath }: ConditionSettings): void {
  checkPipelineInput(pipeline, dataItem, jsonPath);
  const isTaken = pipeline.nodes.some(({ inputs }) =>
    inputs.some((input) => input.nodeName === REQUEST_NODE && input.dataItem === dataItem),
  );
  if (!isTaken)
    throw new ServingError(
      'PIPELINE_CONDITION',
      `expected an input that a node takes, too, received ${dataItem} at ${jsonPath}`,
    );
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
    const source = sourceTensor(output, bound);
    if (source !== undefined && output.conversion !== null) checkConversion(source, output.conversion, path);
  }
}

function overlap(a: Dimension, b: Dimension): boolean {
  return a.min <= b.max && b.min <= a.max;
}
