#!/usr/bin/env python3
"""Fetches the OpenVINO runtime that the native addon is built against, into `runtime/` of the repository.

The runtime is the pinned wheel of `runtime-requirements.txt`; pip finds it in whatever index the machine is set up for and checks
its hash. Only libraries, headers and CMake files are unpacked. A second run finds the stamp and does nothing. When the environment
variable OpenVINO_DIR names an installed OpenVINO, nothing is fetched. Nothing outside the repository is written.
"""

import hashlib
import os
import platform
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

NATIVE = Path(__file__).resolve().parent
REQUIREMENTS = NATIVE / "runtime-requirements.txt"
RUNTIME = NATIVE.parent / "runtime"
STAMP = "stamp"
WANTED = ("openvino/libs/", "openvino/include/", "openvino/cmake/")
# The one wheel whose hash is pinned, whatever Python runs this script.
WHEEL = ["--platform", "manylinux_2_28_x86_64", "--python-version", "3.12", "--implementation", "cp", "--abi", "cp312"]
INSTEAD = "or install OpenVINO yourself and set OpenVINO_DIR to the folder of its OpenVINOConfig.cmake"


class FetchError(Exception):
    """One sentence that says what failed and what to do."""


def check_platform() -> None:
    machine = (platform.system(), platform.machine())
    if machine != ("Linux", "x86_64"):
        raise FetchError(f"no runtime is pinned for {machine[0]} {machine[1]}: install OpenVINO and set OpenVINO_DIR")


def download(target: Path) -> Path:
    """Downloads the pinned wheel into `target` and returns its path."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-cache-dir", "--no-deps", "--require-hashes", "--only-binary", ":all:", *WHEEL]
    command += ["--dest", str(target), "--requirement", str(REQUIREMENTS)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise FetchError(explain(result.stderr))
    return next(target.glob("*.whl"))


def explain(pip_errors: str) -> str:
    if "No module named pip" in pip_errors:
        return f"{sys.executable} has no pip: install it, {INSTEAD}"
    if "DO NOT MATCH THE HASHES" in pip_errors:
        return f"the wheel that the package index gave is not the pinned one of {REQUIREMENTS.name}: check the index"
    # pip ends with "from versions: none" whether it reached no index or one that lacks the wheel.
    if re.search(r"from versions: none|NewConnectionError|ProxyError|Read timed out|SSLError", pip_errors):
        return f"pip reaches no package index that has the wheel of {REQUIREMENTS.name}: check its configuration, {INSTEAD}"
    errors = [line for line in pip_errors.splitlines() if line.startswith("ERROR:")]
    last = errors[-1].removeprefix("ERROR:").strip() if errors else pip_errors.strip()[-300:]
    return f"pip could not get the runtime ({last}): check its configuration, {INSTEAD}"


def unpack(wheel: Path, target: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        members = [member for member in archive.namelist() if member.startswith(WANTED)]
        if not members:
            raise FetchError(f"{wheel.name} holds no OpenVINO libraries: pin another wheel in {REQUIREMENTS.name}")
        archive.extractall(target, members)


def wanted_stamp() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes() + repr(WANTED).encode()).hexdigest()


def is_current() -> bool:
    stamp = RUNTIME / STAMP
    return stamp.is_file() and stamp.read_text() == wanted_stamp()


def fetch() -> None:
    """A half-fetched runtime is never visible: everything happens beside it and the last step is a rename."""
    with tempfile.TemporaryDirectory(prefix=".runtime-", dir=RUNTIME.parent) as temporary:
        fresh = Path(temporary) / "fresh"
        unpack(download(Path(temporary)), fresh)
        (fresh / STAMP).write_text(wanted_stamp())
        if RUNTIME.exists():
            RUNTIME.rename(Path(temporary) / "old")
        fresh.rename(RUNTIME)


def main() -> int:
    if os.environ.get("OpenVINO_DIR"):
        print(f"OpenVINO_DIR is set: nothing to fetch, {os.environ['OpenVINO_DIR']} is used")
        return 0
    if is_current():
        return 0
    try:
        check_platform()
        fetch()
    except (FetchError, OSError, zipfile.BadZipFile) as error:
        print(f"fetch_runtime: {error}", file=sys.stderr)
        return 1
    size = sum(file.stat().st_size for file in RUNTIME.rglob("*") if file.is_file())
    print(f"OpenVINO runtime unpacked into {RUNTIME.name}/ ({size // 1_000_000} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
