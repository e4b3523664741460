"""An OpenVINO model as a graph of layers, under construction; `ir_writer.py` makes the files.

Operation names, opset versions and attributes are those of OpenVINO's operation set reference. The operations are the
few that the example networks use; each method checks its operands and computes the output shape, since IR stores the
shape of every port.

Shapes are static. Images are NCHW inside a graph, kernels OIHW (GroupConvolution: GOIHW).
"""
from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np

Shape = Tuple[int, ...]

ELEMENT_TYPES = {np.dtype(np.float32): "f32", np.dtype(np.float16): "f16", np.dtype(np.int64): "i64"}

# Constants from this many elements on are stored as f16 with a Convert behind, as OpenVINO's converter does: half the
# file for 2**-11 relative error. Smaller ones (biases, means, first layers with a folded scale) stay f32: they weigh
# nothing, and an f16 subnormal would cost them precision.
COMPRESSED_FROM = 16384


@dataclass(eq=False)
class Layer:
    """One operation. `named` tells a name of the source framework from one that this writer made up."""

    identity: int
    name: str
    named: bool
    kind: str
    opset: str
    attributes: Dict[str, str]
    inputs: List["Value"]
    outputs: List["Value"] = field(default_factory=list)
    data: Optional[np.ndarray] = None
    decompression: bool = False


@dataclass(eq=False)
class Value:
    """An output port of a layer: what other layers take as input."""

    layer: Layer
    index: int
    shape: Shape
    element_type: str
    tensor_name: Optional[str] = None
    layout: Optional[str] = None


