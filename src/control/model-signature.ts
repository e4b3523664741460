import { ServingError } from '../errors.js';
import type { ModelDescription, PortDescription } from '../native/binding.js';
import { precisionOfElementType } from '../tensors/precision.js';
import type { TensorInfo } from '../tensors/tensor-info.js';

/** Ports of a compiled model by the names clients use, in the model's port order. */
export interface ServedPorts {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

/**
 * What clients are told of the ports of a compiled model.
 *
 * @throws ServingError UNSUPPORTED_DESERIALIZATION_PRECISION for element types that no client can send, NOT_IMPLEMENTED for a port of
 * unknown rank
 */
export function servedPorts({ inputs, outputs }: ModelDescription): ServedPorts {
  return { inputs: inputs.map(tensorInfo), outputs: outputs.map(tensorInfo) };
}

function tensorInfo({ name, elementType, dimensions, layout }: PortDescription): TensorInfo {
  const precision = precisionOfElementType(elementType);
  if (precision === undefined) {
    throw new ServingError('UNSUPPORTED_DESERIALIZATION_PRECISION', `${elementType} of tensor ${name}`);
  }
  if (dimensions === null) throw new ServingError('NOT_IMPLEMENTED', `tensor ${name} has no fixed rank`);
  return {
    name,
    precision,
    shape: dimensions.map(([min, max]) => ({ min, max: max === -1 ? Infinity : max })),
    layout: layout !== '' ? layout : dimensions.length === 0 ? '...' : 'N...',
  };
}
