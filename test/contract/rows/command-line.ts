import { different, supported, unsupported } from '../row.js';

/** Flags, their checks, exit codes, environment, list / add / remove and the log. */
export const commandLine = {
  'cli.values': supported('a flag takes its value as the next word or behind `=`; of repeated flags the last counts'),
  'cli.booleans': supported(
    'a boolean flag stands alone or has `=true`, `=false`, `=1`, `=0`, `=t`, `=f` behind it; the next word is never its value',
  ),
  'cli.numbers': supported(
    'numbers are decimal or `0x` hexadecimal; too many digits are read as the parser of OVMS reads them',
  ),
  'cli.mode-single': supported('`--model_name` with `--model_path` serves one model, all flags of a model allowed'),
  'cli.mode-config': supported('`--config_path` serves what a file describes'),
  'cli.mode-list': supported('`--list_models` with `--model_repository_path` lists and exits'),
  'cli.mode-edit': supported('`--add_to_config` and `--remove_from_config` edit the file and exit'),
  'cli.pull': unsupported(
    '`--pull`, `--source_model`, `--task` and the flags that go with them',
    'they fetch generative models; refused as unknown arguments with exit code 64',
  ),
  'cli.help': supported('`-h`, `--help` and no argument at all: help with every flag on standard output, exit code 0'),
  'cli.version': different(
    '`--version`: `OpenVINO Model Server <version>`, `OpenVINO backend <version>`, `Bazel build flags: <...>`, exit code 0',
    'the first line names OVMS 2026.2.1 as what is followed and then Vinery with its own version; there is no line of GenAI',
  ),
  'cli.port': supported('`--port`: 0 (the default) opens no gRPC port'),
  'cli.rest-port': supported('`--rest_port`: 0 (the default) opens no REST port'),
  'cli.bind-addresses': supported(
    '`--grpc_bind_address`, `--rest_bind_address`: a comma list of IPv4 addresses, IPv6 addresses and host names; default `0.0.0.0`',
  ),
  'cli.grpc-workers': supported('`--grpc_workers`: 1 to the number of cores, default 1'),
  'cli.grpc-max-threads': different(
    '`--grpc_max_threads`, default cores times 8',
    'read and checked, and of no effect: a call holds no thread here, so none is refused for want of one',
  ),
  'cli.grpc-memory-quota': different(
    '`--grpc_memory_quota`, default 2147483648',
    'read and checked, and of no effect: grpc-js has no quota; messages are limited one by one',
  ),
  'cli.grpc-channel-arguments': supported(
    '`--grpc_channel_arguments`: `k=v,k=v`, whole numbers become numbers; a malformed pair ends the start with exit code 1',
  ),
  'cli.rest-workers': different(
    '`--rest_workers`: default the cores within the limit of open files, at least 2; 0 and 1 are not refused',
    'read and checked as there, and of no effect: REST is served by the owner workers, whose number `--grpc_workers` says',
  ),
  'cli.log-level': supported(
    '`--log_level`: `TRACE`, `DEBUG`, `INFO`, `WARNING`, `ERROR`, in upper case; default `INFO`',
  ),
  'cli.log-path': supported('`--log_path`: the log goes to this file, too; one that cannot be opened ends the start'),
  'cli.poll-wait': supported('`--file_system_poll_wait_seconds`: default 1, 0 for no watching'),
  'cli.sequence-cleaner': supported('`--sequence_cleaner_poll_wait_minutes`: default 5, 0 for never'),
  'cli.custom-node-cleaner': different(
    '`--custom_node_resources_cleaner_interval_seconds`: default 300, 0 for never',
    'read and checked, and of no effect: what a node leaves is given back at once',
  ),
  'cli.cache-dir': supported(
    '`--cache_dir`: default `/opt/cache` if that is there; made when it is missing, and one that cannot be written only warns',
  ),
  'cli.metrics-flags': supported('`--metrics_enable` and `--metrics_list` (a comma list)'),
  'cli.cpu-extension': supported('`--cpu_extension`: a library with further operations, used by every model'),
  'cli.cpu-extension-broken': supported('a `--cpu_extension` that is no such library ends the start with exit code 1'),
  'cli.cors': supported(
    '`--allowed_origins`, `--allowed_methods`, `--allowed_headers` (default `*`) and `--allow_credentials` are headers of every REST answer, errors included; an empty text sends none',
  ),
  'cli.api-key-file': supported(
    '`--api_key_file`: accepted, guards nothing that is served here; a file that cannot be read is a usage error',
  ),
  'cli.llm-flags': supported('`--allowed_media_domains`, `--allowed_local_media_path`: accepted and not used'),
  'cli.trace-path': supported('`--trace_path` is unknown, as in builds without profiling'),
  'cli.repository-path': supported(
    '`--model_repository_path` for list and add; default `OVMS_MODEL_REPOSITORY_PATH` of the environment',
  ),
  'cli.model-flags': supported(
    'every flag of a single model: `--batch_size`, `--shape`, `--layout`, `--model_version_policy`, `--nireq`, `--target_device`, `--plugin_config`, `--stateful`, `--idle_sequence_cleanup`, `--low_latency_transformation`, `--max_sequence_number`',
  ),
  'cli.preprocessing': supported(
    '`--mean`, `--scale`, `--color_format`, `--precision` change what clients send into what the model was made for',
  ),
  'cli.preprocessing-bad': supported('a bad value of a preprocessing flag ends the start with exit code 1'),
  'cli.model-flags-fatal': supported(
    'a bad `--shape`, `--batch_size`, `--layout`, `--model_version_policy`, `--plugin_config` or `--nireq` above 100000 ends the start with exit code 1',
  ),
  'cli.shape-json': supported('`--shape` and `--layout` take a JSON object by input name'),
  'cli.plugin-nested': supported('`--plugin_config` may nest `DEVICE_PROPERTIES`'),
  'cli.unknown-argument': supported(
    'unknown flags and stray words, together and in order: `error parsing options - unmatched arguments: --foo, `',
  ),
  'cli.bad-value': supported('a value of the wrong type: `error parsing options: Argument ‘x’ failed to parse`'),
  'cli.missing-value': supported(
    'a flag without its value: `error parsing options: Option ‘port’ is missing an argument`',
  ),
  'cli.edit-model-flags': supported(
    'other flags of a model beside add or remove: `Adding or removing models from the configuration file, allows passing only model_name and model_path parameters. Invalid parameters passed: ...`',
  ),
  'cli.list-with-edit': supported(
    '`error parsing options - --list_models cannot be used with --add_to_config`, and so for remove',
  ),
  'cli.remove-with-path': supported('`error parsing options - --model_path cannot be used with --remove_from_config`'),
  'cli.layout-missing': supported(
    '`error parsing options - --mean parameter requires --layout to be set`, and so for scale, color_format and precision',
  ),
  'cli.list-without-repository': supported('`Use --list_models with --model_repository_path`'),
  'cli.config-and-model': supported('`Use either config_path or model_path with model_name`'),
  'cli.neither': supported('`Use config_path or model_path with model_name`'),
  'cli.exclusive': supported(
    '`Model parameters in CLI are exclusive with the config file` for batch_size, shape, nireq, model_version_policy, target_device and plugin_config; layout and stateful flags pass',
  ),
  'cli.grpc-workers-range': supported('`grpc_workers count should be from 1 to CPU core count : <n>`'),
  'cli.metrics-without-rest': supported('`rest_port setting is missing, metrics are enabled on rest port`'),
  'cli.metrics-list-alone': supported('`metrics_enable setting is missing, required when metrics_list is provided`'),
  'cli.no-port': supported('`port and rest_port cannot both be unset`'),
  'cli.edit-incomplete': supported(
    '`Set config_path with add_to_config/remove_from_config`, `Set model_name with add_to_config/remove_from_config`, `Set model_name either with model_path or model_repository_path with add_to_config`',
  ),
  'cli.rest-workers-count': supported('`rest_workers count should be from 2 to 10000` above 10000'),
  'cli.rest-workers-without-rest': supported(
    '`rest_workers is set but rest_port is not set. rest_port is required to start rest servers`',
  ),
  'cli.rest-workers-files': supported(
    '`rest_workers count cannot be larger than <n> due to open files limit. Current open files limit: <n>`',
  ),
  'cli.port-range': supported(
    '`port number out of range from 0 to 65535`, `rest_port number out of range from 0 to 65535`',
  ),
  'cli.bind-format': supported(
    '`rest_bind_address has invalid format: proper hostname or IP address expected.`, and so for gRPC',
  ),
  'cli.equal-ports': supported('`port and rest_port cannot have the same values`'),
  'cli.cpu-extension-missing': supported(
    '`File path provided as an --cpu_extension parameter does not exist in the filesystem: <path>`',
  ),
  'cli.log-level-choice': supported('`log_level should be one of: TRACE, DEBUG, INFO, WARNING, ERROR`'),
  'cli.stateful-alone': supported(
    '`Setting low_latency_transformation, max_sequence_number and idle_sequence_cleanup require setting stateful flag for the model.`',
  ),
  'cli.order': supported('of several faults the first check that fails speaks, in the order of OVMS'),
  'cli.exit-0': supported(
    'exit code 0 for help, version, list, an edit that succeeded, and a stop by SIGINT or SIGTERM',
  ),
  'cli.exit-64': supported(
    'exit code 64 for every fault of the command line, its text on standard error and nothing on standard output',
  ),
  'cli.exit-1': supported(
    'exit code 1 for what fails after the flags were read: a port that is taken, a config that cannot be used, a single model that does not load',
  ),
  'cli.exit-132': supported('SIGILL ends the process with exit code 132 and one line on standard error'),
  'cli.signals': supported('SIGINT and SIGTERM: accepted requests are answered, then the process ends'),
  'cli.signal-deadline': different(
    'at a stop gRPC calls get 5 seconds',
    'every accepted call is finished, however long it takes; a second signal ends the process at once with exit code 1',
  ),
  'cli.env-grpc-servers': different(
    '`GRPC_SERVERS` above 0 overrides `--grpc_workers`',
    'as there, cut at the number of cores with a warning: more workers only cost memory',
  ),
  'cli.env-repository': supported(
    '`OVMS_MODEL_REPOSITORY_PATH` is the default repository of list and add, and its `config.json` the default file of edits; it does not start a server',
  ),
  'cli.env-api-key': supported('`API_KEY` is ignored: it guards generative endpoints only'),
  'cli.env-drogon': different('`DROGON_LOG_LEVEL`', 'ignored: there is no Drogon here'),
  'cli.env-openvino-log': supported('DEBUG and TRACE set `OPENVINO_LOG_LEVEL=4`'),
  'cli.dynamic-batching': different(
    '`--dynamic_batching` is no flag',
    'a flag of our own for a single model, with the JSON of the key of the file',
  ),
  'cli.list-output': supported(
    '`Listing models in repository...`, `Model repository path: <path>`, then a path a line; a directory is a model when a version directory holds its files, and is found at any depth',
  ),
  'cli.add': supported(
    'add makes the file or appends `{"config": {"name", "base_path"}}`, writes it indented and prints `Config updated: <path>`',
  ),
  'cli.edit-fails': supported(
    '`<path> error on config update : <status>` and exit code 1: `Given model name is already occupied`, `Model with requested name is not found`',
  ),
  'cli.remove': supported('remove takes the entry out and keeps everything else of the file'),
  'cli.log-pattern': supported(
    '`[YYYY-MM-DD HH:MM:SS.mmm][<thread>][<logger>][<level>][<file>:<line>] <text>`, local time',
  ),
  'cli.log-levels': supported('levels are printed `trace debug info warning error critical`'),
  'cli.loggers': supported(
    'loggers `serving`, `modelmanager`, `dag_executor`, `sequence_manager`, `gcs`, `azurestorage`, `s3`, all at one level',
  ),
  'cli.log-sinks': supported('the log goes to standard output and to `--log_path`; every line is written at once'),
  'cli.log-start': supported(
    'order of a start: version lines, `Binding gRPC server to address`, `Started gRPC server on port`, `Started REST server at`, lines of each model, `ServableManagerModule started`, `Started model manager thread`',
  ),
  'cli.ports-first': supported('ports listen before models are loaded'),
  'cli.log-model': supported(
    'a model: `Loading model`, `Input name`, `Output name`, `Loaded model ...; version; batch size; No of InferRequests`, `STATUS CHANGE`',
  ),
  'cli.log-pipeline': supported(
    'a pipeline: `Reading pipeline: <name> configuration`, its inputs and outputs, `state changed to: AVAILABLE after handling: ValidationPassedEvent: `, `Loading pipeline definition: <name> succeeded`',
  ),
};