class Graph:
    """A model under construction. Layers are kept in the order of their making, which is a topological one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.layers: List[Layer] = []
        self._names: Dict[str, int] = {}

    # ---- inputs, constants, outputs

    def parameter(self, name: str, shape: Sequence[int], layout: Optional[str] = None) -> Value:
        """A model input of type f32; its tensor and its layer are called `name`. `layout` like "NHWC"."""
        attributes = {"shape": ",".join(map(str, shape)), "element_type": "f32"}
        value = self._layer("Parameter", "opset1", [], attributes, [(tuple(shape), "f32")], name)
        value.tensor_name, value.layout = name, layout
        return value

    def constant(self, array: np.ndarray, name: Optional[str] = None) -> Value:
        """A constant, f32 or i64. A large f32 one is stored as f16 unless a value does not fit."""
        array = np.asarray(array, order="C")  # the files hold it in this order
        if array.dtype == np.float32 and array.size >= COMPRESSED_FROM and np.abs(array).max() <= np.finfo(np.float16).max:
            stored = self._constant(array.astype(np.float16), name and f"{name}/compressed")
            value = self._layer("Convert", "opset1", [stored], {"destination_type": "f32"}, [(array.shape, "f32")], name)
            value.layer.decompression = True
            return value
        return self._constant(array, name)

    def result(self, value: Value, tensor_name: str) -> Value:
        """Makes `value` a model output whose tensor is called `tensor_name`."""
        value.tensor_name = tensor_name
        return self._layer("Result", "opset1", [value], {}, [], f"{tensor_name}/result", named=False)

    # ---- arithmetic

    def add(self, left: Value, right: Value, name: Optional[str] = None) -> Value:
        return self._elementwise("Add", left, right, name)

    def subtract(self, left: Value, right: Value, name: Optional[str] = None) -> Value:
        return self._elementwise("Subtract", left, right, name)

    def multiply(self, left: Value, right: Value, name: Optional[str] = None) -> Value:
        return self._elementwise("Multiply", left, right, name)

    def relu(self, value: Value, name: Optional[str] = None) -> Value:
        return self._same_shape("ReLU", "opset1", value, {}, name)

    def clamp(self, value: Value, low: float, high: float, name: Optional[str] = None) -> Value:
        return self._same_shape("Clamp", "opset1", value, {"min": _number(low), "max": _number(high)}, name)

    def softmax(self, value: Value, axis: int, name: Optional[str] = None) -> Value:
        return self._same_shape("SoftMax", "opset8", value, {"axis": str(axis)}, name)

    def matmul(self, left: Value, right: Value, name: Optional[str] = None, transpose_right: bool = False) -> Value:
        """[M,K] by [K,N], or by [N,K] with `transpose_right`."""
        inner, columns = reversed(right.shape) if transpose_right else right.shape
        _expect(len(left.shape) == 2 and left.shape[1] == inner, f"MatMul of {left.shape} by {right.shape}")
        attributes = {"transpose_a": "false", "transpose_b": str(transpose_right).lower()}
        return self._layer("MatMul", "opset1", [left, right], attributes, [((left.shape[0], columns), "f32")], name)

    # ---- convolution and pooling; `pads` None is TensorFlow's SAME, else ((top, left), (bottom, right))

    def convolution(self, image: Value, kernel: Value, stride: int, pads: Optional[Pads], name: Optional[str] = None) -> Value:
        """`kernel` is OIHW."""
        _expect(len(kernel.shape) == 4 and image.shape[1] == kernel.shape[1], f"Convolution of {image.shape} by {kernel.shape}")
        attributes, size = _window(image.shape, kernel.shape[2:], stride, pads)
        shape = (image.shape[0], kernel.shape[0], *size)
        return self._layer("Convolution", "opset1", [image, kernel], {**attributes, "dilations": "1, 1"}, [(shape, "f32")], name)

    def group_convolution(self, image: Value, kernel: Value, stride: int, pads: Optional[Pads],
                          name: Optional[str] = None) -> Value:
        """`kernel` is GOIHW; output channel g*O+o reads the input channels of group g only."""
        _expect(len(kernel.shape) == 5 and image.shape[1] == kernel.shape[0] * kernel.shape[2],
                f"GroupConvolution of {image.shape} by {kernel.shape}")
        attributes, size = _window(image.shape, kernel.shape[3:], stride, pads)
        shape = (image.shape[0], kernel.shape[0] * kernel.shape[1], *size)
        return self._layer("GroupConvolution", "opset1", [image, kernel], {**attributes, "dilations": "1, 1"},
                           [(shape, "f32")], name)

    def max_pool(self, image: Value, size: int, stride: int, pads: Optional[Pads], name: Optional[str] = None) -> Value:
        attributes, spatial = _window(image.shape, (size, size), stride, pads)
        attributes.update({"kernel": f"{size}, {size}", "dilations": "1, 1", "rounding_type": "floor",
                           "index_element_type": "i64", "axis": "0"})
        shape = (*image.shape[:2], *spatial)
        return self._layer("MaxPool", "opset8", [image], attributes, [(shape, "f32"), (shape, "i64")], name)

    def avg_pool(self, image: Value, size: int, stride: int, pads: Optional[Pads], name: Optional[str] = None) -> Value:
        """Padding does not count in the mean, as in TensorFlow."""
        attributes, spatial = _window(image.shape, (size, size), stride, pads)
        attributes.update({"kernel": f"{size}, {size}", "exclude-pad": "true", "rounding_type": "floor"})
        return self._layer("AvgPool", "opset1", [image], attributes, [((*image.shape[:2], *spatial), "f32")], name)

    def reduce_mean(self, value: Value, axes: Sequence[int], keep_dims: bool, name: Optional[str] = None) -> Value:
        shape = tuple(1 if axis in axes else size for axis, size in enumerate(value.shape) if keep_dims or axis not in axes)
        inputs = [value, self.constant(np.array(axes, np.int64))]
        return self._layer("ReduceMean", "opset1", inputs, {"keep_dims": str(keep_dims).lower()}, [(shape, "f32")], name)

    # ---- shape and order

    def transpose(self, value: Value, order: Sequence[int], name: Optional[str] = None) -> Value:
        shape = tuple(value.shape[axis] for axis in order)
        inputs = [value, self.constant(np.array(order, np.int64))]
        return self._layer("Transpose", "opset1", inputs, {}, [(shape, value.element_type)], name)

    def concat(self, values: Sequence[Value], axis: int, name: Optional[str] = None) -> Value:
        first = list(values[0].shape)
        for value in values:
            _expect([*value.shape[:axis], *value.shape[axis + 1:]] == first[:axis] + first[axis + 1:],
                    f"Concat over axis {axis} of {[v.shape for v in values]}")
        first[axis] = sum(value.shape[axis] for value in values)
        return self._layer("Concat", "opset1", list(values), {"axis": str(axis)}, [(tuple(first), "f32")], name)

    def squeeze(self, value: Value, axes: Sequence[int], name: Optional[str] = None) -> Value:
        _expect(all(value.shape[axis] == 1 for axis in axes), f"Squeeze of axes {list(axes)} of {value.shape}")
        shape = tuple(size for axis, size in enumerate(value.shape) if axis not in axes)
        inputs = [value, self.constant(np.array(axes, np.int64))]
        return self._layer("Squeeze", "opset1", inputs, {}, [(shape, value.element_type)], name)

    def top_1(self, value: Value, axis: int, name: Optional[str] = None) -> Tuple[Value, Value]:
        """(largest value, its index as i64) along `axis`, which stays with size 1."""
        shape = tuple(1 if a == axis else size for a, size in enumerate(value.shape))
        attributes = {"axis": str(axis), "mode": "max", "sort": "none", "index_element_type": "i64", "stable": "false"}
        top = self._layer("TopK", "opset11", [value, self.constant(np.array(1, np.int64))], attributes,
                          [(shape, "f32"), (shape, "i64")], name)
        return top, top.layer.outputs[1]

    def parameter_count(self) -> int:
        """Trained numbers in the model: the elements of its f32 and f16 constants."""
        return sum(layer.data.size for layer in self.layers if layer.data is not None and layer.data.dtype.kind == "f")

    # ---- making layers

    def _constant(self, array: np.ndarray, name: Optional[str]) -> Value:
        _expect(array.dtype in ELEMENT_TYPES, f"Const of type {array.dtype}")
        element_type = ELEMENT_TYPES[array.dtype]
        value = self._layer("Const", "opset1", [], {"element_type": element_type, "shape": ", ".join(map(str, array.shape))},
                            [(array.shape, element_type)], name)
        value.layer.data = array
        return value

    def _elementwise(self, kind: str, left: Value, right: Value, name: Optional[str]) -> Value:
        shape = tuple(np.broadcast_shapes(left.shape, right.shape))
        return self._layer(kind, "opset1", [left, right], {"auto_broadcast": "numpy"}, [(shape, "f32")], name)

    def _same_shape(self, kind: str, opset: str, value: Value, attributes: Dict[str, str], name: Optional[str]) -> Value:
        return self._layer(kind, opset, [value], attributes, [(value.shape, "f32")], name)

    def _layer(self, kind: str, opset: str, inputs: List[Value], attributes: Dict[str, str],
               outputs: Sequence[Tuple[Shape, str]], name: Optional[str], named: bool = True) -> Value:
        """Appends a layer and returns its first output (for a Result, which has none, its input)."""
        layer = Layer(len(self.layers), self._unique(name or kind), bool(name) and named, kind, opset, attributes, inputs)
        layer.outputs = [Value(layer, i, tuple(shape), element_type) for i, (shape, element_type) in enumerate(outputs)]
        self.layers.append(layer)
        return layer.outputs[0] if outputs else inputs[0]

    def _unique(self, name: str) -> str:
        """OpenVINO wants layer names to differ; a repeated one gets a number."""
        seen = self._names.get(name, 0)
        self._names[name] = seen + 1
        return f"{name}_{seen}" if seen else name


Pads = Tuple[Tuple[int, int], Tuple[int, int]]


def _window(image: Shape, kernel: Sequence[int], stride: int, pads: Optional[Pads]) -> Tuple[Dict[str, str], Shape]:
    """Attributes and spatial output size of a convolution or pooling window."""
    _expect(len(image) == 4, f"an NCHW image of shape {image}")
    attributes = {"strides": f"{stride}, {stride}"}
    if pads is None:
        attributes.update({"pads_begin": "0, 0", "pads_end": "0, 0", "auto_pad": "same_upper"})
        return attributes, tuple(math.ceil(size / stride) for size in image[2:])
    attributes.update({"pads_begin": f"{pads[0][0]}, {pads[0][1]}", "pads_end": f"{pads[1][0]}, {pads[1][1]}",
                       "auto_pad": "explicit"})
    return attributes, tuple((size + begin + end - k) // stride + 1
                             for size, begin, end, k in zip(image[2:], pads[0], pads[1], kernel))


def _number(value: float) -> str:
    return format(value, "g")


def _expect(condition: bool, what: str) -> None:
    if not condition:
        raise ValueError(f"{what}: the operands do not fit together")
