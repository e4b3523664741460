import { BINDING_STRIDE, MAX_RANK, UNBOUND } from '../native/binding.js';
import { ELEMENT_BYTES, type Precision } from '../tensors/precision.js';
import { elementCount, type Shape } from '../tensors/shape.js';

/** Where a tensor is: the backend's slab, the offset in it, and the concrete shape. */
export interface BoundTensor {
  readonly slabId: number;
  readonly byteOffset: number;
  readonly shape: Shape;
}

/**
 * The numbers that tell native code where the tensors of one inference are; layout in `native/binding.ts`. Written in place before
 * each start, so that a start crosses the boundary once however many tensors it has.
 */
export class BindingTable {
  readonly numbers: Float64Array;
  readonly #inputs: number;

  constructor(inputs: number, outputs: number) {
    this.#inputs = inputs;
    this.numbers = new Float64Array((inputs + outputs) * BINDING_STRIDE);
  }

  /** @returns what is wrong when a tensor cannot be named in the table. */
  write(inputs: readonly BoundTensor[], outputs: readonly (BoundTensor | 'allocate' | 'discard')[]): string | null {
    for (let port = 0; port < inputs.length; port += 1) {
      const fault = this.#writeTensor(port, inputs[port]!);
      if (fault !== null) return fault;
    }
    for (let index = 0; index < outputs.length; index += 1) {
      const target = outputs[index]!;
      const port = this.#inputs + index;
      if (typeof target === 'string') {
        this.numbers[port * BINDING_STRIDE] = UNBOUND;
        continue;
      }
      const fault = this.#writeTensor(port, target);
      if (fault !== null) return fault;
    }
    return null;
  }

  /** Shape of an output as the last inference left it. */
  outputShape(index: number): Shape {
    const start = (this.#inputs + index) * BINDING_STRIDE + 3;
    return Array.from(this.numbers.subarray(start, start + this.numbers[start - 1]!));
  }

  /** Bytes of an output that the last inference allocated, strings packed. */
  outputBytes(index: number, precision: Precision): number {
    if (precision === 'STRING') return this.numbers[(this.#inputs + index) * BINDING_STRIDE + 1]!;
    return (elementCount(this.outputShape(index)) ?? 0) * ELEMENT_BYTES[precision];
  }

  #writeTensor(port: number, { slabId, byteOffset, shape }: BoundTensor): string | null {
    const start = port * BINDING_STRIDE;
    const { numbers } = this;
    if (shape.length > MAX_RANK) return `expected a rank of at most ${MAX_RANK}, received ${shape.length}`;
    numbers[start] = slabId;
    numbers[start + 1] = byteOffset;
    numbers[start + 2] = shape.length;
    for (let axis = 0; axis < shape.length; axis += 1) numbers[start + 3 + axis] = shape[axis]!;
    return null;
  }
}
