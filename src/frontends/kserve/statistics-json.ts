import type { Duration, ServableStatistics } from '../../observability/metrics/statistics.js';

/** Statistics as Triton has them; the names are those of its JSON and of its messages. */
export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  readonly inference_count: number;
  readonly execution_count: number;
  readonly inference_stats: Readonly<Record<DurationKind, StatisticDuration>>;
}

export interface StatisticDuration {
  readonly count: number;
  readonly ns: number;
}

type DurationKind =
  'success' | 'fail' | 'queue' | 'compute_input' | 'compute_infer' | 'compute_output' | 'cache_hit' | 'cache_miss';

/**
 * Statistics in Triton's words. Tensors are not brought anywhere before or after an inference, so that takes no time, as often as there
 * was one; and there is no cache.
 */
export function statisticsOf({
  name,
  version,
  inferences,
  success,
  failures,
  queue,
  compute,
}: ServableStatistics): ModelStatistics {
  const moved = { count: compute.count, ns: 0 };
  return {
    name,
    version: String(version),
    inference_count: inferences,
    execution_count: compute.count,
    inference_stats: {
      success: inNanoseconds(success),
      fail: { count: failures, ns: 0 },
      queue: inNanoseconds(queue),
      compute_input: moved,
      compute_infer: inNanoseconds(compute),
      compute_output: moved,
      cache_hit: NONE,
      cache_miss: NONE,
    },
  };
}

const NONE: StatisticDuration = Object.freeze({ count: 0, ns: 0 });

function inNanoseconds({ count, micros }: Duration): StatisticDuration {
  return { count, ns: Math.round(micros * 1000) };
}
