"""Runs tests on a copy of the product: one process imports the libraries once, and forks for each run.

Run as a program with the copy's path, it reads one JSON object a line (`{"tests": [...], "report": path, "log":
path, "environment": {...}}`), runs these tests in a fork that imports the copy, and prints the report's path. It ends
when its input closes.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Self
from xml.etree import ElementTree as ET

import pytest

_ROOT = Path(__file__).parents[2]
_SLOW = (
    "aiohttp.web",
    "alembic.command",
    "fastapi",
    "genai_prices.data",
    "hypothesis",
    "numpy",
    "psycopg_pool",
    "pydantic_ai",
    "pydantic_ai.models.anthropic",
    "pydantic_settings",
    "slack_bolt.async_app",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.ext.asyncio",
    "uvicorn",
)
"""Libraries that take long to import, and every fork then has; nothing of the product's, which each fork has anew."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of some tests; those whose surroundings could not be set up are in neither."""

    passed: frozenset[str]
    failed: frozenset[str]
    said: str
    """The end of what pytest printed."""


class ProvingGround:
    """A copy of the product's source, and the forking process; whatever still runs there is killed when it is left."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        """`home` is an empty folder; `environment` is set for every run."""
        self.source = home / "src"
        self._home = home
        self._environment = environment
        self._runs = 0

    def __enter__(self) -> Self:
        shutil.copytree(_ROOT / "src", self.source)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        inherited.pop("PYTHONDONTWRITEBYTECODE", None)  # what one run has compiled is there for the next
        own = {"PYTHONPATH": str(self.source), "PYTHONPYCACHEPREFIX": str(self._home / "compiled")}
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(self.source)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_ROOT,
            env={**inherited, **own, **self._environment},
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        with self._process:
            pass  # closes its pipes, and waits

    def run(self, *tests: str, **environment: str) -> Report:
        """Run tests on the copy as it is now, with more variables."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._runs += 1
        log, report = (self._home / f"{self._runs}.{ending}" for ending in ("log", "xml"))
        order = {"tests": tests, "report": str(report), "log": str(log), "environment": environment}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        # A run that was given up, since its time was over, ends before this one.
        ended = any(Path(line.decode().strip()) == report for line in self._process.stdout)
        said = log.read_text(errors="replace")[-8000:] if log.exists() else ""
        assert ended, f"the proving ground is gone\n{said}"
        assert report.exists(), f"pytest wrote no report\n{said}"
        became: dict[str, set[str]] = defaultdict(set)  # one that failed, and could not be torn down, is listed twice
        for case in ET.parse(report).iter("testcase"):
            became[str(case.get("name"))] |= {part.tag for part in case}
        return Report(
            frozenset(name for name, what in became.items() if not {"failure", "error", "skipped"} & what),
            frozenset(name for name, what in became.items() if "failure" in what),
            said,
        )


def _serve() -> None:
    sys.path[0] = sys.argv[1]  # not the folder of this file, whose names are those of other things
    for module in _SLOW:
        import_module(module)
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(order)
        os.waitpid(pid, 0)
        print(order["report"], flush=True)


def _become(order: dict[str, Any]) -> None:
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for given, standard in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(given, standard)
    os.environ.update(order["environment"])
    status: int = pytest.ExitCode.INTERNAL_ERROR
    try:
        status = pytest.main(_arguments(order["tests"], order["report"]))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _arguments(tests: Sequence[str], report: str) -> list[str]:
    # Asserts are not rewritten: plugins are imported already, and nobody reads the details.
    return [*tests, "-q", "-n0", "--assert=plain", "--tb=short", "--hypothesis-profile=planted", f"--junitxml={report}"]


if __name__ == "__main__":
    _serve()
