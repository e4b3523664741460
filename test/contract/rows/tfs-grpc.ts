import { different, supported } from '../row.js';

/** Messages, selection, encodings and the calls of `tensorflow.serving`. */
export const tfsGrpc = {
  'tfs-grpc.one-port': supported(
    '`PredictionService`, `ModelService` and `GRPCInferenceService` answer on one port, without TLS',
  ),
  'tfs-grpc.message-limit': supported(
    'messages of up to 1 GiB both ways; a longer one is RESOURCE_EXHAUSTED, told from its head alone',
  ),
  'tfs-grpc.large-message': supported('a message of megabytes reaches validation and is answered'),
  'tfs-grpc.compression': supported('messages compressed with gzip'),
  'tfs-grpc.concurrent-streams': different(
    'calls of one connection are limited to the number of cores, and calls beyond the threads are RESOURCE_EXHAUSTED',
    'no number of calls is refused or held back; `--grpc_channel_arguments grpc.max_concurrent_streams=N` sets a limit',
  ),
  'tfs-grpc.discovery': different(
    'no server reflection and no `grpc.health.v1`',
    'both are served: every tool asks for them',
  ),
  'tfs-grpc.deadline': different(
    "the work of a request goes on after the client's deadline",
    'what has not begun is withdrawn, and the call ends with DEADLINE_EXCEEDED: nobody waits behind work for nobody',
  ),
  'tfs-grpc.predict': supported('`PredictionService/Predict`'),
  'tfs-grpc.get-model-metadata': supported('`PredictionService/GetModelMetadata`'),
  'tfs-grpc.unimplemented': supported('`Classify`, `Regress`, `MultiInference`: UNIMPLEMENTED with an empty message'),
  'tfs-grpc.unknown-method': supported('an unknown method is UNIMPLEMENTED'),
  'tfs-grpc.get-model-status': supported('`ModelService/GetModelStatus`'),
  'tfs-grpc.handle-reload-config-request': supported(
    '`ModelService/HandleReloadConfigRequest` does nothing and answers OK with an empty message',
  ),
  'tfs-grpc.messages': supported('all messages have the numbers and types of the published `.proto` files'),
  'tfs-grpc.malformed': different(
    'a request that is no protobuf is refused by the gRPC library, which does not say where it broke',
    'INVALID_ARGUMENT, and the text names the message and the byte',
  ),
  'tfs-grpc.wrong-wire-type': supported('a known field of another wire type counts as an unknown field'),

  'tfs-grpc.lookup': supported('a name is looked up among the models, then among the pipelines'),
  'tfs-grpc.default-version': supported('no version, and version 0, mean the highest that is available'),
  'tfs-grpc.pipeline-version': supported('the version that is asked of a pipeline is ignored'),
  'tfs-grpc.ignored-fields': supported(
    '`version_label`, `signature_name` and `output_filter` are ignored: all outputs are answered',
  ),
  'tfs-grpc.response-spec': supported('`model_spec` of a `PredictResponse` is unset'),
  'tfs-grpc.output-names': supported(
    'outputs are called by their mapped names, or by the names of the outputs of the pipeline',
  ),

  'tfs-grpc.float': supported('DT_FLOAT is FP32: `tensor_content` both ways'),
  'tfs-grpc.double': supported('DT_DOUBLE is FP64: `tensor_content` both ways'),
  'tfs-grpc.int32': supported('DT_INT32 is I32: `tensor_content` both ways'),
  'tfs-grpc.uint8': supported('DT_UINT8 is U8: `tensor_content` both ways'),
  'tfs-grpc.int16': supported('DT_INT16 is I16: `tensor_content` both ways'),
  'tfs-grpc.int8': supported('DT_INT8 is I8: `tensor_content` both ways'),
  'tfs-grpc.int64': supported('DT_INT64 is I64: `tensor_content` both ways'),
  'tfs-grpc.half': supported('DT_HALF is FP16: `half_val` in, one pattern of 16 bits a number; `tensor_content` out'),
  'tfs-grpc.uint16': supported('DT_UINT16 is U16: `int_val` in, `tensor_content` out'),
  'tfs-grpc.uint32': different(
    'DT_UINT32 is read, but an output of it is INTERNAL `Unsupported serialization precision`',
    'answered in `tensor_content`',
  ),
  'tfs-grpc.uint64': different(
    'DT_UINT64 is refused with `Unsupported deserialization precision`',
    'taken and answered in `tensor_content`',
  ),
  'tfs-grpc.bool': different(
    'DT_BOOL is refused with `Unsupported deserialization precision`',
    'taken and answered in `tensor_content`, one byte an element',
  ),
  'tfs-grpc.other-types': supported(
    'DT_BFLOAT16 and the types that no model has are called `INVALID` in the error of the precision',
  ),
  'tfs-grpc.bfloat16': different('DT_BFLOAT16 is refused', 'models of BF16 take and give it'),
  'tfs-grpc.half-content': different(
    'DT_HALF and DT_UINT16 in `tensor_content` are not read',
    'read as those of all other types',
  ),
  'tfs-grpc.typed-values': different(
    'values in `float_val`, `int_val`, `int64_val` and so on are not read, which fails the arrays of one element of `make_tensor_proto`',
    'read for every type; `tensor_content` wins where both are sent',
  ),
  'tfs-grpc.no-casts': supported('the type of a tensor must be that of the model: nothing is converted'),
  'tfs-grpc.zero-dimension': supported(
    'a dimension of 0 is accepted where the model takes any size; the content is empty',
  ),

  'tfs-grpc.order-count': supported('the number of inputs is checked before anything else of them'),
  'tfs-grpc.order-names': supported(
    'expected inputs are checked in the order of their names, so an unknown name is told as the expected one that is missing',
  ),
  'tfs-grpc.order-checks': supported(
    'each input is checked for negative sizes, precision, rank, batch, other sizes and content, in this order',
  ),
  'tfs-grpc.batch-or-shape': supported(
    'with the default layout `N...` a wrong first dimension is an error of the batch, another one of the shape',
  ),
  'tfs-grpc.auto': different(
    '`batch_size` or `shape` `auto`: the model is compiled again for a request of another size',
    'compiled once, with open dimensions: the same answers without the wait',
  ),

  'tfs-grpc.metadata-field': supported('`metadata_field` must be the one element `signature_def`'),
  'tfs-grpc.metadata-spec': supported('the answer has the name and the version that answers; 1 for pipelines'),
  'tfs-grpc.metadata-signature': supported(
    '`signature_def` is an Any of `tensorflow.serving.SignatureDefMap` with the entry `serving_default` and an empty `method_name`',
  ),
  'tfs-grpc.metadata-tensors': supported(
    'a `TensorInfo` has the name of its key, the type, and -1 for sizes that are open or ranges',
  ),
  'tfs-grpc.metadata-waits': supported('metadata of a servable that is loading is refused without waiting'),

  'tfs-grpc.status-all': supported(
    'without a version, and with version 0: all versions ever seen, ascending, those at END among them',
  ),
  'tfs-grpc.status-version': supported('with a version: that one, or NOT_FOUND'),
  'tfs-grpc.status-pipeline': supported('a pipeline is one entry, version 1, whatever version is asked'),
  'tfs-grpc.status-message': supported(
    '`error_message` is the name of the code, `OK` too: a failed load is LOADING with UNKNOWN, an invalid pipeline LOADING with FAILED_PRECONDITION',
  ),
};
