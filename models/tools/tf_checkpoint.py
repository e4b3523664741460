"""Reads the variables of a TensorFlow checkpoint of version 1: one file, a sorted string table of SavedTensorSlices.

The value under the empty key is the list of tensors (field 1: name 1, shape 2, type 3), every other value one slice of
one tensor (field 2: name 1, slice 2, tensor 3), as in TensorFlow's `saved_tensor_slice.proto`. TF-slim writes each
variable as one whole slice.
"""
from __future__ import annotations

import math
from typing import Dict, Tuple

import numpy as np

from . import sstable
from .protobuf import Message, WireError

DT_FLOAT = 1


class CheckpointError(Exception):
    """The file is not a checkpoint that this reader knows."""


def read(data: bytes, origin: str) -> Dict[str, np.ndarray]:
    """Name -> f32 array of every variable of that type (the others, like the global step, are no weights)."""
    shapes: Dict[str, Tuple[int, ...]] = {}
    arrays: Dict[str, np.ndarray] = {}
    try:
        for key, value in sstable.entries(memoryview(data)):
            saved = Message(value)
            if key == b"":
                shapes = {m.text(1): _shape(m.message(2)) for m in saved.message(1).messages(1) if m.integer(3) == DT_FLOAT}
                continue
            piece = saved.message(2)
            name = piece.text(1)
            if name in shapes:
                arrays[name] = _array(name, piece, shapes[name])
    except (sstable.TableError, WireError) as error:
        raise CheckpointError(f"{origin}: {error}") from error
    missing = sorted(set(shapes) - set(arrays))
    if missing or not shapes:
        raise CheckpointError(f"{origin}: the values of {len(shapes)} variables were expected, but "
                              + (f"those of {', '.join(missing[:3])} are missing" if missing else "it lists none"))
    return arrays


def _shape(message: Message) -> Tuple[int, ...]:
    return tuple(dimension.integer(1) for dimension in message.messages(2))


def _array(name: str, piece: Message, shape: Tuple[int, ...]) -> np.ndarray:
    if any(2 in extent for extent in piece.message(2).messages(1)):  # an extent with a length is a part of its axis
        raise CheckpointError(f"variable {name} is stored in parts, which this reader does not put together")
    values = piece.message(3).numbers(5, "<f4")
    if values.size != math.prod(shape):
        raise CheckpointError(f"variable {name} of shape {list(shape)} should have {math.prod(shape)} values, "
                              f"but {values.size} are stored")
    return values.reshape(shape)
