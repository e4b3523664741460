import type { BlockingPool } from '../blocking/blocking-pool.js';
import type { ServerSettings } from '../config/settings.js';
import { ServingError } from '../errors.js';
import type { CompiledModelReference, InlineVariant, ThroughputVariant } from '../inference/inference.js';
import { INLINE_BOUND_MICROS } from '../inference/inline-gate.js';
import { portBytes } from '../inference/port-bytes.js';
import type { CompileSpecification, ModelDescription, NativeBinding } from '../native/binding.js';
import { log } from '../observability/logger.js';
import { folderStamp } from './folder-stamp.js';
import { ModelTrials, type Compiled } from './model-trials.js';

/**
 * As inline inference wants it: on the calling thread. A sync inference on several streams takes ten times as long (measured), and a
 * stream would have two threads that nobody uses.
 */
const INLINE_PROPERTIES = { NUM_STREAMS: 0, INFERENCE_NUM_THREADS: 1 } as const;
/** Behind each inference another one, or a stream would wait for the event loop in between: 1 % of the rate of large networks (measured). */
const REQUESTS_A_STREAM = 2;
const THROUGHPUT_PROPERTIES = { PERFORMANCE_HINT: 'THROUGHPUT' } as const;
/** A version whose files are replaced while it is compiled is compiled again, so often. */
const MOST_READINGS = 3;
/** With its way to a stream's thread and back an inference at the bound takes about so many times the bound. */
const WORTH_COMPILING = 2;

export type CompilerSettings = Pick<
  ServerSettings,
  'cacheDir' | 'inferenceThreads' | 'nodeExecutor' | 'backend' | 'triesModels'
