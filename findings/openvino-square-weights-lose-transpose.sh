#!/bin/sh
# OpenVINO 2026.4.1, CPU: of two MatMuls over one square constant, one as it is and one transposed, the second reads it as the first.
#
# Expected: x * W and x * transpose(W).
# Seen:     the output of whichever MatMul comes second is that of the first: with W = [[1, 2], [3, 4]] and x = [1, 10] both are [31, 42],
#           where the second is [21, 43]. One stream, one thread and f32 suffice. Two constants with the same numbers are right as long as
#           the model lies in memory, and wrong once save_model has written it, which stores equal constants once. A constant that is
#           not square is right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check openvino==2026.4.1 numpy==2.2.6
"$folder/python/bin/python" - "$folder" <<'PROGRAM'
import sys

import numpy as np
import openvino as ov
from openvino import opset13 as ops

CORE = ov.Core()
WEIGHTS = np.array([[1, 2], [3, 4]], dtype=np.float32)
X = np.array([[1, 10]], dtype=np.float32)
RIGHT = [(X @ WEIGHTS).tolist(), (X @ WEIGHTS.T).tolist()]


def model_of(first, second):
    x = ops.parameter([1, 2], np.float32)
    plain = ops.matmul(x, first, transpose_a=False, transpose_b=False)
    transposed = ops.matmul(x, second, transpose_a=False, transpose_b=True)
    return ov.Model([plain, transposed], [x])


def answers(model):
    results = CORE.compile_model(model, "CPU", {"NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": 1})(X)
    return [results[0].tolist(), results[1].tolist()]


shared = ops.constant(WEIGHTS)
equal = model_of(ops.constant(WEIGHTS), ops.constant(WEIGHTS.copy()))
ov.save_model(equal, f"{sys.argv[1]}/equal.xml", compress_to_fp16=False)
one = answers(model_of(shared, shared))
two = answers(equal)
saved = answers(CORE.read_model(f"{sys.argv[1]}/equal.xml"))
print("OpenVINO", ov.get_version())
print("right:                      ", RIGHT)
print("one constant:               ", one)
print("two equal constants:        ", two)
print("the same, saved and read:   ", saved)
if two != RIGHT:
    raise SystemExit("Changed: two constants do not give the right answers either.")
if one == RIGHT or saved == RIGHT:
    raise SystemExit("Changed: the transposed MatMul is right.")
PROGRAM
