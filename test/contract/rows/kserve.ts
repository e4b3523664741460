import { different, supported } from '../row.js';

/** KServe v2, by gRPC and by REST. */
export const kserve = {
  'kserve.server-live': different(
    '`ServerLive` and `GET /v2/health/live`: live; over REST 200 with an empty body',
    'over REST the body is `{"live":true}`, which KServe\'s own server answers and its SDK reads',
  ),
  'kserve.server-ready': different(
    '`ServerReady` and `GET /v2/health/ready`: ready once the first load pass is over, also when models failed, and never not again; over REST 200 with an empty body',
    'over REST the body is `{"ready":true}`, which KServe\'s own server answers and its SDK reads',
  ),
  'kserve.server-metadata': different(
    '`ServerMetadata` and `GET /v2`: the name `OpenVINO Model Server`, a version, no extensions',
    'the extensions that are there: `binary_tensor_data`, `model_configuration`, `statistics`, `system_shared_memory`; by them clients of Triton know what they may ask for',
  ),
  'kserve.model-ready': supported(
    '`ModelReady` and `GET /v2/models/{name}[/versions/{n}]/ready`: of the version, the default version or the pipeline; over REST 200 with an empty body',
  ),
  'kserve.model-not-ready': supported('a version that is known and does not answer: `ready` is false, over REST 404'),
  'kserve.model-metadata': supported(
    '`ModelMetadata` and `GET /v2/models/{name}[/versions/{n}][/]`: available versions as texts (`["1"]` of a pipeline), platform `OpenVINO`, tensors sorted by name, -1 for open sizes',
  ),
  'kserve.rt-info': supported(
    'metadata over REST has `rt_info.model_info` of the model file, every value as text; metadata over gRPC has no field for it',
  ),
  'kserve.stream-infer': supported(
    '`ModelStreamInfer` is for graphs: NOT_FOUND `Mediapipe graph definition with requested name is not found` for models and pipelines',
  ),
  'kserve.version': supported(
    '`model_version` is empty or `0` for the default version, else an integer without leading zeros',
  ),
  'kserve.raw-or-typed': supported(
    'elements are in `raw_input_contents` by the position of their inputs, or in `contents`, not in both',
  ),
  'kserve.double': supported('FP64: raw, `fp64_contents`, JSON, binary data'),
  'kserve.float': supported('FP32: raw, `fp32_contents`, JSON, binary data'),
  'kserve.half-grpc': supported('FP16 over gRPC: raw only'),
  'kserve.half-rest': different(
    'FP16 is refused over REST, as input and as output, binary data included',
    'numbers in JSON and binary data both ways',
  ),
  'kserve.int64': supported('INT64: raw, `int64_contents`, JSON, binary data'),
  'kserve.int32': supported('INT32: raw, `int_contents`, JSON, binary data'),
  'kserve.int16': supported('INT16: raw, `int_contents`, JSON, binary data'),
  'kserve.int8': supported('INT8: raw, `int_contents`, JSON, binary data'),
  'kserve.uint64': supported('UINT64: raw, `uint64_contents`, JSON, binary data'),
  'kserve.uint32': supported('UINT32: raw, `uint_contents`, JSON, binary data'),
  'kserve.uint16': supported('UINT16: raw, `uint_contents`, JSON, binary data'),
  'kserve.uint8': supported('UINT8: raw, `uint_contents`, JSON, binary data'),
  'kserve.bool': supported('BOOL: raw, `bool_contents`, JSON, binary data'),
  'kserve.bf16': different(
    'BF16 is no type that a client can send',
    'models of BF16 take and give it raw, over REST as binary data; in JSON it is refused, and other models refuse it by its name, as OVMS does',
  ),
  'kserve.raw-answer': supported('outputs are sorted by name, always in `raw_output_contents`'),
  'kserve.answer-head': supported(
    'an answer has `model_name`, `model_version` (`1` of a pipeline) and the `id` as it was sent',
  ),
  'kserve.ignored': supported(
    'parameters and requested outputs of a request over gRPC are ignored, but for those of shared memory',
  ),

  'kserve.shared-memory-regions': different(
    '`SystemSharedMemoryRegister`, `Unregister` and `Status` are no methods, and `/v2/systemsharedmemory` no address',
    'clients on the same machine register parts of POSIX shared memory, by gRPC and REST, with the names, answers and errors of Triton',
  ),
  'kserve.shared-memory-tensors': different(
    'tensors cannot be in shared memory',
    'by the parameters `shared_memory_region`, `shared_memory_byte_size` and `shared_memory_offset` each input is read and each output written there, without a copy where it is aligned, of a known size and no index; others of the same request come and go in the message',
  ),
  'kserve.shared-memory-off': different(
    'there is nothing to be switched off',
    '`--system_shared_memory=false` refuses to register regions as UNIMPLEMENTED; status and unregister are answered as if there were none',
  ),
  'kserve.shared-memory-strings': different(
    'strings cannot be in shared memory',
    'BYTES are there as in raw contents; the parameters of an output tell how many bytes it has',
  ),
  'kserve.shared-memory-lifetime': different(
    'there are no regions that could end',
    'a region that is unregistered lasts until the requests that use it have ended; its name is free at once',
  ),
  'kserve.cuda-shared-memory': different(
    'the RPCs of CUDA shared memory are no methods',
    'there are no regions and `CudaSharedMemoryRegister` is UNIMPLEMENTED; clients of Triton ask without knowing whether there is a GPU',
  ),
  'kserve.statistics': different(
    '`ModelStatistics` is no method, and `/v2/models/{name}[/versions/{n}]/stats` and `/v2/models/stats` are no addresses',
    'counts and times of requests, queue and inferences since the start, of models and pipelines, as Triton has them; tensors take no time to be moved',
  ),
  'kserve.model-config': different(
    '`ModelConfig` is no method, and `/v2/models/{name}[/versions/{n}]/config` no address',
    "the tensors of a servable in the form of Triton's model configuration, without batching",
  ),
  'kserve.repository-index': different(
    '`RepositoryIndex` is no method, and `POST /v2/repository/index` no address',
    'every version with its state',
  ),

  'kserve.rest-fields': supported(
    'a request over REST is `id`, `parameters`, `inputs` of `name`, `shape`, `datatype`, `parameters`, `data`, and `outputs` of `name`, `parameters`',
  ),
  'kserve.rest-parameters': different(
    'a parameter is a text, a boolean or an integer',
    'a parameter is a text, a boolean or any number; over gRPC `double_param` and `uint64_param` are read, too',
  ),
  'kserve.rest-flat': supported('`data` may be flat or nested: only the number of elements counts'),
  'kserve.rest-integers': supported(
    'integer types refuse fractions and what 32 bits do not hold; narrower ones then wrap',
  ),
  'kserve.rest-int64': different(
    'INT64 and UINT64 refuse what 32 bits do not hold',
    'all that 64 bits hold, exact both ways',
  ),
  'kserve.rest-double': different('FP64 is read through a float', 'read with all its digits'),
  'kserve.binary-inputs': supported(
    '`Inference-Header-Content-Length` says where the JSON ends; the contents of inputs without `data` follow in their order',
  ),
  'kserve.binary-size': supported('a content has `binary_data_size` bytes, else as many as shape and type say'),
  'kserve.binary-outputs': different(
    'only the last listed output can ask for `binary_data`',
    'every output that asks for it gets it, by its own `binary_data`, or by `binary_data_output` of the request when it is not listed or says nothing',
  ),
  'kserve.binary-answer': supported(
    'an answer with binary outputs has the header `inference-header-content-length` and `binary_data_size`, and its content type is that of JSON',
  ),
  'kserve.unlisted-outputs': supported('unknown names in `outputs` are ignored, and all outputs are answered'),
  'kserve.mixed': supported(
    'JSON data for one input and binary data for another are refused as a wrong structure of the message',
  ),
  'kserve.answer-text': supported('the white space of an answer, to the last blank; `id` only when it was sent'),
  'kserve.float-text': supported('FP32 is printed with the digits of a double: 0.1 is 0.10000000149011612'),
  'kserve.not-finite': different(
    'a value that is not finite is left out of the text, which then is no JSON',
    '`NaN`, `Infinity` and `-Infinity`, as the API of TensorFlow Serving has them',
  ),
  'kserve.not-finite-sent': different(
    '`NaN` and `Infinity` in a request are 412',
    'taken for inputs of floating point, so that an answer can be sent again; a text like `"NaN"` is refused',
  ),
};
