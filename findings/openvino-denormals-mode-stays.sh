#!/bin/sh
# OpenVINO 2026.4.1, CPU: CPU_DENORMALS_OPTIMIZATION is no property of a model: compiling with it changes the calling thread for good.
#
# Expected: the model that is compiled with it treats denormal numbers as zero; later models without it and the program itself do not.
# Seen:     once compile_model() has returned, 1e-40 * 1 is 0 on the thread that called it, in numpy, too. A model that is compiled on that
#           thread later, without a word about denormals, treats them as zero as well. One that says "false" gives the thread its mode back.
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

TINY = np.array([1e-40], np.float32)


def is_kept(number):
    return number.view(np.int32)[0] != 0


def kept_after(*compiles):
    """Compiles a model with each, one after the other: whether 1e-40 stays what it is in each of them, and then in numpy."""
    core, kept = ov.Core(), []
    for properties in compiles:
        parameter = op.parameter([1], np.float32)
        model = ov.Model([op.result(op.multiply(parameter, op.constant(np.array([2], np.float32))))], [parameter])
        kept.append(bool(is_kept(core.compile_model(model, "CPU", properties)([TINY])[0])))
    return kept, bool(is_kept(TINY * np.float32(1)))


FLUSHED = {"CPU_DENORMALS_OPTIMIZATION": True}
with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as processes:
    plain = processes.apply(kept_after, ({}, {}))
    flushed = processes.apply(kept_after, (FLUSHED, {}))
print("openvino", ov.__version__)
print("two plain compiles: 1e-40 kept by the models", plain[0], "by numpy", plain[1])
print("one with the property, a plain one: kept by the models", flushed[0], "by numpy", flushed[1])
if plain != ([True, True], True):
    raise SystemExit("Changed: plain compiles do not keep denormal numbers.")
if flushed != ([False, False], False):
    raise SystemExit("Changed: the property no longer concerns later models and the program itself.")
PROGRAM
