#!/bin/sh
# OpenVINO 2026.4.1, CPU: with CPU_DENORMALS_OPTIMIZATION a Select over integers always takes its second branch.
#
# The model: Select(condition, [10, 20, 30, 40], [1, 2, 3, 4]) over i32, i64 and f32.
# Expected: [10, 2, 30, 4] for the condition [true, false, true, false]: the property's subject are floating-point numbers near zero.
# Seen:     [1, 2, 3, 4] for integers, without an error; f32 is right. As floating-point numbers the bits of small integers are denormal, so
#           zero, and zero is false. The same program without the property is right for all three.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check openvino==2026.4.1 numpy==2.2.6
"$folder/python/bin/python" - <<'PROGRAM'
import multiprocessing

import numpy as np
import openvino as ov
from openvino import opset13 as op

KINDS = ("int32", "int64", "float32")


def answers(is_on):
    core = ov.Core()
    found = {}
    for kind in KINDS:
        condition, yes, no = op.parameter([4], np.bool_), op.parameter([4], np.dtype(kind)), op.parameter([4], np.dtype(kind))
        model = ov.Model([op.result(op.select(condition, yes, no))], [condition, yes, no])
        request = core.compile_model(model, "CPU", {"CPU_DENORMALS_OPTIMIZATION": is_on}).create_infer_request()
        request.infer([np.array([True, False, True, False]), np.array([10, 20, 30, 40], kind), np.array([1, 2, 3, 4], kind)])
        found[kind] = request.output_tensors[0].data.astype(int).tolist()
    return found


# Each in a process of its own, because the property stays with the thread.
with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as processes:
    plain, flushed = processes.apply(answers, [False]), processes.apply(answers, [True])
print("openvino", ov.__version__)
print("off:", plain)
print("on: ", flushed)
if plain != dict.fromkeys(KINDS, [10, 2, 30, 4]):
    raise SystemExit("Changed: without the property Select is wrong, too.")
if flushed != {"int32": [1, 2, 3, 4], "int64": [1, 2, 3, 4], "float32": [10, 2, 30, 4]}:
    raise SystemExit("Changed: the property no longer makes Select over integers take its second branch.")
PROGRAM
