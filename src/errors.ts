import { boundedMessage } from './texts.js';

/**
 * Every error a client or an operator can see. Code, statuses and text stand here and nowhere else.
 *
 * Texts, gRPC codes and HTTP codes are those of OVMS 2026.2.1, which its users' scripts read. `grpc: null` marks a status that
 * OVMS maps to UNKNOWN with the fixed text "Unknown error"; the code is kept and the real text is put behind it.
 */
interface CatalogueEntry {
  readonly grpc: number | null;
  readonly http: number;
  readonly text: string;
}

const NOT_FOUND = 5;
const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const ALREADY_EXISTS = 6;
const RESOURCE_EXHAUSTED = 8;
const FAILED_PRECONDITION = 9;
const ABORTED = 10;
const UNIMPLEMENTED = 12;
const INTERNAL = 13;
const UNAVAILABLE = 14;
const UNKNOWN = 2;
const CANCELLED = 1;

export const CATALOGUE = {
  // selection and readiness
  MODEL_NAME_MISSING: { grpc: NOT_FOUND, http: 404, text: 'Model with requested name is not found' },
  PIPELINE_NAME_MISSING: { grpc: NOT_FOUND, http: 404, text: 'Pipeline with requested name is not found' },
  MODEL_VERSION_MISSING: { grpc: NOT_FOUND, http: 404, text: 'Model with requested version is not found' },
  MODEL_VERSION_RETIRED: { grpc: NOT_FOUND, http: 404, text: 'Model with requested version is retired' },
  MODEL_VERSION_NOT_LOADED: { grpc: UNAVAILABLE, http: 404, text: 'Model with requested version is not loaded yet' },
  PIPELINE_NOT_LOADED: { grpc: UNAVAILABLE, http: 404, text: 'Pipeline is not loaded yet' },
  PIPELINE_RETIRED: { grpc: NOT_FOUND, http: 404, text: 'Pipeline is retired' },
  GRAPH_NAME_MISSING: {
    grpc: NOT_FOUND,
    http: 404,
    text: 'Mediapipe graph definition with requested name is not found',
  },
  MODEL_VERSION_FORMAT: { grpc: INVALID_ARGUMENT, http: 400, text: 'invalid model version format in request' },
  MODEL_SPEC_MISSING: { grpc: INVALID_ARGUMENT, http: 400, text: 'model_spec missing in request' },
  INVALID_SIGNATURE: { grpc: INVALID_ARGUMENT, http: 400, text: 'Invalid signature name' },

  // shared memory of clients; whole texts are details, because names stand inside them (as Triton has them)
  SHARED_MEMORY_EXISTS: { grpc: ALREADY_EXISTS, http: 409, text: '' },
  SHARED_MEMORY_MISSING: { grpc: NOT_FOUND, http: 404, text: '' },
  SHARED_MEMORY_OPEN: { grpc: INTERNAL, http: 500, text: '' },
  SHARED_MEMORY_INVALID: { grpc: INVALID_ARGUMENT, http: 400, text: '' },
  SHARED_MEMORY_TOO_SMALL: { grpc: INVALID_ARGUMENT, http: 400, text: '' },
  SHARED_MEMORY_LIMIT: { grpc: RESOURCE_EXHAUSTED, http: 429, text: '' },
  SHARED_MEMORY_BROKEN: {
    grpc: FAILED_PRECONDITION,
    http: 400,
    text: 'Shared memory region was cut off by its owner after it was registered',
  },
  SHARED_MEMORY_OFF: { grpc: UNIMPLEMENTED, http: 501, text: 'Shared memory is not offered by this server' },
  CUDA_SHARED_MEMORY: { grpc: UNIMPLEMENTED, http: 501, text: 'CUDA shared memory is not supported' },

  // inputs
  MESSAGE_MALFORMED: { grpc: INVALID_ARGUMENT, http: 400, text: 'Request message could not be parsed' },
  INVALID_NO_OF_INPUTS: { grpc: INVALID_ARGUMENT, http: 400, text: 'Invalid number of inputs' },
  INVALID_MISSING_INPUT: { grpc: INVALID_ARGUMENT, http: 400, text: 'Missing input with specific name' },
  INVALID_NO_OF_SHAPE_DIMENSIONS: { grpc: INVALID_ARGUMENT, http: 400, text: 'Invalid number of shape dimensions' },
  INVALID_BATCH_SIZE: { grpc: INVALID_ARGUMENT, http: 400, text: 'Invalid input batch size' },
  INVALID_SHAPE: { grpc: INVALID_ARGUMENT, http: 400, text: 'Invalid input shape' },
  INVALID_PRECISION: { grpc: INVALID_ARGUMENT, http: 400, text: 'Invalid input precision' },
  INVALID_CONTENT_SIZE: { grpc: INVALID_ARGUMENT, http: 400, text: 'Invalid content size of tensor proto' },
  INVALID_VALUE_COUNT: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Invalid number of values in tensor proto container',
  },
  INVALID_MESSAGE_STRUCTURE: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Passing buffers both in ModelInferRequest::InferInputTensor::contents and in ModelInferRequest::raw_input_contents is not allowed',
  },
  UNSUPPORTED_DESERIALIZATION_PRECISION: { grpc: INTERNAL, http: 500, text: 'Unsupported deserialization precision' },
  STRING_EMPTY: { grpc: INVALID_ARGUMENT, http: 400, text: 'String val is empty' },
  /** What KServe's clients get for STRING_EMPTY. */
  BYTES_EMPTY: { grpc: INVALID_ARGUMENT, http: 500, text: 'Bytes contents is empty' },
  STRINGS_TOO_LARGE: { grpc: INVALID_ARGUMENT, http: 400, text: 'String max size exceeded' },
  PICTURE_LAYOUT_INVALID: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Received binary image input but resource not configured to accept NHWC layout',
  },
  PICTURE_PARSING_FAILED: { grpc: null, http: 500, text: 'Image parsing failed' },
  PICTURE_CHANNELS_INVALID: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Invalid number of channels in binary input',
  },
  PICTURE_SIZES_DIFFER: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Binary input images for this endpoint are required to have the same resolution',
  },
  NOT_IMPLEMENTED: { grpc: null, http: 500, text: 'Functionality not implemented' },

  // sequences of stateful models
  SPECIAL_INPUT_NO_SHAPE: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Special input proto does not contain tensor shape information',
  },
  SEQUENCE_ID_BAD_TYPE: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Could not find sequence id in expected tensor proto field uint64_val',
  },
  SEQUENCE_CONTROL_BAD_TYPE: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Could not find sequence control input in expected tensor proto field uint32_val',
  },
  SEQUENCE_CONTROL_INVALID: { grpc: INVALID_ARGUMENT, http: 400, text: 'Unexpected value of sequence control input' },
  SEQUENCE_ID_NOT_PROVIDED: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Sequence ID has not been provided in request inputs',
  },
  SEQUENCE_MISSING: { grpc: NOT_FOUND, http: 404, text: 'Sequence with provided ID does not exist' },
  SEQUENCE_EXISTS: { grpc: ALREADY_EXISTS, http: 409, text: 'Sequence with provided ID already exists' },
  SEQUENCE_TERMINATED: {
    grpc: FAILED_PRECONDITION,
    http: 412,
    text: "Sequence last request is being processed and it's not available anymore",
  },
  SEQUENCE_LIMIT: {
    grpc: UNAVAILABLE,
    http: 503,
    text: 'Max sequence number has been reached. Could not create new sequence.',
  },

  // REST parsing
  JSON_INVALID: { grpc: FAILED_PRECONDITION, http: 412, text: 'The file is not valid json' },
  REST_NESTING_TOO_DEEP: { grpc: null, http: 500, text: 'JSON nesting depth exceeds the allowed limit' },
  REST_BODY_IS_NOT_AN_OBJECT: { grpc: INVALID_ARGUMENT, http: 400, text: 'Request body should be JSON object' },
  REST_PREDICT_UNKNOWN_ORDER: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Invalid JSON structure. Could not detect row or column format',
  },
  REST_INSTANCES_NOT_AN_ARRAY: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Invalid JSON structure. Nonamed instance is not an array.',
  },
  REST_NAMED_INSTANCE_NOT_AN_OBJECT: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Invalid JSON structure. One of named instances is not a JSON object.',
  },
  REST_INSTANCES_NOT_NAMED_OR_NONAMED: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Could not detect neither named or nonamed format',
  },
  REST_INPUTS_NOT_AN_OBJECT: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Invalid JSON structure. One of inputs is not a JSON object.',
  },
  REST_NO_INSTANCES_FOUND: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Invalid JSON structure. Missing instances in row format',
  },
  REST_COULD_NOT_PARSE_INSTANCE: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Could not parse instance content. Not valid ndarray detected',
  },
  REST_COULD_NOT_PARSE_INPUT: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Could not parse input content. Not valid ndarray detected',
  },
  REST_UNSUPPORTED_PRECISION: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Could not parse input content. Unsupported data precision detected',
  },
  REST_INSTANCES_BATCH_SIZE_DIFFER: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Invalid JSON structure. Request inputs have different batch sizes',
  },
  REST_INPUT_NOT_PREALLOCATED: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Inputs inside buffer does not match expected format.',
  },
  REST_NO_INPUTS_FOUND: { grpc: INVALID_ARGUMENT, http: 400, text: 'Invalid JSON structure, missing inputs' },
  REST_COULD_NOT_PARSE_OUTPUT: { grpc: INVALID_ARGUMENT, http: 400, text: 'Could not parse output content.' },
  REST_COULD_NOT_PARSE_PARAMETERS: { grpc: INVALID_ARGUMENT, http: 400, text: 'Could not parse request parameters' },
  REST_HEADER_LENGTH_INVALID: {
    grpc: null,
    http: 500,
    text: "Inference-Header-Content-Length header is invalid and couldn't be parsed",
  },
  REST_HEADER_LENGTH_EXCEEDED: {
    grpc: null,
    http: 500,
    text: 'Inference-Header-Content-Length header exceeds actual payload length',
  },
  REST_BINARY_DATA_SIZE_INVALID: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'binary_data_size parameter is invalid and cannot be parsed',
  },
  REST_BINARY_BUFFER_EXCEEDED: {
    grpc: INVALID_ARGUMENT,
    http: 400,
    text: 'Received buffer size is smaller than binary_data_size parameter indicates',
  },
  REST_CONTENTS_FIELD_NOT_EMPTY: {
    grpc: null,
    http: 500,
    text: 'Request contains values both in binary data and in content value',
  },
  REST_SERIALIZE_FAILED: { grpc: null, http: 500, text: 'Response parsing to JSON error' },
  REST_NOT_FOUND: { grpc: null, http: 404, text: 'Requested REST resource not found' },
  REST_UNSUPPORTED_METHOD: { grpc: null, http: 406, text: 'Unsupported method' },
  REST_INVALID_URL: { grpc: null, http: 400, text: 'Invalid request URL' },
  REST_BODY_TOO_LARGE: { grpc: null, http: 413, text: 'Request body is larger than the limit' },

  // inference
  TENSOR_BINDING_FAILED: { grpc: INTERNAL, http: 500, text: 'Internal deserialization error' },
  INFERENCE_FAILED: { grpc: INTERNAL, http: 500, text: 'Internal inference error' },
  OUTPUT_RETRIEVAL_FAILED: { grpc: INTERNAL, http: 500, text: 'Internal serialization error' },
  OUT_OF_MEMORY: {
    grpc: RESOURCE_EXHAUSTED,
    http: 503,
    text: 'Memory for the tensors of the request could not be had',
  },
  DEADLINE_EXCEEDED: { grpc: DEADLINE_EXCEEDED, http: 504, text: 'Deadline of the request has passed' },
  REQUEST_CANCELLED: { grpc: CANCELLED, http: 499, text: 'Request was cancelled by the client' },
  SERVER_NOT_READY: { grpc: UNAVAILABLE, http: 503, text: 'Server is not ready' },
  SERVER_STOPPING: { grpc: UNAVAILABLE, http: 503, text: 'Server is stopping' },
  WORKER_LOST: { grpc: UNAVAILABLE, http: 503, text: 'The worker of this request ended before it answered' },
  SERVICE_UNKNOWN: { grpc: NOT_FOUND, http: 404, text: 'Service with requested name is not found' },
  SYMBOL_UNKNOWN: { grpc: NOT_FOUND, http: 404, text: 'Symbol or file with requested name is not found' },
  METHOD_UNIMPLEMENTED: { grpc: UNIMPLEMENTED, http: 501, text: '' },
  MESSAGE_TOO_LARGE: { grpc: RESOURCE_EXHAUSTED, http: 413, text: 'Received message larger than max' },
  HEADERS_TOO_LARGE: { grpc: RESOURCE_EXHAUSTED, http: 431, text: 'Received metadata larger than max' },
  ENCODING_UNKNOWN: { grpc: UNIMPLEMENTED, http: 415, text: 'Received message in an unknown encoding' },
  STREAM_BROKEN: { grpc: INTERNAL, http: 400, text: 'Received stream could not be read' },
  INTERNAL_ERROR: { grpc: INTERNAL, http: 500, text: 'Internal server error' },
  UNKNOWN_ERROR: { grpc: UNKNOWN, http: 500, text: 'Unknown error' },

  // demultiplexers at run time
  NO_CONTENT: { grpc: ABORTED, http: 204, text: 'Pipeline execution aborted due to no content from custom node' },
  DEMULTIPLY_TOO_LARGE: { grpc: null, http: 500, text: 'Too large dynamic demultiplication requested.' },
  DEMULTIPLY_WRONG_SIZE: { grpc: null, http: 500, text: 'Wrong dimension size. Should match demultiply count' },
  DEMULTIPLY_WRONG_RANK: { grpc: null, http: 500, text: 'Wrong number of dimensions in a tensor to be sharded' },
  DEMULTIPLY_STRING: { grpc: null, http: 500, text: 'Demultiplication is not supported for string precision' },
  CONDITION_ELEMENT_MISSING: { grpc: INVALID_ARGUMENT, http: 400, text: 'Condition of a node cannot be asked' },
  NODE_WITHDRAWN: { grpc: CANCELLED, http: 499, text: 'Node is not needed any more' },
  GATHER_SHARDS_DIFFER: { grpc: null, http: 500, text: 'Gathered tensor shards dimensions are different' },

  // custom nodes at run time
  CUSTOM_NODE_FAILED: { grpc: null, http: 500, text: 'Custom node failed during execution' },
  CUSTOM_NODE_OUTPUTS_CORRUPTED: {
    grpc: null,
    http: 500,
    text: 'Custom node library has returned corrupted outputs handle',
  },
  CUSTOM_NODE_OUTPUT_COUNT_CORRUPTED: {
    grpc: null,
    http: 500,
    text: 'Custom node library has produced corrupted number of outputs',
  },
  CUSTOM_NODE_OUTPUT_NAME_MISSING: { grpc: null, http: 500, text: 'Custom node output is missing name' },
  CUSTOM_NODE_OUTPUT_PRECISION: {
    grpc: null,
    http: 500,
    text: 'Custom node has produced tensor with unspecified precision',
  },
  CUSTOM_NODE_OUTPUT_SHAPE: {
    grpc: null,
    http: 500,
    text: 'Custom node has produced tensor with not matching shape',
  },
  CUSTOM_NODE_OUTPUT_CONTENT_SIZE: { grpc: null, http: 500, text: 'Custom node output has invalid content size' },
  CUSTOM_NODE_OUTPUT_MISSING: { grpc: null, http: 500, text: 'Custom node output is missing' },

  // nodes of a user's own module at run time
  JS_NODE_FAILED: { grpc: null, http: 500, text: 'Custom node failed during execution' },
  JS_NODE_OUTPUT_INVALID: {
    grpc: null,
    http: 500,
    text: 'Custom node gave an output that its signature does not allow',
  },
  JS_NODE_TIMEOUT: { grpc: DEADLINE_EXCEEDED, http: 504, text: 'Custom node ran longer than its time limit' },

  // configuration file and repository
  CONFIG_FILE_UNREADABLE: { grpc: null, http: 500, text: 'Config file not found or cannot open.' },
  CONFIG_JSON_INVALID: { grpc: null, http: 412, text: 'The file is not valid json' },
  CONFIG_SCHEMA_INVALID: { grpc: null, http: 412, text: 'The file is not valid json - Schema violation' },
  CONFIG_VALUE_INVALID: { grpc: null, http: 412, text: 'Value of provided parameter is invalid' },
  CONFIG_RELOAD_FAILED: {
    grpc: null,
    http: 500,
    text: 'Reloading config file failed. Check server logs for more info.',
  },
  VERSIONS_RELOAD_FAILED: {
    grpc: null,
    http: 500,
    text: 'Reloading models versions failed. Check server logs for more info.',
  },
  STATUSES_FAILED: {
    grpc: null,
    http: 500,
    text: 'Retrieving all model statuses failed. Check server logs for more info.',
  },
  MODEL_TYPE_CHANGED: { grpc: null, http: 500, text: 'Model type cannot be changed after it is loaded' },
  MODEL_STATEFUL_AUTO: {
    grpc: null,
    http: 500,
    text: 'Dynamic shape and dynamic batch size are not supported for stateful models',
  },
  MODEL_NAME_OCCUPIED: { grpc: null, http: 500, text: 'Given model name is already occupied' },
  PATH_INVALID: { grpc: null, http: 400, text: "The provided base path is invalid or doesn't exists" },
  FILE_INVALID: { grpc: null, http: 500, text: 'File not found or cannot open' },
  MODEL_READ_FAILED: { grpc: null, http: 500, text: 'Model could not be read' },
  MODEL_RESHAPE_FAILED: {
    grpc: FAILED_PRECONDITION,
    http: 412,
    text: 'Model could not be reshaped with requested shape',
  },
  MODEL_COMPILE_FAILED: {
    grpc: FAILED_PRECONDITION,
    http: 412,
    text: 'Cannot compile model into target device',
  },
  MODEL_MAPPING_INVALID: { grpc: null, http: 500, text: 'Mapping configuration is invalid' },
  MODEL_LAYOUT_INVALID: { grpc: null, http: 500, text: 'Layout configuration is invalid' },
  MODEL_BATCHING_INVALID: { grpc: null, http: 500, text: 'Requests to the model cannot be joined to batches' },
  /** The model does not allow it; then its requests are inferred one by one. */
  MODEL_NOT_JOINED: { grpc: null, http: 500, text: 'Requests to the model cannot be joined to batches' },
  MODEL_PREPROCESSING_INVALID: { grpc: null, http: 500, text: 'Preprocessing configuration is invalid' },
  NATIVE_BINDING_MISSING: { grpc: null, http: 500, text: 'Native addon could not be loaded' },
  BACKEND_MISSING: { grpc: null, http: 500, text: 'Inference backend could not be loaded' },

  // cloud storages
  STORAGE_PACKAGE_MISSING: { grpc: null, http: 500, text: 'Package of the cloud storage is not installed' },
  S3_BUCKET_NOT_FOUND: { grpc: null, http: 500, text: 'S3 Bucket not found' },
  S3_INVALID_ACCESS: { grpc: null, http: 500, text: 'S3 Invalid access rights' },
  S3_FAILED_LIST_OBJECTS: { grpc: null, http: 500, text: 'S3 Failed to list objects' },
  S3_FAILED_GET_OBJECT: { grpc: null, http: 500, text: 'S3 Failed to get object from path' },
  S3_FILE_INVALID: { grpc: null, http: 500, text: 'S3 File path is invalid' },
  GCS_BUCKET_NOT_FOUND: { grpc: null, http: 500, text: 'GCS Bucket not found' },
  GCS_INVALID_ACCESS: { grpc: null, http: 500, text: 'GCS Invalid access rights' },
  GCS_FAILED_LIST_OBJECTS: { grpc: null, http: 500, text: 'GCS Failed to list objects' },
  GCS_FAILED_GET_OBJECT: { grpc: null, http: 500, text: 'GCS Failed to get object from path' },
  GCS_FILE_INVALID: { grpc: null, http: 500, text: 'GCS File path is invalid' },
  AS_INVALID_PATH: { grpc: null, http: 500, text: 'AS Invalid path' },
  AS_CONTAINER_NOT_FOUND: { grpc: null, http: 500, text: 'AS Container not found' },
  AS_SHARE_NOT_FOUND: { grpc: null, http: 500, text: 'AS Share not found' },
  AS_INVALID_ACCESS: { grpc: null, http: 500, text: 'AS Invalid access rights' },
  AS_FAILED_LIST_OBJECTS: { grpc: null, http: 500, text: 'AS Failed to list objects' },
  AS_FAILED_GET_OBJECT: { grpc: null, http: 500, text: 'AS Failed to get object from path' },
  AS_FILE_INVALID: { grpc: null, http: 500, text: 'AS File path is invalid' },

  // pipeline definitions, in the order OVMS 2026.2.1 checks them
  PIPELINE_NAME_OCCUPIED: { grpc: null, http: 500, text: 'Pipeline has the same name as model' },
  PIPELINE_LIBRARY_INVALID: { grpc: null, http: 500, text: 'Pipeline refers to incorrect library' },
  CUSTOM_NODE_INITIALIZE_FAILED: { grpc: null, http: 500, text: 'Failure during custom node library initialization' },
  CUSTOM_NODE_METADATA_FAILED: { grpc: null, http: 500, text: 'Custom node failed on metadata call' },
  PIPELINE_NODE_NAME_DUPLICATE: {
    grpc: null,
    http: 500,
    text: 'Pipeline definition has multiple nodes with the same name',
  },
  PIPELINE_MODEL_MISSING: {
    grpc: null,
    http: 500,
    text: 'Pipeline definition has reference to missing model',
  },
  PIPELINE_MODEL_AUTO: { grpc: null, http: 500, text: 'Value of provided parameter is forbidden' },
  PIPELINE_MODEL_STATEFUL: { grpc: null, http: 500, text: 'Stateful model cannot be subscribed to pipeline' },
  PIPELINE_PIPELINE_MISSING: {
    grpc: null,
    http: 500,
    text: 'Pipeline definition has reference to missing pipeline',
  },
  PIPELINE_NODE_MISSING: { grpc: null, http: 500, text: 'Pipeline definition has reference to missing node' },
  PIPELINE_RESPONSE_AS_DEPENDENCY: {
    grpc: null,
    http: 500,
    text: 'Pipeline definition has response node used as dependency node',
  },
  PIPELINE_MODEL_INPUT_MISSING: {
    grpc: null,
    http: 500,
    text: 'Pipeline definition has connection to non existing model input',
  },
  PIPELINE_MODEL_INPUT_FED_TWICE: {
    grpc: null,
    http: 500,
    text: 'Pipeline definition has multiple connections to the same input of underlying model',
  },
  PIPELINE_DATA_SOURCE_MISSING: {
    grpc: null,
    http: 500,
    text: 'Pipeline definition has reference to missing data source',
  },
  PIPELINE_MODEL_OUTPUT_MISSING: {
    grpc: null,
    http: 500,
    text: 'Pipeline definition has reference to missing model output',
  },
  PIPELINE_INPUT_SHAPE: { grpc: null, http: 500, text: 'Invalid input shape' },
  PIPELINE_INPUT_PRECISION: { grpc: null, http: 500, text: 'Invalid input precision' },
  PIPELINE_MODEL_INPUT_UNFED: {
    grpc: null,
    http: 500,
    text: 'Pipeline definition does not have connections for all inputs of underlying models',
  },
  PIPELINE_CYCLE: { grpc: null, http: 500, text: 'Pipeline definition contains a cycle' },
  PIPELINE_UNCONNECTED_NODES: { grpc: null, http: 500, text: 'Pipeline definition has unconnected nodes' },
  PIPELINE_NOT_ENOUGH_DIMENSIONS: {
    grpc: null,
    http: 500,
    text: 'Pipeline has not enough shape dimensions to demultiply',
  },
  PIPELINE_DEMULTIPLY_COUNT: {
    grpc: null,
    http: 500,
    text: 'Demultiplication count does not match tensor first dimension',
  },
  PIPELINE_GATHER_NODE_MISSING: { grpc: null, http: 500, text: 'Gather node refers to not existing node' },
  PIPELINE_GATHER_NO_DEMULTIPLEXER: {
    grpc: null,
    http: 500,
    text: "Gather node refers to node that isn't demultiplexer",
  },
  PIPELINE_DEMULTIPLEXER_ORDER: {
    grpc: null,
    http: 500,
    text: 'Demultiplexer and gather nodes are not in LIFO order',
  },
  PIPELINE_CONDITION: { grpc: null, http: 500, text: 'Pipeline definition has a condition that cannot be asked' },
  PIPELINE_CONVERSION: { grpc: null, http: 500, text: 'Pipeline definition has a conversion that does not fit' },
  PIPELINE_SELECT: { grpc: null, http: 500, text: 'Pipeline definition has a select node that cannot choose' },
  PIPELINE_JS_MODULE_INVALID: {
    grpc: null,
    http: 500,
    text: 'Pipeline definition has reference to a module that is no node',
  },
  PIPELINE_INPUTS_DIFFER: {
    grpc: null,
    http: 500,
    text: 'Multiple nodes connected to the same pipeline input require different tensor metadata',
  },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof CATALOGUE;

