#!/bin/sh
# OpenVINO 2026.4.1, CPU: the outputs of a compiled model have other names than those of the model that was compiled.
#
# The models: ONNX, t = Relu(x) with the outputs y1 = Identity(t) and y2 = Identity(t); and an If whose branches call their value
# "inner", with the output "result".
# Expected: get_any_name() of output i is the same before and after compile_model().
# Seen:     y2 is called t, and result is called inner. Only the source model tells what the file calls its outputs.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check openvino==2026.4.1 numpy==2.2.6 onnx==1.19.1
"$folder/python/bin/python" - <<'PROGRAM'
import io

import openvino as ov
from onnx import TensorProto, helper

core = ov.Core()


def value(name):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4])


def names(nodes, outputs, initializers=()):
    graph = helper.make_graph(nodes, "graph", [value("x")], [value(each) for each in outputs], initializer=initializers)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    model = core.read_model(io.BytesIO(proto.SerializeToString()))
    compiled = core.compile_model(model, "CPU")
    return [each.get_any_name() for each in model.outputs], [each.get_any_name() for each in compiled.outputs]


def branch(operation):
    return helper.make_graph([helper.make_node(operation, ["x", "x"], ["inner"])], operation, [], [value("inner")])


twice = names(
    [
        helper.make_node("Relu", ["x"], ["t"]),
        helper.make_node("Identity", ["t"], ["y1"]),
        helper.make_node("Identity", ["t"], ["y2"]),
    ],
    ["y1", "y2"],
)
condition = helper.make_tensor("condition", TensorProto.BOOL, [], [True])
choice = helper.make_node("If", ["condition"], ["result"], then_branch=branch("Add"), else_branch=branch("Mul"))
chosen = names([choice], ["result"], [condition])
print("openvino", ov.__version__)
print("outputs of the model, of the compiled model:", twice, chosen)
if twice != (["y1", "y2"], ["y1", "t"]):
    raise SystemExit("Changed: two outputs of one value have other names.")
if chosen != (["result"], ["inner"]):
    raise SystemExit("Changed: the output of an If has another name.")
PROGRAM
