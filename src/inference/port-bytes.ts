import type { PortDescription } from '../native/binding.js';
import { ELEMENT_BYTES, precisionOfElementType } from '../tensors/precision.js';
import { elementCount, type Shape } from '../tensors/shape.js';

/** The shape of a port of known size. */
export function staticShape({ dimensions }: PortDescription): Shape {
  return dimensions!.map(([min]) => min);
}

/** Bytes of a tensor of a port of known size; 0 where elements have no fixed size, or one that no client can send. */
export function portBytes(port: PortDescription): number {
  const precision = precisionOfElementType(port.elementType);
  return precision === undefined ? 0 : (elementCount(staticShape(port)) ?? 0) * ELEMENT_BYTES[precision];
}
