import type { BlockingPool } from '../blocking/blocking-pool.js';
import type { ServerSettings } from '../config/settings.js';
import { ServingError } from '../errors.js';
import type { CompiledModelReference, InlineVariant } from '../inference/inference.js';
import { INLINE_BOUND_MICROS } from '../inference/inline-gate.js';
import { portBytes } from '../inference/port-bytes.js';
import type { CompileSpecification, ModelDescription, NativeBinding } from '../native/binding.js';
import { log } from '../observability/logger.js';

/** As inline inference wants it; a sync inference on several streams takes ten times as long (measured). */
const INLINE_PROPERTIES = { NUM_STREAMS: 1, INFERENCE_NUM_THREADS: 1 } as const;
/** With its way to a stream's thread and back an inference at the bound takes about so many times the bound. */
const WORTH_COMPILING = 2;

export type CompilerSettings = Pick<ServerSettings, 'cacheDir' | 'inferenceThreads' | 'nodeExecutor' | 'backend'>;

/** Fills entries of the process-wide registry and holds them for the control plane until they are released. */
export class ModelCompiler {
  readonly cacheDir: string | null;
  /** `INFERENCE_NUM_THREADS` of models on CPU that do not say it themselves. */
  readonly inferenceThreads: number | null;
  readonly #binding: NativeBinding;
  readonly #pool: BlockingPool;
  readonly #wantsInline: boolean;
  readonly #held = new Set<number>();
  #closed = false;

  /** Of the settings, `nodeExecutor` and `backend` say whether models that are fast enough are compiled for inline inference, too. */
  constructor(
    binding: NativeBinding,
    pool: BlockingPool,
    { cacheDir, inferenceThreads, nodeExecutor, backend }: CompilerSettings,
  ) {
    this.cacheDir = cacheDir;
    this.inferenceThreads = inferenceThreads;
    // Other backends and executors have no thread of their own to infer on.
    this.#wantsInline = backend === 'native' && nodeExecutor === 'adaptive';
    this.#binding = binding;
    this.#pool = pool;
  }

  /**
   * @throws ServingError MODEL_READ_FAILED, MODEL_RESHAPE_FAILED, MODEL_LAYOUT_INVALID, MODEL_BATCHING_INVALID,
   * MODEL_COMPILE_FAILED; SERVER_STOPPING when the compiler is closed before the end
   */
  async compile(specification: CompileSpecification): Promise<CompiledModelReference> {
    const { modelId, description } = await this.#compile(specification);
    try {
      if (specification.joinedRows !== null) await this.#pool.checkRows(modelId, description);
      return {
        modelId,
        specification,
        description,
        inline: await this.#compileInline(modelId, specification, description),
      };
    } catch (error) {
      this.#release(modelId);
      throw error;
    }
  }

  /** Owner workers that have the model open keep it until they close it. */
  release({ modelId, inline }: CompiledModelReference): void {
    this.#release(modelId);
    if (inline !== null) this.#release(inline.modelId);
  }

  close(): void {
    this.#closed = true;
    for (const modelId of [...this.#held]) this.#release(modelId);
  }

  async #compile(specification: CompileSpecification): Promise<{ modelId: number; description: ModelDescription }> {
    if (this.#closed) throw new ServingError('SERVER_STOPPING');
    const modelId = this.#binding.reserveModel();
    this.#held.add(modelId);
    try {
      return { modelId, description: await this.#pool.compile(modelId, specification) };
    } catch (error) {
      if (!this.#held.has(modelId)) throw new ServingError('SERVER_STOPPING', '', { cause: error });
      this.#release(modelId);
      throw error;
    }
  }

  /** Measured as it is and, where that is promising, on one thread; `null` where the way to a stream's thread is worth it. */
  async #compileInline(
    modelId: number,
    specification: CompileSpecification,
    description: ModelDescription,
  ): Promise<InlineVariant | null> {
    if (!this.#wantsInline || specification.device !== 'CPU' || !canInferInline(description)) return null;
    // Inline nothing queues, so nothing would be joined.
    if (specification.joinedRows !== null) return null;
    const worthCompiling = WORTH_COMPILING * INLINE_BOUND_MICROS;
    const elsewhere = await this.#pool.measure(modelId, description, worthCompiling);
    if (elsewhere > worthCompiling) return null;
    const properties = { ...specification.properties, ...INLINE_PROPERTIES };
    const variant = await this.#compile({ ...specification, properties });
    let isKept = false;
    try {
      const micros = await this.#pool.measure(variant.modelId, description, INLINE_BOUND_MICROS);
      log.modelmanager.debug(
        `${specification.path}: ${elsewhere.toFixed(0)} us an inference, inline ${micros.toFixed(0)} us`,
      );
      isKept = micros <= INLINE_BOUND_MICROS;
      return isKept ? { modelId: variant.modelId, micros } : null;
    } finally {
      if (!isKept) this.#release(variant.modelId);
    }
  }

  #release(modelId: number): void {
    if (this.#held.delete(modelId)) this.#binding.releaseModel(modelId);
  }
}

/** Larger tensors cannot be read and written below the bound. */
const LARGEST_BYTES = 4 << 20;

/** Not where a fault would be lost on the calling thread, nor where two infer requests would remember different things. */
function canInferInline({ inputs, outputs, mayFailInside, hasState }: ModelDescription): boolean {
  if (mayFailInside || hasState) return false;
  const sizes = [...inputs, ...outputs].map(portBytes);
  return sizes.every((size) => size > 0) && sizes.reduce((sum, size) => sum + size, 0) <= LARGEST_BYTES;
}
