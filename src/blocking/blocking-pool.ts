import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';

import { ServingError } from '../errors.js';
import type { InferDocument } from '../frontends/rest/kserve/infer-json.js';
import type { DecodedPredictBody } from '../frontends/rest/predict-json.js';
import type {
  CompileSpecification,
  CustomNodeDescription,
  CustomNodeSpecification,
  ModelDescription,
} from '../native/binding.js';
import type { PictureDecoder, PictureTarget } from '../servables/strings/picture-decoder.js';
import type { PictureShape } from '../tensors/picture.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import type { TriedModel, TrialReference } from './compare-answers.js';
import type { BlockingResult, BlockingTask, DecodePictureTask, MeasurePictureTask } from './tasks.js';

/** Load passes come in bursts: their workers are soon not needed any more. */
const LOADING_IDLE_MS = 2_000;
/** Requests come again, and a worker that has decoded a picture holds a library that takes a tenth of a second to load. */
export const SERVING_IDLE_MS = 60_000;

/** Threads for work that has a core busy. */
export const LOADING_THREADS = Math.max(2, availableParallelism());
/** Threads that come to these while compilations take long; they are started only then. */
export const SLOW_LOADING_THREADS = 6;

/** A piscina pool for what would block an event loop. Its workers hold nothing between two tasks. */
export class BlockingPool implements PictureDecoder {
  readonly #pool: Piscina;

  /**
   * @param idleMs how long workers without a task are kept.
   * @param mostThreads that there are ever.
   */
  constructor(idleMs = LOADING_IDLE_MS, mostThreads = LOADING_THREADS + SLOW_LOADING_THREADS) {
    this.#pool = new Piscina({
      filename: new URL('./tasks.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: mostThreads,
      idleTimeout: idleMs,
      // With its default a waiting worker sits in Atomics.wait and its event loop stands still.
      atomics: 'disabled',
    });
  }

  /** Starts a thread for each core now, where their first tasks are known to come. */
  prepare(): void {
    const prepared = Array.from({ length: LOADING_THREADS }, () => this.#run({ kind: 'prepare' }));
    // A pool that is closed before drops its tasks.
    Promise.all(prepared).catch(() => undefined);
  }

  /**
   * Reads and compiles into a registry entry that this thread has reserved.
   *
   * @throws ServingError MODEL_READ_FAILED, MODEL_MAPPING_INVALID, MODEL_RESHAPE_FAILED, MODEL_LAYOUT_INVALID, MODEL_COMPILE_FAILED
   */
  compile(modelId: number, specification: CompileSpecification): Promise<ModelDescription> {
    return this.#run({ kind: 'compile', modelId, specification });
  }

  /**
   * Microseconds of an inference of a compiled model whose shapes are all known, over zeros; infinite where it fails.
   *
   * @param wanted below this one need not look closer.
   */
  measure(modelId: number, description: ModelDescription, wanted: number): Promise<number> {
    return this.#run({ kind: 'measure', modelId, description, wanted });
  }

  /** The first difference between the answers of two models to the same seeded numbers; `null` when there is none ({@link compareAnswers}). */
  compareAnswers(reference: TrialReference, tried: TriedModel): Promise<string | null> {
    return this.#run({ kind: 'compare-answers', reference, tried });
  }

  /** A digest of a model's answers to the same numbers, `null` when it has none ({@link digestAnswers}). */
  digestAnswers(reference: TrialReference, requests: number): Promise<string | null> {
    return this.#run({ kind: 'digest-answers', reference, requests });
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

  measurePicture(encoded: Uint8Array): Promise<PictureShape> {
    return this.#runOnPicture({ kind: 'measure-picture', encoded: new Uint8Array(encoded) });
  }

  decodePicture(encoded: Uint8Array, target: PictureTarget): Promise<void> {
    return this.#runOnPicture({ kind: 'decode-picture', encoded: new Uint8Array(encoded), target });
  }

  /**
   * Decodes the JSON of an infer request.
   *
   * @throws ServingError of the rule that the JSON breaks
   */
  decodeInferJson(json: Uint8Array): Promise<InferDocument> {
    return this.#run({ kind: 'decode-infer-json', json });
  }

  /** Ends the workers; a task that runs is ended with them. */
  close(): Promise<void> {
    return this.#pool.close({ force: true });
  }

  /** The copy of the encoded picture is moved: cloning the view would take the whole message around it along. */
  #runOnPicture<T>(task: MeasurePictureTask | DecodePictureTask): Promise<T> {
    return this.#run(task, [task.encoded.buffer]);
  }

  async #run<T>(task: BlockingTask, transferList: ArrayBuffer[] = []): Promise<T> {
    const result = (await this.#pool.run(task, { transferList })) as BlockingResult<T>;
    if ('code' in result) throw new ServingError(result.code, result.detail);
    return result.value;
  }
}
