"""The networks of the text reading pipeline: PP-OCRv4's detector and recogniser, as the package `rapidocr-onnxruntime` has
them. They stay ONNX files; only the recogniser's characters, which it carries as metadata, get a file of their own."""
from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Dict, List

from .failure import Failure
from .protobuf import Message, WireError

# Folder in the repository -> file name of the network in the wheel.
NETWORKS: Dict[str, str] = {"ocr-detection": "ch_PP-OCRv4_det_infer.onnx", "ocr-recognition": "ch_PP-OCRv4_rec_infer.onnx"}
PREFIX = "rapidocr_onnxruntime/models/"
CHARACTERS = "characters.txt"

# onnx.proto: ModelProto.metadata_props, and the fields of its entries.
METADATA, KEY, VALUE = 14, 1, 2


def unpack(wheel: Path, repository: Path) -> None:
    """NAME/1/NAME.onnx for each network, and beside the recogniser characters.txt: a character a line, in the order of its
    classes, without the blank (class 0) and the space (the last class), which have no line."""
    with zipfile.ZipFile(wheel) as archive:
        for name, file in NETWORKS.items():
            content = _member(archive, wheel, PREFIX + file)
            version = repository / name / "1"
            version.mkdir(parents=True)
            (version / f"{name}.onnx").write_bytes(content)
            if name == "ocr-recognition":
                lines = "".join(f"{character}\n" for character in characters(content, f"{wheel}:{PREFIX}{file}"))
                (version / CHARACTERS).write_bytes(lines.encode())


def characters(model: bytes, source: str) -> List[str]:
    """What the ONNX file `model` lists under the metadata key `character`."""
    try:
        entries = {entry.text(KEY): entry.text(VALUE) for entry in Message(memoryview(model)).messages(METADATA)}
    except WireError as error:
        raise Failure(f"{source}: an ONNX model was expected, but {error}") from error
    if "character" not in entries:
        raise Failure(f"{source}: the metadata entry `character` was expected, but it has {sorted(entries)}")
    # Not splitlines: some of the characters are separators themselves.
    return entries["character"].rstrip("\n").split("\n")


def _member(archive: zipfile.ZipFile, wheel: Path, name: str) -> bytes:
    try:
        return archive.read(name)
    except KeyError as error:
        raise Failure(f"{wheel}: the file {name} was expected in the wheel, but there is none") from error
