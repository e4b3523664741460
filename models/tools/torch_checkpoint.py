"""Reads the tensors of a PyTorch checkpoint without PyTorch.

The format is the one that torch.save wrote before version 1.6: a row of pickles (magic number, protocol, machine,
the state dictionary, the keys of the storages in file order) and then each storage as a count (int64) and its raw
elements, little-endian.

A pickle is a program, so the unpickler admits the few names that a dictionary of tensors needs and refuses the rest.
"""
from __future__ import annotations

import io
import pickle
import struct
from collections import OrderedDict
from typing import Any, Dict, NamedTuple, Tuple

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001

STORAGE_TYPES = {"FloatStorage": np.float32, "HalfStorage": np.float16, "DoubleStorage": np.float64,
                 "LongStorage": np.int64, "IntStorage": np.int32}


class CheckpointError(Exception):
    """The file is not a checkpoint that this reader admits."""


class Storage(NamedTuple):
    """Where a tensor's elements are: the storage's key and the type of its elements."""

    key: str
    dtype: Any


class StoredTensor(NamedTuple):
    """A view of a storage; offset and stride count elements."""

    storage: Storage
    offset: int
    size: Tuple[int, ...]
    stride: Tuple[int, ...]


def _rebuild_tensor(storage: Storage, offset: int, size: Tuple[int, ...], stride: Tuple[int, ...], *_: Any) -> StoredTensor:
    """Stands in for torch._utils._rebuild_tensor_v2; gradients and hooks are dropped."""
    return StoredTensor(storage, offset, size, stride)


class TensorUnpickler(pickle.Unpickler):
    """Admits tensors, their storages and ordered dictionaries, nothing else."""

    ADMITTED = {("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor, ("collections", "OrderedDict"): OrderedDict}

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in STORAGE_TYPES:
            return STORAGE_TYPES[name]
        admitted = self.ADMITTED.get((module, name))
        if admitted is None:
            raise CheckpointError(f"a checkpoint of tensors was expected, but it names {module}.{name}, which could run "
                                  "code of its own; it was refused")
        return admitted

    def persistent_load(self, pid: Any) -> Storage:
        _, dtype, key, *_ = pid
        return Storage(key, np.dtype(dtype))


def read(content: bytes, origin: str) -> Dict[str, np.ndarray]:
    """Name -> array of every tensor in the checkpoint; `origin` names it in errors."""
    stream = io.BytesIO(content)
    try:
        magic, protocol = TensorUnpickler(stream).load(), TensorUnpickler(stream).load()
        if (magic, protocol) != (MAGIC, PROTOCOL):
            raise CheckpointError("a PyTorch checkpoint of protocol 1001 was expected, but the head is another")
        TensorUnpickler(stream).load()  # sizes of the writing machine's integers
        tensors = TensorUnpickler(stream).load()
        if not isinstance(tensors, dict) or not all(isinstance(tensor, StoredTensor) for tensor in tensors.values()):
            raise CheckpointError("a dictionary of tensors was expected, but it holds something else")
        storages = _read_storages(stream, {t.storage.key: t.storage.dtype for t in tensors.values()})
    except (CheckpointError, pickle.UnpicklingError, EOFError, struct.error, ValueError) as error:
        raise CheckpointError(f"{origin}: {error}") from error
    return {name: _view(tensor, storages[tensor.storage.key]) for name, tensor in tensors.items()}


def _read_storages(stream: io.BytesIO, dtypes: Dict[str, np.dtype]) -> Dict[str, np.ndarray]:
    storages = {}
    for key in TensorUnpickler(stream).load():
        count, = struct.unpack("<q", stream.read(8))
        storages[key] = np.frombuffer(stream.read(count * dtypes[key].itemsize), dtypes[key])
        if storages[key].size != count:
            raise CheckpointError(f"storage {key} should have {count} elements, but the file ends after {storages[key].size}")
    return storages


def _view(tensor: StoredTensor, storage: np.ndarray) -> np.ndarray:
    """The tensor as a C-ordered copy. The last element is looked up first, so that no stride leaves the storage."""
    last = tensor.offset + sum((size - 1) * stride for size, stride in zip(tensor.size, tensor.stride))
    if 0 not in tensor.size and not 0 <= tensor.offset <= last < storage.size:
        raise CheckpointError(f"a tensor reaches element {last} of a storage of {storage.size}")
    strides = [stride * storage.itemsize for stride in tensor.stride]
    return np.lib.stride_tricks.as_strided(storage[tensor.offset:], tensor.size, strides).copy()
