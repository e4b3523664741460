import type { Precision } from './precision.js';
import type { PartialShape } from './shape.js';

/**
 * What a servable says of one of its inputs or outputs.
 * Plain data: it crosses threads by structured clone and is never changed after it was made.
 */
export interface TensorInfo {
  /** The name clients and pipelines use: the mapped name where a `mapping_config.json` gives one. */
  readonly name: string;
  readonly precision: Precision;
  readonly shape: PartialShape;
  /** OpenVINO layout text, `N...` where neither the model nor the config says more (as OVMS 2026.2.1). */
  readonly layout: string;
  /** An input that a request may leave out; absent: it may not. */
  readonly isOptional?: true;
}

/** Index of the batch dimension: the place of `N` before any `...`, or `null` (as OVMS 2026.2.1). */
export function batchIndex(layout: string): number | null {
  const ellipsis = layout.indexOf('...');
  const batch = layout.indexOf('N');
  if (batch < 0 || (ellipsis >= 0 && batch > ellipsis)) return null;
  return batch;
}
