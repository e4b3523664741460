"""Prints the published messages, enums and paths of methods as JSON, for comparison with the project's own .proto files.

`{"messages": {name: {field: {"number", "type", "repeated"}}}, "enums": {name: {value: number}}, "methods": [path]}`.
"""

import json
import sys

import published_protos as protos
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto

FILES = (
    protos.classification_pb2,
    protos.get_model_metadata_pb2,
    protos.get_model_status_pb2,
    protos.inference_pb2,
    protos.meta_graph_pb2,
    protos.model_management_pb2,
    protos.model_pb2,
    protos.predict_pb2,
    protos.regression_pb2,
    protos.status_pb2,
    protos.tensor_pb2,
    protos.tensor_shape_pb2,
    protos.types_pb2,
)


def type_name(field):
    if field.message_type is not None:
        return field.message_type.full_name
    if field.enum_type is not None:
        return field.enum_type.full_name
    return FieldDescriptorProto.Type.Name(field.type)[len("TYPE_") :].lower()


def add_message(message, messages, enums):
    messages[message.full_name] = {
        field.name: {
            "number": field.number,
            "type": type_name(field),
            "repeated": field.label == FieldDescriptor.LABEL_REPEATED,
        }
        for field in message.fields
    }
    for inner in message.nested_types:
        add_message(inner, messages, enums)
    for inner in message.enum_types:
        add_enum(inner, enums)


def add_enum(enum, enums):
    enums[enum.full_name] = {value.name: value.number for value in enum.values}


class MethodRecorder:
    """Stands for a channel while a stub is made, and notes what the stub can call."""

    def __init__(self):
        self.paths = []

    def unary_unary(self, path, **_options):
        self.paths.append(path)


def main():
    messages, enums, recorder = {}, {}, MethodRecorder()
    for file in FILES:
        for message in file.DESCRIPTOR.message_types_by_name.values():
            add_message(message, messages, enums)
        for enum in file.DESCRIPTOR.enum_types_by_name.values():
            add_enum(enum, enums)
    add_enum(descriptor_pool.Default().FindEnumTypeByName("tensorflow.error.Code"), enums)
    protos.prediction_service_pb2_grpc.PredictionServiceStub(recorder)
    protos.model_service_pb2_grpc.ModelServiceStub(recorder)
    json.dump({"messages": messages, "enums": enums, "methods": recorder.paths}, sys.stdout)


if __name__ == "__main__":
    main()
