import { different, supported } from '../row.js';

/** Errors of requests, on gRPC and REST, models and pipelines. */
export const errors = {
  'errors.shared-memory-registration': different(
    'shared memory cannot be registered',
    "a region outside of its key, a key that is a path, one that is not there, a name that is taken: refused with Triton's texts",
  ),
  'errors.shared-memory-place': different(
    'shared memory cannot be used',
    'a region that is not registered is NOT_FOUND, a place beyond it and an output that does not fit are INVALID_ARGUMENT, before anything is inferred where the size is known',
  ),
  'errors.shared-memory-cut-off': different(
    'shared memory cannot be used',
    'where a client truncates its shared memory, its requests fail with FAILED_PRECONDITION, also those that run, and nothing else happens',
  ),
  'errors.text': supported('a text is the message of the error, and its details behind ` - `'),
  'errors.whole-texts': supported(
    'errors without details: clients receive the text alone, the log at DEBUG what was found',
  ),
  'errors.unknown': different(
    'an error without a gRPC code is UNKNOWN `Unknown error`, its text is lost',
    'the code and these words stay, the text stands behind them; over REST it is 500 with the text, as in OVMS',
  ),
  'errors.kserve-words': supported(
    'KServe says `input name:` twice, and calls the type of a request by its own name (`INT32`)',
  ),

  'errors.predict-unknown-name': supported(
    'unknown name: NOT_FOUND `Pipeline with requested name is not found` over gRPC, 404 `Model with requested name is not found` over REST',
  ),
  'errors.infer-unknown-name': supported(
    'unknown name, KServe: NOT_FOUND and 404 `Mediapipe graph definition with requested name is not found`, the text of the full build',
  ),
  'errors.ask-unknown-name': supported(
    'status, metadata and readiness of an unknown name: NOT_FOUND and 404 `Model with requested name is not found`',
  ),
  'errors.unknown-version': supported(
    'a version that is not there, or no version at all: NOT_FOUND and 404 `Model with requested version is not found`',
  ),
  'errors.version-range': supported('a version in a URL beyond 64 bits: 404, the same text'),
  'errors.version-retired': supported(
    'a version that was unloaded: NOT_FOUND and 404 `Model with requested version is retired`',
  ),
  'errors.version-not-loaded': supported(
    'a version that is loading for ten seconds, and one that failed: UNAVAILABLE and 404 `Model with requested version is not loaded yet`',
  ),
  'errors.version-failed': different(
    'a request for a version that failed to load waits ten seconds before it is refused',
    'refused at once',
  ),
  'errors.pipeline-not-loaded': supported('an invalid pipeline: UNAVAILABLE and 404 `Pipeline is not loaded yet`'),
  'errors.pipeline-retired': supported(
    'a pipeline that left the configuration: NOT_FOUND and 404 `Pipeline is retired`',
  ),
  'errors.version-format': supported(
    'KServe version that is no number: INVALID_ARGUMENT `invalid model version format in request`; in a URL 400',
  ),
  'errors.metadata-spec': supported(
    'GetModelMetadata without `model_spec`: INVALID_ARGUMENT `model_spec missing in request`',
  ),
  'errors.metadata-field': supported(
    'GetModelMetadata for anything but `signature_def`: INVALID_ARGUMENT `Invalid signature name`',
  ),

  'errors.input-count': supported(
    'wrong number of inputs: `Invalid number of inputs - Expected: 1; Actual: 2`, INVALID_ARGUMENT and 400',
  ),
  'errors.missing-input': supported(
    'missing input: `Missing input with specific name - Required input: b`, INVALID_ARGUMENT and 400',
  ),
  'errors.negative-size': supported(
    'negative size: `Invalid input shape - Negative or zero dimension size is not acceptable: (1,-3); input name: b`, INVALID_ARGUMENT',
  ),
  'errors.precision': supported(
    'wrong type: `Invalid input precision - Expected: FP32; Actual: I32; input name: b`, INVALID_ARGUMENT and 400',
  ),
  'errors.rank': supported(
    'wrong rank: `Invalid number of shape dimensions - Expected: (1,10); Actual: (1,10,1); input name: b`, INVALID_ARGUMENT and 400',
  ),
  'errors.batch': supported(
    'wrong batch: `Invalid input batch size - Expected: 1; Actual: 2; input name: b`, INVALID_ARGUMENT and 400',
  ),
  'errors.shape': supported(
    'another wrong size: `Invalid input shape - Expected: (1,10); Actual: (1,11); input name: b`, INVALID_ARGUMENT and 400',
  ),
  'errors.content-size': supported(
    'wrong content: `Invalid content size of tensor proto - Expected: 40 bytes; Actual: 0 bytes; input name: b`, INVALID_ARGUMENT and 400',
  ),
  'errors.value-count': supported(
    'wrong number of typed values: `Invalid number of values in tensor proto container - Expected: 10; Actual: 3; input name: b`, with `values` behind the numbers in KServe',
  ),
  'errors.raw-and-typed': supported(
    'KServe raw and typed contents together: INVALID_ARGUMENT with the name of the input',
  ),
  'errors.bytes-length': supported(
    'raw BYTES whose length leads beyond the content: `Invalid content size of tensor proto - Batch length metadata exceeded buffer size, ...`',
  ),
  'errors.bytes-empty': supported(
    'an empty element of BYTES for pictures: `Bytes contents is empty`, INVALID_ARGUMENT and 500',
  ),
  'errors.overflow': supported(
    'sizes whose product overflows: `Invalid content size of tensor proto - Shape dimensions are too large; ...`, INVALID_ARGUMENT and 400',
  ),
  'errors.strings-unfit': supported(
    'strings where nothing fits them: UNKNOWN `Unknown error ...` and 500 `Functionality not implemented`',
  ),
  'errors.unsupported-precision': different(
    'a type that cannot be read or answered: INTERNAL and 500 `Unsupported deserialization precision`, `Unsupported serialization precision`',
    'every type of numbers that models have is read and answered; only JSON has no words for BF16, which is 400 there',
  ),
  'errors.auto-shape': supported(
    'a shape that a model with `shape` `auto` cannot take: FAILED_PRECONDITION and 412 `Model could not be reshaped with requested shape`',
  ),
  'errors.inference': supported('an inference that fails: INTERNAL and 500 `Internal inference error`'),

  'errors.not-json': supported(
    'a body that is no JSON: 412 `The file is not valid json - Error: <text> Offset: <n>`, in the words of RapidJSON',
  ),
  'errors.bounded': different(
    'an error repeats what the client sent, however long it is',
    'the first 128 characters and the length, 32 sizes of a shape, and at most 2 KiB as `grpc-message` carries them: a longer text breaks the header limits of clients and proxies',
  ),
  'errors.nesting': supported('JSON nested deeper than 100: 500 `JSON nesting depth exceeds the allowed limit`'),
  'errors.no-object': supported('a body that is no object: 400 `Request body should be JSON object`'),
  'errors.unknown-order': supported(
    'both or neither of `instances` and `inputs`: 400 `Invalid JSON structure. Could not detect row or column format`',
  ),
  'errors.instances-no-list': supported(
    '`instances` that are no list: 400 `Invalid JSON structure. Nonamed instance is not an array.`',
  ),
  'errors.instances-empty': supported('no instance: 400 `Invalid JSON structure. Missing instances in row format`'),
  'errors.instances-mixed': supported(
    'named and bare instances together: 400 `Invalid JSON structure. One of named instances is not a JSON object.`',
  ),
  'errors.instances-no-format': supported(
    'a first instance that is null, true or false: 400 `Could not detect neither named or nonamed format`',
  ),
  'errors.no-ndarray': supported(
    'ragged data, and data that is no numbers: 400 `Could not parse instance content. Not valid ndarray detected`, or `input content` in column order and KServe',
  ),
  'errors.row-batches': supported(
    'inputs of different batches in a row: 400 `Invalid JSON structure. Request inputs have different batch sizes`',
  ),
  'errors.bare-data': supported(
    'bare data for several inputs: 400 `Inputs inside buffer does not match expected format.`',
  ),
  'errors.inputs-no-object': supported(
    '`inputs` that are neither a list nor an object: 400 `Invalid JSON structure. One of inputs is not a JSON object.`',
  ),
  'errors.no-inputs': supported('no inputs: 400 `Invalid JSON structure, missing inputs`'),
  'errors.kserve-output': supported('KServe output without a name: 400 `Could not parse output content.`'),
  'errors.kserve-parameters': supported('KServe parameters that are none: 400 `Could not parse request parameters`'),
  'errors.header-length': supported(
    "`Inference-Header-Content-Length` that is no number: 500 `Inference-Header-Content-Length header is invalid and couldn't be parsed`; beyond the body: `... exceeds actual payload length`",
  ),
  'errors.binary-size': supported(
    'a bad `binary_data_size`: 400 `binary_data_size parameter is invalid and cannot be parsed`; a body that is too short: `Received buffer size is smaller than binary_data_size parameter indicates`',
  ),
  'errors.data-and-binary': supported(
    '`data` and binary data for one input: 500 `Request contains values both in binary data and in content value`',
  ),
  'errors.kserve-type': supported(
    '`data` of an unknown type: 400 `Could not parse input content. Unsupported data precision detected`',
  ),

  'errors.node-shape': supported(
    'a tensor between nodes that does not fit: INVALID_ARGUMENT and 400 `Invalid input shape - Node: <node> input: <tensor> Invalid shape - Expected: ...; Actual: ...`',
  ),
  'errors.no-shards': supported(
    'a dynamic demultiplexer without shards: ABORTED `Pipeline execution aborted due to no content from custom node`, 204 over REST',
  ),
  'errors.shards': supported(
    'too many shards, or a first dimension that is not the count: UNKNOWN `Unknown error ...` and 500 with the text',
  ),
  'errors.custom-node': supported(
    'a custom node that returns an error, or outputs that are wrong: UNKNOWN `Unknown error ...` and 500 with the text',
  ),
  'errors.node-model': different(
    'the model of a node is gone: as a direct call of that model',
    'a pipeline goes down together with its model, in one step: `Pipeline is not loaded yet`',
  ),
  'errors.isolation': supported('no refused request stops the server, another model or another request'),
};
