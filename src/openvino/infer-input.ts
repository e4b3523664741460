import { types } from 'node:util';
import type { InferInput, SupportedTypedArray } from './api.js';
import type { Port } from './port.js';
import type { Ports } from './ports.js';
import { asTensor, describe, Tensor } from './tensor.js';

/**
 * What one inference is given, as tensors by input. Nothing is set on the infer request yet, so a wrong argument changes nothing.
 *
 * @throws TypeError, RangeError that name the input
 */
export function inferInput(inputData: InferInput, inputs: Ports): ReadonlyMap<Port, Tensor> {
  const given = entries(inputData, inputs);
  return new Map(given.map(([port, value]) => [port, toTensor(port, value)]));
}

function entries(inputData: unknown, inputs: Ports): (readonly [Port, unknown])[] {
  if (Array.isArray(inputData)) return inputData.map((value, index) => [inputs.find(index), value]);
  if (typeof inputData !== 'object' || inputData === null || ArrayBuffer.isView(inputData)) {
    throw new TypeError(`inputData: expected an array or an object of tensors, received ${describe(inputData)}`);
  }
  if (inputData instanceof Tensor) {
    throw new TypeError('inputData: expected an array or an object of tensors, received one Tensor');
  }
  return Object.entries(inputData).map(([name, value]) => [inputs.find(name), value]);
}

/** Plain data takes the type and shape of the input. */
function toTensor(port: Port, value: unknown): Tensor {
  const tensor = types.isTypedArray(value)
    ? new Tensor(port.elementType, port.shape, value as SupportedTypedArray)
    : asTensor(value, port.label);
  port.check(tensor);
  return tensor;
}
