"""The IR writer: the files are consistent in themselves, and OpenVINO (where it is) reads them as they were meant."""
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import support
import numpy as np

from tools import ir, ir_writer, reference


def everything() -> ir.Graph:
    """A small graph with every operation of the writer and f32, f16 and i64 constants."""
    random = np.random.default_rng(5)
    graph = ir.Graph("every operation")

    def constant(*shape: int) -> ir.Value:
        return graph.constant(random.standard_normal(shape, np.float32))

    picture = graph.parameter("picture, with/comma", (1, 9, 9, 3), "NHWC")
    value = graph.subtract(graph.transpose(picture, (0, 3, 1, 2)), constant(1, 3, 1, 1))
    value = graph.convolution(value, constant(64, 3, 3, 3), 2, None, "first")
    value = graph.relu(graph.group_convolution(value, constant(64, 2, 1, 3, 3), 1, ((1, 1), (1, 1))))
    value = graph.convolution(value, constant(128, 128, 1, 1), 1, ((0, 0), (0, 0)), "large enough for f16")
    value = graph.clamp(graph.multiply(value, constant(1, 128, 1, 1)), 0.0, 6.0)
    value = graph.concat([graph.max_pool(value, 3, 2, None), graph.avg_pool(value, 3, 2, None)], 1)
    value = graph.squeeze(graph.reduce_mean(value, (2, 3), keep_dims=True), (2, 3))
    value = graph.softmax(graph.matmul(value, constant(10, 256), transpose_right=True), 1)
    graph.result(value, "probabilities")
    _, index = graph.top_1(graph.add(value, constant(1, 10)), 1)
    graph.result(graph.squeeze(index, (1,)), "class")
    return graph


class WriterTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="ir ")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.graph = everything()
        self.size = ir_writer.write(self.graph, self.folder, "net")
        self.xml = ElementTree.parse(self.folder / "net.xml").getroot()
        self.layers = {layer.get("id"): layer for layer in self.xml.iter("layer")}

    def shapes(self, layer: ElementTree.Element, tag: str) -> dict:
        return {port.get("id"): [int(dim.text) for dim in port.iter("dim")] for port in layer.findall(f"{tag}/port")}

    def test_is_ir_version_11(self) -> None:
        self.assertEqual((self.xml.tag, self.xml.get("version"), self.xml.get("name")), ("net", "11", "every operation"))

    def test_layer_names_differ(self) -> None:
        names = [layer.get("name") for layer in self.layers.values()]
        self.assertEqual(len(names), len(set(names)))

    def test_edges_join_ports_of_one_shape_and_feed_every_input(self) -> None:
        fed = set()
        for edge in self.xml.iter("edge"):
            source = self.shapes(self.layers[edge.get("from-layer")], "output")[edge.get("from-port")]
            target = self.shapes(self.layers[edge.get("to-layer")], "input")[edge.get("to-port")]
            self.assertEqual(source, target)
            fed.add((edge.get("to-layer"), edge.get("to-port")))
        inputs = {(identity, port) for identity, layer in self.layers.items() for port in self.shapes(layer, "input")}
        self.assertEqual(fed, inputs)

    def test_constants_lie_aligned_and_apart_in_the_bin(self) -> None:
        self.assertEqual((self.folder / "net.bin").stat().st_size, self.size)
        end = 0
        for layer in self.layers.values():
            if layer.get("type") == "Const":
                data = layer.find("data")
                offset, size = int(data.get("offset")), int(data.get("size"))
                self.assertEqual(offset % ir_writer.ALIGNMENT, 0)
                self.assertGreaterEqual(offset, end)
                end = offset + size
        self.assertEqual(end, self.size)

    def test_large_constants_are_f16_with_a_decompression(self) -> None:
        stored = [layer for layer in self.layers.values() if layer.get("type") == "Const"
                  and layer.find("data").get("element_type") == "f16"]
        self.assertEqual([layer.find("data").get("shape") for layer in stored], ["128, 128, 1, 1"])
        converts = [layer for layer in self.layers.values() if layer.get("type") == "Convert"]
        self.assertEqual([c.find("rt_info/attribute").get("name") for c in converts], ["decompression"])

    def test_a_large_constant_beyond_f16_stays_f32(self) -> None:
        value = ir.Graph("net").constant(np.full(ir.COMPRESSED_FROM, 1e5, np.float32))
        self.assertEqual(value.layer.data.dtype, np.float32)

    def test_tensor_names_escape_commas_and_keep_slashes(self) -> None:
        parameter = next(layer for layer in self.layers.values() if layer.get("type") == "Parameter")
        self.assertEqual(parameter.find("output/port").get("names"), "picture\\, with/comma")
        self.assertEqual(parameter.find("output/port/rt_info/attribute").get("layout"), "[N,H,W,C]")

    def test_mapping_names_the_layers_of_the_framework(self) -> None:
        mapping = ElementTree.parse(self.folder / "net.mapping").getroot()
        for entry in mapping.iter("map"):
            layer = self.layers[entry.find("IR").get("id")]
            self.assertEqual(layer.get("name"), entry.find("framework").get("name"))
            self.assertIn(entry.find("IR").get("output_port_id"), self.shapes(layer, "output"))
        names = [entry.find("framework").get("name") for entry in mapping.iter("map")]
        self.assertEqual(names, ["picture, with/comma", "first", "large enough for f16"])

    def test_operands_that_do_not_fit_are_refused(self) -> None:
        graph = ir.Graph("net")
        picture = graph.parameter("p", (1, 3, 8, 8))
        kernel = graph.constant(np.zeros((4, 5, 3, 3), np.float32))
        with self.assertRaisesRegex(ValueError, "Convolution of .1, 3, 8, 8. by .4, 5, 3, 3."):
            graph.convolution(picture, kernel, 1, None)
        with self.assertRaisesRegex(ValueError, "Squeeze"):
            graph.squeeze(picture, (1,))
        with self.assertRaisesRegex(ValueError, "Const of type float64"):
            graph.constant(np.zeros(3))

    @unittest.skipIf(support.NO_OPENVINO, support.NO_OPENVINO)
    def test_openvino_computes_the_same(self) -> None:
        core = support.openvino.Core()
        model = core.compile_model(str(self.folder / "net.xml"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        picture = np.random.default_rng(6).uniform(-1, 1, (1, 9, 9, 3)).astype(np.float32)
        outputs = [layer.inputs[0] for layer in self.graph.layers if layer.kind == "Result"]
        probabilities, index = reference.evaluate(outputs, {"picture, with/comma": picture})
        answer = model({"picture, with/comma": picture})
        np.testing.assert_allclose(answer["probabilities"], probabilities, atol=1e-6)
        np.testing.assert_array_equal(answer["class"], index)


if __name__ == "__main__":
    unittest.main()
