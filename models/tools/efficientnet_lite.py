"""EfficientNet-Lite as IR, from the variables of its PyTorch port.

EfficientNet-Lite is EfficientNet without squeeze-and-excitation and with ReLU6 for swish; the pictures are taken as
(x - 127) / 128 in red, green, blue. The port was converted from the TensorFlow checkpoints, so it keeps TensorFlow's
SAME padding and batch norm epsilon. Widths and depths are read off the variables; only the strides are fixed.
"""
from __future__ import annotations

from typing import Mapping, Optional

import numpy as np

from . import layers
from .ir import Graph, Value

INPUT, OUTPUT = "images", "Softmax"  # tensor names of the TensorFlow originals
PICTURE = 224
MEAN, SCALE = 127.0, 128.0
EPSILON = 1e-3
STAGE_STRIDES = (1, 2, 2, 2, 1, 2, 1)
# The demo's networks have 1001 classes, the first for background, this one has 1000. A logit this low makes the added
# class exactly 0 after the softmax, also in f16.
BACKGROUND_LOGIT = -1e4


def build(name: str, variables: Mapping[str, np.ndarray]) -> Graph:
    """`images` f32 [1,224,224,3] (BGR, 0..255) -> `Softmax` f32 [1,1001], class 0 being background."""
    graph = Graph(name)

    def convolution(image: Value, layer: str, norm: str, stride: int = 1, activation: Optional[str] = "relu6") -> Value:
        kernel, bias = layers.fold_batch_norm(
            variables[f"{layer}.weight"], variables[f"{norm}.weight"], variables[f"{norm}.bias"],
            variables[f"{norm}.running_mean"], variables[f"{norm}.running_var"], EPSILON)
        if layer == "_conv_stem":
            kernel = kernel[:, ::-1] / SCALE
        if layer.endswith("_depthwise_conv"):
            kernel = kernel[:, None]  # [C,1,H,W] -> C groups of one channel
        return layers.convolution(graph, image, kernel, bias, stride, activation=activation, name=layer)

    value = layers.picture_input(graph, INPUT, PICTURE, [MEAN] * 3)
    value = convolution(value, "_conv_stem", "_bn0", 2)
    index, stage, width = 0, -1, 0
    while f"_blocks.{index}._project_conv.weight" in variables:
        block = f"_blocks.{index}."
        # a stage is a run of blocks with one width; its first block has the stride and no way around
        first = variables[f"{block}_project_conv.weight"].shape[0] != width
        if first:
            stage, width = stage + 1, variables[f"{block}_project_conv.weight"].shape[0]
        inner = value
        if f"{block}_expand_conv.weight" in variables:
            inner = convolution(inner, f"{block}_expand_conv", f"{block}_bn0")
        inner = convolution(inner, f"{block}_depthwise_conv", f"{block}_bn1", STAGE_STRIDES[stage] if first else 1)
        inner = convolution(inner, f"{block}_project_conv", f"{block}_bn2", activation=None)
        value = inner if first else graph.add(inner, value)
        index += 1
    value = convolution(value, "_conv_head", "_bn1")
    weights, bias = variables["_fc.weight"], variables["_fc.bias"]
    weights = np.concatenate([np.zeros_like(weights[:1]), weights])
    bias = np.concatenate([np.full(1, BACKGROUND_LOGIT, bias.dtype), bias])
    layers.classifier(graph, value, weights, bias, "_fc", OUTPUT)
    return graph
