import { MODEL, SERVABLE } from './block.js';
import { APIS, INTERFACES, requestKind } from './caller.js';
import { HISTOGRAM_SLOTS, readHistogram } from './histogram.js';
import type { MetricsBook } from './metrics-book.js';

/** How often something happened, and how long it took in all. */
export interface Duration {
  readonly count: number;
  readonly micros: number;
}

/** What all owner workers counted about the requests to a model version or a pipeline, in sum since the server started. */
export interface ServableStatistics {
  readonly name: string;
  readonly version: number;
  /** Requests that succeeded, those of pipelines to their models among them. */
  readonly inferences: number;
  /** Requests of clients, from their arrival to their answer. */
  readonly success: Duration;
  readonly failures: number;
  /** Waits for an infer request; of a pipeline one a request, of no time. */
  readonly queue: Duration;
  /** Inferences alone; of a pipeline one a request, of no time. */
  readonly compute: Duration;
}

const NONE: Duration = Object.freeze({ count: 0, micros: 0 });

/** The statistics of everything that was ever served, read from the metrics. */
export function readStatistics(book: MetricsBook): ServableStatistics[] {
  return book.totals().flatMap(({ subject, numbers }) => {
    if (subject.kind !== 'model' && subject.kind !== 'pipeline') return [];
    const { kind, name, version } = subject;
    const success = INTERFACES.map((_, index) =>
      duration(numbers, SERVABLE.requestTime + index * HISTOGRAM_SLOTS),
    ).reduce(sum, NONE);
    // A pipeline as a whole never waits, and its own computation is that of its models.
    const atOnce = { count: success.count, micros: 0 };
    return {
      name,
      version,
      inferences: predictions(numbers, SERVABLE.success),
      success,
      failures: predictions(numbers, SERVABLE.fail),
      queue: kind === 'model' ? duration(numbers, MODEL.waitTime) : atOnce,
      compute: kind === 'model' ? duration(numbers, MODEL.inferenceTime) : atOnce,
    };
  });
}

function predictions(numbers: Float64Array, start: number): number {
  const callers = APIS.flatMap((api) => INTERFACES.map((name) => ({ api, interface: name })));
  return callers.reduce((count, caller) => count + numbers[start + requestKind(caller, 'predict')]!, 0);
}

function duration(numbers: Float64Array, start: number): Duration {
  const { cumulative, sum: micros } = readHistogram(numbers, start);
  return { count: cumulative.at(-1)!, micros };
}

function sum(a: Duration, b: Duration): Duration {
  return { count: a.count + b.count, micros: a.micros + b.micros };
}
