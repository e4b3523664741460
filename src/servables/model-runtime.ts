import type { Inference, InferenceModel } from '../inference/inference.js';
import { InferRequestPool } from '../inference/infer-request-pool.js';
import { elementCount, isStatic } from '../tensors/shape.js';
import { ELEMENT_BYTES } from '../tensors/precision.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import type { ServingModel } from './snapshot.js';

/**
 * A model version inside one owner worker: its ports and this worker's share of the infer requests.
 * An execution holds it from before its first node until after its last, so that a version that is being replaced stays whole
 * under the requests that began with it.
 */
export class ModelRuntime {
  readonly name: string;
  readonly version: number;
  readonly inputs: readonly RuntimePort[];
  readonly outputs: readonly RuntimePort[];
  readonly pool: InferRequestPool;
  readonly #model: InferenceModel;
  #holds = 0;
  #retired = false;

  private constructor(
    name: string,
    version: number,
    serving: ServingModel,
    model: InferenceModel,
    pool: InferRequestPool,
  ) {
    this.name = name;
    this.version = version;
    this.inputs = serving.inputs.map(runtimePort);
    this.outputs = serving.outputs.map(runtimePort);
    this.pool = pool;
    this.#model = model;
  }

  /**
   * Opens a compiled version and makes `nireq` infer requests.
   *
   * @throws ServingError when the backend refuses the model
   */
  static async open(
    inference: Inference,
    name: string,
    version: number,
    serving: ServingModel,
    nireq: number,
  ): Promise<ModelRuntime> {
    const model = await inference.openModel(serving.reference);
    const requests = Array.from({ length: nireq }, () => model.createInferRequest());
    return new ModelRuntime(name, version, serving, model, new InferRequestPool(requests));
  }

  hold(): void {
    this.#holds += 1;
  }

  letGo(): void {
    this.#holds -= 1;
    if (this.#retired && this.#holds === 0) this.#close();
  }

  /** No new execution will ask for it; closes when the last one has let go. */
  retire(): void {
    this.#retired = true;
    if (this.#holds === 0) this.#close();
  }

  #close(): void {
    this.pool.close();
    this.#model.close();
  }
}

/** A port with what binding it needs. */
export interface RuntimePort {
  readonly info: TensorInfo;
  /** The only shape it can have, or `null` when only the request or the inference tells. */
  readonly staticShape: readonly number[] | null;
  /** Bytes of the static shape; 0 when there is none. */
  readonly staticBytes: number;
}

function runtimePort(info: TensorInfo): RuntimePort {
  if (!isStatic(info.shape)) return { info, staticShape: null, staticBytes: 0 };
  const staticShape = info.shape.map((dimension) => dimension.min);
  return { info, staticShape, staticBytes: (elementCount(staticShape) ?? 0) * ELEMENT_BYTES[info.precision] };
}
