"""Inception V2 (googlenet-v2-tf) as IR, from the variables of its TF-slim checkpoint.

The order of the layers and their names follow TF-slim's `nets/inception_v2.py`; widths are read off the variables. The
pictures are taken as (x - 127.5) / 127.5.
"""
from __future__ import annotations

from typing import Dict, Mapping, Sequence, Tuple

import numpy as np

from . import layers
from .ir import Graph, Value

INPUT, OUTPUT = "input", "InceptionV2/Predictions/Softmax"
PICTURE = 224
MEAN = SCALE = 127.5
EPSILON = 1e-3
SCOPE = "InceptionV2"
STEM = "Conv2d_1a_7x7"
LOGITS = "Logits/Conv2d_1c_1x1"

# A module is parallel branches, joined over the channels. It either keeps the size (four branches, the last one pooled
# by mean or maximum) or halves it (three branches). Widths of the published network, per branch and convolution.
MODULES: Sequence[Tuple[str, str, Sequence[Sequence[int]]]] = (
    ("Mixed_3b", "mean", ((64,), (64, 64), (64, 96, 96), (32,))),
    ("Mixed_3c", "mean", ((64,), (64, 96), (64, 96, 96), (64,))),
    ("Mixed_4a", "halve", ((128, 160), (64, 96, 96), ())),
    ("Mixed_4b", "mean", ((224,), (64, 96), (96, 128, 128), (128,))),
    ("Mixed_4c", "mean", ((192,), (96, 128), (96, 128, 128), (128,))),
    ("Mixed_4d", "mean", ((160,), (128, 160), (128, 160, 160), (96,))),
    ("Mixed_4e", "mean", ((96,), (128, 192), (160, 192, 192), (96,))),
    ("Mixed_5a", "halve", ((128, 192), (192, 256, 256), ())),
    ("Mixed_5b", "mean", ((352,), (192, 320), (160, 224, 224), (128,))),
    ("Mixed_5c", "maximum", ((352,), (192, 320), (192, 224, 224), (128,))),
)
CLASSES = 1001


class MissingVariable(Exception):
    """The checkpoint is not one of this network."""


def convolution_names(module: str) -> Sequence[Sequence[str]]:
    """Names of a module's convolutions per branch, as TF-slim chose them (0: same size, 1: halved; a, b, c: order)."""
    kind = next(kind for name, kind, _ in MODULES if name == module)
    branches: Sequence[Sequence[str]]
    if kind == "halve":
        branches = (("Conv2d_0a_1x1", "Conv2d_1a_3x3"), ("Conv2d_0a_1x1", "Conv2d_0b_3x3", "Conv2d_1a_3x3"), ())
    else:
        branches = (("Conv2d_0a_1x1",), ("Conv2d_0a_1x1", "Conv2d_0b_3x3"),
                    ("Conv2d_0a_1x1", "Conv2d_0b_3x3", "Conv2d_0c_3x3"), ("Conv2d_0b_1x1",))
    return [[f"{module}/Branch_{i}/{name}" for name in names] for i, names in enumerate(branches)]


