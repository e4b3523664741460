"""The converted networks compute what their frameworks define: layout, channel order, mean, padding, batch norm."""
import tempfile
import unittest
from pathlib import Path
from typing import Dict, List, Sequence

import support
import numpy as np

from tools import frozen_graph, graph_def, inception_v2, layers, reference, resnet50
from tools.graph_def import GraphError, Node


def inception_variables(separable_stem: bool = True, divisor: int = 16, classes: int = 7) -> Dict[str, np.ndarray]:
    """Inception V2 with few channels."""
    random = np.random.default_rng(11)
    variables = {}
    for name, shape in inception_v2.variable_shapes(divisor, classes, separable_stem).items():
        if name.endswith("moving_variance"):
            variables[name] = random.uniform(0.5, 2, shape).astype(np.float32)
        else:
            scale = np.sqrt(2 / np.prod(shape[:3])) if len(shape) == 4 else 0.1
            variables[name] = (scale * random.standard_normal(shape)).astype(np.float32)
    return variables


def resnet_nodes(stages: Sequence = ((4, 1, 1), (8, 2, 2)), classes: int = 7) -> List[Node]:
    random = np.random.default_rng(12)

    def weights(shape, part):
        gain = {"stem": 1 / 64}.get(part, 0.7)
        return ((gain * random.standard_normal(shape) * np.sqrt(2 / np.prod(shape[:3]))).astype(np.float32),
                (0.1 * random.standard_normal(shape[3])).astype(np.float32))

    channels = 4 * stages[-1][0]
    return resnet50.nodes(weights, random.standard_normal((channels, classes)).astype(np.float32),
                          random.standard_normal(classes).astype(np.float32), stages)


def convert(nodes: Sequence[Node]):
    return frozen_graph.convert(nodes, "resnet-50-tf", resnet50.INPUT, resnet50.OUTPUT, resnet50.MEAN_RGB)


def answer(graph, picture: np.ndarray) -> np.ndarray:
    return reference.evaluate([graph.layers[-1].inputs[0]], {graph.layers[0].name: picture})[0]


def picture() -> np.ndarray:
    return np.random.default_rng(13).uniform(0, 255, (1, 224, 224, 3)).astype(np.float32)


class InceptionTest(unittest.TestCase):
    def test_has_the_published_number_of_parameters(self) -> None:
        count = sum(np.prod(shape) for name, shape in inception_v2.variable_shapes(separable_stem=False).items()
                    if "/BatchNorm/moving_" not in name)
        self.assertAlmostEqual(count / 1e6, 11.185, delta=0.002)

    def test_a_separable_stem_is_the_plain_stem_of_the_product_kernel(self) -> None:
        variables = inception_variables()
        stem = f"{inception_v2.SCOPE}/{inception_v2.STEM}"
        plain = {name: array for name, array in variables.items() if "wise_weights" not in name}
        pointwise = variables[f"{stem}/pointwise_weights"].reshape(3, 8, -1)
        plain[f"{stem}/weights"] = np.einsum("hwcm,cmo->hwco", variables[f"{stem}/depthwise_weights"], pointwise)
        np.testing.assert_allclose(answer(inception_v2.build(variables), picture()),
                                   answer(inception_v2.build(plain), picture()), atol=2e-6)

    def test_takes_blue_green_red_and_the_mean_off(self) -> None:
        """A stem that looks at one colour, on a picture of one colour at a time."""
        variables = inception_variables(separable_stem=False)
        kernel = f"{inception_v2.SCOPE}/{inception_v2.STEM}/weights"
        variables[kernel][:, :, 1:] = 0  # red only
        graph = inception_v2.build(variables)
        grey = np.full((1, 224, 224, 3), 127.5, np.float32)
        for channel, matters in ((0, False), (1, False), (2, True)):
            coloured = grey.copy()
            coloured[..., channel] = 255
            self.assertEqual(not np.array_equal(answer(graph, coloured), answer(graph, grey)), matters)

    def test_names_the_missing_variable(self) -> None:
        variables = inception_variables()
        del variables["InceptionV2/Mixed_4c/Branch_2/Conv2d_0b_3x3/BatchNorm/beta"]
        with self.assertRaisesRegex(inception_v2.MissingVariable, "Mixed_4c/Branch_2/Conv2d_0b_3x3/BatchNorm/beta is not in it"):
            inception_v2.build(variables)

    def test_batch_norm_is_folded_as_it_is_defined(self) -> None:
        random = np.random.default_rng(3)
        kernel, value = random.standard_normal((4, 3)), random.standard_normal(3)
        gamma, beta, mean, variance = random.uniform(0.5, 2, (4, 4))
        folded, bias = layers.fold_batch_norm(kernel, gamma, beta, mean, variance, 1e-3)
        expected = gamma * (kernel @ value - mean) / np.sqrt(variance + 1e-3) + beta
        np.testing.assert_allclose(folded @ value + bias, expected, rtol=1e-5)


