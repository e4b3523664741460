import { BindingTable } from '#src/inference/binding-table.js';
import type { CompiledModelReference, Inference, InferenceModel, InferRequest } from '#src/inference/inference.js';
import type { CompiledModelHandle, ModelDescription, NativeBinding } from '#src/native/binding.js';
import { fromNativeStatus } from '#src/native/errors.js';
import type { SlabRegistrar } from '#src/tensors/slab-registrar.js';
import { Tensor } from '#src/tensors/tensor.js';

/** For `takeError`; one inference at a time runs on this thread. */
const TOKEN = 0;

/** Infers on the calling thread: `infer` returns when the node has ended. Only for outputs of known shape. */
export class InlineInference implements Inference {
  readonly memory: SlabRegistrar;
  readonly #binding: NativeBinding;

  constructor(binding: NativeBinding) {
    this.memory = binding;
    this.#binding = binding;
  }

  useArena(): void {
    // Only outputs of unknown shape would be leased here.
  }

  openModel({ modelId, description }: CompiledModelReference): Promise<InferenceModel> {
    const handle = this.#binding.openModel(modelId);
    return Promise.resolve({
      createInferRequest: () => this.#createInferRequest(handle, description),
      close: () => this.#binding.closeModel(handle),
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #createInferRequest(model: CompiledModelHandle, { inputs, outputs }: ModelDescription): InferRequest {
    const table = new BindingTable(inputs.length, outputs.length);
    const handle = this.#binding.createInferRequest(model, table.numbers);
    return {
      infer: (given, targets, done) => {
        const fault = table.write(given, targets);
        if (fault !== null) throw new Error(fault);
        const status = this.#binding.infer(handle, TOKEN);
        if (status !== 0) return done(fromNativeStatus(status, this.#binding.takeError(TOKEN)), null, 0);
        done(
          null,
          targets.map((target) => (target instanceof Tensor ? target : null)),
          0,
        );
      },
      close: () => this.#binding.closeInferRequest(handle),
    };
  }
}
