#!/usr/bin/env python3
"""Checks native/ with clang-format and clang-tidy, and benchmarks/reference with clang-format. `--fix` formats in place instead of
complaining.

Both tools are the pinned wheels of `lint-requirements.txt`, unpacked once into `.cache/clang`. clang-tidy needs a built addon, whose
compile commands say how each file is compiled: `node native/build.mjs` first.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

NATIVE = Path(__file__).resolve().parent
REPOSITORY = NATIVE.parent
FOLDERS = ("core", "ingress", "napi")
REFERENCE = REPOSITORY / "benchmarks" / "reference"
REQUIREMENTS = NATIVE / "lint-requirements.txt"
TOOLS = REPOSITORY / ".cache" / "clang"
BUILD = REPOSITORY / "build" / "native"


def install_tools() -> None:
    stamp = TOOLS / "stamp"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    shutil.rmtree(TOOLS, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-cache-dir", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    command += ["--target", str(TOOLS), "--requirement", str(REQUIREMENTS)]
    if subprocess.run(command).returncode != 0:
        sys.exit("lint: pip could not install the pinned clang tools; its output is above.")
    stamp.write_text(wanted)


def tool(name: str) -> str:
    """The binary itself; the wheels also bring a Python script of the same name, which starts slower."""
    package = name.replace("-", "_")
    return str(TOOLS / package / "data" / "bin" / name)


def run(command: list) -> int:
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        print(result.stdout + result.stderr, flush=True)
    return result.returncode


def check_format(files: list, fix: bool) -> int:
    return run([tool("clang-format"), *(["-i"] if fix else ["--dry-run", "-Werror"]), *map(str, files)])


def write_commands(directory: str) -> None:
    """The compile commands without the compiler's own precompiled header, so that each file has to include what it uses."""
    commands = BUILD / "compile_commands.json"
    if not commands.is_file():
        sys.exit("lint: build/native/compile_commands.json is missing: run `node native/build.mjs` first.")
    entries = json.loads(commands.read_text())
    for entry in entries:
        arguments = shlex.split(entry.pop("command"))
        header = next(index for index, argument in enumerate(arguments) if argument.endswith("cmake_pch.hxx"))
        entry["arguments"] = arguments[: header - 1] + arguments[header + 1 :]
    Path(directory, commands.name).write_text(json.dumps(entries))


def check_tidy(sources: list) -> int:
    with tempfile.TemporaryDirectory() as directory, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        write_commands(directory)
        command = [tool("clang-tidy"), "--quiet", "-p", directory]
        return max(pool.map(lambda source: run([*command, str(source)]), sources))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fix", action="store_true", help="format the files in place")
    options = parser.parse_args()
    install_tools()
    sources = sorted([source for folder in FOLDERS for source in NATIVE.glob(f"{folder}/*.cc")])
    headers = sorted([header for folder in FOLDERS for header in NATIVE.glob(f"{folder}/*.h")])
    reference = sorted([*REFERENCE.glob("*.cc"), *REFERENCE.glob("*.h")])
    faults = check_format(sources + headers + reference, options.fix) | check_tidy(sources)
    if faults == 0:
        print(f"native: {len(sources) + len(headers)} files are well formatted and tidy, {len(reference)} more well formatted")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
