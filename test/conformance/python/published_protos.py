"""The published stubs and messages of TensorFlow Serving, for programs without the tensorflow wheel.

`tensorflow-protobuf` leaves out one file: `error_codes.proto`, which its `tensorflow/core/protobuf/error_codes.proto` re-exports.
The codes are those of gRPC, so the file is made from them here, before anything imports it.
"""

import sys
from types import ModuleType

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool


def _error_codes() -> ModuleType:
    file = descriptor_pb2.FileDescriptorProto(
        name="tensorflow/tsl/protobuf/error_codes.proto", package="tensorflow.error", syntax="proto3"
    )
    code = file.enum_type.add(name="Code")
    for status in grpc.StatusCode:
        code.value.add(name=status.name, number=status.value[0])
    module = ModuleType("tensorflow.tsl.protobuf.error_codes_pb2")
    module.DESCRIPTOR = descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
    # The name under which tensorflow-serving-api looks for it behind the re-export.
    module.tsl_dot_protobuf_dot_error__codes__pb2 = module
    return module


def _supply_missing_module() -> None:
    tsl, protobuf, codes = ModuleType("tensorflow.tsl"), ModuleType("tensorflow.tsl.protobuf"), _error_codes()
    tsl.protobuf, protobuf.error_codes_pb2 = protobuf, codes
    sys.modules.update({module.__name__: module for module in (tsl, protobuf, codes)})


_supply_missing_module()

from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2, types_pb2  # noqa: E402
from tensorflow.core.protobuf import error_codes_pb2, meta_graph_pb2  # noqa: E402
from tensorflow_serving.apis import (  # noqa: E402
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
    status_pb2,
)

__all__ = [
    "classification_pb2",
    "error_codes_pb2",
    "get_model_metadata_pb2",
    "get_model_status_pb2",
    "inference_pb2",
    "meta_graph_pb2",
    "model_management_pb2",
    "model_pb2",
    "model_service_pb2_grpc",
    "predict_pb2",
    "prediction_service_pb2_grpc",
    "regression_pb2",
    "status_pb2",
    "tensor_pb2",
    "tensor_shape_pb2",
    "types_pb2",
]
