"""What the tests of the model preparation share: its modules and libraries, a file server, and writers of the foreign
formats (TensorFlow graph and checkpoint, PyTorch checkpoint) for stand-ins."""
from __future__ import annotations

import contextlib
import http.server
import io
import pickle
import struct
import sys
import threading
import types
from collections import OrderedDict
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "models"))

from tools import command, packages  # noqa: E402

packages.ensure_libraries(command.LIBRARIES, command.CACHE / "python", command.say)
sys.path.insert(0, str(command.CACHE / "python"))

import numpy as np  # noqa: E402

from tools.graph_def import Node  # noqa: E402

try:
    import openvino
    NO_OPENVINO = ""
except ImportError as error:
    openvino = None
    NO_OPENVINO = f"the Python package openvino is not importable here ({error})"


# ---- protocol buffers

def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number_field(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def bytes_field(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


def text_field(number: int, value: str) -> bytes:
    return bytes_field(number, value.encode())


def shape_message(shape: Sequence[int]) -> bytes:
    return b"".join(bytes_field(2, number_field(1, size)) for size in shape)


# ---- TensorFlow GraphDef

def graph_def(nodes: Iterable[Node]) -> bytes:
    """The nodes as a serialized GraphDef with versions, as TensorFlow writes it."""
    return b"".join(bytes_field(1, _node(node)) for node in nodes) + bytes_field(4, number_field(1, 440))


def _node(node: Node) -> bytes:
    out = text_field(1, node.name) + text_field(2, node.operation)
    out += b"".join(text_field(3, reference) for reference in node.inputs)
    attributes = {**_type_attributes(node), **node.attributes}
    return out + b"".join(bytes_field(5, text_field(1, key) + bytes_field(2, _attribute(value)))
                          for key, value in attributes.items())


class Type(int):
    """A TensorFlow data type as an attribute."""


def _type_attributes(node: Node) -> Dict[str, Any]:
    """The types that TensorFlow asks for and the converter does not read."""
    if node.operation == "Const":
        return {"dtype": Type(1 if node.attributes["value"].dtype == np.float32 else 3)}
    if node.operation == "Placeholder":
        return {"dtype": Type(1)}
    return {**{"T": Type(1)}, **{"Pad": {"Tpaddings": Type(3)}, "Mean": {"Tidx": Type(3)},
                                 "Reshape": {"Tshape": Type(3)}}.get(node.operation, {})}


def _attribute(value: Any) -> bytes:
    if isinstance(value, Type):
        return number_field(6, value)
    if isinstance(value, np.ndarray):
        dtype = 1 if value.dtype == np.float32 else 3
        shape = bytes_field(2, shape_message(value.shape))
        return bytes_field(8, number_field(1, dtype) + shape + bytes_field(4, value.tobytes()))
    if isinstance(value, str):
        return text_field(2, value)
    if isinstance(value, float):
        return varint(4 << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, list):
        return bytes_field(1, bytes_field(3, b"".join(map(varint, value))))
    # the only other attributes of these graphs are flags, like keep_dims
    return number_field(5, value)


# ---- TensorFlow checkpoint, version 1

def checkpoint(variables: Mapping[str, np.ndarray], compression: int = 0, block_size: int = 4096) -> bytes:
    """A sorted string table of SavedTensorSlices, with the global step that training leaves as the one i64 variable."""
    metas, slices = b"", {}
    for name, array in [("global_step", np.array(7, np.int64)), *variables.items()]:
        extents = b"".join(bytes_field(1, b"") for _ in array.shape)
        dtype = 1 if array.dtype == np.float32 else 9
        metas += bytes_field(1, text_field(1, name) + bytes_field(2, shape_message(array.shape)) + number_field(3, dtype)
                             + bytes_field(4, extents))
        if dtype == 1:
            tensor = number_field(1, 1) + bytes_field(5, array.astype("<f4").tobytes())
        else:
            tensor = number_field(1, 9) + bytes_field(10, varint(int(array)))
        slices[b"\0" + name.encode() + b"\0\1"] = bytes_field(2, text_field(1, name) + bytes_field(2, extents)
                                                              + bytes_field(3, tensor))
    return table({b"": bytes_field(1, metas), **slices}, compression, block_size)


def table(entries: Mapping[bytes, bytes], compression: int = 0, block_size: int = 4096) -> bytes:
    """A sorted string table; `compression` 1 is Snappy."""
    out, index, pending, size = bytearray(), {}, {}, 0
    for key in sorted(entries):
        pending[key] = entries[key]
        size += len(entries[key])
        if size >= block_size:
            index[key] = _write_block(out, pending, compression)
            pending, size = {}, 0
    if pending:
        index[max(pending)] = _write_block(out, pending, compression)
    footer = _write_block(out, {}, 0) + _write_block(out, index, compression)
    return bytes(out) + footer.ljust(40, b"\0") + (0xDB4775248B80FB57).to_bytes(8, "little")


def _write_block(out: bytearray, entries: Mapping[bytes, bytes], compression: int) -> bytes:
    """Appends a block with a restart every other entry and returns its handle."""
    body, restarts, previous = bytearray(), [], b""
    for number, (key, value) in enumerate(entries.items()):
        shared = 0
        if number % 2:
            while shared < min(len(key), len(previous)) and key[shared] == previous[shared]:
                shared += 1
        else:
            restarts.append(len(body))
        body += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        previous = key
    restarts = restarts or [0]
    body += b"".join(struct.pack("<I", restart) for restart in restarts) + struct.pack("<I", len(restarts))
    stored = snappy(bytes(body)) if compression else bytes(body)
    handle = varint(len(out)) + varint(len(stored))
    out += stored + bytes([compression]) + b"\0\0\0\0"
    return handle


def snappy(data: bytes) -> bytes:
    """Compresses in the simplest way that uses all kinds of elements: a run of one byte is a literal and copies that run
    into themselves, the rest are literals of all length forms."""
    out, position = bytearray(varint(len(data))), 0
    while position < len(data):
        run = 1
        while run < 64 and position + run < len(data) and data[position + run] == data[position]:
            run += 1
        if run >= 5:
            out += _literal(data[position:position + 1])
            rest = run - 1
            out += bytes([1 | (rest - 4) << 2, 1]) if rest <= 11 else bytes([2 | (rest - 1) << 2, 1, 0])
            position += run
            continue
        end = position
        while end < min(len(data), position + 70000) and data[end:end + 5] != data[end:end + 1] * 5:
            end += 1
        out += _literal(data[position:end])
        position = end
    return bytes(out)


def _literal(data: bytes) -> bytes:
    length = len(data) - 1
    if length < 60:
        return bytes([length << 2]) + data
    extra = (length.bit_length() + 7) // 8
    return bytes([(59 + extra) << 2]) + length.to_bytes(extra, "little") + data


# ---- PyTorch checkpoint

class FloatStorage:
    __module__ = "torch"


class StoredArray:
    """Pickles as PyTorch pickles a tensor over a storage of its own."""

    def __init__(self, key: str, storage: np.ndarray, offset: int, size: Tuple[int, ...], stride: Tuple[int, ...]) -> None:
        self.key, self.storage, self.arguments = key, storage, (offset, size, stride, False, OrderedDict())

    def __reduce__(self) -> Any:
        return sys.modules["torch._utils"]._rebuild_tensor_v2, (_StorageReference(self.key, self.storage.size), *self.arguments)


class _StorageReference:
    def __init__(self, key: str, count: int) -> None:
        self.pid = ("storage", FloatStorage, key, "cpu", count, None)


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        return obj.pid if isinstance(obj, _StorageReference) else None


def torch_checkpoint_bytes(tensors: Mapping[str, StoredArray]) -> bytes:
    """What torch.save wrote before 1.6. PyTorch's modules are stood in for while pickling, only their names are written."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2() -> None:
        raise AssertionError("never called: only its name is pickled")

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    torch.FloatStorage, utils._rebuild_tensor_v2 = FloatStorage, _rebuild_tensor_v2
    stream = io.BytesIO()
    before = {name: sys.modules.get(name) for name in ("torch", "torch._utils")}
    sys.modules.update({"torch": torch, "torch._utils": utils})
    try:
        for head in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
            pickle.dump(head, stream, 2)
        _Pickler(stream, 2).dump(OrderedDict(tensors))
    finally:
        for name, module in before.items():
            sys.modules.pop(name) if module is None else sys.modules.update({name: module})
    storages = {tensor.key: tensor.storage for tensor in tensors.values()}
    pickle.dump(list(storages), stream, 2)
    for storage in storages.values():
        stream.write(struct.pack("<q", storage.size) + storage.astype("<f4").tobytes())
    return stream.getvalue()


# ---- a file server

class FileServer(http.server.ThreadingHTTPServer):
    """Serves bytes by path on a free port of 127.0.0.1. `cut_after` ends the first connection that sends a file after
    that many bytes; `resumes` False ignores Range. `requests` has (path, Range header)."""

    daemon_threads = True

    def __init__(self, files: Mapping[str, bytes], cut_after: Optional[int] = None, resumes: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.cut_after, self.resumes = files, cut_after, resumes
        self.requests: List[Tuple[str, Optional[str]]] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.requests.append((self.path, wanted))
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = int(wanted[len("bytes="):-1]) if wanted and self.server.resumes else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = len(content)
        if self.server.cut_after is not None:
            end, self.server.cut_after = start + self.server.cut_after, None
        self.wfile.write(content[start:end])

    def log_message(self, *_: Any) -> None:
        """Silent: the tests look at `requests`."""


@contextlib.contextmanager
def serving(server: FileServer) -> Iterator[FileServer]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
