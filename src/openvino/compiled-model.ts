import type { CompiledModelHandle, NativeBinding } from '../native/binding.js';
import type * as api from './api.js';
import { InferRequest } from './infer-request.js';
import { Output } from './output.js';
import { Ports } from './ports.js';

/**
 * A model compiled for a device. The handle and the infer requests made from it share the native model; it is freed when the garbage
 * collector has taken all of them.
 */
export class CompiledModel implements api.CompiledModel {
  readonly inputs: api.Output[];
  readonly outputs: api.Output[];
  readonly #binding: NativeBinding;
  readonly #handle: CompiledModelHandle;
  readonly #inputPorts: Ports;
  readonly #outputPorts: Ports;

  /** @internal `Core` makes them. */
  constructor(binding: NativeBinding, handle: CompiledModelHandle) {
    const { inputs, outputs } = binding.describeModel(handle);
    this.#binding = binding;
    this.#handle = handle;
    this.#inputPorts = new Ports('input', inputs);
    this.#outputPorts = new Ports('output', outputs);
    this.inputs = this.#inputPorts.list.map((port) => new Output(port));
    this.outputs = this.#outputPorts.list.map((port) => new Output(port));
  }

  /** @throws RangeError when there is no such input, or several and none was named */
  input(nameOrIndex?: string | number): api.Output {
    return this.inputs[this.#inputPorts.find(nameOrIndex).index]!;
  }

  /** @throws RangeError when there is no such output, or several and none was named */
  output(nameOrIndex?: string | number): api.Output {
    return this.outputs[this.#outputPorts.find(nameOrIndex).index]!;
  }

  createInferRequest(): InferRequest {
    const [inputs, outputs] = [this.#inputPorts, this.#outputPorts];
    return new InferRequest(this.#binding, this.#handle, { inputs, outputs, compiledModel: this });
  }
}
