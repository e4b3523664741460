import { ServingError } from '../errors.js';
import type { CompiledModelHandle, InferRequestHandle, ModelDescription, NativeBinding } from '../native/binding.js';
import { fromNativeStatus } from '../native/errors.js';
import type { Arena } from '../tensors/arena.js';
import { ELEMENT_BYTES, precisionOfElementType } from '../tensors/precision.js';
import { elementCount } from '../tensors/shape.js';
import { Tensor } from '../tensors/tensor.js';
import { BindingTable } from './binding-table.js';
import { CompletionRing } from './completion-ring.js';
import type {
  CompiledModelReference,
  Inference,
  InferenceDone,
  InferenceModel,
  InferRequest,
  OutputTarget,
} from './inference.js';

/**
 * Asynchronous inference by the native addon: a start returns at once, completions of all infer requests of this thread come back
 * together through one ring with one wake of the event loop.
 */
export class NativeInference implements Inference {
  readonly #binding: NativeBinding;
  readonly #records = new Int32Array(RING_RECORDS * COMPLETION_STRIDE);
  /** Running requests by token; tokens are indices and are used again. */
  readonly #running: (NativeInferRequest | null)[] = [];
  readonly #freeTokens: number[] = [];
  #arena: Arena | null = null;

  constructor(binding: NativeBinding) {
    this.#binding = binding;
    binding.openCompletions(this.#records, (count) => this.#drain(count));
  }

  useArena(arena: Arena): void {
    this.#arena = arena;
  }

  openModel({ modelId, description }: CompiledModelReference): Promise<InferenceModel> {
    const binding = this.#binding;
    const handle = binding.openModel(modelId);
    return Promise.resolve({
      createInferRequest: () => this.#createInferRequest(handle, description),
      close: () => binding.closeModel(handle),
    });
  }

  registerSlab(slab: Uint8Array): number {
    return this.#binding.registerSlab(slab);
  }

  unregisterSlab(slabId: number): void {
    this.#binding.unregisterSlab(slabId);
  }

  slabAddress(slabId: number, byteOffset: number): bigint {
    return this.#binding.slabAddress(slabId, byteOffset);
  }

  copyIn(slabId: number, byteOffset: number, source: Uint8Array): void {
    this.#binding.copyIn(slabId, byteOffset, source);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #createInferRequest(model: CompiledModelHandle, description: ModelDescription): InferRequest {
    const table = new BindingTable(description.inputs.length, description.outputs.length);
    const handle = this.#binding.createInferRequest(model, table.numbers);
    const token = this.#freeTokens.pop() ?? this.#running.push(null) - 1;
    const request = new NativeInferRequest(this.#binding, handle, table, token, description, {
      started: () => (this.#running[token] = request),
      closed: () => this.#freeTokens.push(token),
      lease: (bytes) => this.#arena!.lease(bytes),
    });
    return request;
  }

  /** The records are copied first: completing one request may start others, and those may end before this loop does. */
  #drain(count: number): void {
    const records = this.#records.slice(0, count * COMPLETION_STRIDE);
    for (let start = 0; start < records.length; start += COMPLETION_STRIDE) {
      const token = records[start]!;
      const request = this.#running[token]!;
      this.#running[token] = null;
      request.complete(records[start + 1]!, records[start + 2]!);
    }
  }
}

interface RequestHost {
  started(): void;
  closed(): void;
  lease(byteLength: number): Tensor['lease'];
}

/** One infer request; its token in the completion ring is its own for life. */
class NativeInferRequest implements InferRequest {
  readonly #binding: NativeBinding;
  readonly #handle: InferRequestHandle;
  readonly #table: BindingTable;
  readonly #token: number;
  readonly #description: ModelDescription;
  readonly #host: RequestHost;
  #outputs: readonly OutputTarget[] = [];
  #done: InferenceDone | null = null;

  constructor(
    binding: NativeBinding,
    handle: InferRequestHandle,
    table: BindingTable,
    token: number,
    description: ModelDescription,
    host: RequestHost,
  ) {
    this.#binding = binding;
    this.#handle = handle;
    this.#table = table;
    this.#token = token;
    this.#description = description;
    this.#host = host;
  }

  infer(inputs: readonly Tensor[], outputs: readonly OutputTarget[], done: InferenceDone): void {
    const fault = this.#table.write(inputs, outputs);
    if (fault !== null) return done(new ServingError('TENSOR_BINDING_FAILED', fault), null, 0);
    this.#outputs = outputs;
    this.#done = done;
    this.#host.started();
    this.#binding.start(this.#handle, this.#token);
  }

  complete(status: number, inferMicros: number): void {
    const done = this.#done!;
    const outputs = this.#outputs;
    this.#done = null;
    this.#outputs = [];
    if (status !== 0) {
      return done(fromNativeStatus(status, this.#binding.takeError(this.#token)), null, inferMicros);
    }
    const tensors = this.#collect(outputs);
    if (tensors instanceof ServingError) done(tensors, null, inferMicros);
    else done(null, tensors, inferMicros);
  }

  close(): void {
    this.#binding.closeInferRequest(this.#handle);
    this.#host.closed();
  }

  #collect(outputs: readonly OutputTarget[]): (Tensor | null)[] | ServingError {
    const allocated: Tensor[] = [];
    try {
      return outputs.map((target, index) => {
        if (target instanceof Tensor) return target;
        if (target === 'discard') return null;
        const tensor = this.#fetch(index);
        allocated.push(tensor);
        return tensor;
      });
    } catch (error) {
      for (const tensor of allocated) tensor.release();
      return new ServingError('OUTPUT_RETRIEVAL_FAILED', String(error), { cause: error });
    }
  }

  /** Copies an output whose shape only the inference told out of OpenVINO's own memory, which the next inference overwrites. */
  #fetch(index: number): Tensor {
    const shape = this.#table.outputShape(index);
    const precision = precisionOfElementType(this.#description.outputs[index]!.elementType)!;
    const lease = this.#host.lease((elementCount(shape) ?? 0) * ELEMENT_BYTES[precision]);
    this.#binding.copyOutput(this.#handle, index, lease.slabId, lease.byteOffset);
    return new Tensor(precision, shape, lease);
  }
}
