import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';

import { ServingError } from '../errors.js';
import type { NativeBinding } from '../native/binding.js';
import { fromNativeStatus } from '../native/errors.js';
import { log } from '../observability/logger.js';
import type { Arena } from '../tensors/arena.js';
import { precisionOfElementType, type Precision } from '../tensors/precision.js';
import type { SlabRegistrar } from '../tensors/slab-registrar.js';
import { Tensor } from '../tensors/tensor.js';
import type {
  CompiledModelReference,
  Inference,
  InferenceDone,
  InferenceModel,
  InferRequest,
  OutputTarget,
} from './inference.js';
import { NativeInference } from './native-inference.js';
import type { NodeTask, NodeTaskResult, TaskTensor } from './node-task.js';

/**
 * One piscina task per node: a pool thread infers synchronously over the same shared memory. Stateful models run asynchronously here,
 * too: the turns of their sequences belong to this thread. Kept selectable beside the asynchronous
 * executor, which it loses to by 76-100 against 13 microseconds of CPU a node (measured); `benchmarks/` shows both.
 */
export class PiscinaInference implements Inference {
  readonly memory: SlabRegistrar;
  readonly #binding: NativeBinding;
  readonly #native: NativeInference;
  readonly #pool: Piscina;
  /** How many models were released, for the pool's threads. */
  readonly #releases = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  #arena: Arena | null = null;
  #isClosed = false;

  constructor(binding: NativeBinding) {
    this.memory = binding;
    this.#binding = binding;
    this.#native = new NativeInference(binding);
    const threads = availableParallelism();
    this.#pool = new Piscina({
      filename: new URL('./node-task.js', import.meta.url).href,
      minThreads: threads,
      maxThreads: threads,
      // With its default a waiting worker sits in Atomics.wait and its event loop stands still.
      atomics: 'disabled',
      workerData: this.#releases,
    });
  }

  useArena(arena: Arena): void {
    this.#arena = arena;
    this.#native.useArena(arena);
  }

  openModel(reference: CompiledModelReference): Promise<InferenceModel> {
    if (reference.specification.stateful !== null) return this.#native.openModel(reference);
    const { modelId, description } = reference;
    const precisions = description.outputs.map((port) => precisionOfElementType(port.elementType)!);
    const model = this.#binding.openModel(modelId);
    // The control plane releases its entry while requests of a replaced version still run: a thread may open the model only then.
    const shared = this.#binding.shareModel(model);
    this.#binding.closeModel(model);
    return Promise.resolve({
      createInferRequest: () => this.#createInferRequest(shared, precisions),
      close: () => this.#release(shared),
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pool.close({ force: true });
  }

  /** Threads close what is released when they run next; those that are idle are woken for it. */
  #release(modelId: number): void {
    this.#binding.releaseModel(modelId);
    Atomics.add(this.#releases, 0, 1);
    if (this.#isClosed) return;
    for (let thread = 0; thread < this.#pool.maxThreads; thread += 1) {
      this.#pool.run(undefined, { name: 'closeReleased' }).catch((error: unknown) => {
        if (!this.#isClosed) log.serving.error(`Models could not be closed: ${String(error)}`);
      });
    }
  }

  /** The slot only limits how many inferences of a model run at once; the pool's threads have infer requests of their own. */
  #createInferRequest(modelId: number, outputPrecisions: readonly Precision[]): InferRequest {
    return {
      infer: (inputs, outputs, done) => {
        const task: NodeTask = {
          modelId,
          inputs: inputs.map(taskTensor),
          outputs: outputs.map((target) => (typeof target === 'string' ? target : taskTensor(target))),
          outputPrecisions,
        };
        (this.#pool.run(task) as Promise<NodeTaskResult>).then(
          (result) => this.#finish(result, outputs, outputPrecisions, done),
          (error: unknown) => done(new ServingError('WORKER_LOST', String(error), { cause: error }), null, 0),
        );
      },
      close: () => undefined,
    };
  }

  #finish(
    { status, text, inferMicros, allocated }: NodeTaskResult,
    outputs: readonly OutputTarget[],
    precisions: readonly Precision[],
    done: InferenceDone,
  ): void {
    if (status !== 0) return done(fromNativeStatus(status, text), null, inferMicros);
    const tensors = outputs.map((target, index) => {
      if (target instanceof Tensor) return target;
      const result = allocated[index];
      if (target === 'discard' || !result) return null;
      const lease = this.#arena!.lease(result.bytes.byteLength);
      // Twice: the worker has copied it out of OpenVINO's memory before.
      this.#arena!.copies.count('dynamic_output', result.bytes.byteLength);
      this.#arena!.copyIn(lease, result.bytes, 'dynamic_output');
      return new Tensor(precisions[index]!, result.shape, lease);
    });
    done(null, tensors, inferMicros);
  }
}

function taskTensor({ shape, lease, byteOffset }: Tensor): TaskTensor {
  return { buffer: lease.buffer, byteOffset, shape };
}