/** Errors of which OVMS 2026.2.1 gives clients the text alone: their details are for the log. */
const WITHOUT_DETAIL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'MODEL_NAME_MISSING',
  'PIPELINE_NAME_MISSING',
  'GRAPH_NAME_MISSING',
  'MODEL_VERSION_MISSING',
  'MODEL_VERSION_RETIRED',
  'MODEL_VERSION_NOT_LOADED',
  'PIPELINE_NOT_LOADED',
  'PIPELINE_RETIRED',
  'MODEL_VERSION_FORMAT',
  'MODEL_SPEC_MISSING',
  'INVALID_SIGNATURE',
  'UNSUPPORTED_DESERIALIZATION_PRECISION',
  'STRING_EMPTY',
  'BYTES_EMPTY',
  'PICTURE_LAYOUT_INVALID',
  'PICTURE_PARSING_FAILED',
  'PICTURE_CHANNELS_INVALID',
  'PICTURE_SIZES_DIFFER',
  'NOT_IMPLEMENTED',
  'MODEL_RESHAPE_FAILED',
  'MODEL_COMPILE_FAILED',
  'TENSOR_BINDING_FAILED',
  'INFERENCE_FAILED',
  'OUTPUT_RETRIEVAL_FAILED',
  'REST_NESTING_TOO_DEEP',
  'REST_BODY_IS_NOT_AN_OBJECT',
  'REST_PREDICT_UNKNOWN_ORDER',
  'REST_INSTANCES_NOT_AN_ARRAY',
  'REST_NAMED_INSTANCE_NOT_AN_OBJECT',
  'REST_NO_INSTANCES_FOUND',
  'REST_COULD_NOT_PARSE_INSTANCE',
  'REST_COULD_NOT_PARSE_INPUT',
  'REST_INSTANCES_BATCH_SIZE_DIFFER',
  'REST_INPUT_NOT_PREALLOCATED',
  'REST_NO_INPUTS_FOUND',
  'REST_COULD_NOT_PARSE_OUTPUT',
  'REST_COULD_NOT_PARSE_PARAMETERS',
  'REST_HEADER_LENGTH_INVALID',
  'REST_HEADER_LENGTH_EXCEEDED',
  'REST_BINARY_DATA_SIZE_INVALID',
  'REST_BINARY_BUFFER_EXCEEDED',
  'REST_CONTENTS_FIELD_NOT_EMPTY',
  'REST_SERIALIZE_FAILED',
  'REST_NOT_FOUND',
  'REST_UNSUPPORTED_METHOD',
  'REST_INVALID_URL',
  'NO_CONTENT',
  'DEMULTIPLY_TOO_LARGE',
  'DEMULTIPLY_WRONG_SIZE',
  'DEMULTIPLY_WRONG_RANK',
  'DEMULTIPLY_STRING',
  'GATHER_SHARDS_DIFFER',
  'CUSTOM_NODE_FAILED',
  'CUSTOM_NODE_OUTPUTS_CORRUPTED',
  'CUSTOM_NODE_OUTPUT_COUNT_CORRUPTED',
  'CUSTOM_NODE_OUTPUT_NAME_MISSING',
  'CUSTOM_NODE_OUTPUT_PRECISION',
  'CUSTOM_NODE_OUTPUT_SHAPE',
  'CUSTOM_NODE_OUTPUT_CONTENT_SIZE',
  'CUSTOM_NODE_OUTPUT_MISSING',
  'CONFIG_FILE_UNREADABLE',
  'CONFIG_RELOAD_FAILED',
  'VERSIONS_RELOAD_FAILED',
  'STATUSES_FAILED',
]);