def variable_shapes(divisor: int = 1, classes: int = CLASSES, separable_stem: bool = True) -> Dict[str, Tuple[int, ...]]:
    """Name -> shape of every variable of the network with all widths divided by `divisor`. Kernels are HWIO."""
    shapes: Dict[str, Tuple[int, ...]] = {}

    def convolution(name: str, inputs: int, width: int) -> int:
        size = int(name[-1])
        shapes[f"{SCOPE}/{name}/weights"] = (size, size, inputs, width)
        shapes.update({f"{SCOPE}/{name}/BatchNorm/{part}": (width,) for part in ("beta", "moving_mean", "moving_variance")})
        return width

    channels = convolution(STEM, 3, 64 // divisor)
    if separable_stem:
        shapes.pop(f"{SCOPE}/{STEM}/weights")
        shapes[f"{SCOPE}/{STEM}/depthwise_weights"] = (7, 7, 3, 8)
        shapes[f"{SCOPE}/{STEM}/pointwise_weights"] = (1, 1, 24, channels)
    channels = convolution("Conv2d_2b_1x1", channels, 64 // divisor)
    channels = convolution("Conv2d_2c_3x3", channels, 192 // divisor)
    for module, kind, widths in MODULES:
        joined = channels if kind == "halve" else 0  # the pooled branch keeps its width
        for names, branch_widths in zip(convolution_names(module), widths):
            inner = channels
            for name, width in zip(names, branch_widths):
                inner = convolution(name, inner, width // divisor)
            joined += inner if names else 0
        channels = joined
    shapes[f"{SCOPE}/{LOGITS}/weights"] = (1, 1, channels, classes)
    shapes[f"{SCOPE}/{LOGITS}/biases"] = (classes,)
    return shapes


def build(variables: Mapping[str, np.ndarray]) -> Graph:
    """`input` f32 [1,224,224,3] (BGR, 0..255) -> `InceptionV2/Predictions/Softmax` f32 [1,classes]."""
    network = _Network(variables)
    value = network.stem(layers.picture_input(network.graph, INPUT, PICTURE, [MEAN] * 3))
    value = network.graph.max_pool(value, 3, 2, None, f"{SCOPE}/MaxPool_2a_3x3")
    value = network.convolution(value, "Conv2d_2b_1x1")
    value = network.convolution(value, "Conv2d_2c_3x3")
    value = network.graph.max_pool(value, 3, 2, None, f"{SCOPE}/MaxPool_3a_3x3")
    for module, kind, _ in MODULES:
        value = network.module(value, module, kind)
    weights = network.variable(f"{LOGITS}/weights")[0, 0].T
    layers.classifier(network.graph, value, weights, network.variable(f"{LOGITS}/biases"), f"{SCOPE}/{LOGITS}", OUTPUT)
    return network.graph


class _Network:
    """The graph so far and where its weights come from."""

    def __init__(self, variables: Mapping[str, np.ndarray]) -> None:
        self.graph = Graph("googlenet-v2-tf")
        self.variables = variables

    def variable(self, name: str) -> np.ndarray:
        found = self.variables.get(f"{SCOPE}/{name}")
        if found is None:
            raise MissingVariable(f"a checkpoint of Inception V2 was expected, but variable {SCOPE}/{name} is not in it")
        return found

    def stem(self, picture: Value) -> Value:
        """7x7 with stride 2: a depthwise and a 1x1 convolution in the published checkpoint, else a plain one. Takes
        in the reversal of the channels and the scale."""
        if f"{SCOPE}/{STEM}/depthwise_weights" not in self.variables:
            kernel = self.variable(f"{STEM}/weights")[:, :, ::-1] / SCALE
            return self._normalised(picture, STEM, kernel, 2)
        depthwise = self.variable(f"{STEM}/depthwise_weights")[:, :, ::-1] / SCALE  # [7,7,C,M]
        pointwise = self.variable(f"{STEM}/pointwise_weights")  # [1,1,C*M,O]
        channels, multiplier = depthwise.shape[2:]
        kernel = depthwise.transpose(2, 3, 0, 1)[:, :, None]  # GOIHW
        value = self.graph.group_convolution(picture, self.graph.constant(kernel.astype(np.float32)), 2, None,
                                             f"{SCOPE}/{STEM}/depthwise")
        # the depthwise outputs now come in blue, green, red, M of each; so the 1x1 kernel takes them
        reversed_inputs = pointwise.reshape(1, 1, channels, multiplier, -1)[:, :, ::-1].reshape(pointwise.shape)
        return self._normalised(value, STEM, reversed_inputs, 1)

    def convolution(self, image: Value, name: str, stride: int = 1) -> Value:
        return self._normalised(image, name, self.variable(f"{name}/weights"), stride)

    def module(self, image: Value, module: str, kind: str) -> Value:
        branches = []
        for index, names in enumerate(convolution_names(module)):
            value, scope = image, f"{SCOPE}/{module}/Branch_{index}"
            if not names:
                value = self.graph.max_pool(value, 3, 2, None, f"{scope}/MaxPool_1a_3x3")
            elif index == 3 and kind == "maximum":
                value = self.graph.max_pool(value, 3, 1, None, f"{scope}/MaxPool_0a_3x3")
            elif index == 3:
                value = self.graph.avg_pool(value, 3, 1, None, f"{scope}/AvgPool_0a_3x3")
            for name in names:
                value = self.convolution(value, name, 2 if name.endswith("Conv2d_1a_3x3") else 1)
            branches.append(value)
        return self.graph.concat(branches, 1, f"{SCOPE}/{module}/concat")

    def _normalised(self, image: Value, name: str, kernel: np.ndarray, stride: int) -> Value:
        """Convolution (`kernel` HWIO), batch norm (TF-slim leaves gamma out) and ReLU."""
        gamma = self.variables.get(f"{SCOPE}/{name}/BatchNorm/gamma")
        folded, bias = layers.fold_batch_norm(
            kernel.transpose(3, 2, 0, 1), gamma, self.variable(f"{name}/BatchNorm/beta"),
            self.variable(f"{name}/BatchNorm/moving_mean"), self.variable(f"{name}/BatchNorm/moving_variance"), EPSILON)
        return layers.convolution(self.graph, image, folded, bias, stride, name=f"{SCOPE}/{name}")
