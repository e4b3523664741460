"""Turns a frozen TensorFlow image classifier (its variables are constants) into IR.

Only the operations of frozen ResNet graphs are known; another one is refused with its name. TensorFlow's pictures are
NHWC and IR's NCHW, so four-dimensional values are kept NCHW from the input on and every axis, window and padding of an
operation is translated when it is read.

The graph is cut at the input that the caller names: what feeds it (decoding of JPEG files in the published graph) is
not looked at. The pictures come in blue, green, red there, 0..255; mean and order of the channels are taken into the
graph, as `layers.py` tells.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from . import layers
from .graph_def import GraphError, Node
from .ir import Graph, Pads, Value

PICTURE = 224


@dataclass(frozen=True)
class Padded:
    """A picture with zeros to be added around it: Pad is taken into the convolution behind it."""

    picture: Value
    pads: Pads


def convert(nodes: Sequence[Node], name: str, input_name: str, output_name: str, mean_rgb: Sequence[float]) -> Graph:
    """`input_name` f32 [1,224,224,3] (BGR, 0..255) -> `output_name` f32 [1,classes]."""
    converter = _Converter(name, input_name, mean_rgb)
    by_name = {node.name: node for node in nodes}
    for wanted in (input_name, output_name):
        if wanted not in by_name:
            raise GraphError(f"{name}: a graph with a node {wanted} was expected, but none of its {len(nodes)} nodes is "
                             "called so")
    for node in _ordered(by_name, input_name, output_name, name):
        converter.convert(node)
    converter.graph.result(converter.value(output_name), output_name)
    return converter.graph


def _ordered(by_name: Dict[str, Node], start: str, end: str, origin: str) -> List[Node]:
    """The nodes between `start` (left out) and `end`, each behind those that it reads."""
    order: List[Node] = []
    state: Dict[str, bool] = {start: True}  # False: being visited, True: done
    waiting = [end]
    while waiting:
        name = waiting[-1]
        if name not in by_name:
            raise GraphError(f"{origin}: a node called {name} was expected, since another one reads it, but there is none")
        inputs = [_source(reference) for reference in by_name[name].inputs if not reference.startswith("^")]
        if state.get(name):
            waiting.pop()
        elif name in state:
            waiting.pop()
            state[name] = True
            order.append(by_name[name])
        else:
            state[name] = False
            fresh = [source for source in inputs if not state.get(source)]
            if any(source in state for source in fresh):
                raise GraphError(f"{origin}: a graph without cycles was expected, but node {name} is part of one")
            waiting.extend(fresh)
    return order


def _source(reference: str) -> str:
    """The node of an input reference: "node" or "node:0"."""
    return reference[:-2] if reference.endswith(":0") else reference


class _Converter:
    def __init__(self, name: str, input_name: str, mean_rgb: Sequence[float]) -> None:
        self.name = name
        self.graph = Graph(name)
        self.picture = layers.picture_input(self.graph, input_name, PICTURE, mean_rgb)
        self._results: Dict[str, Any] = {input_name: self.picture}

    def convert(self, node: Node) -> None:
        operation = OPERATIONS.get(node.operation)
        if operation is None:
            known = ", ".join(sorted(OPERATIONS))
            raise self._error(node, f"one of the operations {known} was expected, but it is {node.operation}")
        try:
            self._results[node.name] = operation(self, node)
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise self._error(node, f"a {node.operation} that fits its inputs was expected, but: {error!r}") from error

    def value(self, reference: str) -> Value:
        found = self._results[_source(reference)]
        if not isinstance(found, Value):
            raise GraphError(f"{self.name}: a computed value was expected from node {reference}, but it is "
                             + ("padding, which only a convolution with padding VALID may read" if isinstance(found, Padded)
                                else "a constant"))
        return found

    def array(self, reference: str) -> np.ndarray:
        found = self._results[_source(reference)]
        if not isinstance(found, np.ndarray):
            raise GraphError(f"{self.name}: a constant was expected from node {reference}, but it is computed or of a type "
                             "that weights do not have")
        return found

    def constant(self, node: Node) -> Any:
        return node.attributes["value"]

    def identity(self, node: Node) -> Any:
        return self._results[_source(node.inputs[0])]

    def pad(self, node: Node) -> Padded:
        """Rows are the axes N, H, W, C; columns before and behind."""
        rows = self.array(node.inputs[1]).tolist()
        if rows[0] != [0, 0] or rows[3] != [0, 0]:
            raise self._error(node, f"padding of height and width only was expected, but it is {rows}")
        return Padded(self.value(node.inputs[0]), ((rows[1][0], rows[2][0]), (rows[1][1], rows[2][1])))

    def convolution(self, node: Node) -> Value:
        if any(dilation != 1 for dilation in node.attributes.get("dilations") or []):
            raise self._error(node, f"dilations of 1 were expected, but they are {node.attributes['dilations']}")
        stride, pads = self._stride(node), self._pads(node)
        padded = self._results[_source(node.inputs[0])]
        if isinstance(padded, Padded):
            if pads is None:
                raise self._error(node, "padding VALID behind a Pad was expected, but it is SAME")
            source, pads = padded.picture, padded.pads
        else:
            source = self.value(node.inputs[0])
        kernel = self.array(node.inputs[1]).transpose(3, 2, 0, 1)
        if source is self.picture:
            kernel = kernel[:, ::-1]
        return self.graph.convolution(source, self.graph.constant(np.ascontiguousarray(kernel)), stride, pads, node.name)

    def max_pool(self, node: Node) -> Value:
        stride, pads = self._stride(node), self._pads(node)
        size = self._square(node, "ksize")
        return self.graph.max_pool(self._colours_behind(node), size, stride, pads, node.name)

    def batch_norm(self, node: Node) -> Value:
        if node.attributes.get("is_training"):
            raise self._error(node, "a batch norm for inference was expected, but it is one for training")
        gamma, beta, mean, variance = (self.array(reference).astype(np.float64) for reference in node.inputs[1:5])
        scale = gamma / np.sqrt(variance + node.attributes["epsilon"])
        scaled = self.graph.multiply(self._colours_behind(node), self._per_channel(scale))
        return self.graph.add(scaled, self._per_channel(beta - mean * scale), node.name)

    def bias(self, node: Node) -> Value:
        value, bias = self._colours_behind(node), self.array(node.inputs[1])
        shaped = self._per_channel(bias) if len(value.shape) == 4 else self.graph.constant(bias.reshape(1, -1))
        return self.graph.add(value, shaped, node.name)

    def addition(self, node: Node) -> Value:
        left, right = (self.value(reference) for reference in node.inputs)
        if left.shape != right.shape:
            raise self._error(node, f"two operands of one shape were expected, but they are {left.shape} and {right.shape}")
        return self.graph.add(left, right, node.name)

    def relu(self, node: Node) -> Value:
        return self.graph.relu(self._colours_behind(node), node.name)

    def mean(self, node: Node) -> Value:
        value, axes = self._colours_behind(node), self.array(node.inputs[1]).tolist()
        keep = bool(node.attributes.get("keep_dims"))
        return self.graph.reduce_mean(value, self._spatial(node, value, axes), keep, node.name)

    def squeeze(self, node: Node) -> Value:
        value = self._colours_behind(node)
        return self.graph.squeeze(value, self._spatial(node, value, node.attributes["squeeze_dims"]), node.name)

    def reshape(self, node: Node) -> Value:
        """The one use in a classifier: [1,1,1,C] to [1,C]."""
        value, shape = self._colours_behind(node), self.array(node.inputs[1]).tolist()
        if value.shape[2:] != (1, 1) or shape not in ([-1, value.shape[1]], [1, value.shape[1]], [1, -1]):
            raise self._error(node, f"a reshape of [1,1,1,C] to [1,C] was expected, but it takes {value.shape} to {shape}")
        return self.graph.squeeze(value, (2, 3), node.name)

    def matmul(self, node: Node) -> Value:
        if node.attributes.get("transpose_a"):
            raise self._error(node, "a left operand as it is was expected, but it is transposed")
        weights = self.array(node.inputs[1])
        weights = weights if node.attributes.get("transpose_b") else weights.T
        return self.graph.matmul(self.value(node.inputs[0]), self.graph.constant(weights), node.name, transpose_right=True)

    def softmax(self, node: Node) -> Value:
        value = self.value(node.inputs[0])
        if len(value.shape) != 2:
            raise self._error(node, f"a softmax over [1,classes] was expected, but it is over {value.shape}")
        return self.graph.softmax(value, 1, node.name)

    def _colours_behind(self, node: Node) -> Value:
        """The first input. Only a convolution can undo the reversed channels, so nothing else may read the picture."""
        value = self.value(node.inputs[0])
        if value is self.picture:
            raise self._error(node, f"a convolution was expected to read the picture, but it is a {node.operation}")
        return value

    def _per_channel(self, array: np.ndarray) -> Value:
        return self.graph.constant(array.astype(np.float32).reshape(1, -1, 1, 1))

    def _spatial(self, node: Node, value: Value, axes: Sequence[int]) -> Tuple[int, ...]:
        """NHWC axes 1 and 2 in any order, negative or not, as the NCHW axes 2 and 3."""
        if len(value.shape) != 4 or sorted(int(axis) % 4 for axis in axes) != [1, 2]:
            raise self._error(node, f"height and width of a picture were expected, but it takes axes {list(axes)} of "
                                    f"{value.shape}")
        return 2, 3

    def _stride(self, node: Node) -> int:
        return self._square(node, "strides")

    def _square(self, node: Node, attribute: str) -> int:
        """The one size of a window or step [1,S,S,1]."""
        if node.attributes.get("data_format", "NHWC") != "NHWC":
            raise self._error(node, f"data format NHWC was expected, but it is {node.attributes['data_format']}")
        batch, height, width, channels = node.attributes[attribute]
        if (batch, channels) != (1, 1) or height != width:
            raise self._error(node, f"{attribute} of the form [1,S,S,1] was expected, but it is {node.attributes[attribute]}")
        return int(height)

    def _pads(self, node: Node) -> Optional[Pads]:
        padding = node.attributes.get("padding")
        if padding not in ("SAME", "VALID"):
            raise self._error(node, f"padding SAME or VALID was expected, but it is {padding}")
        return None if padding == "SAME" else ((0, 0), (0, 0))

    def _error(self, node: Node, what: str) -> GraphError:
        return GraphError(f"{self.name}, node {node.name}: {what}")


OPERATIONS: Dict[str, Callable[[_Converter, Node], Any]] = {
    "Const": _Converter.constant, "Identity": _Converter.identity, "Pad": _Converter.pad,
    "Conv2D": _Converter.convolution, "BiasAdd": _Converter.bias, "FusedBatchNorm": _Converter.batch_norm,
    "FusedBatchNormV2": _Converter.batch_norm, "FusedBatchNormV3": _Converter.batch_norm, "Relu": _Converter.relu,
    "MaxPool": _Converter.max_pool, "Add": _Converter.addition, "AddV2": _Converter.addition, "Mean": _Converter.mean,
    "Squeeze": _Converter.squeeze, "Reshape": _Converter.reshape, "MatMul": _Converter.matmul,
    "Softmax": _Converter.softmax,
}
