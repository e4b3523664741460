"""The reader of TensorFlow's first checkpoint format, and the table and compression under it."""
import unittest

import support
import numpy as np

from tools import sstable, tf_checkpoint
from tools.tf_checkpoint import CheckpointError


class TfCheckpointTest(unittest.TestCase):
    def setUp(self) -> None:
        random = np.random.default_rng(2)
        self.variables = {f"net/layer_{i}/weights": random.standard_normal((3, 3, i + 1, 8), np.float32) for i in range(40)}
        self.variables["net/zeros"] = np.zeros(5000, np.float32)
        self.variables["net/scalar"] = np.array(2.5, np.float32)

    def test_reads_every_float_variable_from_either_compression(self) -> None:
        for compression in (0, 1):
            for block_size in (64, 4096, 1 << 20):
                data = support.checkpoint(self.variables, compression, block_size)
                found = tf_checkpoint.read(data, "net.ckpt")
                self.assertEqual(set(found), set(self.variables))  # not the global step
                for name, array in self.variables.items():
                    np.testing.assert_array_equal(found[name], array)

    def test_compression_is_real(self) -> None:
        zeros = {"net/zeros": self.variables["net/zeros"]}
        self.assertLess(len(support.checkpoint(zeros, 1)), len(support.checkpoint(zeros, 0)) / 10)

    def test_tells_another_kind_of_file(self) -> None:
        for data in (b"", b"short", bytes(100)):
            with self.assertRaisesRegex(CheckpointError, "net.ckpt: a sorted string table was expected"):
                tf_checkpoint.read(data, "net.ckpt")

    def test_tells_damage(self) -> None:
        data = support.checkpoint(self.variables, 1, 64)
        for position in range(len(data) - 48, len(data) - 38):  # the footer's handles
            damaged = bytearray(data)
            damaged[position] ^= 0x55
            try:
                tf_checkpoint.read(bytes(damaged), "net.ckpt")
            except CheckpointError:
                continue  # any other error would fail the test

    def test_tells_variables_without_values(self) -> None:
        entries = dict(sstable.entries(memoryview(support.checkpoint(self.variables))))
        del entries[b"\0net/zeros\0\1"]
        data = support.table({key: bytes(value) for key, value in entries.items()})
        with self.assertRaisesRegex(CheckpointError, "those of net/zeros are missing"):
            tf_checkpoint.read(data, "net.ckpt")

    def test_refuses_variables_in_parts(self) -> None:
        name = "net/parted"
        meta = support.bytes_field(1, support.text_field(1, name) + support.bytes_field(2, support.shape_message([4]))
                                   + support.number_field(3, 1))
        part = support.bytes_field(1, support.number_field(1, 0) + support.number_field(2, 2))
        piece = support.text_field(1, name) + support.bytes_field(2, part) + support.bytes_field(3, b"")
        data = support.table({b"": support.bytes_field(1, meta), b"\0a": support.bytes_field(2, piece)})
        with self.assertRaisesRegex(CheckpointError, "net/parted is stored in parts"):
            tf_checkpoint.read(data, "net.ckpt")


class SnappyTest(unittest.TestCase):
    def test_literals_of_every_length_form(self) -> None:
        for length in (1, 60, 61, 256, 257, 65536, 65537):
            data = bytes(np.random.default_rng(length).integers(0, 256, length, np.uint8))
            self.assertEqual(sstable.snappy(memoryview(support.snappy(data))), data)

    def test_copies_of_every_offset_form(self) -> None:
        head = support.varint(12) + bytes([3 << 2]) + b"abcd"
        for copy in (bytes([1 | 0 << 2, 4]), bytes([2 | 3 << 2, 4, 0]), bytes([3 | 3 << 2, 4, 0, 0, 0])):
            self.assertEqual(sstable.snappy(memoryview(head + copy + copy)), b"abcd" * 3)

    def test_a_copy_may_run_into_itself(self) -> None:
        self.assertEqual(sstable.snappy(memoryview(support.varint(9) + bytes([1 << 2]) + b"ab" + bytes([2 | 6 << 2, 2, 0]))),
                         b"ababababa")

    def test_damage_is_told(self) -> None:
        for data in (support.varint(4) + bytes([9 << 2]) + b"ab",  # literal beyond the end
                     support.varint(4) + bytes([2 | 3 << 2, 1, 0]),  # copy from before the start
                     support.varint(9) + bytes([0]) + b"a"):  # shorter than announced
            with self.assertRaises(sstable.TableError):
                sstable.snappy(memoryview(data))


if __name__ == "__main__":
    unittest.main()
