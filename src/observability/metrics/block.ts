import { COPY_REASONS } from '../../tensors/copy-counter.js';
import { APIS, INTERFACES, METHODS, QUESTIONS, REQUEST_KINDS } from './caller.js';
import { FAMILIES, type FamilyName } from './families.js';
import { BATCH_BOUNDS, HISTOGRAM_SLOTS, histogramSlots } from './histogram.js';

/** What numbers are counted about: a model version, the batches of one that has them, a pipeline, a node of a pipeline, or an owner worker as a whole. */
export type Subject =
  | { readonly kind: 'model'; readonly name: string; readonly version: number }
  | { readonly kind: 'batching'; readonly name: string; readonly version: number }
  | { readonly kind: 'pipeline'; readonly name: string; readonly version: number }
  | { readonly kind: 'node'; readonly pipeline: string; readonly version: number; readonly node: string }
  | { readonly kind: 'worker' };

/**
 * The numbers that one owner worker counts about one subject: shared memory, written by that worker alone and read by the control
 * plane. An eight-byte number is read and written whole on the machines this server runs on, so nothing needs to be locked.
 */
export interface MetricsBlock {
  readonly subject: Subject;
  readonly numbers: Float64Array;
}

/** Where the numbers of each kind of subject stand. */
const REQUEST_TIME = 2 * REQUEST_KINDS;
const SERVABLE_SLOTS = REQUEST_TIME + INTERFACES.length * HISTOGRAM_SLOTS;
export const SERVABLE = { success: 0, fail: REQUEST_KINDS, requestTime: REQUEST_TIME } as const;
export const MODEL = {
  inferenceTime: SERVABLE_SLOTS,
  waitTime: SERVABLE_SLOTS + HISTOGRAM_SLOTS,
  currentRequests: SERVABLE_SLOTS + 2 * HISTOGRAM_SLOTS,
  activeInferRequests: SERVABLE_SLOTS + 2 * HISTOGRAM_SLOTS + 1,
} as const;
export const BATCHING = { size: 0, requests: histogramSlots(BATCH_BOUNDS) } as const;
export const NODE = {
  queueTime: 0,
  time: HISTOGRAM_SLOTS,
  copied: 2 * HISTOGRAM_SLOTS,
  skipped: 2 * HISTOGRAM_SLOTS + 1,
};

/** Numbers of each kind of subject. */
export const BLOCK_SLOTS: Readonly<Record<Subject['kind'], number>> = {
  model: MODEL.activeInferRequests + 1,
  batching: BATCHING.requests + 1,
  pipeline: SERVABLE_SLOTS,
  node: NODE.skipped + 1,
  worker: COPY_REASONS.length,
};

/** One series of a subject: its place in the block, and its labels beside those that name the subject. */
export interface Series {
  readonly family: FamilyName;
  readonly slot: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Questions about a servable's state name no version (as OVMS 2026.2.1). */
  readonly hasVersion: boolean;
}

const SERVABLE_SERIES = [
  ...requestSeries('ovms_requests_success', SERVABLE.success),
  ...requestSeries('ovms_requests_fail', SERVABLE.fail),
  ...INTERFACES.map((name, index) =>
    series('ovms_request_time_us', SERVABLE.requestTime + index * HISTOGRAM_SLOTS, { interface: name }),
  ),
];

export const BLOCK_SERIES: Readonly<Record<Subject['kind'], readonly Series[]>> = {
  model: [
    ...SERVABLE_SERIES,
    series('ovms_inference_time_us', MODEL.inferenceTime),
    series('ovms_wait_for_infer_req_time_us', MODEL.waitTime),
    series('ovms_current_requests', MODEL.currentRequests),
    series('ovms_infer_req_active', MODEL.activeInferRequests),
  ],
  batching: [series('vinery_batch_size', BATCHING.size), series('vinery_batched_requests_total', BATCHING.requests)],
  pipeline: SERVABLE_SERIES,
  node: [
    series('vinery_node_queue_time_us', NODE.queueTime),
    series('vinery_node_time_us', NODE.time),
    series('vinery_node_copied_bytes_total', NODE.copied),
    series('vinery_node_skipped_total', NODE.skipped),
  ],
  worker: COPY_REASONS.map((reason, index) => series('vinery_tensor_bytes_copied_total', index, { reason })),
};

/** A block of zeros that other threads can read. */
export function createBlock(subject: Subject): MetricsBlock {
  const bytes = BLOCK_SLOTS[subject.kind] * Float64Array.BYTES_PER_ELEMENT;
  return { subject, numbers: new Float64Array(new SharedArrayBuffer(bytes)) };
}

/** Adds what a worker counted to a sum. @param hasEnded the worker is gone, and what it had in hand with it. */
export function addBlock(sum: Float64Array, { subject, numbers }: MetricsBlock, hasEnded: boolean): void {
  for (let slot = 0; slot < sum.length; slot += 1) sum[slot]! += numbers[slot]!;
  if (!hasEnded) return;
  for (const { family, slot } of BLOCK_SERIES[subject.kind]) if (GAUGES.has(family)) sum[slot]! -= numbers[slot]!;
}

const GAUGES = new Set<FamilyName>(FAMILIES.flatMap(({ name, type }) => (type === 'gauge' ? [name] : [])));

function requestSeries(family: FamilyName, start: number): Series[] {
  return APIS.flatMap((api) =>
    QUESTIONS.flatMap((question) =>
      INTERFACES.map((name) => ({ question, labels: { api, interface: name, method: METHODS[api][question] } })),
    ),
  ).map(({ question, labels }, index) => ({
    ...series(family, start + index, labels),
    hasVersion: question !== 'status',
  }));
}

function series(family: FamilyName, slot: number, labels: Series['labels'] = {}): Series {
  return { family, slot, labels, hasVersion: true };
}
