"""The reader of PyTorch checkpoints: tensors come out as they were stored, and nothing but tensors is let in."""
import io
import os
import pickle
import unittest

import support
import numpy as np

from tools import torch_checkpoint
from tools.torch_checkpoint import CheckpointError


class Malicious:
    """Unpickling it would end the test run."""

    def __reduce__(self):
        return os._exit, (86,)


def checkpoint_of(*pickled: object) -> bytes:
    stream = io.BytesIO()
    for value in (torch_checkpoint.MAGIC, torch_checkpoint.PROTOCOL, {}, *pickled):
        pickle.dump(value, stream, 2)
    return stream.getvalue()


class TorchCheckpointTest(unittest.TestCase):
    def setUp(self) -> None:
        self.storage = np.arange(24, dtype=np.float32)
        self.content = support.torch_checkpoint_bytes({
            "plain": support.StoredArray("0", self.storage, 0, (2, 3, 4), (12, 4, 1)),
            "transposed": support.StoredArray("1", self.storage, 4, (4, 5), (1, 4)),
            "scalar": support.StoredArray("2", self.storage[:1], 0, (), ()),
        })

    def test_reads_sizes_offsets_and_strides(self) -> None:
        tensors = torch_checkpoint.read(self.content, "net.pth")
        np.testing.assert_array_equal(tensors["plain"], self.storage.reshape(2, 3, 4))
        np.testing.assert_array_equal(tensors["transposed"], self.storage[4:].reshape(5, 4).T)
        self.assertEqual((tensors["scalar"].shape, float(tensors["scalar"])), ((), 0.0))

    def test_refuses_foreign_names(self) -> None:
        with self.assertRaisesRegex(CheckpointError, r"net.pth: .* names (posix|nt)._exit, .* it was refused"):
            torch_checkpoint.read(checkpoint_of({"weight": Malicious()}), "net.pth")

    def test_refuses_foreign_names_in_the_head_too(self) -> None:
        with self.assertRaisesRegex(CheckpointError, "refused"):
            torch_checkpoint.read(pickle.dumps(Malicious(), 2), "net.pth")

    def test_refuses_other_names_of_torch(self) -> None:
        with self.assertRaisesRegex(CheckpointError, "torch.hub.load"):
            torch_checkpoint.read(b"ctorch.hub\nload\n.", "net.pth")

    def test_refuses_what_is_no_tensor(self) -> None:
        with self.assertRaisesRegex(CheckpointError, "something else"):
            torch_checkpoint.read(checkpoint_of({"epoch": 3}, []), "net.pth")

    def test_tells_a_cut_off_file(self) -> None:
        with self.assertRaisesRegex(CheckpointError, "storage 2 should have 1 elements, but the file ends after 0"):
            torch_checkpoint.read(self.content[:-4], "net.pth")
        for length in (0, 1, 20, 100, len(self.content) - 30):
            with self.assertRaises(CheckpointError):
                torch_checkpoint.read(self.content[:length], "net.pth")

    def test_tells_another_kind_of_file(self) -> None:
        with self.assertRaisesRegex(CheckpointError, "the head is another"):
            torch_checkpoint.read(pickle.dumps(1) + pickle.dumps(2), "net.pth")
        with self.assertRaises(CheckpointError):
            torch_checkpoint.read(b"PK\3\4 a zip archive", "net.pth")

    def test_a_tensor_stays_within_its_storage(self) -> None:
        content = support.torch_checkpoint_bytes({"t": support.StoredArray("0", self.storage, 20, (3, 3), (3, 1))})
        with self.assertRaisesRegex(CheckpointError, "reaches element 28 of a storage of 24"):
            torch_checkpoint.read(content, "net.pth")


if __name__ == "__main__":
    unittest.main()
