"""Computes a graph with numpy: a second opinion on the IR that needs no OpenVINO.

The synthetic set uses it to fit its classifiers to pictures, the tests to check converted networks where the runtime
is not at hand. It follows the definitions, not the clock: one multiplication per kernel tap.
"""
from __future__ import annotations

import math
from typing import Callable, Dict, List, Mapping, Sequence, Tuple

import numpy as np

from .ir import Layer, Value


def evaluate(wanted: Sequence[Value], inputs: Mapping[str, np.ndarray]) -> List[np.ndarray]:
    """The arrays of `wanted` for the given parameters (by name). The batch may differ from the graph's."""
    results: Dict[Value, np.ndarray] = {}
    for layer in _needed(wanted):
        operands = [results[value] for value in layer.inputs]
        if layer.kind == "Parameter":
            outputs: Tuple[np.ndarray, ...] = (inputs[layer.name],)
        elif layer.data is not None:
            outputs = (layer.data,)
        else:
            computed = OPERATIONS[layer.kind](layer, *operands)
            outputs = computed if isinstance(computed, tuple) else (computed,)
        results.update(zip(layer.outputs, outputs))
    return [results[value] for value in wanted]


def _needed(wanted: Sequence[Value]) -> List[Layer]:
    """The layers that `wanted` depends on; their identities grow in topological order."""
    found: Dict[int, Layer] = {}
    waiting = [value.layer for value in wanted]
    while waiting:
        layer = waiting.pop()
        if layer.identity not in found:
            found[layer.identity] = layer
            waiting.extend(value.layer for value in layer.inputs)
    return [found[identity] for identity in sorted(found)]


def _numbers(layer: Layer, attribute: str) -> List[int]:
    return [int(number) for number in layer.attributes[attribute].split(",")]


def _taps(layer: Layer, image: np.ndarray, kernel: Sequence[int], fill: float) -> List[Tuple[int, int, np.ndarray]]:
    """(row, column, what that tap of the window sees, [N,C,H,W]) for each tap."""
    stride, = set(_numbers(layer, "strides"))
    if layer.attributes["auto_pad"] == "same_upper":
        size = [math.ceil(length / stride) for length in image.shape[2:]]
        total = [max((s - 1) * stride + k - length, 0) for s, k, length in zip(size, kernel, image.shape[2:])]
        begin, end = [t // 2 for t in total], [t - t // 2 for t in total]
    else:
        begin, end = _numbers(layer, "pads_begin"), _numbers(layer, "pads_end")
        size = [(length + b + e - k) // stride + 1 for length, b, e, k in zip(image.shape[2:], begin, end, kernel)]
    padded = np.pad(image, [(0, 0), (0, 0), *zip(begin, end)], constant_values=fill)
    return [(i, j, padded[:, :, i:i + size[0] * stride:stride, j:j + size[1] * stride:stride][:, :, :size[0], :size[1]])
            for i in range(kernel[0]) for j in range(kernel[1])]


def _convolution(layer: Layer, image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    total: np.ndarray = np.float32(0)
    for i, j, seen in _taps(layer, image, kernel.shape[2:], 0.0):
        batch, channels, height, width = seen.shape
        flat = np.ascontiguousarray(seen).reshape(batch, channels, height * width)
        total = total + np.matmul(kernel[:, :, i, j], flat)
    return total.reshape(batch, kernel.shape[0], height, width)


def _group_convolution(layer: Layer, image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    groups, outputs, channels = kernel.shape[:3]
    if channels != 1:
        raise ValueError(f"{layer.name}: a depthwise kernel was expected, but a group has {channels} input channels")
    total: np.ndarray = np.float32(0)
    for i, j, seen in _taps(layer, image, kernel.shape[3:], 0.0):
        total = total + seen[:, :, None] * kernel[None, :, :, 0, i, j, None, None]
    return total.reshape(image.shape[0], groups * outputs, *total.shape[3:])


def _max_pool(layer: Layer, image: np.ndarray) -> np.ndarray:
    taps = _taps(layer, image, _numbers(layer, "kernel"), -np.inf)
    return np.maximum.reduce([seen for _, _, seen in taps])


def _avg_pool(layer: Layer, image: np.ndarray) -> np.ndarray:
    kernel = _numbers(layer, "kernel")
    sums, counts = (np.add.reduce([seen for _, _, seen in _taps(layer, array, kernel, 0.0)])
                    for array in (image, np.ones_like(image[:1, :1])))
    return sums / counts


def _softmax(layer: Layer, value: np.ndarray) -> np.ndarray:
    axis = int(layer.attributes["axis"])
    powers = np.exp(value - value.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def _top_1(layer: Layer, value: np.ndarray, _: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    axis = int(layer.attributes["axis"])
    return value.max(axis, keepdims=True), np.expand_dims(value.argmax(axis), axis)


OPERATIONS: Dict[str, Callable] = {
    "Convert": lambda layer, value: value.astype(np.float32),
    "Add": lambda layer, left, right: left + right,
    "Subtract": lambda layer, left, right: left - right,
    "Multiply": lambda layer, left, right: left * right,
    "ReLU": lambda layer, value: np.maximum(value, 0),
    "Clamp": lambda layer, value: np.clip(value, float(layer.attributes["min"]), float(layer.attributes["max"])),
    "SoftMax": _softmax,
    "MatMul": lambda layer, left, right: left @ (right.T if layer.attributes["transpose_b"] == "true" else right),
    "Convolution": _convolution,
    "GroupConvolution": _group_convolution,
    "MaxPool": _max_pool,
    "AvgPool": _avg_pool,
    "ReduceMean": lambda layer, value, axes: value.mean(tuple(axes), keepdims=layer.attributes["keep_dims"] == "true"),
    "Transpose": lambda layer, value, order: value.transpose(order),
    "Concat": lambda layer, *values: np.concatenate(values, int(layer.attributes["axis"])),
    "Squeeze": lambda layer, value, axes: value.squeeze(tuple(axes)),
    "TopK": _top_1,
}
