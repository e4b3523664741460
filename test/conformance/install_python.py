"""Installs the Python clients into `.cache/conformance`.

Every file of `requirements/` becomes one folder of packages; its versions and hashes are pinned, pip finds them in whatever index
the machine is set up for. Wheels are pinned for Linux with glibc on x86-64 and ARM64, and for the versions of CPython that a file's
packages exist for; elsewhere the tests of those clients are skipped with that reason.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from installation import CACHE, HERE, InstallError, install_folder, is_current, stamp_of

REQUIREMENTS = sorted((HERE / "requirements").glob("*.txt"))
CLIENTS = CACHE / "conformance"

OLDEST_PYTHON, NEWEST_PYTHON = (3, 9), (3, 14)
# Of the files whose packages do not exist for all of these.
OLDEST_PYTHON_OF = {"storage-emulators": (3, 10), "tritonclient": (3, 11)}
MACHINES = ("x86_64", "aarch64")


def missing_wheels(client: str) -> str | None:
    """Why the pinned wheels do not fit this Python, or None when they do."""
    system, machine, python = platform.system(), platform.machine(), platform.python_implementation()
    if system != "Linux" or machine not in MACHINES or platform.libc_ver()[0] != "glibc":
        return f"no wheels are pinned for {system} on {machine}: only for Linux with glibc on x86-64 and ARM64"
    oldest = OLDEST_PYTHON_OF.get(client, OLDEST_PYTHON)
    if python != "CPython" or not oldest <= sys.version_info[:2] <= NEWEST_PYTHON:
        pinned = f"CPython {dotted(oldest)} to {dotted(NEWEST_PYTHON)}"
        return f"no wheels are pinned for {python} {platform.python_version()}: only for {pinned}"
    return None


def dotted(version: tuple) -> str:
    return ".".join(map(str, version))


def pip_install(requirements: Path, target: Path) -> None:
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
    """Versions of the packages in a folder, by `<folder>/<name>`: two folders may hold one package in different versions."""
    found = metadata.distributions(path=[str(folder)])
    return {f"{folder.name}/{package.metadata['Name']}": package.version for package in found}


def fill(fresh: Path) -> dict:
    unavailable: dict = {}
    versions: dict = {}
    for requirements in REQUIREMENTS:
        client = requirements.stem
        reason = missing_wheels(client)
        if reason is not None:
            unavailable[client] = reason
            continue
        pip_install(requirements, fresh / client)
        versions.update(versions_in(fresh / client))
    return {"python": sys.executable, "unavailable": unavailable, "versions": versions}


def install() -> list:
    """Returns lines on what was done, none when everything was there."""
    programs = [*REQUIREMENTS, Path(__file__).resolve()]
    stamp = stamp_of(programs, sys.executable, sys.version_info[:2], platform.machine())
    if is_current(CLIENTS, stamp):
        return []
    installed = install_folder(CLIENTS, stamp, fill)
    listed = ", ".join(f"{name} {version}" for name, version in sorted(installed["versions"].items()))
    skipped = [f"Python client {name} skipped: {reason}" for name, reason in sorted(installed["unavailable"].items())]
    return [*([f"Python clients installed: {listed}"] if listed else []), *skipped]
