import { byName } from '../dag/graph.js';
import type { ServableMetrics } from '../observability/metrics/servable-metrics.js';
import type { CopyCounter } from '../tensors/copy-counter.js';
import type { Tensor } from '../tensors/tensor.js';
import type { Plan } from './plan.js';
import type { ResponseTensor } from './predict-request.js';
import type { CallContext, PredictResult, Timeline } from './serving.js';
import { sequenceIdOutput } from './stateful/sequence-inputs.js';

/** The outputs of a request that ran, on their way into the answer, and the place where it counts as a success or not. */
export class PredictOutcome implements PredictResult {
  readonly outputs: readonly ResponseTensor[];
  readonly declaredOutputs: number;
  readonly version: number;
  readonly timeline: Timeline | null;
  readonly #tensors: readonly (Tensor | null)[];
  readonly #call: CallContext;
  readonly #metrics: ServableMetrics | undefined;
  readonly #copies: CopyCounter;
  #isEncoded = false;

  /**
   * @param tensors in the order of the plan's outputs, one use each, which is this object's to release; `null` for what is missing.
   * @param sequenceId that of a request to a stateful model: one output more.
   */
  constructor(
    plan: Plan,
    tensors: readonly (Tensor | null)[],
    sequenceId: bigint | null,
    timeline: Timeline | null,
    call: CallContext,
    counts: { readonly metrics: ServableMetrics | undefined; readonly copies: CopyCounter },
  ) {
    const outputs: ResponseTensor[] = [];
    for (let index = 0; index < tensors.length; index += 1) {
      const tensor = tensors[index] ?? null;
      // What was skipped is left out of the response.
      if (tensor !== null) outputs.push(responseTensor(plan.graph.outputs[index]!.info.name, tensor));
    }
    this.outputs = sequenceId === null ? outputs : byName([...outputs, sequenceIdOutput(sequenceId)]);
    this.declaredOutputs = sequenceId === null ? tensors.length : tensors.length + 1;
    this.version = plan.version;
    this.timeline = timeline;
    this.#tensors = tensors;
    this.#call = call;
    this.#metrics = counts.metrics;
    this.#copies = counts.copies;
  }

  encoded(sentInPlace = 0): void {
    this.#isEncoded = true;
    let copied = -sentInPlace;
    for (const { bytes } of this.outputs) copied += bytes.byteLength;
    this.#copies.count('response', copied);
    this.#metrics?.succeeded(this.#call, 'predict');
    this.#metrics?.took(this.#call, Math.round((performance.now() - this.#call.arrived) * 1000));
  }

  release(): void {
    if (!this.#isEncoded) this.#metrics?.failed(this.#call, 'predict');
    for (const tensor of this.#tensors) tensor?.release();
  }
}

function responseTensor(name: string, tensor: Tensor): ResponseTensor {
  const { precision, shape, bytes } = tensor;
  // What a client can take away is not sent from where it lies: the system call would find nothing there.
  return tensor.lease.isForeign ? { name, precision, shape, bytes } : { name, precision, shape, bytes, memory: tensor };
}
