import { ServingError } from '../errors.js';
import type { CompiledModelHandle, InferRequestHandle, ModelDescription, NativeBinding } from '../native/binding.js';
import { fromNativeStatus } from '../native/errors.js';
import type { Arena } from '../tensors/arena.js';
import { precisionOfElementType } from '../tensors/precision.js';
import type { SlabRegistrar } from '../tensors/slab-registrar.js';
import { Tensor } from '../tensors/tensor.js';
import { BindingTable } from './binding-table.js';
import { CompletionRing, type CompletionListener } from './completion-ring.js';
import { InlineModel } from './inline-model.js';
import type {
  CompiledModelReference,
  CompileForThroughput,
  Inference,
  InferenceDone,
  InferenceModel,
  InferRequest,
  OutputTarget,
  SequenceTurn,
  ThroughputModel,
} from './inference.js';
import { LoadGate } from './load-gate.js';
import { NativeSequences, turnHandle } from './native-sequences.js';
import { TurnBudget } from './turn-budget.js';

/**
 * Inference by the native addon. Asynchronous: a start returns at once, completions of all infer requests of this thread come back
 * together through one ring with one wake of the event loop. What is fast enough runs on this thread instead ({@link InlineModel}).
 */
export class NativeInference implements Inference {
  readonly memory: SlabRegistrar;
  readonly #binding: NativeBinding;
  readonly #ring: CompletionRing;
  readonly #compileForThroughput: CompileForThroughput | null;
  readonly #budget = new TurnBudget();
  readonly #load = new LoadGate();
  #arena: Arena | null = null;

  /** @param compileForThroughput without it no model follows the load. */
  constructor(binding: NativeBinding, compileForThroughput: CompileForThroughput | null = null) {
    this.memory = binding;
    this.#compileForThroughput = compileForThroughput;
    this.#binding = binding;
    this.#ring = CompletionRing.of(binding);
  }

  useArena(arena: Arena): void {
    this.#arena = arena;
  }

  openModel(reference: CompiledModelReference): Promise<InferenceModel> {
    const { modelId, specification, description, inline, followsLoad } = reference;
    const binding = this.#binding;
    const compile = followsLoad ? this.#compileForThroughput : null;
    const handle = binding.openModel(modelId);
    const here = inline === null ? null : new InlineModel(binding, this.#ring, this.#budget, inline, description);
    return Promise.resolve({
      ...(here !== null && { inline: here }),
      ...(specification.stateful && { sequences: new NativeSequences(binding, this.#ring, handle) }),
      ...(compile !== null && {
        following: { load: this.#load, openForThroughput: () => this.#openForThroughput(reference, compile) },
      }),
      createInferRequest: () => this.#createInferRequest(handle, description, here),
      close: () => {
        here?.close();
        binding.closeModel(handle);
      },
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #openForThroughput(
    { modelId, description }: CompiledModelReference,
    compile: CompileForThroughput,
  ): Promise<ThroughputModel | null> {
    const variant = await compile(modelId);
    if (variant === null) return null;
    const handle = this.#binding.openModel(variant.modelId);
    return {
      nireq: variant.nireq,
      createInferRequest: () => this.#createInferRequest(handle, description, null),
      close: () => this.#binding.closeModel(handle),
    };
  }

  #createInferRequest(
    model: CompiledModelHandle,
    description: ModelDescription,
    here: InlineModel | null,
  ): InferRequest {
    const table = new BindingTable(description.inputs.length, description.outputs.length);
    const handle = this.#binding.createInferRequest(model, table.numbers);
    return new NativeInferRequest(this.#binding, this.#ring, handle, table, description, this.#arena!, here);
  }
}

class NativeInferRequest implements InferRequest, CompletionListener {
  readonly #binding: NativeBinding;
  readonly #ring: CompletionRing;
  readonly #handle: InferRequestHandle;
  readonly #table: BindingTable;
  readonly #description: ModelDescription;
  readonly #arena: Arena;
  readonly #here: InlineModel | null;
  #outputs: readonly OutputTarget[] = [];
  #done: InferenceDone | null = null;

  constructor(
    binding: NativeBinding,
    ring: CompletionRing,
    handle: InferRequestHandle,
    table: BindingTable,
    description: ModelDescription,
    arena: Arena,
    here: InlineModel | null,
  ) {
    this.#here = here;
    this.#binding = binding;
    this.#ring = ring;
    this.#handle = handle;
    this.#table = table;
    this.#description = description;
    this.#arena = arena;
  }

  infer(
    inputs: readonly Tensor[],
    outputs: readonly OutputTarget[],
    done: InferenceDone,
    turn: SequenceTurn | null = null,
  ): void {
    if (this.#here?.admits() === true) return this.#here.infer(inputs, outputs, done);
    const fault = this.#table.write(inputs, outputs);
    if (fault !== null) return done(new ServingError('TENSOR_BINDING_FAILED', fault), null, 0);
    this.#outputs = outputs;
    this.#done = done;
    this.#ring.start(this.#handle, this, turn && turnHandle(turn));
  }

  complete(status: number, inferMicros: number, text: string): void {
    const done = this.#done!;
    const outputs = this.#outputs;
    this.#done = null;
    this.#outputs = [];
    if (status !== 0) return done(fromNativeStatus(status, text), null, inferMicros);
    const tensors = this.#collect(outputs);
    if (tensors instanceof ServingError) done(tensors, null, inferMicros);
    else done(null, tensors, inferMicros);
  }

  close(): void {
    this.#binding.closeInferRequest(this.#handle);
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
    const lease = this.#arena.lease(this.#table.outputBytes(index, precision));
    this.#binding.copyOutput(this.#handle, index, lease.slabId, lease.byteOffset);
    this.#arena.copies.count('dynamic_output', lease.byteLength);
    return new Tensor(precision, shape, lease);
  }
}
