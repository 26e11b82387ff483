"""What every test may ask for, and what is asked of every test."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator
from typing import Any

import hypothesis
import pytest
import structlog

from support.zygote import Zygote

# The same examples in every run, so that a red run is red again; `make storm` looks for new ones.
hypothesis.settings.register_profile("repeatable", derandomize=True, database=None)
# Whether an example fails is all that is asked of a planted fault: the smallest one took three more seconds.
hypothesis.settings.register_profile(
    "planted",
    hypothesis.settings.get_profile("repeatable"),
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)
if not os.environ.get("ATHENAEUM_STORM"):
    hypothesis.settings.load_profile("repeatable")

# structlog's own way shows the values of variables, with colours: eight seconds of CPU where a tool is broken.
_console = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], _console])

pytest_plugins = ["support.database", "support.embedded", "support.redis_server"]

MAY_SKIP = {"timescaledb", "live_slack"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Where everything is required, as in CI, a test that skips has failed: something was not installed."""
    report = yield
    if os.environ.get("ATHENAEUM_TEST_REQUIRE") != "all" or not report.skipped or hasattr(report, "wasxfail"):
        return report
    if MAY_SKIP.isdisjoint(mark.name for mark in item.iter_markers()):
        report.outcome = "failed"
        report.longrepr = f"skipped, but everything is required here: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Any:
    """What is imported meanwhile stays: the garbage collector took half a second each time it looked through it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def zygote() -> Generator[Zygote]:
    """Forks the product's processes."""
    with Zygote() as running:
        yield running
