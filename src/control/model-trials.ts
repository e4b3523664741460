import type { BlockingPool } from '../blocking/blocking-pool.js';
import { REFERENCE_REQUESTS, trialShapes, type TrialReference } from '../blocking/compare-answers.js';
import type { CompileSpecification, ModelDescription, NativeBinding } from '../native/binding.js';
import { log } from '../observability/logger.js';
import { RememberedAnswers } from './remembered-answers.js';

/** A model in an entry of the process-wide registry. */
export interface Compiled {
  readonly modelId: number;
  readonly specification: CompileSpecification;
  readonly description: ModelDescription;
}

/** What fills entries of the registry, and frees them. */
export interface Compiler {
  /** @throws ServingError */
  compile(specification: CompileSpecification): Promise<Compiled>;
  release(modelId: number): void;
}

/** Each stream is to answer at least once: with one request for each, a fast one could answer for others. */
const REQUESTS_A_STREAM = 2;

/** What stays of the properties in a plain compile: what decides which numbers are right, not how many are made at a time. */
const CACHE_DIR = 'CACHE_DIR';
const OF_STREAMS = [CACHE_DIR, 'NUM_STREAMS', 'PERFORMANCE_HINT', 'PERFORMANCE_HINT_NUM_REQUESTS', 'DEVICE_PROPERTIES'];
const OF_NUMBERS = ['INFERENCE_PRECISION_HINT', 'EXECUTION_MODE_HINT', 'DYNAMIC_QUANTIZATION_GROUP_SIZE'];

/**
 * The one safety net below everything that makes a model faster: asks compiled models seeded numbers and has their answers compared, bit
 * for bit, with those of a plain compile for one stream.
 */
export class ModelTrials {
  readonly #binding: NativeBinding;
  readonly #pool: BlockingPool;
  readonly #compiler: Compiler;

  constructor(binding: NativeBinding, pool: BlockingPool, compiler: Compiler) {
    this.#binding = binding;
    this.#pool = pool;
    this.#compiler = compiler;
  }

  /**
   * Tries a model of several streams, and one that the cache gave. A cached model's right answers are remembered beside it, so that it
   * need not be compiled plainly at each start.
   *
   * @param stamp of the files that the model was read from.
   * @returns the model, or the plain one instead, which the log tells; the other one is released.
   * @throws ServingError of the plain compile
   */
  async tryLoaded(compiled: Compiled, stamp: string): Promise<Compiled> {
    const { modelId, specification, description } = compiled;
    const reference = referenceOf(compiled);
    if (reference === null || !this.#isOnCpu(specification.device)) return compiled;
    const cacheDir = specification.properties[CACHE_DIR];
    const isPlain = !hasSeveralStreams(description) && !description.loadedFromCache;
    if (isPlain && cacheDir === undefined) return compiled;
    const plain = plainOf(specification);
    const requests = requestsOf(description);
    const remembered =
      typeof cacheDir === 'string'
        ? new RememberedAnswers(cacheDir, [this.#binding.openvinoVersion(), stamp, plain])
        : null;
    if (remembered !== null) {
      const digest = await this.#pool.digestAnswers(reference, isPlain ? REFERENCE_REQUESTS : requests);
      if (isPlain) return remembered.write(digest).then(() => compiled);
      if (digest !== null && digest === (await remembered.read())) return compiled;
    }
    const judge = await this.#compiler.compile(plain);
    let kept = compiled;
    try {
      const expected = { ...reference, modelId: judge.modelId };
      await remembered?.write(await this.#pool.digestAnswers(expected, REFERENCE_REQUESTS));
      const difference = await this.#pool.compareAnswers(expected, { modelId, requests });
      if (difference !== null) {
        kept = judge;
        const what = description.loadedFromCache ? 'from the cache' : `${description.streams} streams`;
        log.modelmanager.warning(
          `${specification.path}: compiled for one stream, because ${what} answered otherwise: ${difference}`,
        );
      }
    } finally {
      this.#compiler.release(kept === compiled ? judge.modelId : modelId);
    }
    return kept;
  }

  /**
   * Tries a variant of a model that serves.
   *
   * @param purpose for the log, for example `for throughput`.
   * @returns whether both answer alike; the log tells when they do not.
   */
  async tryVariant(model: Compiled, variant: Compiled, purpose: string): Promise<boolean> {
    const reference = referenceOf(model);
    if (reference === null) return true;
    const requests = requestsOf(variant.description);
    const difference = await this.#pool.compareAnswers(reference, { modelId: variant.modelId, requests });
    if (difference === null) return true;
    log.modelmanager.warning(
      `${model.specification.path}: not compiled ${purpose}, because it answered otherwise so: ${difference}`,
    );
    return false;
  }

  /** AUTO and the others choose among all devices, and another one than CPU has answers of its own. */
  #isOnCpu(device: string): boolean {
    return device === 'CPU' || this.#binding.availableDevices().every((name) => name === 'CPU');
  }
}

function referenceOf({ modelId, description }: Compiled): TrialReference | null {
  const shapes = trialShapes(description);
  return shapes === null ? null : { modelId, shapes };
}

/** AUTO and others do not tell streams, but how many infer requests are best. */
function hasSeveralStreams({ streams, optimalInferRequests }: ModelDescription): boolean {
  return Math.max(streams, optimalInferRequests) > 1;
}

function requestsOf(description: ModelDescription): number {
  const { streams, optimalInferRequests } = description;
  return hasSeveralStreams(description) ? REQUESTS_A_STREAM * Math.max(streams, optimalInferRequests) : 1;
}

function plainOf(specification: CompileSpecification): CompileSpecification {
  const isCpu = specification.device === 'CPU';
  const stays = (name: string): boolean => (isCpu ? !OF_STREAMS.includes(name) : OF_NUMBERS.includes(name));
  const properties = Object.fromEntries(Object.entries(specification.properties).filter(([name]) => stays(name)));
  return { ...specification, device: 'CPU', properties: { ...properties, NUM_STREAMS: 1 } };
}
