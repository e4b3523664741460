#!/bin/sh
# OpenVINO 2026.4.1, CPU: infer() on one stream of one thread returns normally though the inference raised.
#
# The model: GatherElements of four numbers at two positions that the request says; position 9 does not exist.
# Expected: infer() raises, as start_async() and wait() do, and as infer() itself does with more threads.
# Seen:     with NUM_STREAMS=1 and INFERENCE_NUM_THREADS=1 infer() returns, and the output tensor holds what an earlier inference left in it.
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
data, positions = op.parameter([4], np.float32), op.parameter([2], np.int64)
model = ov.Model([op.result(op.gather_elements(data, positions, 0))], [data, positions])


def ask(request, first, position, is_sync):
    inputs = [np.arange(4, dtype=np.float32) + first, np.array([0, position])]
    try:
        if is_sync:
            request.infer(inputs)
        else:
            request.start_async(inputs)
            request.wait()
        return request.output_tensors[0].data.tolist()
    except RuntimeError:
        return "raised"


def bad_request(threads, is_sync):
    """What a request with a bad position gets after one with good positions, which is answered [10, 13]."""
    properties = {"NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": threads}
    request = core.compile_model(model, "CPU", properties).create_infer_request()
    assert ask(request, 10, 3, is_sync) == [10, 13]
    return ask(request, 20, 9, is_sync)


seen = {
    "infer(), 1 thread": bad_request(1, True),
    "start_async(), 1 thread": bad_request(1, False),
    "infer(), 2 threads": bad_request(2, True),
}
print("openvino", ov.__version__)
for way, end in seen.items():
    print(f"{way}: {end}")
if seen["infer(), 1 thread"] == "raised":
    raise SystemExit("Changed: infer() on one thread raises.")
if {seen["start_async(), 1 thread"], seen["infer(), 2 threads"]} != {"raised"}:
    raise SystemExit("Changed: the other ways no longer raise.")
if seen["infer(), 1 thread"][1] != 13:
    raise SystemExit("Changed: the output does not hold the earlier answer.")
PROGRAM
