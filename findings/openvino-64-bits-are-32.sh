#!/bin/sh
# OpenVINO 2026.4.1, CPU: models with inputs and outputs of i64, u64 and f64 are computed in 32 bits, without a word.
#
# The models: x + 1 over i64 and u64, x + 0 over f64.
# Expected: 2^40 + 1 is 1099511627777, and 1e300 + 0 is 1e300; or the compile, or the inference, says that it cannot.
# Seen:     2^40 + 1 is 1 (the low 32 bits), 2^31 - 1 + 1 is -2147483648, and 1e300 is 3.4028234663852886e+38. The ports keep their 64-bit
#           types. Identifiers, hashes and times in milliseconds do not survive an addition.
# Where:    AVX2; checked is that none of these answers is right, as other processors may cut what does not fit elsewhere.
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


def add(kind, term, values):
    parameter = op.parameter([len(values)], kind)
    model = ov.Model([op.result(op.add(parameter, op.constant(np.array([term], kind))))], [parameter])
    compiled = core.compile_model(model, "CPU")
    return compiled.output(0).get_element_type().get_type_name(), compiled([np.array(values, kind)])[0].tolist()


seen = [add(np.int64, 1, [5, 2**40, 2**31 - 1]), add(np.uint64, 1, [5, 2**40]), add(np.float64, 0, [5, 1e300])]
print("openvino", ov.__version__)
for kind, values in seen:
    print(kind, values)
(_, (small, large, largest)), (_, (_, unsigned)), (_, (_, double)) = seen
if small != 6:
    raise SystemExit("Changed: small numbers are wrong, too.")
if large == 2**40 + 1 or largest == 2**31 or unsigned == 2**40 + 1 or double == 1e300:
    raise SystemExit("Changed: 64-bit numbers are computed in 64 bits.")
PROGRAM
