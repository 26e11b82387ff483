"""Runs tests on copies of the product: one process imports the libraries once, and forks for each run.

Run as a program, it reads one JSON object a line (`{"source": path, "tests": [...], "environment": {...}, "report":
path, "log": path}`), runs these tests in a fork that imports the product from there, and prints how pytest ended. It
ends when its input closes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
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
    """The forking process, from the side of a test; whatever still runs in it is killed when it is left."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        """`home` is an empty folder for logs and reports; `environment` is that of every run."""
        self._home = home
        self._environment = environment
        self._runs = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        with self._process:
            pass  # closes its pipes, and waits

    def run(self, source: Path, *tests: str) -> Report:
        """Run tests on a copy of the product."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._runs += 1
        log, report = (self._home / f"{self._runs}.{ending}" for ending in ("log", "xml"))
        order = {"source": str(source), "tests": tests, "environment": dict(self._environment)}
        order |= {"report": str(report), "log": str(log)}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        ended = self._process.stdout.readline()
        said = log.read_text(errors="replace")[-8000:] if log.exists() else ""
        assert report.exists(), f"pytest wrote no report and ended with {ended!r}\n{said}"
        cases = {str(case.get("name")): [part.tag for part in case] for case in ET.parse(report).iter("testcase")}
        return Report(
            frozenset(name for name, tags in cases.items() if not {"failure", "error", "skipped"} & {*tags}),
            frozenset(name for name, tags in cases.items() if "failure" in tags),
            said,
        )


def _serve() -> None:
    for module in _SLOW:
        import_module(module)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _become(json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _become(order: dict[str, Any]) -> None:
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for given, standard in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(given, standard)
    os.environ.update(order["environment"], PYTHONPATH=order["source"])  # for the processes that tests start
    sys.path[0] = order["source"]  # before the one that is installed
    status: int = pytest.ExitCode.INTERNAL_ERROR
    try:
        status = pytest.main(_arguments(order["tests"], order["report"]))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _arguments(tests: Sequence[str], report: str) -> list[str]:
    # Asserts are not rewritten: plugins are imported already, and nobody reads the details.
    return [*tests, "-q", "-n0", "--assert=plain", "--tb=short", f"--junitxml={report}"]


if __name__ == "__main__":
    _serve()
