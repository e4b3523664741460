import { ServingError } from '../errors.js';
import type { CompiledModelHandle, InferRequestHandle, ModelDescription, NativeBinding } from '../native/binding.js';
import { fromNativeStatus } from '../native/errors.js';
import { Tensor } from '../tensors/tensor.js';
import { BindingTable } from './binding-table.js';
import type { CompletionRing } from './completion-ring.js';
import type { InferenceDone, InlineInference, InlineVariant, OutputTarget } from './inference.js';
import { InlineGate } from './inline-gate.js';
import type { TurnBudget } from './turn-budget.js';

/** What an inference counts for at least, its way through the scheduler included; bounds how deep inferences nest in a turn. */
const LEAST_MICROS = 2;

/**
 * A model compiled for one stream of one thread, inferring on the event loop's own thread: the way to a stream's thread and back
 * costs 45-75 us, such an inference of a trivial model 3 (measured). One at a time, so one infer request serves the whole thread;
 * whose turn it is was decided by the pool of the model before. Only for models that no value makes fail once an inference has
 * begun: OpenVINO loses a fault on the calling thread.
 */
export class InlineModel implements InlineInference {
  readonly #binding: NativeBinding;
  readonly #ring: CompletionRing;
  readonly #budget: TurnBudget;
  readonly #gate: InlineGate;
  readonly #model: CompiledModelHandle;
  readonly #table: BindingTable;
  readonly #request: InferRequestHandle;
  /** Of the one inference that runs at a time. */
  readonly #token: number;

  constructor(
    binding: NativeBinding,
    ring: CompletionRing,
    budget: TurnBudget,
    { modelId, micros }: InlineVariant,
    { inputs, outputs }: ModelDescription,
  ) {
    this.#binding = binding;
    this.#ring = ring;
    this.#budget = budget;
    this.#gate = new InlineGate(micros);
    this.#model = binding.openModel(modelId);
    this.#table = new BindingTable(inputs.length, outputs.length);
    this.#request = binding.createInferRequest(this.#model, this.#table.numbers, true);
    this.#token = ring.takeToken();
  }

  isOpen(): boolean {
    return this.#gate.isInline;
  }

  hasTime(): boolean {
    return this.#budget.admits();
  }

  defer(work: () => void): void {
    this.#budget.defer(work);
  }

  inferNow(inputs: readonly Tensor[], outputs: readonly OutputTarget[]): number {
    const fault = this.#table.write(inputs, outputs);
    if (fault !== null) throw new ServingError('TENSOR_BINDING_FAILED', fault);
    const { isLong } = this.#gate;
    const computed = isLong ? this.#binding.threadCpuMicros() : 0;
    const started = performance.now();
    const status = this.#binding.infer(this.#request, this.#token);
    const micros = (performance.now() - started) * 1000;
    this.#gate.observe(isLong ? this.#binding.threadCpuMicros() - computed : micros);
    this.#budget.spend(Math.max(micros, LEAST_MICROS));
    if (status !== 0) throw fromNativeStatus(status, this.#binding.takeError(this.#token));
    return micros;
  }

  /** Whether the next inference is to run here. */
  admits(): boolean {
    return this.#gate.admits();
  }

  /** As `InferRequest.infer`: `done` is called before this returns, or in a later turn when this one has computed enough. */
  infer(inputs: readonly Tensor[], outputs: readonly OutputTarget[], done: InferenceDone): void {
    if (this.#budget.admits()) this.#infer(inputs, outputs, done);
    else this.#budget.defer(() => this.#infer(inputs, outputs, done));
  }

  close(): void {
    this.#ring.freeToken(this.#token);
    this.#binding.closeInferRequest(this.#request);
    this.#binding.closeModel(this.#model);
  }

  #infer(inputs: readonly Tensor[], outputs: readonly OutputTarget[], done: InferenceDone): void {
    let micros = 0;
    try {
      micros = this.inferNow(inputs, outputs);
    } catch (error) {
      this.#budget.spend(LEAST_MICROS);
      return done(error as ServingError, null, micros);
    }
    done(null, outputs.map(written), micros);
  }
}

function written(target: OutputTarget): Tensor | null {
  return target instanceof Tensor ? target : null;
}
