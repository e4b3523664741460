import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../../contract/covers.js';
import { METRIC_NAMES, shownFamilies } from '#src/observability/metrics/families.js';

const names = (list: readonly string[] | null): string[] => shownFamilies(list).map(({ name }) => name);

test('metrics: by default everything is shown but what OVMS does not show either', () => {
  assert.deepEqual(names(null), [
    'ovms_requests_success',
    'ovms_requests_fail',
    'ovms_request_time_us',
    'ovms_streams',
    'ovms_current_requests',
    'ovms_inference_time_us',
    'ovms_wait_for_infer_req_time_us',
    'vinery_tensor_bytes_copied_total',
    'vinery_node_queue_time_us',
    'vinery_node_time_us',
    'vinery_node_copied_bytes_total',
    'vinery_node_skipped_total',
    'vinery_batch_size',
    'vinery_batched_requests_total',
  ]);
});

test('metrics: a list replaces the default set', () => {
  covers('metrics.list-replaces');
  assert.deepEqual(names(['ovms_infer_req_active', 'ovms_streams']), ['ovms_streams', 'ovms_infer_req_active']);
  assert.deepEqual(names([]), []);
});

test('metrics: names of graphs that this server does not have may be listed and show nothing', () => {
  covers('metrics.graph-names');
  assert.ok(METRIC_NAMES.includes('ovms_current_graphs'));
  assert.deepEqual(names(['ovms_current_graphs', 'ovms_graph_error']), []);
});
