#!/usr/bin/env python3
"""Installs the Python clients of the conformance suite into `.cache/conformance` of the repository.

Every file of `requirements/` becomes one folder of packages; its versions and hashes are pinned, pip finds them in whatever index
the machine is set up for, and nothing outside the repository is written. A second run finds the stamp and does nothing.
`installed.json` tells the tests what is there, or why there is nothing: wheels are pinned for Linux on x86-64 and ARM64 only, and
elsewhere the tests of these clients are skipped with that reason.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = sorted((HERE / "requirements").glob("*.txt"))
CACHE = HERE.parents[1] / ".cache"
CLIENTS = CACHE / "conformance"
INSTALLED = "installed.json"

OLDEST_PYTHON, NEWEST_PYTHON = (3, 9), (3, 14)
MACHINES = ("x86_64", "aarch64")


class InstallError(Exception):
    """One sentence that says what failed and what to do."""


def missing_wheels() -> str | None:
    """Why the pinned wheels do not fit this Python, or None when they do."""
    system, machine, python = platform.system(), platform.machine(), platform.python_implementation()
    if system != "Linux" or machine not in MACHINES or platform.libc_ver()[0] != "glibc":
        return f"no wheels are pinned for {system} on {machine}: only for Linux with glibc on x86-64 and ARM64"
    if python != "CPython" or not OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        pinned = f"CPython {dotted(OLDEST_PYTHON)} to {dotted(NEWEST_PYTHON)}"
        return f"no wheels are pinned for {python} {platform.python_version()}: only for {pinned}"
    return None


def dotted(version: tuple) -> str:
    return ".".join(map(str, version))


def wanted_stamp() -> str:
    stamp = hashlib.sha256(Path(__file__).read_bytes())
    for file in REQUIREMENTS:
        stamp.update(file.name.encode() + file.read_bytes())
    stamp.update(repr((sys.executable, sys.version_info[:2], platform.machine())).encode())
    return stamp.hexdigest()


def is_current() -> bool:
    try:
        return json.loads((CLIENTS / INSTALLED).read_text())["stamp"] == wanted_stamp()
    except (OSError, ValueError, KeyError):
        return False


def install(requirements: Path, target: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-cache-dir", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    command += ["--target", str(target), "--requirement", str(requirements)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise InstallError(explain(result.stderr, requirements))


def explain(pip_errors: str, requirements: Path) -> str:
    if "No module named pip" in pip_errors:
        return f"{sys.executable} has no pip: install it (python3-pip)"
    if "DO NOT MATCH THE HASHES" in pip_errors:
        return f"what the package index gave is not what {requirements.name} pins: check the index"
    if re.search(r"NewConnectionError|ConnectTimeout|ProxyError|Temporary failure|Read timed out|SSLError", pip_errors):
        return "pip cannot reach its package index: check its configuration"
    errors = [line for line in pip_errors.splitlines() if line.startswith("ERROR:")]
    last = errors[-1].removeprefix("ERROR:").strip() if errors else pip_errors.strip()[-300:]
    return f"pip could not install {requirements.name} ({last}): check its configuration"


def versions_in(folder: Path) -> dict:
    return {package.metadata["Name"]: package.version for package in metadata.distributions(path=[str(folder)])}


def install_all(unavailable: str | None) -> dict:
    """Half-installed clients are never visible: everything happens beside them and the last step is a rename."""
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".conformance-", dir=CACHE) as temporary:
        fresh = Path(temporary) / "fresh"
        fresh.mkdir()
        versions: dict = {}
        for requirements in REQUIREMENTS if unavailable is None else []:
            target = fresh / requirements.stem
            install(requirements, target)
            versions.update(versions_in(target))
        installed = {"stamp": wanted_stamp(), "python": sys.executable, "unavailable": unavailable, "versions": versions}
        (fresh / INSTALLED).write_text(json.dumps(installed, indent=2, sort_keys=True) + "\n")
        if CLIENTS.exists():
            CLIENTS.rename(Path(temporary) / "old")
        fresh.rename(CLIENTS)
    return versions


def main() -> int:
    if is_current():
        return 0
    unavailable = missing_wheels()
    try:
        versions = install_all(unavailable)
    except (InstallError, OSError) as error:
        print(f"install: {error}", file=sys.stderr)
        return 1
    if unavailable is not None:
        print(f"Python clients skipped: {unavailable}")
    else:
        listed = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
        print(f"Python clients installed: {listed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
