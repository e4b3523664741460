"""The demo's third model: the class with the largest sum of two networks' probabilities."""
from __future__ import annotations

from .ir import Graph

CLASSES = 1001


def build(classes: int = CLASSES) -> Graph:
    """`input1`, `input2` f32 [1,classes] -> `argmax/Squeeze` i64 [1]."""
    graph = Graph("argmax")
    total = graph.add(graph.parameter("input1", (1, classes)), graph.parameter("input2", (1, classes)), "add")
    _, index = graph.top_1(total, 1, "argmax")
    graph.result(graph.squeeze(index, (1,), "argmax/Squeeze"), "argmax/Squeeze")
    return graph
