#!/bin/sh
# OpenVINO 2026.4.1, CPU: a recurrent operation with open rows or steps ignores the lengths of its rows.
#
# Expected: GRUSequence reads as many steps of a row as `sequence_lengths` says, as it does where its shapes are fixed.
# Seen:     with an input of [1, -1, 2], [-1, 4, 2] or [-1, -1, 2] every row is read to its last step, and the last state is that after all
#           of them. LSTMSequence and RNNSequence do the same.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check openvino==2026.4.1 numpy==2.2.6
"$folder/python/bin/python" - <<'PROGRAM'
import numpy as np
import openvino as ov
from openvino import opset13 as ops

CORE = ov.Core()
STEPS, WIDTH, HIDDEN = 4, 2, 3
OPEN = ([1, -1, WIDTH], [-1, STEPS, WIDTH], [-1, -1, WIDTH])
RNG = np.random.default_rng(7)
X = RNG.standard_normal((1, STEPS, WIDTH)).astype(np.float32)
START = np.zeros((1, 1, HIDDEN), dtype=np.float32)


def last_state(kind, shape, length):
    gates = {"GRUSequence": 3, "LSTMSequence": 4, "RNNSequence": 1}[kind]
    rng = np.random.default_rng(8)
    weights = [rng.standard_normal((1, gates * HIDDEN, width)).astype(np.float32) for width in (WIDTH, HIDDEN)]
    bias = np.zeros((1, gates * HIDDEN), dtype=np.float32)
    x = ops.parameter(shape, np.float32)
    lengths = ops.parameter([shape[0]], np.int32)
    state = ops.parameter([shape[0], 1, HIDDEN], np.float32)
    tail = [lengths, *map(ops.constant, weights), ops.constant(bias), HIDDEN, "forward"]
    if kind == "LSTMSequence":
        cell = ops.parameter([shape[0], 1, HIDDEN], np.float32)
        sequence = ops.lstm_sequence(x, state, cell, *tail)
        inputs, values = [x, state, cell, lengths], [X, START, START]
    else:
        make = ops.gru_sequence if kind == "GRUSequence" else ops.rnn_sequence
        sequence = make(x, state, *tail)
        inputs, values = [x, state, lengths], [X, START]
    compiled = CORE.compile_model(ov.Model([sequence.output(1)], inputs), "CPU", {"NUM_STREAMS": 1})
    return compiled([*values, np.array([length], dtype=np.int32)])[0].ravel()


print("OpenVINO", ov.get_version())
for kind in ("GRUSequence", "LSTMSequence", "RNNSequence"):
    short, whole = (last_state(kind, [1, STEPS, WIDTH], length) for length in (2, STEPS))
    opened = {str(shape): last_state(kind, shape, 2) for shape in OPEN}
    print(kind, "fixed, length 2:", short, "length 4:", whole)
    for shape, state in opened.items():
        print("  ", shape, "length 2:", state)
    if np.allclose(short, whole):
        raise SystemExit("Changed: fixed shapes ignore the lengths, too.")
    if not all(np.allclose(state, whole) for state in opened.values()):
        raise SystemExit("Changed: open shapes do not ignore the lengths.")
PROGRAM
