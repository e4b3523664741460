import type { BlockingPool } from '../blocking/blocking-pool.js';
import type { ServerSettings } from '../config/settings.js';
import { ServingError } from '../errors.js';
import type { CompiledModelReference, InlineVariant, ThroughputVariant } from '../inference/inference.js';
import { INLINE_BOUND_MICROS } from '../inference/inline-gate.js';
import { portBytes } from '../inference/port-bytes.js';
import type { CompileSpecification, ModelDescription, NativeBinding } from '../native/binding.js';
import { log } from '../observability/logger.js';
import { folderStamp } from './folder-stamp.js';

/** As inline inference wants it; a sync inference on several streams takes ten times as long (measured). */
const INLINE_PROPERTIES = { NUM_STREAMS: 1, INFERENCE_NUM_THREADS: 1 } as const;
/** Behind each inference another one, or a stream would wait for the event loop in between: 1 % of the rate of large networks (measured). */
const REQUESTS_A_STREAM = 2;
const THROUGHPUT_PROPERTIES = { PERFORMANCE_HINT: 'THROUGHPUT' } as const;
/** With its way to a stream's thread and back an inference at the bound takes about so many times the bound. */
const WORTH_COMPILING = 2;

export type CompilerSettings = Pick<ServerSettings, 'cacheDir' | 'inferenceThreads' | 'nodeExecutor' | 'backend'>;

/** A model that follows the load. */
interface Following {
  readonly reference: CompiledModelReference;
  /** Of its files, as they were before it was read. */
  readonly stamp: string;
  /** `null` until somebody has asked for it. */
  variant: Promise<ThroughputVariant | null> | null;
}

/** Fills entries of the process-wide registry and holds them for the control plane until they are released. */
export class ModelCompiler {
  readonly cacheDir: string | null;
  /** `INFERENCE_NUM_THREADS` of models on CPU that do not say it themselves. */
  readonly inferenceThreads: number | null;
  readonly #binding: NativeBinding;
  readonly #pool: BlockingPool;
  readonly #isAdaptive: boolean;
  readonly #held = new Set<number>();
  /** By the number of the model. */
  readonly #following = new Map<number, Following>();
  #closed = false;

  /**
   * Of the settings, `nodeExecutor` and `backend` say whether models that are fast enough are compiled for inline inference, too, and
   * others for throughput when that is wanted.
   */
  constructor(
    binding: NativeBinding,
    pool: BlockingPool,
    { cacheDir, inferenceThreads, nodeExecutor, backend }: CompilerSettings,
  ) {
    this.cacheDir = cacheDir;
    this.inferenceThreads = inferenceThreads;
    // Other backends and executors have no thread of their own to infer on.
    this.#isAdaptive = backend === 'native' && nodeExecutor === 'adaptive';
    this.#binding = binding;
    this.#pool = pool;
  }

  /**
   * @param followsLoad nobody chose how many inferences there are to be at a time.
   * @throws ServingError MODEL_READ_FAILED, MODEL_RESHAPE_FAILED, MODEL_LAYOUT_INVALID, MODEL_BATCHING_INVALID,
   * MODEL_NOT_JOINED, MODEL_COMPILE_FAILED; SERVER_STOPPING when the compiler is closed before the end
   */
  async compile(specification: CompileSpecification, followsLoad = false): Promise<CompiledModelReference> {
    const mayFollow = followsLoad && this.#mayFollowLoad(specification);
    const stamp = mayFollow ? await folderStamp(specification.path) : '';
    const { modelId, description } = await this.#compile(specification);
    try {
      if (description.compiledByShape !== undefined) {
        log.modelmanager.info(
          `${specification.path}: compiled for the shapes of each request by themselves: ${description.compiledByShape}`,
        );
      }
      const inline = await this.#compileInline(modelId, specification, description);
      // Infer requests that remember something must stay those that they are.
      const follows = mayFollow && inline === null && !description.hasState;
      const reference = { modelId, specification, description, inline, followsLoad: follows };
      if (reference.followsLoad) this.#following.set(modelId, { reference, stamp, variant: null });
      return reference;
    } catch (error) {
      this.#release(modelId);
      throw error;
    }
  }

  /**
   * As {@link compile}; a model whose requests cannot be joined is compiled for single ones, and the log says why.
   *
   * @throws ServingError as `compile`, but for MODEL_NOT_JOINED
   */
  async compileJoined(specification: CompileSpecification, followsLoad: boolean): Promise<CompiledModelReference> {
    try {
      return await this.compile(specification, followsLoad);
    } catch (error) {
      if (!(error instanceof ServingError && error.code === 'MODEL_NOT_JOINED')) throw error;
      const single = await this.compile({ ...specification, joinedRows: null }, followsLoad);
      log.modelmanager.warning(`${specification.path}: requests are inferred one by one: ${error.detail}`);
      return single;
    }
  }

  /**
   * A model once more, for as many inferences at a time as are best for the device: whoever asks first has it compiled. It goes with the
   * model. `null`: that one is gone, or does not follow the load, or would have no more of them, or cannot be compiled so or
   * has other files by now, which the log tells.
   */
  compileForThroughput(modelId: number): Promise<ThroughputVariant | null> {
    const following = this.#following.get(modelId);
    if (following === undefined) return Promise.resolve(null);
    return (following.variant ??= this.#compileForThroughput(following));
  }

  /** Owner workers that have the model open keep it until they close it. */
  release({ modelId, inline }: CompiledModelReference): void {
    this.#release(modelId);
    if (inline !== null) this.#release(inline.modelId);
    const following = this.#following.get(modelId);
    this.#following.delete(modelId);
    void following?.variant?.then((variant) => variant !== null && this.#release(variant.modelId));
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
    if (!this.#isAdaptive || specification.device !== 'CPU' || !canInferInline(description)) return null;
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

  /** Batches are several requests at a time already, and the requests of a sequence one after the other. */
  #mayFollowLoad({ device, joinedRows, stateful }: CompileSpecification): boolean {
    return this.#isAdaptive && device === 'CPU' && joinedRows === null && stateful === null;
  }

  /** Never rejects: the model serves as it is. */
  async #compileForThroughput({ reference, stamp }: Following): Promise<ThroughputVariant | null> {
    const { modelId, specification, description } = reference;
    const properties = { ...specification.properties, ...THROUGHPUT_PROPERTIES };
    try {
      const variant = await this.#compile({ ...specification, properties });
      const streams = variant.description.optimalInferRequests;
      const isSame = (await folderStamp(specification.path)) === stamp;
      if (!isSame) {
        log.modelmanager.warning(
          `${specification.path}: not compiled for throughput: expected the files it was loaded from`,
        );
      }
      if (!isSame || !this.#following.has(modelId) || streams <= description.optimalInferRequests) {
        this.#release(variant.modelId);
        return null;
      }
      const nireq = streams * REQUESTS_A_STREAM;
      log.modelmanager.info(
        `${specification.path}: compiled for throughput, too, because requests wait for one another; infer requests: ${nireq}`,
      );
      return { modelId: variant.modelId, nireq };
    } catch (error) {
      if (!(error instanceof ServingError && error.code === 'SERVER_STOPPING')) {
        log.modelmanager.warning(`${specification.path}: could not be compiled for throughput: ${String(error)}`);
      }
      return null;
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
