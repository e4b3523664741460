import type { GraphNode } from '../dag/graph.js';
import { ServingError } from '../errors.js';
import { accepts, formatPartialShape, formatShape } from '../tensors/shape.js';
import type { Tensor } from '../tensors/tensor.js';
import { batchIndex, type TensorInfo } from '../tensors/tensor-info.js';
import type { PlannedNode } from './planned-node.js';

/** Compares what other nodes gave with what a node takes. The texts are those of OVMS 2026.2.1 for a tensor that does not fit the next model. */
export function checkIntermediates(
  node: GraphNode,
  planned: PlannedNode,
  inputs: readonly Tensor[],
): ServingError | null {
  for (const port of planned.checkedPorts) {
    const fault = checkPort(node, planned.unit.inputs[port]!.info, inputs[planned.inputOfPort[port]!]!);
    if (fault !== null) return fault;
  }
  return null;
}

/** @param info of the port of what the node runs. */
export function checkPort(
  node: GraphNode,
  info: TensorInfo,
  { precision, shape }: Pick<Tensor, 'precision' | 'shape'>,
): ServingError | null {
  const where = (): string => `Node: ${node.name} input: ${info.name}`;
  if (precision !== info.precision) {
    return new ServingError(
      'INVALID_PRECISION',
      `${where()} Invalid precision - Expected: ${info.precision}; Actual: ${precision}`,
    );
  }
  const hasRank = shape.length === info.shape.length;
  const wrong = hasRank ? shape.findIndex((size, axis) => !accepts(info.shape[axis]!, size)) : -1;
  if (hasRank && wrong === -1) return null;
  const sizes = `Expected: ${formatPartialShape(info.shape)}; Actual: ${formatShape(shape)}`;
  if (!hasRank) {
    return new ServingError(
      'INVALID_NO_OF_SHAPE_DIMENSIONS',
      `${where()} Invalid number of shape dimensions - ${sizes}`,
    );
  }
  if (wrong === batchIndex(info.layout))
    return new ServingError('INVALID_BATCH_SIZE', `${where()} Invalid batch size - ${sizes}`);
  return new ServingError('INVALID_SHAPE', `${where()} Invalid shape - ${sizes}`);
}
