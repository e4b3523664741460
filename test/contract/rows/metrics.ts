import { different, supported, unsupported } from '../row.js';

/** `GET /metrics`. */
export const metrics = {
  'metrics.off': supported('off by default, and then 400 `Invalid request URL`'),
  'metrics.by-flag': supported('`--metrics_enable` turns them on, `--metrics_list` names the families to show'),
  'metrics.by-file': supported('`monitoring.metrics` in config.json does the same; read once, not on reload'),
  'metrics.both': supported('on by both: the start fails'),
  'metrics.list-replaces': supported('a list replaces the default set'),
  'metrics.bad-name': supported(
    'an unknown name, or one listed twice: `Invalid name in metrics_list`, the start fails',
  ),
  'metrics.no-rest-port': supported(
    'on in config.json without a REST port: `Missing rest_port parameter in server CLI`, the start fails',
  ),
  'metrics.page': supported('text of Prometheus on the REST port, whatever the query says'),
  'metrics.requests-success': supported(
    '`ovms_requests_success`: counter by api, interface, method, name, version; `Number of successful requests to a model or a DAG.`',
  ),
  'metrics.requests-fail': supported(
    '`ovms_requests_fail`: counter by the same; `Number of failed requests to a model or a DAG.`',
  ),
  'metrics.request-time': supported(
    '`ovms_request_time_us`: histogram by interface, name, version; `Processing time of requests to a model or a DAG.`',
  ),
  'metrics.inference-time': supported(
    '`ovms_inference_time_us`: histogram by name, version; `Inference execution time in the OpenVINO backend.`',
  ),
  'metrics.wait-time': supported(
    '`ovms_wait_for_infer_req_time_us`: histogram by name, version; `Request waiting time in the scheduling queue.`',
  ),
  'metrics.streams': supported('`ovms_streams`: gauge by name, version; `Number of OpenVINO execution streams.`'),
  'metrics.current-requests': supported(
    '`ovms_current_requests`: gauge by name, version; `Number of inference requests currently in process.`',
  ),
  'metrics.queue-size': supported(
    '`ovms_infer_req_queue_size`: gauge by name, version, off by default; `Inference request queue size (nireq).`',
  ),
  'metrics.active': supported(
    '`ovms_infer_req_active`: gauge by name, version, off by default; `Number of currently consumed inference request from the processing queue.`',
  ),
  'metrics.graph-names': unsupported(
    '`ovms_current_graphs`, `ovms_requests_accepted`, `ovms_requests_rejected`, `ovms_responses`, `ovms_graph_error`, `ovms_graph_processing_time_us`',
    'the names are accepted in a list and show nothing, as in a build without MediaPipe',
  ),
  'metrics.label-values': supported(
    'api is `TensorFlowServing` (`Predict`, `GetModelMetadata`, `GetModelStatus`) or `KServe` (`ModelInfer`, `ModelMetadata`, `ModelReady`), interface `gRPC` or `REST`',
  ),
  'metrics.no-version': supported('GetModelStatus and ModelReady have no label `version`'),
  'metrics.label-order': supported('labels print in the order of their names, the bucket behind them'),
  'metrics.zeros': supported(
    'every series is there at 0 from the moment its servable is: 12 of success and 12 of failure a version',
  ),
  'metrics.buckets': supported('buckets end at floor(10 · 1.8^i) µs, i = 0 to 32, and at `+Inf`'),
  'metrics.of-pipelines': supported(
    'pipelines have `ovms_requests_success`, `ovms_requests_fail` and `ovms_request_time_us`, as version 1, and nothing else of OVMS',
  ),
  'metrics.inner-models': supported(
    'a model inside a pipeline counts one success a node execution under the api and interface of the caller, with its times and gauges, and neither request time nor failures',
  ),
  'metrics.time-of-success': supported('the time of a request is observed only when it succeeds'),
  'metrics.unfound': supported('failures before a servable is found are not counted'),
  'metrics.unload': supported('streams and queue size are 0 once a version is unloaded; no series ever goes'),
  'metrics.in-hand': supported(
    'a direct request is current from the moment it has an infer request, a pipeline node from the moment it queues for one, both until it is given back',
  ),
  'metrics.workers': supported('`--grpc_workers` do not split the figures: any page has those of the whole server'),
  'metrics.under-reload': supported('the page is whole while versions and models come and go'),
  'metrics.own-families': different(
    'no other families than these',
    'seven more, called `vinery_*`, of nodes of pipelines, of copies and of batches; a list leaves them out',
  ),
};
