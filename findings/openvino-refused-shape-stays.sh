#!/bin/sh
# OpenVINO 2026.4.1, CPU: after one shape that an operation refuses, a compiled model refuses the shapes that it took before.
#
# The model: MatMul of two inputs with open dimensions; 2x3 by 3x4 is good, 2x3 by 5x4 is not.
# Expected: the bad pair raises, and the good one is answered before and after.
# Seen:     after the bad pair the good one raises, too, with the text about the bad one ("shape B: (5.4)"), by the same infer request and by a
#           new one of the same compiled model, until another good shape of that input comes. A server would fail every client after it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check openvino==2026.4.1 numpy==2.2.6
"$folder/python/bin/python" - <<'PROGRAM'
import numpy as np
import openvino as ov
from openvino import opset13 as op

core = ov.Core()
any_size = ov.PartialShape([-1, -1])
left, right = op.parameter(any_size, np.float32), op.parameter(any_size, np.float32)
model = ov.Model([op.result(op.matmul(op.relu(left), op.relu(right), False, False))], [left, right])
compiled = core.compile_model(model, "CPU")
request = compiled.create_infer_request()


def ask(request, *shapes):
    try:
        request.infer([np.ones(shape, np.float32) for shape in shapes])
        return "answered"
    except RuntimeError as error:
        return "raised, about 5x4" if "(5.4)" in str(error) else "raised"


seen = [
    ("2x3 by 3x4", ask(request, (2, 3), (3, 4))),
    ("2x3 by 5x4", ask(request, (2, 3), (5, 4))),
    ("2x3 by 3x4", ask(request, (2, 3), (3, 4))),
    ("2x3 by 3x4, new request", ask(compiled.create_infer_request(), (2, 3), (3, 4))),
    ("2x3 by 3x6", ask(request, (2, 3), (3, 6))),
    ("2x3 by 3x4", ask(request, (2, 3), (3, 4))),
]
print("openvino", ov.__version__)
for shapes, end in seen:
    print(f"{shapes}: {end}")
ends = [end for _, end in seen]
if ends[:2] != ["answered", "raised, about 5x4"]:
    raise SystemExit("Changed: the good pair is not answered, or the bad one is.")
if ends[2:4] != ["raised, about 5x4"] * 2:
    raise SystemExit("Changed: a shape that was taken before is taken after a refused one, too.")
if ends[4:] != ["answered"] * 2:
    raise SystemExit("Changed: another good shape no longer ends it.")
PROGRAM
