"""Reads the protocol buffers wire format: just enough for the TensorFlow files, and no dependency.

A message is a row of fields, each a tag (number << 3 | wire type) and a value: a varint (wire type 0), eight bytes (1),
a length and that many bytes (2: strings, messages, packed numbers) or four bytes (5).
"""
from __future__ import annotations

from typing import Dict, List, Tuple, Union

import numpy as np

FieldValue = Union[int, memoryview]


class WireError(ValueError):
    """The bytes are no protocol buffers message."""


def varint(data: memoryview, position: int) -> Tuple[int, int]:
    """(value, position behind it)."""
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise WireError(f"a variable-length number at byte {position} is cut off or too long")
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if not byte & 0x80:
            return value, position


def signed(value: int) -> int:
    """int32 and int64 fields hold a negative number as its 64-bit two's complement."""
    return value - (1 << 64) if value >> 63 else value


class Message:
    """The fields of one message by number, in their order; nested messages are parsed when asked for."""

    def __init__(self, data: memoryview) -> None:
        self._fields: Dict[int, List[FieldValue]] = {}
        position = 0
        while position < len(data):
            tag, position = varint(data, position)
            value, position = _field_value(data, position, tag & 7)
            self._fields.setdefault(tag >> 3, []).append(value)

    def __contains__(self, number: int) -> bool:
        return number in self._fields

    def integer(self, number: int, default: int = 0) -> int:
        values = self._fields.get(number)
        if not values:
            return default
        if not isinstance(values[-1], int):
            raise WireError(f"field {number} should be a number, but has bytes")
        return signed(values[-1])

    def integers(self, number: int) -> List[int]:
        """A repeated integer field, packed or not."""
        found: List[int] = []
        for value in self._fields.get(number, []):
            position = 0
            while not isinstance(value, int) and position < len(value):
                number_read, position = varint(value, position)
                found.append(signed(number_read))
            if isinstance(value, int):
                found.append(signed(value))
        return found

    def blobs(self, number: int) -> List[memoryview]:
        values = self._fields.get(number, [])
        if not all(isinstance(value, memoryview) for value in values):
            raise WireError(f"field {number} should be bytes, but has a number")
        return values  # type: ignore[return-value]

    def blob(self, number: int) -> memoryview:
        blobs = self.blobs(number)
        return blobs[-1] if blobs else memoryview(b"")

    def text(self, number: int) -> str:
        return str(self.blob(number), "utf-8")

    def messages(self, number: int) -> List["Message"]:
        return [Message(blob) for blob in self.blobs(number)]

    def message(self, number: int) -> "Message":
        return Message(self.blob(number))

    def numbers(self, number: int, dtype: str) -> np.ndarray:
        """A repeated fixed-width field (float, double), packed or not."""
        return np.concatenate([np.zeros(0, dtype), *(np.frombuffer(blob, dtype) for blob in self.blobs(number))])


def _field_value(data: memoryview, position: int, wire_type: int) -> Tuple[FieldValue, int]:
    if wire_type == 0:
        return varint(data, position)
    if wire_type == 2:
        length, position = varint(data, position)
    elif wire_type in (1, 5):
        length = 8 if wire_type == 1 else 4
    else:
        raise WireError(f"wire type {wire_type} before byte {position} is none of protocol buffers")
    if position + length > len(data):
        raise WireError(f"a field of {length} bytes at byte {position} goes beyond the end of its message ({len(data)})")
    return data[position:position + length], position + length
