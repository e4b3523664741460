import { ServingError } from '../../errors.js';
import type { CustomNodeDescription, CustomNodePort } from '../../native/binding.js';
import { ANY_DIMENSION, staticDimension } from '../../tensors/shape.js';
import type { TensorInfo } from '../../tensors/tensor-info.js';
import type { NodeSignature } from '../node-instance.js';

/** Libraries say nothing of layouts (as OVMS 2026.2.1). */
const LAYOUT = '...';

/**
 * What a library says of a custom node, as pipelines see it. A dimension of 0 may be any.
 *
 * @throws ServingError CUSTOM_NODE_METADATA_FAILED when two inputs or two outputs have the same name
 */
export function customNodeSignature({ inputs, outputs }: CustomNodeDescription): NodeSignature {
  return { inputs: tensorInfos(inputs, 'getInputsInfo'), outputs: tensorInfos(outputs, 'getOutputsInfo') };
}

function tensorInfos(ports: readonly CustomNodePort[], where: string): readonly TensorInfo[] {
  const names = new Set<string>();
  return ports.map((port, index) => {
    if (names.has(port.name)) {
      const detail = `${where}[${index}]: expected a name of its own, received ${port.name} again`;
      throw new ServingError('CUSTOM_NODE_METADATA_FAILED', detail);
    }
    names.add(port.name);
    return tensorInfo(port);
  });
}

function tensorInfo({ name, precision, dimensions }: CustomNodePort): TensorInfo {
  const shape = dimensions.map((size) => (size === 0 ? ANY_DIMENSION : staticDimension(size)));
  return { name, precision, shape, layout: LAYOUT };
}
