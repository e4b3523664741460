import { ELEMENT_BYTES } from '../../tensors/precision.js';
import { elementCount } from '../../tensors/shape.js';
import type { TensorInfo } from '../../tensors/tensor-info.js';
import type { Tensor } from './api.js';
import { elementArray, isAligned } from '../../tensors/elements.js';
import type { TaskInput } from './protocol.js';

export interface NodeInputs {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly copiedBytes: number;
}

/** Inputs as `execute` sees them: views of the memory they lie in. */
export function viewInputs(inputs: readonly TaskInput[], infos: readonly TensorInfo[]): NodeInputs {
  const tensors: Record<string, Tensor> = {};
  let copiedBytes = 0;
  inputs.forEach((input, index) => {
    const { name } = infos[index]!;
    const { precision, shape, buffer, byteOffset } = input;
    const count = elementCount(shape)!;
    const aligned = isAligned(precision, byteOffset);
    if (!aligned) copiedBytes += count * ELEMENT_BYTES[precision];
    const data = aligned ? elementArray(precision, buffer, byteOffset, count) : copyOf(input, count);
    // A name may be one that objects have already, `__proto__` for example.
    Object.defineProperty(tensors, name, { value: { name, precision, shape, data }, enumerable: true });
  });
  return { tensors, copiedBytes };
}

/** Typed arrays begin at multiples of their element only. */
function copyOf({ precision, buffer, byteOffset }: TaskInput, count: number): Tensor['data'] {
  const bytes = Uint8Array.from(new Uint8Array(buffer, byteOffset, count * ELEMENT_BYTES[precision]));
  return elementArray(precision, bytes.buffer, 0, count);
}
