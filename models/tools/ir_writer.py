"""Writes a graph as OpenVINO IR version 11: `NAME.xml` with `NAME.bin`, and `NAME.mapping` beside them.

Writing IR here, and not through the `openvino` package, keeps the preparation to numpy and Pillow: it works with every
Python the project allows and needs no 60 MB download. The format is the one that OpenVINO's own serializer writes.
"""
from __future__ import annotations

from pathlib import Path
from typing import Dict, Iterator, Optional
from xml.sax.saxutils import quoteattr

from .ir import Graph, Layer, Value

PRECISIONS = {"f32": "FP32", "f16": "FP16", "i64": "I64"}  # element type -> what a port calls it

# Each constant starts on a cache line, so that a memory-mapped .bin can be read in place.
ALIGNMENT = 64


def write(graph: Graph, folder: Path, name: str) -> int:
    """Writes `name`.xml, .bin and .mapping into `folder` and returns the bytes of the .bin."""
    offsets: Dict[int, int] = {}
    with open(folder / f"{name}.bin", "wb") as weights:
        for layer in graph.layers:
            if layer.data is not None:
                weights.write(bytes(-weights.tell() % ALIGNMENT))
                offsets[layer.identity] = weights.tell()
                weights.write(layer.data.tobytes())
        size = weights.tell()
    (folder / f"{name}.xml").write_text("\n".join(_xml(graph, offsets)) + "\n", encoding="utf-8")
    (folder / f"{name}.mapping").write_text("\n".join(_mapping(graph)) + "\n", encoding="utf-8")
    return size


def _xml(graph: Graph, offsets: Dict[int, int]) -> Iterator[str]:
    yield '<?xml version="1.0"?>'
    yield f'<net name={quoteattr(graph.name)} version="11">'
    yield "\t<layers>"
    for layer in graph.layers:
        yield from _layer_xml(layer, offsets.get(layer.identity))
    yield "\t</layers>"
    yield "\t<edges>"
    for layer in graph.layers:
        for port, value in enumerate(layer.inputs):
            yield (f'\t\t<edge from-layer="{value.layer.identity}" from-port="{_port(value)}" '
                   f'to-layer="{layer.identity}" to-port="{port}" />')
    yield "\t</edges>"
    yield "</net>"


def _mapping(graph: Graph) -> Iterator[str]:
    """Which IR layer computes which layer of the source framework, in the form Model Optimizer wrote beside its IR."""
    yield '<?xml version="1.0" ?>'
    yield "<mapping>"
    for layer in graph.layers:
        if layer.named and layer.data is None:
            name = quoteattr(layer.name)
            yield "\t<map>"
            yield f'\t\t<framework name={name} output_port_id="0" />'
            yield f'\t\t<IR id="{layer.identity}" name={name} output_port_id="{_port(layer.outputs[0])}" />'
            yield "\t</map>"
    yield "</mapping>"


def _port(value: Value) -> int:
    """IR numbers the ports of a layer inputs first."""
    return len(value.layer.inputs) + value.index


def _layer_xml(layer: Layer, offset: Optional[int]) -> Iterator[str]:
    attributes = dict(layer.attributes)
    if layer.data is not None:
        attributes.update({"offset": str(offset), "size": str(layer.data.nbytes)})
    extra = ""
    if layer.kind == "Result":
        extra = f" output_names={_tensor_name(layer.inputs[0])}"
    yield (f'\t\t<layer id="{layer.identity}" name={quoteattr(layer.name)} type="{layer.kind}" '
           f'version="{layer.opset}"{extra}>')
    if attributes:
        yield "\t\t\t<data " + " ".join(f"{key}={quoteattr(value)}" for key, value in attributes.items()) + " />"
    if layer.decompression:
        yield '\t\t\t<rt_info>\n\t\t\t\t<attribute name="decompression" version="0" />\n\t\t\t</rt_info>'
    for tag, values in (("input", layer.inputs), ("output", layer.outputs)):
        if values:
            yield f"\t\t\t<{tag}>"
            for index, value in enumerate(values):
                yield from _port_xml(value, index if tag == "input" else _port(value), tag == "output")
            yield f"\t\t\t</{tag}>"
    yield "\t\t</layer>"


def _port_xml(value: Value, identity: int, output: bool) -> Iterator[str]:
    names = f" names={_tensor_name(value)}" if output and value.tensor_name else ""
    yield f'\t\t\t\t<port id="{identity}" precision="{PRECISIONS[value.element_type]}"{names}>'
    for size in value.shape:
        yield f"\t\t\t\t\t<dim>{size}</dim>"
    if output and value.layout:
        layout = "[" + ",".join(value.layout) + "]"
        yield (f'\t\t\t\t\t<rt_info>\n\t\t\t\t\t\t<attribute name="layout" version="0" layout="{layout}" />\n'
               "\t\t\t\t\t</rt_info>")
    yield "\t\t\t\t</port>"


def _tensor_name(value: Value) -> str:
    """IR keeps a port's tensor names in one list with commas between, so a comma of a name is escaped."""
    return quoteattr((value.tensor_name or "").replace(",", "\\,"))
