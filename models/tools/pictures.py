"""The 20 labelled ImageNet pictures of the PyPI package `foolbox`, as the numpy files that the demo's client reads."""
from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import List, NamedTuple

import numpy as np
from PIL import Image

from .failure import Failure

COUNT = 20
SHORTER_SIDE, PICTURE = 256, 224
MEMBER = re.compile(r"foolbox/data/(imagenet_\d+_(\d+)\.jpg)")


class Picture(NamedTuple):
    """`label` is the ImageNet-1k class, 0-based; `pixels` f32 [3,224,224], blue, green, red, 0..255."""

    name: str
    label: int
    pixels: np.ndarray


def read(wheel: Path) -> List[Picture]:
    """The pictures in the order of their names."""
    with zipfile.ZipFile(wheel) as archive:
        matches = [match for match in map(MEMBER.fullmatch, sorted(archive.namelist())) if match]
        if len(matches) != COUNT:
            raise Failure(f"{wheel}: {COUNT} pictures foolbox/data/imagenet_NN_LABEL.jpg were expected, but it has "
                          f"{len(matches)}")
        return [Picture(match[1], int(match[2]), preprocess(archive.read(match[0]))) for match in matches]


def preprocess(jpeg: bytes) -> np.ndarray:
    """Shorter side to 256 (bicubic), centre 224x224: what the networks were evaluated with."""
    picture = Image.open(io.BytesIO(jpeg)).convert("RGB")
    scale = SHORTER_SIDE / min(picture.size)
    width, height = (round(length * scale) for length in picture.size)
    left, top = (width - PICTURE) // 2, (height - PICTURE) // 2
    resized = picture.resize((width, height), Image.Resampling.BICUBIC)
    centre = resized.crop((left, top, left + PICTURE, top + PICTURE))
    return np.ascontiguousarray(np.asarray(centre, np.float32).transpose(2, 0, 1)[::-1])


def write(pictures: List[Picture], folder: Path) -> None:
    """imgs.npy f32 [20,3,224,224], lbs.npy i64 [20], names.txt with a file name a line."""
    np.save(folder / "imgs.npy", np.stack([picture.pixels for picture in pictures]))
    np.save(folder / "lbs.npy", np.array([picture.label for picture in pictures], np.int64))
    (folder / "names.txt").write_text("".join(f"{picture.name}\n" for picture in pictures), encoding="utf-8")
