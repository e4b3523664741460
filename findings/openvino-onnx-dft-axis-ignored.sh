#!/bin/sh
# OpenVINO 2026.4.1: the ONNX front end ignores the axis of DFT since opset 20, and answers the transform along axis 1.
#
# The model: DFT of opset 20 over [1, 4, 5, 1], whose third input, a constant, is the axis.
# Expected: axis 2 gives what numpy.fft.fft(x, axis=2) gives.
# Seen:     axis 1, 2 and -2 give the same answer, that of axis 1, without an error. In opset 17 the axis was an attribute; since 20 it is an
#           input, and the front end reads the attribute, whose default is 1. The backend test test_dft_axis of ONNX shows it, too.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check openvino==2026.4.1 numpy==2.2.6 onnx==1.19.1
"$folder/python/bin/python" - <<'PROGRAM'
import io

import numpy as np
import openvino as ov
from onnx import TensorProto, helper

core = ov.Core()
data = np.arange(20, dtype=np.float32).reshape(1, 4, 5, 1)


def transform(axis):
    node = helper.make_node("DFT", ["x", "", "axis"], ["y"])
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, data.shape)]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 5, 2])]
    constant = helper.make_tensor("axis", TensorProto.INT64, [], [axis])
    graph = helper.make_graph([node], "graph", inputs, outputs, initializer=[constant])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    answer = core.compile_model(core.read_model(io.BytesIO(proto.SerializeToString())), "CPU")([data])[0]
    return answer[..., 0] + 1j * answer[..., 1]


def is_transform(answer, axis):
    return bool(np.allclose(answer, np.fft.fft(data[..., 0], axis=axis), atol=1e-3))


answers = {axis: transform(axis) for axis in (1, 2, -2)}
print("openvino", ov.__version__)
for axis, answer in answers.items():
    print(f"axis {axis}: is that of axis 1: {is_transform(answer, 1)}, of axis 2: {is_transform(answer, 2)}")
if not is_transform(answers[1], 1):
    raise SystemExit("Changed: axis 1 is wrong, too.")
if any(is_transform(answers[axis], 2) for axis in (2, -2)):
    raise SystemExit("Changed: the axis is taken.")
if not all(is_transform(answers[axis], 1) for axis in (2, -2)):
    raise SystemExit("Changed: another axis gives something else than the transform along axis 1.")
PROGRAM