class FrozenGraphTest(unittest.TestCase):
    def test_serialized_nodes_come_back(self) -> None:
        nodes = resnet_nodes()
        found = graph_def.read(support.graph_def(nodes), "net.pb")
        self.assertEqual([(n.name, n.operation, list(n.inputs)) for n in found],
                         [(n.name, n.operation, list(n.inputs)) for n in nodes])
        for ours, theirs in zip(nodes, found):
            for name, value in ours.attributes.items():
                np.testing.assert_array_equal(theirs.attributes[name], value)

    def test_constants_may_repeat_their_last_value(self) -> None:
        tensor = (support.number_field(1, 1) + support.bytes_field(2, support.shape_message([2, 2]))
                  + support.bytes_field(5, np.array([1, 5], "<f4").tobytes()))
        node = (support.text_field(1, "c") + support.text_field(2, "Const")
                + support.bytes_field(5, support.text_field(1, "value") + support.bytes_field(2, support.bytes_field(8, tensor))))
        found, = graph_def.read(support.bytes_field(1, node), "net.pb")
        self.assertEqual(found.attributes["value"].tolist(), [[1, 5], [5, 5]])

    def test_is_the_convolution_of_the_red_green_blue_picture_less_the_mean(self) -> None:
        """One 1x1 convolution and a dense layer, computed by hand in NHWC."""
        random = np.random.default_rng(4)
        kernel, dense = random.standard_normal((1, 1, 3, 5)).astype(np.float32), np.eye(5, dtype=np.float32)
        nodes = self.small_graph(kernel, dense)
        rgb = picture()
        pooled = ((rgb - np.array(resnet50.MEAN_RGB, np.float32)) @ kernel[0, 0]).mean((1, 2)) / 100
        expected = np.exp(pooled) / np.exp(pooled).sum()
        nodes[2] = Node("kernel", "Const", [], {"value": kernel / 100})
        np.testing.assert_allclose(answer(convert(nodes), rgb[..., ::-1]), expected, atol=1e-5)

    def small_graph(self, kernel: np.ndarray, dense: np.ndarray) -> List[Node]:
        return [Node(resnet50.INPUT, "TensorArrayGatherV3", ["decoded"]),  # what feeds it is not looked at
                Node("decoded", "DecodeJpeg", ["nowhere"]),
                Node("kernel", "Const", [], {"value": kernel}),
                Node("dense", "Const", [], {"value": dense}),
                Node("axes", "Const", [], {"value": np.array([2, 1], np.int32)}),
                Node("shape", "Const", [], {"value": np.array([-1, dense.shape[0]], np.int32)}),
                Node("conv", "Conv2D", [resnet50.INPUT, "kernel"], {"strides": [1, 1, 1, 1], "padding": "SAME"}),
                Node("mean", "Mean", ["conv:0", "axes"], {"keep_dims": 1}),
                Node("final", "Identity", ["mean"]),
                Node("flat", "Reshape", ["final", "shape"]),
                Node("logits", "MatMul", ["flat", "dense"]),
                Node(resnet50.OUTPUT, "Softmax", ["logits", "^axes"])]

    def test_batch_norm_left_in_the_graph_is_the_same_as_a_folded_one(self) -> None:
        random = np.random.default_rng(8)
        kernel, dense = random.standard_normal((3, 3, 3, 5)).astype(np.float32) / 300, np.eye(5, dtype=np.float32)
        parts = dict(zip("gbmv", random.uniform(0.5, 2, (4, 5)).astype(np.float32)))
        nodes = self.small_graph(kernel, dense)
        nodes += [Node(name, "Const", [], {"value": value}) for name, value in parts.items()]
        nodes.append(Node("norm", "FusedBatchNorm", ["conv", *"gbmv"], {"epsilon": 1e-5, "is_training": 0}))
        nodes[7] = Node("mean", "Mean", ["norm", "axes"], {"keep_dims": 1})
        scale = parts["g"] / np.sqrt(parts["v"] + 1e-5)
        folded = self.small_graph(kernel * scale, dense)
        folded += [Node("bias", "Const", [], {"value": parts["b"] - parts["m"] * scale}),
                   Node("biased", "BiasAdd", ["conv", "bias"])]
        folded[7] = Node("mean", "Mean", ["biased", "axes"], {"keep_dims": 1})
        np.testing.assert_allclose(answer(convert(nodes), picture()), answer(convert(folded), picture()), atol=1e-5)

    def test_unknown_operations_are_refused_by_name(self) -> None:
        nodes = resnet_nodes()
        nodes[-1] = Node(resnet50.OUTPUT, "LogSoftmax", nodes[-1].inputs)
        with self.assertRaisesRegex(GraphError, "node softmax_tensor: one of the operations Add, .* but it is LogSoftmax"):
            convert(nodes)

    def test_other_forms_are_refused(self) -> None:
        kernel, dense = np.zeros((1, 1, 3, 5), np.float32), np.eye(5, dtype=np.float32)
        same = {"strides": [1, 1, 1, 1], "padding": "SAME"}
        cases = [
            (6, "Conv2D", [resnet50.INPUT, "kernel"], {**same, "data_format": "NCHW"}, "NHWC was expected"),
            (6, "Conv2D", [resnet50.INPUT, "kernel"], {**same, "dilations": [1, 2, 2, 1]}, "dilations of 1"),
            (6, "Conv2D", [resnet50.INPUT, "kernel"], {"strides": [1, 1, 2, 1], "padding": "SAME"}, r"form \[1,S,S,1\]"),
            (6, "Conv2D", [resnet50.INPUT, "kernel"], {"strides": [1, 1, 1, 1], "padding": "EXPLICIT"}, "SAME or VALID"),
            (6, "Conv2D", [resnet50.INPUT, "kernel"], {"padding": "SAME"}, "fits its inputs"),
            (6, "Relu", [resnet50.INPUT], {}, "convolution was expected to read the picture"),
            (6, "Conv2D", [resnet50.INPUT, "gone"], same, "called gone was expected"),
            (6, "Conv2D", [resnet50.INPUT, "logits"], same, "without cycles"),
            (9, "Reshape", ["final", "axes"], {}, "reshape of"),
        ]
        for index, operation, inputs, attributes, message in cases:
            nodes = self.small_graph(kernel, dense)
            nodes[index] = Node(nodes[index].name, operation, inputs, attributes)
            with self.subTest(message), self.assertRaisesRegex(GraphError, message):
                convert(nodes)

    def test_tells_another_kind_of_file(self) -> None:
        with self.assertRaisesRegex(GraphError, "net.pb: a frozen TensorFlow graph was expected"):
            graph_def.read(b"\xff" * 40, "net.pb")
        with self.assertRaisesRegex(GraphError, "none of its 0 nodes"):
            convert(graph_def.read(b"", "net.pb"))

    @unittest.skipIf(support.NO_OPENVINO, support.NO_OPENVINO)
    def test_agrees_with_openvinos_own_tensorflow_reader(self) -> None:
        ov, nodes = support.openvino, resnet_nodes()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "net.pb"
            path.write_bytes(support.graph_def(nodes))
            frontend = ov.frontend.FrontEndManager().load_by_framework("tf")
            theirs = frontend.convert(frontend.load(str(path)))
        theirs.reshape([1, 224, 224, 3])
        model = ov.Core().compile_model(theirs, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        rgb = picture()
        expected = model((rgb - np.array(resnet50.MEAN_RGB, np.float32)).astype(np.float32))[0]
        graph = convert(graph_def.read(support.graph_def(nodes), "net.pb"))
        np.testing.assert_allclose(answer(graph, rgb[..., ::-1]), expected, atol=1e-5)


if __name__ == "__main__":
    unittest.main()
