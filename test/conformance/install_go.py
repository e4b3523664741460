"""Builds grpcurl and the Go client into `.cache/conformance-go`, with the machine's Go.

`go/go.mod` pins every module and `go/go.sum` its hash. Modules and compiled packages stay in `.cache/go`, so a change of the client
needs no network and compiles only itself.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from installation import CACHE, HERE, install_folder, is_current, output_of, run, stamp_of

SOURCES = HERE / "go"
CLIENTS = CACHE / "conformance-go"
GRPCURL = "github.com/fullstorydev/grpcurl"


def oldest_go() -> tuple:
    return numbers(re.search(r"^go (\S+)$", (SOURCES / "go.mod").read_text(), re.MULTILINE)[1])


def numbers(version: str) -> tuple:
    return tuple(map(int, re.findall(r"\d+", version)[:2]))


def missing_go(version: str | None) -> str | None:
    oldest = ".".join(map(str, oldest_go()))
    if version is None:
        return f"there is no Go (go {oldest} or newer)"
    if numbers(version) < oldest_go():
        return f"this is {version}: Go {oldest} or newer is needed"
    return None


def fill(fresh: Path, version: str | None) -> dict:
    reason = missing_go(version)
    if reason is not None:
        return {"unavailable": reason, "versions": {}}
    environment = {
        **os.environ,
        "GOFLAGS": "-mod=readonly -modcacherw -trimpath -buildvcs=false",
        "GOMODCACHE": str(CACHE / "go" / "modules"),
        "GOCACHE": str(CACHE / "go" / "build"),
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
        "GOWORK": "off",
    }
    options = {"cwd": SOURCES, "env": environment}
    run(["go", "build", "-o", str(fresh / "grpcurl"), f"{GRPCURL}/cmd/grpcurl"], "building grpcurl", **options)
    run(["go", "test", "-c", "-o", str(fresh / "client"), "."], "building the Go client", **options)
    pinned = dict(re.findall(r"^\s*(\S+) (v\S+)", (SOURCES / "go.mod").read_text(), re.MULTILINE))
    versions = {name.rpartition("/")[2]: pinned[name] for name in (GRPCURL, "google.golang.org/grpc")}
    return {"unavailable": None, "versions": {"go": version, **versions}}


def install() -> list:
    """Returns lines on what was done, none when everything was there."""
    version = output_of(["go", "env", "GOVERSION"])
    version = version and version.strip()
    sources = [file for file in SOURCES.iterdir() if file.is_file()]
    stamp = stamp_of([*sources, Path(__file__).resolve()], version)
    if is_current(CLIENTS, stamp):
        return []
    installed = install_folder(CLIENTS, stamp, lambda fresh: fill(fresh, version))
    if installed["unavailable"]:
        return [f"Go clients skipped: {installed['unavailable']}"]
    return ["Go clients built: " + ", ".join(f"{name} {number}" for name, number in installed["versions"].items())]
