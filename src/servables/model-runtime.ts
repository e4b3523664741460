import { ServingError } from '../errors.js';
import type {
  FollowsLoad,
  Inference,
  InferenceModel,
  InferRequest,
  InlineInference,
  Sequences,
  ThroughputModel,
} from '../inference/inference.js';
import { InferRequestPool } from '../inference/infer-request-pool.js';
import type { Withdraw } from '../nodes/node-instance.js';
import { log } from '../observability/logger.js';
import { BatchMetrics } from '../observability/metrics/batch-metrics.js';
import { ModelMetrics } from '../observability/metrics/servable-metrics.js';
import { eventLoopClock } from './batching/batch-clock.js';
import { Batcher } from './batching/batcher.js';
import { rowPort } from './batching/infer-together.js';
import { HeldUnit } from './held-unit.js';
import { startInference } from './inference-session.js';
import { runtimePort, type NodeUnit, type RuntimePort, type UnitSession } from './node-unit.js';
import type { ServingModel } from './snapshot.js';

/**
 * A model version inside one owner worker: its ports and this worker's share of the infer requests.
 * An execution holds it from before its first node until after its last, so that a version that is being replaced stays whole
 * under the requests that began with it.
 */
export class ModelRuntime extends HeldUnit implements NodeUnit {
  readonly name: string;
  readonly version: number;
  readonly inputs: readonly RuntimePort[];
  readonly outputs: readonly RuntimePort[];
  readonly pool: InferRequestPool;
  readonly metrics: ModelMetrics;
  readonly isAuto: boolean;
  /** `null` unless it may infer inline. */
  readonly inline: InlineInference | null;
  /** `null` unless it is a stateful model. */
  readonly sequences: Sequences | null;
  readonly #model: InferenceModel;
  /** Of the infer requests of all owner workers those that this one has. */
  readonly #share: number;
  #throughputModel: ThroughputModel | null = null;
  #isClosed = false;
  /** `null`: each session is inferred by itself. */
  readonly #batcher: Batcher | null;

  private constructor(
    name: string,
    version: number,
    serving: ServingModel,
    model: InferenceModel,
    nireq: number,
    metrics: ModelMetrics,
    batches: BatchMetrics,
  ) {
    super();
    this.name = name;
    this.version = version;
    this.inputs = serving.inputs.map(runtimePort);
    this.outputs = serving.outputs.map(runtimePort);
    const { following = null } = model;
    const onCrowded = following && ((): void => void this.#useThroughput(following));
    this.pool = new InferRequestPool(createInferRequests(model, nireq), following?.load, onCrowded);
    this.#share = nireq / serving.nireq;
    this.metrics = metrics;
    this.isAuto = serving.isAuto;
    this.inline = model.inline ?? null;
    this.sequences = model.sequences ?? null;
    this.#model = model;
    const batched = { pool: this.pool, outputs: this.outputs, metrics, isAuto: this.isAuto, batches };
    this.#batcher =
      serving.batching === null
        ? null
        : new Batcher(
            { ...batched, rowPorts: this.outputs.map(rowPort) },
            this.inputs,
            serving.batching,
            eventLoopClock,
          );
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
    metrics: ModelMetrics = ModelMetrics.detached(),
    batches: BatchMetrics = BatchMetrics.detached(),
  ): Promise<ModelRuntime> {
    const model = await inference.openModel(serving.reference);
    return new ModelRuntime(name, version, serving, model, nireq, metrics, batches);
  }

  start(session: UnitSession): Withdraw {
    // A warm-up counts nowhere, so it must not be joined with what does; by itself each infer request has its turn.
    if (this.#batcher === null || session.context.isWarmUp === true) return startInference(this, session);
    return this.#batcher.start(session);
  }

  protected override close(): void {
    this.#isClosed = true;
    this.pool.close();
    this.#throughputModel?.close();
    this.#model.close();
  }

  /** Inferences go on as they do until the model is there; where it cannot be had they do so for good. */
  async #useThroughput(following: FollowsLoad): Promise<void> {
    try {
      const model = await following.openForThroughput();
      if (model === null) return;
      if (this.#isClosed) {
        model.close();
        return;
      }
      this.#throughputModel = model;
      const nireq = Math.max(1, Math.floor(model.nireq * this.#share));
      this.pool.addForThroughput(createInferRequests(model, nireq));
    } catch (error) {
      if (this.#isClosed || (error instanceof ServingError && error.code === 'SERVER_STOPPING')) return;
      log.serving.warning(
        `Model: ${this.name} version: ${this.version} could not be opened for throughput: ${String(error)}`,
      );
    }
  }
}

function createInferRequests(model: Pick<InferenceModel, 'createInferRequest'>, count: number): InferRequest[] {
  return Array.from({ length: count }, () => model.createInferRequest());
}
