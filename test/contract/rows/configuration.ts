import { different, supported, unsupported } from '../row.js';

/** config.json: its keys, their grammars, and what a fault in it does. */
export const configuration = {
  'config.models': supported('`model_config_list` is required and may be empty; each element has the one key `config`'),
  'config.pipelines': supported('`pipeline_config_list`'),
  'config.libraries': supported('`custom_node_library_config_list` of `name` and `base_path`'),
  'config.custom-loaders': different(
    '`custom_loader_config_list`',
    'accepted by the schema; each loader and each model that names one is refused with a clear error, everything else is served: the C++ interface is deprecated',
  ),
  'config.mediapipe': unsupported(
    '`mediapipe_config_list`',
    'a key that the schema does not know, as in builds of OVMS without MediaPipe',
  ),
  'config.monitoring': supported(
    '`monitoring.metrics` with `enable` (required) and `metrics_list`; read once a process',
  ),
  'config.unknown-key': supported(
    'an unknown key anywhere makes the whole file invalid, and the error names its place',
  ),
  'config.wrong-type': supported(
    'a wrong type makes the whole file invalid; the error names the JSON path, however deep',
  ),
  'config.comments': supported('comments are not JSON'),
  'config.key-order': supported('the order of keys is free'),
  'config.duplicates': supported('of models, pipelines and libraries of one name the first counts, with a warning'),
  'config.schema-file': supported('the schema is published for editors, and is the one the server checks with'),
  'config.name': supported('`name` of a model is required'),
  'config.base-path': supported(
    '`base_path`: default the directory of config.json, to which relative paths belong; `--model_path` belongs to the working directory',
  ),
  'config.base-path-climbs': supported(
    "a path with a `..` segment is refused: `The provided base path is invalid or doesn't exists`",
  ),
  'config.batch-size': supported('`batch_size`: a number, `"8"`, `"-1"`, `"1:8"`, `"auto"`'),
  'config.batch-size-bad': supported('a `batch_size` that cannot be read warns, and that of the model stays'),
  'config.batch-size-ignored': supported('`batch_size` beside `shape` is ignored with a warning'),
  'config.shape': supported('`shape`: `"(1,3,224,224)"`, `-1` for any, `min:max`, `"auto"`, or one by input name'),
  'config.shape-bad': supported('a `shape` that cannot be read warns and is left out, the model is loaded'),
  'config.layout': supported(
    "`layout`: one for the only input, or by input name; default the model's own, else `N...`",
  ),
  'config.layout-bad': supported('a bad `layout` makes the model invalid'),
  'config.version-policy': supported(
    '`model_version_policy`: `all`, `specific`, `latest`, exactly one; default latest 1',
  ),
  'config.version-policy-bad': supported(
    'a `model_version_policy` with an unknown key, without a key, with two, or with a wrong value breaks the schema: the whole file is refused',
  ),
  'config.version-policy-missing': supported('`specific` versions that are not there are passed over'),
  'config.nireq': supported('`nireq`: 0 for what OpenVINO finds best'),
  'config.target-device': supported('`target_device`, default `CPU`'),
  'config.plugin-config': supported('`plugin_config`: texts, booleans and numbers'),
  'config.plugin-mmap': different(
    '`ENABLE_MMAP` is on unless `plugin_config` says otherwise: weights are mapped from their file',
    'weights are read into memory whatever it says: a mapped file that is truncated ends the process, and one that is written to changes a model that serves',
  ),
  'config.plugin-hint': supported('`PERFORMANCE_HINT=LATENCY` unless `NUM_STREAMS` or a hint is given'),
  'config.plugin-types': supported(
    '`NUM_STREAMS` is handed over as text, `INFERENCE_NUM_THREADS` and `AUTO_BATCH_TIMEOUT` as numbers, `ENABLE_CPU_PINNING` as a boolean',
  ),
  'config.plugin-old-keys': supported(
    '`CPU_THROUGHPUT_STREAMS`, `GPU_THROUGHPUT_STREAMS` and `CPU_THREADS_NUM` are translated, each with a warning that it is deprecated',
  ),
  'config.plugin-unknown': different(
    'a key the device does not know is an error, and the models behind it in the list are not loaded',
    'the error is that of its model alone; the models behind it are served, as with every other fault of one model',
  ),
  'config.allow-cache': supported('`allow_cache` caches also models with `auto`'),
  'config.stateful': supported(
    '`stateful`, `idle_sequence_cleanup`, `low_latency_transformation`, `max_sequence_number` with their defaults',
  ),
  'config.stateful-flags-alone': supported('flags of stateful models on another model make it invalid'),
  'config.dynamic-batching': different(
    '`dynamic_batching` is no key of a model: a file with it is refused',
    'a key of our own: `max_batch_size`, and if wanted `max_queue_delay_microseconds` and `preferred_batch_size`; absent, nothing is joined',
  ),
  'config.custom-loader-options': different(
    '`custom_loader_options` with `loader_name`',
    'accepted by the schema, and its model refused: there are no custom loaders',
  ),
  'config.graph-keys': supported('`graph_path` and `subconfig` are accepted and not used'),
  'config.cli-only': supported('`mean`, `scale`, `color_format`, `precision` and `version` are no keys of the file'),
  'config.shape-grammar': supported(
    'a shape: brackets, spaces ignored, each dimension `-1`, `n` or `min:max` with min below max; printed as `(1,3,[200~500],-1)`',
  ),
  'config.layout-grammar': supported('a layout: `N C H W D ?` and one `...`, lower case read as upper case'),
  'config.layout-transpose': supported(
    '`A:B` lets clients send A where the model has B; one layout alone only declares',
  ),
  'config.batch-index': supported('the batch is where the layout has its `N`'),
  'config.anonymous': supported(
    'one value for a model with several inputs: `Anonymous fixed shape is invalid for models with multiple inputs`, and so for layouts; the load fails',
  ),
  'config.names': supported(
    'shapes and layouts name inputs by their mapped names; a name that is not there fails the load',
  ),
  'config.file-missing': supported('a file that is missing at the start: three tries, 10 ms apart, then exit code 1'),
  'config.file-missing-reload': supported('a file that is missing at a reload changes nothing'),
  'config.file-invalid': supported(
    'a file that is no JSON (three tries) or violates the schema ends the start with exit code 1',
  ),
  'config.file-invalid-reload': supported('a file that is no JSON or violates the schema changes nothing at a reload'),
  'config.metrics-invalid': supported(
    'metrics in the file without REST port, with a name that is unknown, or in the file and on the command line end the start with exit code 1',
  ),
  'config.metrics-reload': supported('metrics are not read again at a reload'),
  'config.model-bad': supported(
    'a model that cannot be used does not keep the server from starting, nor the others from serving',
  ),
  'config.model-bad-reload': supported(
    'a model whose entry becomes invalid is unloaded at a reload, the others are left alone',
  ),
  'config.pipeline-bad': supported('a pipeline that is invalid is LOADING with FAILED_PRECONDITION, the others serve'),
  'config.library-bad': supported(
    'a custom node library that cannot be loaded makes the pipelines that use it invalid',
  ),
  'config.single-bad': supported('in single-model mode a model that does not load ends the start with exit code 1'),
  'config.single-empty': supported('in single-model mode a model without version directories starts'),
  'config.order': supported('models are loaded before pipelines are checked'),
  'config.reference-configs': supported('configs of the kinds that demos and tests of OVMS use start and answer'),
};
