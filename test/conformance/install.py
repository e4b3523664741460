#!/usr/bin/env python3
"""Installs the clients of the conformance suite: Python packages, Go programs and a Java program.

Nothing outside the repository is written, a second run finds the stamps and does nothing, and a tool that this machine lacks is no
error: the tests of its clients are skipped with that reason. The three are installed side by side: one waits for its package index
while another compiles.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import install_go
import install_java
import install_python
from installation import InstallError


def attempt(installer) -> int:
    try:
        for line in installer.install():
            print(line, flush=True)
    except (InstallError, OSError) as error:
        print(f"install: {error}", file=sys.stderr)
        return 1
    return 0


def main() -> int:
    with ThreadPoolExecutor() as pool:
        return max(pool.map(attempt, (install_go, install_java, install_python)))


if __name__ == "__main__":
    sys.exit(main())
