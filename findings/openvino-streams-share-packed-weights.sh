#!/bin/sh
# OpenVINO 2026.4.1, CPU: a model with 8-bit weights, compiled for several streams, may answer garbage.
#
# The model: 24 MatMuls whose weights are u8 Constant -> Convert -> Subtract -> Multiply, 4 x 64 x 64 each.
# Expected: every compile gives the same numbers, however many streams it has.
# Seen:     with NUM_STREAMS=1 all 30 compiles agree bit for bit. With NUM_STREAMS=2 most of 30 compiles answer something else, with errors of
#           the size of the answer or no numbers at all, without any error; each is wrong for as long as it lives, or right for as long.
#           The streams seem to unpack the constants at the same time, in the same place.
# Where:    2024.6.0 to 2026.4.1, processors with AVX2. How many compiles are wrong is chance; that one is wrong of 30 is all that is checked.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check openvino==2026.4.1 numpy==2.2.6
"$folder/python/bin/python" - <<'PROGRAM'
import numpy as np
import openvino as ov
from openvino import opset13 as op

random = np.random.default_rng(0)
parameter = op.parameter([4, 4, 64], np.float32)
last = parameter
for _ in range(24):
    packed = op.convert(op.constant(random.integers(0, 256, (4, 64, 64)).astype(np.uint8)), "f32")
    middle = op.convert(op.constant(np.full((1, 1, 1), 128, np.uint8)), "f32")
    scale = op.constant(np.full((1, 1, 1), 1 / 600, np.float32))
    last = op.matmul(last, op.multiply(op.subtract(packed, middle), scale), False, True)
model = ov.Model([op.result(last)], [parameter])
data = random.standard_normal((4, 4, 64)).astype(np.float32)
core = ov.Core()


def answer(streams):
    compiled = core.compile_model(model, "CPU", {"NUM_STREAMS": streams, "INFERENCE_PRECISION_HINT": "f32"})
    return compiled(data)[0].copy()


right = answer(1)
wrong = {streams: sum(answer(streams).tobytes() != right.tobytes() for _ in range(30)) for streams in (1, 2)}
print("openvino", ov.__version__)
print("compiles of 30 that answer something else, by streams:", wrong)
if wrong[1] != 0:
    raise SystemExit("Changed: compiles for one stream differ from each other.")
if wrong[2] == 0:
    raise SystemExit("Changed: with two streams all 30 compiles are right.")
PROGRAM
