import type { BindingTable } from '../inference/binding-table.js';
import type { InferRequestHandle, NativeBinding } from '../native/binding.js';
import type { BoundPort } from './bound-port.js';
import type { Port } from './port.js';
import { bytesOf, Tensor } from './tensor.js';

/** Copies what an inference has left into tensors that later inferences do not touch. Only while the infer request is idle. */
export class OutputReader {
  readonly #binding: NativeBinding;
  readonly #request: InferRequestHandle;
  readonly #table: BindingTable;
  #hasInferred = false;

  constructor(binding: NativeBinding, request: InferRequestHandle, table: BindingTable) {
    this.#binding = binding;
    this.#request = request;
    this.#table = table;
  }

  /** The result for one output of the inference that has just ended. A tensor that is set on the output shows it from now on, too. */
  read(port: Port, bound: BoundPort | undefined): Tensor {
    this.#hasInferred = true;
    const shape = this.#table.outputShape(port.index);
    const result = new Tensor(port.elementType, shape);
    if (bound === undefined) {
      this.#fill(result, (slabId) => this.#binding.copyOutput(this.#request, port.index, slabId, 0));
      return result;
    }
    bound.collect(shape);
    const bytes = bytesOf(bound.tensor.data);
    if (bytes.byteLength > 0) this.#fill(result, (slabId) => this.#binding.copyIn(slabId, 0, bytes));
    return result;
  }

  /** What OpenVINO holds of an output on which no tensor is set; zeros before the first inference. */
  last(port: Port): Tensor {
    return this.#hasInferred ? this.read(port, undefined) : port.newTensor();
  }

  /** Known to native code only while it is filled: the tensor belongs to the program. */
  #fill(tensor: Tensor, copy: (slabId: number) => void): void {
    const slabId = this.#binding.registerSlab(new Uint8Array(tensor.data.buffer));
    try {
      copy(slabId);
    } finally {
      this.#binding.unregisterSlab(slabId);
    }
  }
}