/**
 * An error of the catalogue. Its message and its detail are bounded, so that no client can make an answer that its own header limits
 * refuse. `detail` names what was expected, what was received and where; it follows the catalogue's text
 * behind ` - `, as OVMS 2026.2.1 prints it. A fault of a lower layer travels as `cause`.
 * A plain `Error` that reaches a frontend is a bug: it is logged with its stack and answered as `INTERNAL_ERROR`.
 */
export class ServingError extends Error {
  override readonly name = 'ServingError';
  readonly code: ErrorCode;
  readonly detail: string;

  constructor(code: ErrorCode, detail = '', options?: ErrorOptions) {
    const { text } = CATALOGUE[code];
    super(boundedMessage(detail === '' ? text : text === '' ? detail : `${text} - ${detail}`), options);
    this.code = code;
    this.detail = boundedMessage(detail);
  }

  /** What a client receives: `message`, or the catalogue's text alone where OVMS 2026.2.1 adds nothing to it. */
  get clientText(): string {
    return WITHOUT_DETAIL.has(this.code) ? CATALOGUE[this.code].text : this.message;
  }

  /** What a gRPC client receives. Statuses without a mapping keep OVMS's code and opening words, then the real text. */
  grpcStatus(): { readonly code: number; readonly details: string } {
    const { grpc } = CATALOGUE[this.code];
    if (grpc === null) {
      return { code: UNKNOWN, details: boundedMessage(`${CATALOGUE.UNKNOWN_ERROR.text} - ${this.clientText}`) };
    }
    return { code: grpc, details: this.clientText };
  }

  httpStatus(): number {
    return CATALOGUE[this.code].http;
  }
}
