#!/usr/bin/env python3
"""Builds the model repository of the demo: see README.md beside this file."""
import sys

if sys.version_info < (3, 9):
    sys.exit("models: Python 3.9 or newer was expected, but this is %d.%d (%s): install a newer one"
             % (sys.version_info[0], sys.version_info[1], sys.executable))

from tools.command import main  # noqa: E402  after the check, since it needs that version

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
