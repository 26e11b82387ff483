# ruff: noqa: A005 - the folder is imported as bench.queue, and its name is what it measures
"""`python bench/queue`: see `command`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[2])  # the repository: `queue` stays the standard library's
    runpy.run_module("bench.queue.command", run_name="__main__")
