"""Compiles the Java client into `.cache/conformance-java`, with the machine's JDK and Maven.

Maven brings grpc-java and protoc, as `java/pom.xml` pins them, into a repository inside the clone; protoc makes the messages of the
project's own `.proto` files, and javac compiles both.
"""

from __future__ import annotations

import platform
import re
import zipfile
from pathlib import Path

from installation import CACHE, HERE, ROOT, InstallError, install_folder, is_current, output_of, run, stamp_of

SOURCES = HERE / "java"
CLIENTS = CACHE / "conformance-java"
PROTO_FOLDERS = [ROOT / "src" / "frontends" / frontend / "proto" for frontend in ("tfs", "kserve")]
OLDEST_JAVA = 17
PROTOC_OF = {"x86_64": "linux-x86_64", "aarch64": "linux-aarch_64"}
# With its full name Maven need not look for it among all plugins.
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy-dependencies"


def missing_tools(javac: str | None, maven: str | None) -> str | None:
    if javac is None:
        return f"there is no JDK (javac {OLDEST_JAVA} or newer)"
    if int(re.search(r"\d+", javac)[0]) < OLDEST_JAVA:
        return f"this is {javac}: Java {OLDEST_JAVA} or newer is needed"
    if maven is None:
        return "there is no Maven (mvn)"
    if platform.system() != "Linux" or platform.machine() not in PROTOC_OF:
        return f"no protoc is pinned for {platform.system()} on {platform.machine()}"
    return None


def fill(fresh: Path, reason: str | None, javac: str | None) -> dict:
    if reason is not None:
        return {"unavailable": reason, "versions": {}}
    jars = fresh / "jars"
    classifier = PROTOC_OF[platform.machine()]
    run(
        ["mvn", "--quiet", "--batch-mode", f"-Dmaven.repo.local={CACHE / 'maven'}", "-Dmaven.artifact.threads=16"]
        + ["--file", str(SOURCES / "pom.xml"), f"-Dprotoc.classifier={classifier}", COPY, f"-DoutputDirectory={jars}"],
        "fetching the libraries of the Java client with Maven",
    )
    protoc = next(jars.glob("protoc-*"), None)
    if protoc is None:
        raise InstallError("Maven brought no protoc: check java/pom.xml")
    protoc.chmod(0o755)
    generated, classes = fresh / "generated", fresh / "classes"
    generated.mkdir()
    with zipfile.ZipFile(next(jars.glob("protobuf-java-[0-9]*.jar"))) as jar:
        jar.extractall(fresh / "well-known", [name for name in jar.namelist() if name.endswith(".proto")])
    protos = [str(file) for folder in PROTO_FOLDERS for file in sorted(folder.rglob("*.proto"))]
    paths = [f"--proto_path={folder}" for folder in [*PROTO_FOLDERS, fresh / "well-known"]]
    run([str(protoc), *paths, f"--java_out={generated}", *protos], "making the messages of the Java client")
    sources = [*generated.rglob("*.java"), *SOURCES.rglob("*.java")]
    options = ["-proc:none", "-nowarn", "--release", str(OLDEST_JAVA), "-d", str(classes), "-cp", f"{jars}/*"]
    run(["javac", *options, *map(str, sources)], "compiling the Java client")
    grpc = next(jars.glob("grpc-core-*.jar")).stem.removeprefix("grpc-core-")
    return {"unavailable": None, "versions": {"java": javac.split()[-1], "grpc-java": grpc}}


def install() -> list:
    """Returns lines on what was done, none when everything was there."""
    javac = output_of(["javac", "-version"])
    reason = missing_tools(javac, output_of(["mvn", "--version"]))
    protos = [file for folder in PROTO_FOLDERS for file in folder.rglob("*.proto")]
    sources = [file for file in SOURCES.rglob("*") if file.is_file()]
    stamp = stamp_of([*sources, *protos, Path(__file__).resolve()], javac, reason)
    if is_current(CLIENTS, stamp):
        return []
    installed = install_folder(CLIENTS, stamp, lambda fresh: fill(fresh, reason, javac))
    if installed["unavailable"]:
        return [f"Java client skipped: {installed['unavailable']}"]
    return ["Java client built: " + ", ".join(f"{name} {number}" for name, number in installed["versions"].items())]
