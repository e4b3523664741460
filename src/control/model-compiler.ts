import type { BlockingPool } from '../blocking/blocking-pool.js';
import type { ServerSettings } from '../config/settings.js';
import { ServingError } from '../errors.js';
import type { CompiledModelReference } from '../inference/inference.js';
import type { CompileSpecification, NativeBinding } from '../native/binding.js';

/** Fills entries of the process-wide registry and holds them for the control plane until they are released. */
export class ModelCompiler {
  readonly cacheDir: string | null;
  /** `INFERENCE_NUM_THREADS` of models on CPU that do not say it themselves. */
  readonly inferenceThreads: number | null;
  readonly #binding: NativeBinding;
  readonly #pool: BlockingPool;
  readonly #held = new Set<number>();
  #closed = false;

  constructor(
    binding: NativeBinding,
    pool: BlockingPool,
    { cacheDir, inferenceThreads }: Pick<ServerSettings, 'cacheDir' | 'inferenceThreads'>,
  ) {
    this.cacheDir = cacheDir;
    this.inferenceThreads = inferenceThreads;
    this.#binding = binding;
    this.#pool = pool;
  }

  /**
   * @throws ServingError MODEL_READ_FAILED, MODEL_RESHAPE_FAILED, MODEL_LAYOUT_INVALID, MODEL_COMPILE_FAILED; SERVER_STOPPING when
   * the compiler is closed before the end
   */
  async compile(specification: CompileSpecification): Promise<CompiledModelReference> {
    if (this.#closed) throw new ServingError('SERVER_STOPPING');
    const modelId = this.#binding.reserveModel();
    this.#held.add(modelId);
    try {
      return { modelId, specification, description: await this.#pool.compile(modelId, specification) };
    } catch (error) {
      if (!this.#held.has(modelId)) throw new ServingError('SERVER_STOPPING', '', { cause: error });
      this.#release(modelId);
      throw error;
    }
  }

  /** Owner workers that have the model open keep it until they close it. */
  release({ modelId }: CompiledModelReference): void {
    this.#release(modelId);
  }

  close(): void {
    this.#closed = true;
    for (const modelId of [...this.#held]) this.#release(modelId);
  }

  #release(modelId: number): void {
    if (this.#held.delete(modelId)) this.#binding.releaseModel(modelId);
  }
}
