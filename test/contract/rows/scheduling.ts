import { different, supported } from '../row.js';

/** Infer requests, settings of OpenVINO that come by themselves, devices. */
export const scheduling = {
  'scheduling.nireq': supported(
    '`nireq` of the file or `--nireq`, else the optimal number that the compiled model states',
  ),
  'scheduling.nireq-limit': supported('`nireq` above 100000 fails the load'),
  'scheduling.fifo': supported(
    'infer requests of a version are given out in the order of asking, without limit of the queue',
  ),
  'scheduling.batching': different(
    'each request to a model is an inference of its own',
    'so unless its `dynamic_batching` joins requests, those of pipelines and demultiplexers too; the answers are the same',
  ),
  'scheduling.batching-refused': different(
    'there is no batching that a model could refuse',
    'a model that cannot be batched is served one request at a time, and the log says why: it has state, strings, no batch dimension, outputs that are not a row for each row, or other answers in a batch',
  ),
  'scheduling.hint': supported('`PERFORMANCE_HINT=LATENCY` unless a hint or a number of streams is configured'),
  'scheduling.container': supported(
    'in a container cores are those of the affinity within the CPU quota, and models on CPU get `INFERENCE_NUM_THREADS` of as many, at most those of a socket',
  ),
  'scheduling.pinning': different(
    'in a container `ENABLE_CPU_PINNING` is on without a quota and off with one',
    'off everywhere unless `plugin_config` says otherwise: pinned streams of two models share a core, and parallel nodes then run one after the other',
  ),
  'scheduling.denormals': supported('denormals are as OpenVINO has them unless `plugin_config` says otherwise'),
  'scheduling.warm-up': different(
    'a servable is available as soon as it is compiled, and the first requests pay for what an inference does once',
    '`--warm_up synthetic` asks it with zeros before it is shown, `--warm_up recorded` with the requests of a file as TensorFlow Serving reads it; `none` by default',
  ),
  'scheduling.thread-limit': different(
    'calls beyond `--grpc_max_threads` are refused: RESOURCE_EXHAUSTED `Server Threadpool Exhausted`',
    'no call holds a thread: none is refused, they wait for an infer request in their order',
  ),
  'scheduling.stream-limit': different(
    'a connection has at most as many calls in flight as there are cores',
    'the limit is that of HTTP/2 libraries, and `--grpc_channel_arguments grpc.max_concurrent_streams=<n>` sets another',
  ),
  'scheduling.device-virtual': supported(
    '`AUTO`, `AUTO:CPU`, `HETERO:CPU`, `MULTI:CPU` and `BATCH:CPU(4)` compile and answer',
  ),
  'scheduling.device-missing': supported(
    '`GPU`, `GPU.1`, `NPU` or any other device that is not there is an error of its model alone, which names it and the devices that are there',
  ),
};
