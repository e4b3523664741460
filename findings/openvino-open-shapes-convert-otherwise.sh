#!/bin/sh
# OpenVINO 2026.4.1, CPU: a model with an open shape answers other integers than the same model with a fixed one.
#
# The models: Convert of f32 to u8 and i8, and Divide of u8, over [4] and over [?].
# Expected: whether a dimension is written down changes no number.
# Seen:     300 becomes 44 (the low 8 bits) in the one and 255 (cut at the end) in the other; 3 / 2 is 1 (cut) in the one and 2 (rounded)
#           in the other. Both are compiled with the same properties, and both answer without an error.
# Where:    the code for AVX2, to which ONEDNN_MAX_CPU_ISA holds newer processors; other code was not tried.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check openvino==2026.4.1 numpy==2.2.6
ONEDNN_MAX_CPU_ISA=AVX2 "$folder/python/bin/python" - <<'PROGRAM'
import numpy as np
import openvino as ov
from openvino import opset13 as op

core = ov.Core()


def answers(shape):
    shape = ov.PartialShape(shape)
    number, left, right = op.parameter(shape, np.float32), op.parameter(shape, np.uint8), op.parameter(shape, np.uint8)
    results = [op.convert(number, "u8"), op.convert(number, "i8"), op.divide(left, right)]
    model = ov.Model([op.result(each) for each in results], [number, left, right])
    request = core.compile_model(model, "CPU").create_infer_request()
    request.infer([np.array([300, 1, 2, 3], np.float32), np.array([3, 7, 200, 9], np.uint8), np.array([2, 2, 3, 4], np.uint8)])
    to_u8, to_i8, quotient = (tensor.data.tolist() for tensor in request.output_tensors)
    return {"300 to u8": to_u8[0], "300 to i8": to_i8[0], "3/2 7/2 200/3 9/4": quotient}


fixed, open_ = answers([4]), answers([-1])
print("openvino", ov.__version__)
print("shape [4]:", fixed)
print("shape [?]:", open_)
if fixed == open_:
    raise SystemExit("Changed: both give the same numbers.")
if fixed != {"300 to u8": 44, "300 to i8": 44, "3/2 7/2 200/3 9/4": [1, 3, 66, 2]}:
    raise SystemExit("Changed: the fixed shape gives other numbers.")
if open_ != {"300 to u8": 255, "300 to i8": 127, "3/2 7/2 200/3 9/4": [2, 4, 67, 2]}:
    raise SystemExit("Changed: the open shape gives other numbers.")
PROGRAM
