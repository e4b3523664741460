import { BATCH_BOUNDS, BUCKET_BOUNDS } from './histogram.js';

/** One metric: what is told of it beside its numbers. */
export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Shown unless a list of names replaces the default set. */
  readonly isDefault: boolean;
  /** Upper bounds of the buckets of a histogram. */
  readonly bounds?: readonly number[];
}

/** Names, types, help texts and default set of OVMS 2026.2.1, in its order; ours follow and belong to the default set. */
export const FAMILIES = [
  counter('ovms_requests_success', 'Number of successful requests to a model or a DAG.'),
  counter('ovms_requests_fail', 'Number of failed requests to a model or a DAG.'),
  histogram('ovms_request_time_us', 'Processing time of requests to a model or a DAG.'),
  gauge('ovms_streams', 'Number of OpenVINO execution streams.'),
  gauge('ovms_current_requests', 'Number of inference requests currently in process.'),
  histogram('ovms_inference_time_us', 'Inference execution time in the OpenVINO backend.'),
  histogram('ovms_wait_for_infer_req_time_us', 'Request waiting time in the scheduling queue.'),
  optional(gauge('ovms_infer_req_queue_size', 'Inference request queue size (nireq).')),
  optional(gauge('ovms_infer_req_active', 'Number of currently consumed inference request from the processing queue.')),
  counter('vinery_tensor_bytes_copied_total', 'Bytes of tensors that were copied, by the reason of the copy.'),
  histogram('vinery_node_queue_time_us', 'Time a pipeline node with complete inputs waited for its turn.'),
  histogram('vinery_node_time_us', 'Time a pipeline node ran, from its turn to its outputs.'),
  counter('vinery_node_copied_bytes_total', 'Bytes of tensors that were copied for a pipeline node.'),
  counter(
    'vinery_node_skipped_total',
    'Times a pipeline node did not run because of a condition, its own or one before it.',
  ),
  histogram('vinery_batch_size', 'Rows that were inferred at once by a model with dynamic batching.', BATCH_BOUNDS),
  counter('vinery_batched_requests_total', 'Requests that were inferred by a model with dynamic batching.'),
] as const satisfies readonly Family[];

export type FamilyName = (typeof FAMILIES)[number]['name'];

/** Accepted in a list and never shown: they belong to graphs that this server does not have (as OVMS 2026.2.1 without them). */
const GRAPH_NAMES = [
  'ovms_current_graphs',
  'ovms_requests_accepted',
  'ovms_requests_rejected',
  'ovms_responses',
  'ovms_graph_error',
  'ovms_graph_processing_time_us',
];

/** Every name `metrics_list` may have. */
export const METRIC_NAMES: readonly string[] = [...FAMILIES.map(({ name }) => name), ...GRAPH_NAMES];

/** @param names that replace the default set; `null`: the default set. */
export function shownFamilies(names: readonly string[] | null): readonly Family[] {
  return FAMILIES.filter(({ name, isDefault }) => (names === null ? isDefault : names.includes(name)));
}

type Made<Name, Type> = Family & { readonly name: Name; readonly type: Type };

function counter<Name extends string>(name: Name, help: string): Made<Name, 'counter'> {
  return { name, type: 'counter', help, isDefault: true };
}

function gauge<Name extends string>(name: Name, help: string): Made<Name, 'gauge'> {
  return { name, type: 'gauge', help, isDefault: true };
}

function histogram<Name extends string>(name: Name, help: string, bounds = BUCKET_BOUNDS): Made<Name, 'histogram'> {
  return { name, type: 'histogram', help, isDefault: true, bounds };
}

function optional<F extends Family>(family: F): F {
  return { ...family, isDefault: false };
}
