"""Reads a serialized TensorFlow graph (GraphDef) into nodes; field numbers are those of TensorFlow's .proto files."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from .protobuf import Message, WireError

DT_FLOAT, DT_INT32, DT_INT64 = 1, 3, 9
DTYPES = {DT_FLOAT: "<f4", DT_INT32: "<i4", DT_INT64: "<i8"}


class GraphError(Exception):
    """The graph is not one that this converter knows."""


@dataclass(frozen=True)
class Node:
    """A GraphDef node. Attributes are Python values: int, float, bool, str, list of int, array."""

    name: str
    operation: str
    inputs: Sequence[str] = ()
    attributes: Dict[str, Any] = field(default_factory=dict)


def read(data: bytes, origin: str) -> List[Node]:
    """The nodes of a serialized GraphDef (`graph.proto`: node 1; name 1, op 2, input 3, attr 5)."""
    try:
        return [_node(message) for message in Message(memoryview(data)).messages(1)]
    except (WireError, UnicodeDecodeError, ValueError) as error:
        raise GraphError(f"{origin}: a frozen TensorFlow graph was expected, but {error}") from error


def _node(message: Message) -> Node:
    attributes = {}
    for entry in message.messages(5):
        attributes[entry.text(1)] = _attribute(entry.message(2))
    return Node(message.text(1), message.text(2), [str(blob, "utf-8") for blob in message.blobs(3)], attributes)


def _attribute(value: Message) -> Any:
    """`attr_value.proto`: list 1 (of integers: 3), s 2, i 3, f 4, b 5, type 6, tensor 8. None for other kinds."""
    if 8 in value:
        return _tensor(value.message(8))
    if 2 in value:
        return str(value.blob(2), "utf-8", "replace")
    if 4 in value:
        return float(value.numbers(4, "<f4")[-1])
    for number in (3, 5, 6):
        if number in value:
            return value.integer(number)
    return value.message(1).integers(3) if 1 in value else None


def _tensor(message: Message) -> Optional[np.ndarray]:
    """`tensor.proto`: dtype 1, shape 2, content 4, floats 5, ints 7, int64s 10. None for a type that weights do not
    have. Fewer values than elements mean that the last one repeats."""
    dtype = DTYPES.get(message.integer(1))
    if dtype is None:
        return None
    shape = [dimension.integer(1) for dimension in message.message(2).messages(2)]
    if 4 in message:
        return np.frombuffer(message.blob(4), dtype).reshape(shape)
    values = message.numbers(5, dtype) if dtype == "<f4" else np.array(message.integers(7 if dtype == "<i4" else 10), dtype)
    array = np.zeros(shape, dtype)
    if values.size > array.size:
        raise ValueError(f"a constant of shape {shape} has {values.size} values")
    if values.size:
        array.flat[:] = values[-1]
        array.flat[:values.size] = values
    return array
