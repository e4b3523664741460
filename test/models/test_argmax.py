"""The demo's third model."""
import tempfile
import unittest
from pathlib import Path

import support
import numpy as np

from tools import argmax, ir_writer, reference


class ArgmaxTest(unittest.TestCase):
    def setUp(self) -> None:
        self.graph = argmax.build()
        random = np.random.default_rng(9)
        self.inputs = {name: random.random((1, 1001), np.float32) for name in ("input1", "input2")}

    def test_takes_two_probability_vectors_and_gives_one_class(self) -> None:
        parameters = [layer for layer in self.graph.layers if layer.kind == "Parameter"]
        self.assertEqual([(p.name, p.outputs[0].shape) for p in parameters], [("input1", (1, 1001)), ("input2", (1, 1001))])
        result, = (layer.inputs[0] for layer in self.graph.layers if layer.kind == "Result")
        self.assertEqual((result.tensor_name, result.shape, result.element_type), ("argmax/Squeeze", (1,), "i64"))

    def test_is_the_argmax_of_the_sum(self) -> None:
        result = self.graph.layers[-1].inputs[0]
        answer, = reference.evaluate([result], self.inputs)
        self.assertEqual(answer.tolist(), [(self.inputs["input1"] + self.inputs["input2"]).argmax()])

    @unittest.skipIf(support.NO_OPENVINO, support.NO_OPENVINO)
    def test_openvino_computes_the_same(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            ir_writer.write(self.graph, Path(folder), "argmax")
            model = support.openvino.Core().compile_model(str(Path(folder) / "argmax.xml"), "CPU")
        answer = model(self.inputs)["argmax/Squeeze"]
        self.assertEqual((answer.dtype, answer.tolist()),
                         (np.int64, [(self.inputs["input1"] + self.inputs["input2"]).argmax()]))


if __name__ == "__main__":
    unittest.main()
