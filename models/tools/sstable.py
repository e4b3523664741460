"""Reads a sorted string table, the file format of LevelDB and of TensorFlow's first checkpoints.

A table is blocks of key-value entries, an index block whose values say where the blocks are, and a footer of 48 bytes
that says where the index is (LevelDB `doc/table_format.md`). Behind each block stand a byte for its compression (0
none, 1 Snappy) and a CRC-32C. The CRC is not computed here: the archive that brings the file is checked whole, by size
and hash, and in plain Python a CRC of 40 MB would take longer than everything else.
"""
from __future__ import annotations

from typing import Iterator, Tuple

from .protobuf import WireError, varint

MAGIC = 0xDB4775248B80FB57
FOOTER = 48
TRAILER = 5


class TableError(ValueError):
    """The bytes are no table."""


def entries(data: memoryview) -> Iterator[Tuple[bytes, memoryview]]:
    """(key, value) of every entry, in key order."""
    if len(data) < FOOTER or int.from_bytes(data[-8:], "little") != MAGIC:
        raise TableError("a sorted string table was expected (a TensorFlow checkpoint of version 1), but its magic number "
                         "is not at the end")
    try:
        footer = data[-FOOTER:]
        _, position = _handle(footer, 0)  # the meta index, which checkpoints leave empty
        index, _ = _handle(footer, position)
        for _, where in _block_entries(_block(data, index)):
            yield from _block_entries(_block(data, _handle(where, 0)[0]))
    except WireError as error:
        raise TableError(str(error)) from error


def _handle(data: memoryview, position: int) -> Tuple[Tuple[int, int], int]:
    """((offset, size) of a block, position behind)."""
    offset, position = varint(data, position)
    size, position = varint(data, position)
    return (offset, size), position


def _block(data: memoryview, handle: Tuple[int, int]) -> memoryview:
    offset, size = handle
    if offset + size + TRAILER > len(data):
        raise TableError(f"a block at byte {offset} of {size} bytes goes beyond the end of the table ({len(data)})")
    compression = data[offset + size]
    if compression == 0:
        return data[offset:offset + size]
    if compression == 1:
        return memoryview(snappy(data[offset:offset + size]))
    raise TableError(f"the block at byte {offset} has compression {compression}, but only 0 (none) and 1 (Snappy) exist")


def _block_entries(block: memoryview) -> Iterator[Tuple[bytes, memoryview]]:
    """An entry is the length of the part its key shares with the key before, two more lengths, the rest of the key and
    the value. Behind the entries stand the offsets of those that share nothing, and the number of these offsets."""
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (restarts + 1)
    if len(block) < 4 or end < 0:
        raise TableError(f"a block of {len(block)} bytes cannot hold {restarts} restart offsets")
    position, key = 0, b""
    while position < end:
        shared, position = varint(block, position)
        unshared, position = varint(block, position)
        length, position = varint(block, position)
        if shared > len(key) or position + unshared + length > end:
            raise TableError("an entry goes beyond the end of its block")
        key = key[:shared] + bytes(block[position:position + unshared])
        position += unshared
        yield key, block[position:position + length]
        position += length


def snappy(data: memoryview) -> bytes:
    """Expands one Snappy block (google/snappy `format_description.txt`): the length, then literals and copies, told
    apart by the two low bits of a tag byte."""
    expected, position = varint(data, 0)
    out = bytearray()
    while position < len(data):
        tag = data[position]
        position += 1
        kind, high = tag & 3, tag >> 2
        if kind == 0:
            extra = max(high - 59, 0)  # 60..63: the length stands in one to four bytes behind the tag
            length = 1 + (int.from_bytes(data[position:position + extra], "little") if extra else high)
            position += extra
            if position + length > len(data):
                raise TableError("a Snappy literal goes beyond the end of its block")
            out += data[position:position + length]
            position += length
            continue
        extra = (1, 2, 4)[kind - 1]
        offset = int.from_bytes(data[position:position + extra], "little")
        length = 1 + high
        if kind == 1:
            offset, length = offset | (tag >> 5) << 8, 4 + (high & 7)
        position += extra
        if not 0 < offset <= len(out) or position > len(data):
            raise TableError(f"a Snappy copy reaches {offset} bytes back, but only {len(out)} are there")
        start = len(out) - offset
        if offset >= length:
            out += out[start:start + length]
        else:  # the copy runs into itself: a repeated pattern
            out += (out[start:] * (length // offset + 1))[:length]
    if len(out) != expected:
        raise TableError(f"a Snappy block of {expected} bytes was announced, but it has {len(out)}")
    return bytes(out)
