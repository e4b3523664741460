import { BindingTable } from '../inference/binding-table.js';
import { CompletionRing } from '../inference/completion-ring.js';
import { ServingError } from '../errors.js';
import type { CompiledModelHandle, InferRequestHandle, NativeBinding } from '../native/binding.js';
import { fromNativeStatus } from '../native/errors.js';
import type * as api from './api.js';
import { BoundPort } from './bound-port.js';
import { inferInput } from './infer-input.js';
import type { Port } from './port.js';
import type { Ports } from './ports.js';
import { OutputReader } from './output-reader.js';
import { SlabHolds } from './slab-holds.js';
import { asTensor, type Tensor } from './tensor.js';

/** What an infer request knows of the model it belongs to. */
export interface InferRequestModel {
  readonly inputs: Ports;
  readonly outputs: Ports;
  readonly compiledModel: api.CompiledModel;
}

interface Waiting {
  readonly inputs: ReadonlyMap<Port, Tensor>;
  readonly resolve: (result: api.InferResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * An execution slot. Results are tensors of their own; tensors that were set on outputs, or got from them while their shape is fixed,
 * are written in place by each inference as well.
 *
 * Any number of `inferAsync` calls may wait for each other; everything else throws while an inference runs.
 * Faults of OpenVINO are `ServingError`s: TENSOR_BINDING_FAILED, INFERENCE_FAILED, OUTPUT_RETRIEVAL_FAILED.
 */
export class InferRequest implements api.InferRequest {
  readonly #model: InferRequestModel;
  readonly #ring: CompletionRing;
  readonly #handle: InferRequestHandle;
  readonly #table: BindingTable;
  readonly #holds: SlabHolds;
  readonly #outputReader: OutputReader;
  readonly #bound = new Map<Port, BoundPort>();
  readonly #waiting: Waiting[] = [];
  #running = false;

  /** @internal `CompiledModel.createInferRequest` makes them. */
  constructor(binding: NativeBinding, model: CompiledModelHandle, ports: InferRequestModel) {
    this.#model = ports;
    this.#ring = CompletionRing.of(binding);
    this.#table = new BindingTable(ports.inputs.list.length, ports.outputs.list.length);
    this.#handle = binding.createInferRequest(model, this.#table.numbers);
    this.#holds = new SlabHolds(binding, this);
    this.#outputReader = new OutputReader(binding, this.#handle, this.#table);
  }

  /** Infers on this thread, which does nothing else meanwhile. */
  infer(inputData?: api.InferInput): api.InferResult {
    this.#checkIdle();
    this.#setAll(inputData === undefined ? new Map() : inferInput(inputData, this.#model.inputs));
    this.#writeTable();
    const { status, text } = this.#ring.infer(this.#handle);
    if (status !== 0) throw fromNativeStatus(status, text);
    return this.#results();
  }

  /** Infers on threads of OpenVINO, after the inferences that were asked for before. Every fault rejects the promise. */
  inferAsync(inputData: api.InferInput): Promise<api.InferResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ inputs: inferInput(inputData, this.#model.inputs), resolve, reject });
      if (!this.#running) this.#startNext();
    });
  }

  getCompiledModel(): api.CompiledModel {
    return this.#model.compiledModel;
  }

  getInputTensor(index?: number): Tensor {
    return this.#tensorOf(this.#model.inputs.find(index));
  }

  /**
   * The tensor that inferences write in place, from now on. Of an output whose shape only the inference tells, a copy of what the last
   * one has left.
   */
  getOutputTensor(index?: number): Tensor {
    return this.#tensorOf(this.#model.outputs.find(index));
  }

  /** See {@link getInputTensor} and {@link getOutputTensor}. An `Output` must be one of this request's compiled model. */
  getTensor(nameOrOutput: string | api.Output): Tensor {
    return this.#tensorOf(typeof nameOrOutput === 'string' ? this.#named(nameOrOutput) : this.#portOf(nameOrOutput));
  }

  setInputTensor(...given: [tensor: api.Tensor] | [index: number, tensor: api.Tensor]): void {
    this.#setFrom(this.#model.inputs, given);
  }

  /** The tensor of a dynamic output must have room for whatever comes out; it takes on the shape of what does. */
  setOutputTensor(...given: [tensor: api.Tensor] | [index: number, tensor: api.Tensor]): void {
    this.#setFrom(this.#model.outputs, given);
  }

  setTensor(name: string, tensor: api.Tensor): void {
    this.#checkIdle();
    const port = this.#named(name);
    this.#set(port, asTensor(tensor, port.label));
  }

  #setFrom(ports: Ports, given: [api.Tensor] | [number, api.Tensor]): void {
    this.#checkIdle();
    const [index, tensor] = given.length === 1 ? [undefined, given[0]] : given;
    const port = ports.find(index);
    this.#set(port, asTensor(tensor, port.label));
  }

