import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';

import { ServingError } from '../errors.js';
import type { DecodedPredictBody } from '../frontends/rest/predict-json.js';
import type {
  CompileSpecification,
  CustomNodeDescription,
  CustomNodeSpecification,
  ModelDescription,
} from '../native/binding.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import type { BlockingResult, BlockingTask } from './tasks.js';

/** Idle workers are kept this long: a load pass comes in bursts. */
const IDLE_MS = 2_000;

/** A piscina pool for what would block an event loop. Its workers hold nothing between two tasks. */
export class BlockingPool {
  readonly #pool = new Piscina({
    filename: new URL('./tasks.js', import.meta.url).href,
    minThreads: 0,
    maxThreads: Math.max(2, availableParallelism()),
    idleTimeout: IDLE_MS,
    // With its default a waiting worker sits in Atomics.wait and its event loop stands still.
    atomics: 'disabled',
  });

  /**
   * Reads and compiles into a registry entry that this thread has reserved.
   *
   * @throws ServingError MODEL_READ_FAILED, MODEL_RESHAPE_FAILED, MODEL_LAYOUT_INVALID, MODEL_COMPILE_FAILED
   */
  compile(modelId: number, specification: CompileSpecification): Promise<ModelDescription> {
    return this.#run({ kind: 'compile', modelId, specification });
  }

  /**
   * Loads a library and initializes a custom node of it into a registry entry that this thread has reserved.
   *
   * @throws ServingError PIPELINE_LIBRARY_INVALID, CUSTOM_NODE_INITIALIZE_FAILED, CUSTOM_NODE_METADATA_FAILED
   */
  initializeCustomNode(customNodeId: number, specification: CustomNodeSpecification): Promise<CustomNodeDescription> {
    return this.#run({ kind: 'initialize-custom-node', customNodeId, specification });
  }

  /**
   * Decodes the JSON body of a predict request.
   *
   * @throws ServingError of the rule that the body breaks
   */
  decodePredictBody(body: Uint8Array, inputs: readonly TensorInfo[]): Promise<DecodedPredictBody> {
    return this.#run({ kind: 'decode-predict-body', body, inputs });
  }

  /** Ends the workers; a task that runs is ended with them. */
  close(): Promise<void> {
    return this.#pool.close({ force: true });
  }

  async #run<T>(task: BlockingTask): Promise<T> {
    const result = (await this.#pool.run(task)) as BlockingResult<T>;
    if ('code' in result) throw new ServingError(result.code, result.detail);
    return result.value;
  }
}
