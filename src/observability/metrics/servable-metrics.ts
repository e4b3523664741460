import { BLOCK_SLOTS, MODEL, SERVABLE } from './block.js';
import { interfaceIndex, requestKind, type Caller, type Question } from './caller.js';
import { HISTOGRAM_SLOTS, observe } from './histogram.js';

/** What one owner worker counts about the requests to a model version or a pipeline: a few additions an event, no object. */
export class ServableMetrics {
  protected readonly numbers: Float64Array;

  /** @param numbers of a block of its kind. */
  constructor(numbers: Float64Array) {
    this.numbers = numbers;
  }

  succeeded(caller: Caller, question: Question): void {
    this.numbers[SERVABLE.success + requestKind(caller, question)]! += 1;
  }

  failed(caller: Caller, question: Question): void {
    this.numbers[SERVABLE.fail + requestKind(caller, question)]! += 1;
  }

  /** Processing time of a request that succeeded, from its arrival to its answer. */
  took(caller: Caller, micros: number): void {
    observe(this.numbers, SERVABLE.requestTime + interfaceIndex(caller) * HISTOGRAM_SLOTS, micros);
  }
}

/** As {@link ServableMetrics}, with what becomes of the infer requests of a model version. */
export class ModelMetrics extends ServableMetrics {
  /** One that nobody reads, for whoever runs models without a control plane. */
  static detached(): ModelMetrics {
    return new ModelMetrics(new Float64Array(BLOCK_SLOTS.model));
  }

  /** A request is in hand from here on. */
  begun(): void {
    this.numbers[MODEL.currentRequests]! += 1;
  }

  ended(): void {
    this.numbers[MODEL.currentRequests]! -= 1;
  }

  /** An infer request was taken. */
  taken(): void {
    this.numbers[MODEL.activeInferRequests]! += 1;
  }

  /** A request has waited for an infer request, alone or together with others. */
  waited(waitMicros: number): void {
    observe(this.numbers, MODEL.waitTime, waitMicros);
  }

  givenBack(): void {
    this.numbers[MODEL.activeInferRequests]! -= 1;
  }

  /** An inference succeeded. */
  inferred(micros: number): void {
    observe(this.numbers, MODEL.inferenceTime, micros);
  }
}
