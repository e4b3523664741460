"""Prints published messages, enums and paths of methods as JSON, for comparison with the project's own .proto files.

`{"messages": {name: {field: {"number", "type", "json", "repeated"}}}, "enums": {name: {value: number}}, "methods": [path]}`.
"""

import json
import sys

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto


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
            "json": field.json_name,
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


def print_published(files, methods, more_enums=()):
    """`files`: modules that protoc made; `more_enums`: descriptors of enums that are in none of them."""
    messages, enums = {}, {}
    for file in files:
        for message in file.DESCRIPTOR.message_types_by_name.values():
            add_message(message, messages, enums)
        for enum in file.DESCRIPTOR.enum_types_by_name.values():
            add_enum(enum, enums)
    for enum in more_enums:
        add_enum(enum, enums)
    json.dump({"messages": messages, "enums": enums, "methods": methods}, sys.stdout)