>;

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
  /** `null`: answers are not compared. */
  readonly #trials: ModelTrials | null;
  readonly #held = new Set<number>();
  /** Numbers of models whose threads flush denormals: these are kept until the process ends. */
  readonly #flushing = new Set<number>();
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
    { cacheDir, inferenceThreads, nodeExecutor, backend, triesModels }: CompilerSettings,
  ) {
    this.cacheDir = cacheDir;
    this.inferenceThreads = inferenceThreads;
    // Other backends and executors have no thread of their own to infer on.
    this.#isAdaptive = backend === 'native' && nodeExecutor === 'adaptive';
    this.#binding = binding;
    this.#pool = pool;
    const compiler = {
      compile: (specification: CompileSpecification) => this.#compile(specification),
      release: (modelId: number) => this.#release(modelId),
    };
    this.#trials = triesModels ? new ModelTrials(binding, pool, compiler) : null;
  }

  /**
   * Compiles what a model directory has, and compares the answers of what is not plain with those of a plain compile. All that a start
   * compiles is of the same files: where these are replaced meanwhile everything is compiled again.
   *
   * @param followsLoad nobody chose how many inferences there are to be at a time.
   * @throws ServingError MODEL_READ_FAILED, MODEL_MAPPING_INVALID, MODEL_RESHAPE_FAILED, MODEL_LAYOUT_INVALID,
   * MODEL_BATCHING_INVALID, MODEL_NOT_JOINED, MODEL_COMPILE_FAILED; SERVER_STOPPING when the compiler is closed before the end
   */
  async compile(specification: CompileSpecification, followsLoad = false): Promise<CompiledModelReference> {
    const mayFollow = followsLoad && this.#mayFollowLoad(specification);
    for (let reading = 1; reading <= MOST_READINGS; reading += 1) {
      const stamp = await folderStamp(specification.path);
      const reference = await this.#compileOnce(specification, mayFollow, stamp);
      if ((await folderStamp(specification.path)) === stamp) {
        if (reference.followsLoad) this.#following.set(reference.modelId, { reference, stamp, variant: null });
        return reference;
      }
      this.release(reference);
    }
    throw new ServingError(
      'MODEL_READ_FAILED',
      `${specification.path}: expected files that stay as they are, they were replaced while they were read`,
    );
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

  /** All compilations of a start; the files may be others for each of them. */
  async #compileOnce(
    specification: CompileSpecification,
    mayFollow: boolean,
    stamp: string,
  ): Promise<CompiledModelReference> {
    const loaded = await this.#compileTried(specification, stamp);
    const { modelId, description } = loaded;
    try {
      const inline = await this.#compileInline(loaded);
      // A second single stream would be two threads more for each model.
      const replacesIt = inline !== null && description.streams === 1;
      if (replacesIt) this.#release(modelId);
      // Infer requests that remember something must stay those that they are.
      const follows = mayFollow && inline === null && !description.hasState;
      return { ...loaded, modelId: replacesIt ? inline.modelId : modelId, inline, followsLoad: follows };
    } catch (error) {
      this.#release(modelId);
      throw error;
    }
  }

  async #compileTried(specification: CompileSpecification, stamp: string): Promise<Compiled> {
    const compiled = await this.#compile(specification);
    if (compiled.description.sharedConstants === 'one stream') {
      log.modelmanager.warning(
        `${specification.path}: compiled for one stream, because OpenVINO would not answer rightly on several`,
      );
    }
    if (compiled.description.compiledByShape !== undefined) {
      log.modelmanager.info(
        `${specification.path}: compiled for the shapes of each request by themselves: ${compiled.description.compiledByShape}`,
      );
    }
    if (this.#trials === null) return compiled;
    try {
      return await this.#trials.tryLoaded(compiled, stamp);
    } catch (error) {
      this.#release(compiled.modelId);
      throw error;
    }
  }

  async #compile(specification: CompileSpecification): Promise<Compiled> {
    if (this.#closed) throw new ServingError('SERVER_STOPPING');
    const modelId = this.#binding.reserveModel();
    this.#held.add(modelId);
    if (asksForFlush(specification)) this.#flushing.add(modelId);
    try {
      return { modelId, specification, description: await this.#pool.compile(modelId, specification) };
    } catch (error) {
      if (!this.#held.has(modelId)) throw new ServingError('SERVER_STOPPING', '', { cause: error });
      this.#release(modelId);
      throw error;
    }
  }

  /** Measured as it is and, where that is promising, on one thread; `null` where the way to a stream's thread is worth it. */
  async #compileInline(model: Compiled): Promise<InlineVariant | null> {
    const { modelId, specification, description } = model;
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
      isKept = micros <= INLINE_BOUND_MICROS && (await this.#answersAlike(model, variant, 'for inline inference'));
      return isKept ? { modelId: variant.modelId, micros } : null;
    } finally {
      if (!isKept) this.#release(variant.modelId);
    }
  }

  async #answersAlike(model: Compiled, variant: Compiled, purpose: string): Promise<boolean> {
    return this.#trials === null || this.#trials.tryVariant(model, variant, purpose);
  }

  /** Batches are several requests at a time already, and the requests of a sequence one after the other. */
  #mayFollowLoad({ device, joinedRows, stateful }: CompileSpecification): boolean {
    return this.#isAdaptive && device === 'CPU' && joinedRows === null && stateful === null;
  }

  /** Never rejects: the model serves as it is. */
  async #compileForThroughput({ reference, stamp }: Following): Promise<ThroughputVariant | null> {
    const { specification } = reference;
    const properties = { ...specification.properties, ...THROUGHPUT_PROPERTIES };
    try {
      const variant = await this.#compile({ ...specification, properties });
      let isKept = false;
      try {
        isKept = await this.#isWorthKeeping(reference, stamp, variant);
      } finally {
        if (!isKept) this.#release(variant.modelId);
      }
      if (!isKept) return null;
      const nireq = variant.description.optimalInferRequests * REQUESTS_A_STREAM;
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

  /** Of the same files as the model that serves, for more inferences at a time, and with the same answers; the model is still there. */
  async #isWorthKeeping(reference: CompiledModelReference, stamp: string, variant: Compiled): Promise<boolean> {
    const { modelId, specification, description } = reference;
    if (variant.description.optimalInferRequests <= description.optimalInferRequests) return false;
    if ((await folderStamp(specification.path)) !== stamp) {
      log.modelmanager.warning(
        `${specification.path}: not compiled for throughput: expected the files it was loaded from`,
      );
      return false;
    }
    if (!this.#following.has(modelId)) return false;
    return (await this.#answersAlike(reference, variant, 'for throughput')) && this.#following.has(modelId);
  }

  /**
   * OpenVINO hands the threads of a released model on to the next one, with their treatment of denormals, which makes integer
   * operations of that model wrong. So a model that was compiled to flush them stays, and its threads with it.
   */
  #release(modelId: number): void {
    if (this.#flushing.has(modelId)) return;
    if (this.#held.delete(modelId)) this.#binding.releaseModel(modelId);
  }
}

/** Whether the user wants denormals flushed, for the device itself or for one that a virtual device uses. */
function asksForFlush({ properties }: CompileSpecification): boolean {
  const own = properties['CPU_DENORMALS_OPTIMIZATION'];
  if (own !== undefined) return !/^(no|false|0)$/i.test(String(own));
  return String(properties['DEVICE_PROPERTIES'] ?? '').includes('CPU_DENORMALS_OPTIMIZATION');
}

/** Larger tensors cannot be read and written below the bound. */
const LARGEST_BYTES = 4 << 20;

/** Not where a fault would be lost on the calling thread, nor where two infer requests would remember different things. */
function canInferInline({ inputs, outputs, mayFailInside, hasState }: ModelDescription): boolean {
  if (mayFailInside || hasState) return false;
  const sizes = [...inputs, ...outputs].map(portBytes);
  return sizes.every((size) => size > 0) && sizes.reduce((sum, size) => sum + size, 0) <= LARGEST_BYTES;
}