  #set(port: Port, tensor: Tensor): BoundPort {
    let bound = this.#bound.get(port);
    if (bound !== undefined) bound.replace(tensor);
    else this.#bound.set(port, (bound = new BoundPort(port, tensor, this.#holds)));
    return bound;
  }

  /** OpenVINO gives every input a tensor of its own until one is set. */
  #setNew(input: Port): BoundPort {
    return this.#set(input, input.newTensor());
  }

  #setAll(tensors: ReadonlyMap<Port, Tensor>): void {
    for (const [port, tensor] of tensors) this.#set(port, tensor);
  }

  #tensorOf(port: Port): Tensor {
    this.#checkIdle();
    const bound = this.#bound.get(port);
    if (bound !== undefined) return bound.tensor;
    if (port.kind === 'input') return this.#setNew(port).tensor;
    const last = this.#outputReader.last(port);
    return port.partialShape.isStatic() ? this.#set(port, last).tensor : last;
  }

  #named(name: string): Port {
    const { inputs, outputs } = this.#model;
    const port = inputs.named(name) ?? outputs.named(name);
    if (port !== undefined) return port;
    const names = [...inputs.list, ...outputs.list].map((known) => known.name).join(', ');
    throw new RangeError(`name: expected one of the tensors ${names}, received ${name}`);
  }

  #portOf(output: api.Output): Port {
    const { inputs, outputs, compiledModel } = this.#model;
    const input = inputs.list[compiledModel.inputs.indexOf(output)];
    const port = input ?? outputs.list[compiledModel.outputs.indexOf(output)];
    if (port === undefined) throw new TypeError('nameOrOutput: expected an input or output of this compiled model');
    return port;
  }

  #checkIdle(): void {
    if (this.#running) throw new Error('the infer request is busy: wait for its inferAsync() first');
  }

  #startNext(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        this.#start(next);
        return;
      } catch (error) {
        next.reject(error);
      }
    }
  }

  #start({ inputs, resolve, reject }: Waiting): void {
    this.#setAll(inputs);
    this.#writeTable();
    this.#ring.start(this.#handle, {
      complete: (status, _micros, text) => {
        this.#running = false;
        try {
          if (status !== 0) throw fromNativeStatus(status, text);
          resolve(this.#results());
        } catch (error) {
          reject(error);
        }
        this.#startNext();
      },
    });
    this.#running = true;
  }

  #writeTable(): void {
    const inputs = this.#model.inputs.list.map((port) => (this.#bound.get(port) ?? this.#setNew(port)).place());
    const outputs = this.#model.outputs.list.map((port) => this.#bound.get(port)?.place() ?? 'allocate');
    const fault = this.#table.write(inputs, outputs);
    if (fault !== null) throw new ServingError('TENSOR_BINDING_FAILED', fault);
  }

  #results(): api.InferResult {
    const { list } = this.#model.outputs;
    return Object.fromEntries(list.map((port) => [port.name, this.#outputReader.read(port, this.#bound.get(port))]));
  }
}
