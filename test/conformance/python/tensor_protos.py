"""Tensors to messages and back, with the choice of fields that `tensorflow.make_tensor_proto` makes and `make_ndarray` undoes."""

import numpy as np
from published_protos import tensor_pb2, tensor_shape_pb2, types_pb2

DATA_TYPES = {
    np.float32: types_pb2.DT_FLOAT,
    np.float64: types_pb2.DT_DOUBLE,
    np.float16: types_pb2.DT_HALF,
    np.int64: types_pb2.DT_INT64,
    np.int32: types_pb2.DT_INT32,
    np.int16: types_pb2.DT_INT16,
    np.int8: types_pb2.DT_INT8,
    np.uint64: types_pb2.DT_UINT64,
    np.uint32: types_pb2.DT_UINT32,
    np.uint16: types_pb2.DT_UINT16,
    np.uint8: types_pb2.DT_UINT8,
    np.bool_: types_pb2.DT_BOOL,
}
NUMPY_TYPES = {number: dtype for dtype, number in DATA_TYPES.items()}

TYPED_FIELDS = {
    np.float32: "float_val",
    np.float64: "double_val",
    np.float16: "half_val",
    np.int64: "int64_val",
    np.int32: "int_val",
    np.int16: "int_val",
    np.int8: "int_val",
    np.uint64: "uint64_val",
    np.uint32: "uint32_val",
    np.uint16: "int_val",
    np.uint8: "int_val",
    np.bool_: "bool_val",
}
# TensorFlow never puts these into `tensor_content`.
ALWAYS_TYPED = (np.float16, np.uint16, np.bool_)


def make_tensor_proto(values, shape=None):
    """As TensorFlow: more than one element goes into `tensor_content`, one element into its typed field."""
    if values.size > 1 and values.dtype.type not in ALWAYS_TYPED:
        return content_proto(values, shape)
    return typed_proto(values, shape)


def content_proto(values, shape=None):
    return tensor_pb2.TensorProto(tensor_content=values.tobytes(), **_head(values, shape))


def typed_proto(values, shape=None):
    flat = values.ravel()
    elements = (flat.view(np.uint16) if values.dtype.type is np.float16 else flat).tolist()
    return tensor_pb2.TensorProto(**{TYPED_FIELDS[values.dtype.type]: elements}, **_head(values, shape))


def _head(values, shape):
    dim = [tensor_shape_pb2.TensorShapeProto.Dim(size=size) for size in (values.shape if shape is None else shape)]
    return {
        "dtype": DATA_TYPES[values.dtype.type],
        "tensor_shape": tensor_shape_pb2.TensorShapeProto(dim=dim),
    }


def make_ndarray(tensor):
    """Only what a server may answer: dtype, a known shape, and the whole content in `tensor_content`."""
    if tensor.tensor_shape.unknown_rank:
        raise ValueError("the tensor has no rank")
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    return np.frombuffer(tensor.tensor_content, NUMPY_TYPES[tensor.dtype]).reshape(shape)
