"""The frozen graph of ResNet-50 v1.5 (resnet-50-tf) as TensorFlow's official models built it, with given weights.

"v1.5": in the block that halves the picture, the 3x3 convolution has the stride. Convolutions with a stride are padded
alike on both sides (by a Pad), unlike TensorFlow's SAME. Batch norms stand as bias, as in the published file, whose
batch norms were folded into the kernels.
"""
from __future__ import annotations

from typing import Callable, List, Sequence, Tuple

import numpy as np

from .graph_def import Node

INPUT, OUTPUT = "map/TensorArrayStack/TensorArrayGatherV3", "softmax_tensor"
MEAN_RGB = (123.68, 116.78, 103.94)
DENSE = "resnet_model/dense"
STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))  # inner width, blocks, stride of the first block
CLASSES = 1001

# (kernel HWIO, bias) of the n-th convolution, whose shape and part ("stem", "shortcut", "inner", "last") are given
Weights = Callable[[Tuple[int, int, int, int], str], Tuple[np.ndarray, np.ndarray]]


def nodes(weights: Weights, dense: np.ndarray, dense_bias: np.ndarray,
          stages: Sequence[Tuple[int, int, int]] = STAGES) -> List[Node]:
    """The nodes in topological order. `dense` is [channels, classes]; a block's outer width is four times its inner."""
    graph = _GraphDef(weights)
    value = graph.convolution(INPUT, 3, stages[0][0], 7, 2, "stem")
    value = graph.node("max_pooling2d/MaxPool", "MaxPool", [value], ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding="SAME",
                       data_format="NHWC")
    channels = stages[0][0]
    for width, blocks, stride in stages:
        for block in range(blocks):
            step = stride if block == 0 else 1
            shortcut = graph.convolution(value, channels, 4 * width, 1, step, "shortcut", relu=False) if block == 0 else value
            inner = graph.convolution(value, channels, width, 1, 1, "inner")
            inner = graph.convolution(inner, width, width, 3, step, "inner")
            inner = graph.convolution(inner, width, 4 * width, 1, 1, "last", relu=False)
            value = graph.relu(graph.node("add", "Add", [inner, shortcut]))
            channels = 4 * width
    value = graph.node("Mean", "Mean", [value, graph.constant("Mean/reduction_indices", np.array([1, 2], np.int32))], keep_dims=1)
    value = graph.node("Squeeze", "Squeeze", [value], squeeze_dims=[1, 2])
    value = graph.node("dense/MatMul", "MatMul", [value, graph.constant("dense/kernel", dense)])
    value = graph.node("dense/BiasAdd", "BiasAdd", [value, graph.constant("dense/bias", dense_bias)], data_format="NHWC")
    graph.nodes.append(Node(OUTPUT, "Softmax", [value]))
    return graph.nodes


class _GraphDef:
    def __init__(self, weights: Weights) -> None:
        self.nodes: List[Node] = [Node(INPUT, "Placeholder")]
        self.weights = weights
        self.counts: dict = {}

    def node(self, name: str, operation: str, inputs: Sequence[str], **attributes: object) -> str:
        """Adds a node and returns its name; a repeated name is numbered as TensorFlow does."""
        number = self.counts.get(name, 0)
        self.counts[name] = number + 1
        scope, slash, leaf = name.partition("/")
        unique = f"resnet_model/{scope}_{number}{slash}{leaf}" if number else f"resnet_model/{name}"
        self.nodes.append(Node(unique, operation, inputs, attributes))
        return unique

    def constant(self, name: str, array: np.ndarray) -> str:
        return self.node(name, "Const", [], value=array)

    def relu(self, value: str) -> str:
        return self.node("Relu", "Relu", [value])

    def convolution(self, value: str, inputs: int, outputs: int, size: int, stride: int, part: str, relu: bool = True) -> str:
        kernel, bias = self.weights((size, size, inputs, outputs), part)
        padding = "SAME"
        if stride > 1:
            before, behind = (size - 1) // 2, size // 2
            rows = np.array([[0, 0], [before, behind], [before, behind], [0, 0]], np.int32)
            value = self.node("Pad", "Pad", [value, self.constant("Pad/paddings", rows)])
            padding = "VALID"
        value = self.node("conv2d/Conv2D", "Conv2D", [value, self.constant("conv2d/kernel", kernel)],
                          strides=[1, stride, stride, 1], padding=padding, data_format="NHWC", dilations=[1, 1, 1, 1])
        value = self.node("batch_normalization/FusedBatchNorm", "BiasAdd",
                          [value, self.constant("batch_normalization/bias", bias)], data_format="NHWC")
        return self.relu(value) if relu else value
