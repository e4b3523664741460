"""Steps that the example networks share, on top of `ir.Graph`.

All networks take the demo's picture, f32 [1,H,W,3] with 0..255 and channels blue, green, red, but their weights were
trained on red, green, blue. The channels are reversed in the first kernel and in the mean, where it costs nothing per
request; so is a division of the input.
"""
from __future__ import annotations

from typing import Optional, Sequence, Tuple

import numpy as np

from .ir import Graph, Pads, Value


def picture_input(graph: Graph, name: str, size: int, mean_rgb: Sequence[float]) -> Value:
    """NHWC picture (BGR, 0..255) in; NCHW picture (BGR) less the mean out."""
    picture = graph.parameter(name, (1, size, size, 3), "NHWC")
    channels_first = graph.transpose(picture, (0, 3, 1, 2))
    mean = np.array(mean_rgb[::-1], np.float32).reshape(1, 3, 1, 1)
    return graph.subtract(channels_first, graph.constant(mean))


def fold_batch_norm(kernel: np.ndarray, gamma: Optional[np.ndarray], beta: np.ndarray, mean: np.ndarray,
                    variance: np.ndarray, epsilon: float) -> Tuple[np.ndarray, np.ndarray]:
    """(kernel, bias) of a convolution with its batch norm taken in; `kernel` starts with the output channels."""
    scale = 1.0 / np.sqrt(variance.astype(np.float64) + epsilon)
    if gamma is not None:
        scale = scale * gamma
    folded = kernel * scale.reshape(-1, *[1] * (kernel.ndim - 1))
    return folded.astype(np.float32), (beta - mean * scale).astype(np.float32)


def convolution(graph: Graph, image: Value, kernel: np.ndarray, bias: np.ndarray, stride: int = 1,
                pads: Optional[Pads] = None, activation: Optional[str] = "relu", name: Optional[str] = None) -> Value:
    """Convolution with bias and activation ("relu", "relu6" or None); a depthwise one where `kernel` is GOIHW."""
    apply = graph.group_convolution if kernel.ndim == 5 else graph.convolution
    value = apply(image, graph.constant(kernel.astype(np.float32)), stride, pads, name)
    value = graph.add(value, graph.constant(bias.astype(np.float32).reshape(1, -1, 1, 1)))
    if activation == "relu":
        return graph.relu(value)
    return graph.clamp(value, 0.0, 6.0) if activation == "relu6" else value


def classifier(graph: Graph, image: Value, weights: np.ndarray, bias: np.ndarray, layer_name: str,
               output_name: str) -> Value:
    """Mean over the picture, dense layer (`weights` is [classes, channels]), softmax as the model's output."""
    pooled = graph.reduce_mean(image, (2, 3), keep_dims=False)
    logits = graph.matmul(pooled, graph.constant(weights.astype(np.float32)), layer_name, transpose_right=True)
    logits = graph.add(logits, graph.constant(bias.astype(np.float32).reshape(1, -1)))
    return graph.result(graph.softmax(logits, 1, output_name), output_name)
