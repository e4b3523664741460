"""What the installers of the clients share: where clients lie, when they are installed again, and how a fault is told.

Each installer fills one folder of `.cache`, whose `installed.json` tells the tests what is there, or for want of which tool there is
nothing. Everything happens in a folder beside it and the last step is a rename, so half-installed clients are never visible.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Callable, Iterable

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".cache"
INSTALLED = "installed.json"


class InstallError(Exception):
    """One sentence that says what failed and what to do."""


def stamp_of(files: Iterable, *facts: object) -> str:
    """Changes when a file or a fact does."""
    stamp = hashlib.sha256(repr(facts).encode())
    for file in sorted(files):
        stamp.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return stamp.hexdigest()


def is_current(folder: Path, stamp: str) -> bool:
    try:
        return json.loads((folder / INSTALLED).read_text())["stamp"] == stamp
    except (OSError, ValueError, KeyError):
        return False


def install_folder(folder: Path, stamp: str, fill: Callable) -> dict:
    """Replaces `folder` by what `fill(fresh)` puts into an empty one; it returns what `installed.json` is to say."""
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".conformance-", dir=CACHE) as temporary:
        fresh = Path(temporary) / "fresh"
        fresh.mkdir()
        installed = {"stamp": stamp, **fill(fresh)}
        (fresh / INSTALLED).write_text(json.dumps(installed, indent=2, sort_keys=True) + "\n")
        if folder.exists():
            folder.rename(Path(temporary) / "old")
        fresh.rename(folder)
    return installed


def output_of(command: list) -> str | None:
    """What a program prints of itself, whichever way, or None when there is no such program."""
    try:
        result = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return None
    return result.stdout + result.stderr if result.returncode == 0 else None


def run(command: list, what: str, **options: object) -> None:
    """Runs a step; its last lines become the error when it fails."""
    result = subprocess.run(command, capture_output=True, text=True, **options)
    if result.returncode != 0:
        last = "\n".join((result.stdout + result.stderr).strip().splitlines()[-20:])
        raise InstallError(f"{what} failed:\n{last}")
