"""Pictures with text for the reading pipeline, drawn here: what they say is known to the letter, and no foreign picture is
kept. The font is the one inside Pillow (Aileron, public domain), the same on every machine."""
from __future__ import annotations

import json
from pathlib import Path
from typing import List, NamedTuple, Tuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Colour = Tuple[int, int, int]


class Line(NamedTuple):
    """Text in one size (pixels) with its top left corner at `at`."""

    text: str
    at: Tuple[int, int]
    size: int


class Picture(NamedTuple):
    """`degrees` turns the whole writing about the centre, counter-clockwise."""

    name: str
    size: Tuple[int, int]
    paper: Colour
    ink: Colour
    lines: List[Line]
    degrees: float = 0.0


PICTURES = [
    Picture("cellar", (640, 480), (255, 255, 255), (0, 0, 0), [
        Line("Vinery", (40, 30), 72),
        Line("A pipeline of models is one request", (40, 150), 32),
        Line("Detection, crops, recognition", (40, 220), 24),
        Line("12 bottles for 98.40 EUR", (40, 290), 40),
        Line("small print counts as well", (40, 380), 18),
    ]),
    Picture("slope", (720, 400), (236, 228, 208), (40, 20, 90), [
        Line("This line goes uphill", (90, 120), 44),
        Line("and this one follows it", (90, 210), 36),
    ], degrees=8.0),
    Picture("night", (800, 250), (12, 20, 36), (240, 220, 130), [
        Line("Light on dark", (50, 40), 48),
        Line("left", (60, 150), 40),
        Line("right", (600, 150), 40),
    ]),
    Picture("nothing", (400, 300), (200, 210, 190), (0, 0, 0), []),
]


def draw(picture: Picture) -> np.ndarray:
    """u8 [height,width,3], blue, green, red."""
    ink = Image.new("L", picture.size, 0)
    pen = ImageDraw.Draw(ink)
    for line in picture.lines:
        pen.text(line.at, line.text, fill=255, font=ImageFont.load_default(line.size))
    ink = ink.rotate(picture.degrees, Image.Resampling.BICUBIC)
    page = Image.composite(Image.new("RGB", picture.size, picture.ink), Image.new("RGB", picture.size, picture.paper), ink)
    return np.ascontiguousarray(np.asarray(page)[:, :, ::-1])


def write(folder: Path) -> None:
    """NAME.npy u8 [1,height,width,3] (blue, green, red) and NAME.png to look at, for each picture; lines.json: what they say,
    [{"picture": NAME, "lines": [from top to bottom, then left to right]}]."""
    for picture in PICTURES:
        pixels = draw(picture)
        np.save(folder / f"{picture.name}.npy", pixels[np.newaxis])
        Image.fromarray(pixels[:, :, ::-1]).save(folder / f"{picture.name}.png")
    says = [{"picture": picture.name, "lines": [line.text for line in picture.lines]} for picture in PICTURES]
    (folder / "lines.json").write_text(json.dumps(says, indent=4) + "\n", encoding="utf-8")
